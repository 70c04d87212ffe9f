"""What the channels worker does with decisions, against real servers."""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from channel_desk import MINUTE, World
from channel_server import TMPL, ChannelServer
from channel_world import ENV, configured, consent, decided, erased, event, subscribed

from operators.channels.heard import heard_in_line
from operators.inbox import Batch
from schemas.instants import DAY_US, HOUR_US, SECOND_US
from schemas.journey_rules import JourneysConfig
from sinks.channels.database import connect
from sinks.loop import wall_clock


def test_from_decision_to_receipt(server: ChannelServer, world: World) -> None:
    assert world.hear(decided(1), decided(1)) == 1
    world.go()
    assert [one.address for one in server.arrived] == ["13800000001"]
    world.go(skip=6 * SECOND_US)
    assert world.heap.said() == [("sms", "accepted", ""), ("sms", "delivered", "")]
    assert world.heap.reports[0].ref == "B1^0"
    assert world.states() == {"delivered": 1}


def test_a_phone_that_cannot_be_reached_gets_it_in_the_next_channel(
    server: ChannelServer, world: World
) -> None:
    server.receipts["13800000001"] = 2
    world.hear(decided(1, ("sms", "wecom")))
    world.go()
    world.go(skip=6 * SECOND_US)
    assert [one.provider for one in server.arrived] == ["sms", "wecom"]
    assert world.heap.said()[:3] == [
        ("sms", "accepted", ""),
        ("sms", "failed", "not_delivered"),
        ("wecom", "accepted", ""),
    ]


def test_the_employee_confirms_later(server: ChannelServer, world: World) -> None:
    world.hear(decided(1, ("wecom",)))
    world.go()
    world.go(skip=6 * SECOND_US)
    assert world.states() == {"accepted": 1}
    server.receipts["ext-1"] = 1
    world.go(skip=HOUR_US)
    assert world.states() == {"delivered": 1}


def test_one_credit_two_messages_the_other_one_takes_the_next_channel(
    server: ChannelServer, world: World
) -> None:
    """M18 and M20: the second finds no consent and goes to the screen; the same consent event
    told twice is one."""
    server.credits["openid-1"] = 1
    ways = ("wechat_subscription", "mini_program", "sms")
    world.hear(subscribed(1), subscribed(1))
    world.hear(decided(1, ways), decided(1, ways, message="f" * 32))
    world.go()
    assert [one.provider for one in server.arrived] == ["subscription"]
    assert world.heap.said() == [
        ("wechat_subscription", "accepted", ""),
        ("wechat_subscription", "failed", "no_credit"),
        ("mini_program", "accepted", ""),
    ]
    assert sum(one.path.endswith("subscribe/send") for one in server.received) == 1


def test_a_refusal_of_wechat_takes_all_credits(server: ChannelServer, world: World) -> None:
    world.hear(subscribed(1, 3), decided(1, ("wechat_subscription",)))
    world.go()
    world.hear(decided(1, ("wechat_subscription",), message="e" * 32))
    world.go()
    reasons = [(one.reason, one.code) for one in world.heap.reports]
    assert reasons == [("no_credit", "43101"), ("no_credit", "")]
    assert sum(one.path.endswith("subscribe/send") for one in server.received) == 1


def test_a_refused_message_gives_its_credit_back(server: ChannelServer, world: World) -> None:
    server.credits["openid-1"] = 1
    server.codes = [47003]
    world.hear(subscribed(1), decided(1, ("wechat_subscription",)))
    world.go()
    world.hear(decided(1, ("wechat_subscription",), message="e" * 32))
    world.go()
    assert world.heap.said() == [
        ("wechat_subscription", "failed", "refused"),
        ("wechat_subscription", "accepted", ""),
    ]


def test_a_token_that_no_longer_counts_is_fetched_anew(server: ChannelServer, world: World) -> None:
    world.hear(decided(1, ("wechat_template",)))
    world.go()
    server.tokens += 1  # somebody else fetched one
    world.hear(decided(2, ("wechat_template",)))
    world.go()
    assert len(server.arrived) == 2
    assert world.states() == {"accepted": 2}


def test_consent_withdrawn_while_it_waits(server: ChannelServer, world: World) -> None:
    """M16: only in the channel, then in all of them; an older word does not count."""
    world.hear(decided(1, ("sms", "wecom")), consent(1, "withdrawn", "sms"))
    world.go()
    assert [one.provider for one in server.arrived] == ["wecom"]
    world.hear(decided(2, ("sms", "wecom")), consent(2, "withdrawn"))
    world.go()
    assert len(server.arrived) == 1
    assert world.heap.said()[-1] == ("wecom", "failed", "consent")
    world.hear(decided(3), consent(3, "denied", purpose="profiling"))
    world.go()
    assert world.heap.said()[-1] == ("sms", "failed", "consent")


def test_too_late_is_never_sent(server: ChannelServer, world: World) -> None:
    world.hear(decided(1))
    world.go(skip=2 * HOUR_US)
    assert server.arrived == []
    assert world.heap.said() == [("sms", "failed", "expired")]


def test_quiet_hours_put_it_off(server: ChannelServer, tmp_path: Path) -> None:
    """Quiet but for the minutes that begin half an hour from now; a service message goes."""
    opens = wall_clock() // MINUTE * MINUTE + 30 * MINUTE
    begin, end = (opens + 10 * MINUTE) % DAY_US, opens % DAY_US
    clocks = [f"{at // HOUR_US:02d}:{at % HOUR_US // MINUTE:02d}" for at in (begin, end)]
    world = World(server, tmp_path, JourneysConfig(quiet_hours="-".join(clocks)))
    with closing(world.worker):
        service = decided(2, message_class="service")
        world.hear(decided(1, zone="UTC"), service)
        world.go()
        assert [one.address for one in server.arrived] == ["13800000002"]
        world.go(skip=31 * MINUTE)
        assert len(server.arrived) == 2


def test_erased_while_it_waits_and_for_ever(server: ChannelServer, world: World) -> None:
    """X1 and X3: nothing is sent, nothing is left, and a replay brings nothing back."""
    world.hear(decided(1), decided(2), erased(1))
    world.go()
    assert [one.address for one in server.arrived] == ["13800000002"]
    world.hear(decided(1), decided(1, message="a" * 32), consent(1, "granted"))
    world.go()
    assert len(server.arrived) == 1
    assert {one.member for one in world.heap.reports} == {"m2"}
    assert world.heap.erased == ["m1"]
    content = b"".join(path.read_bytes() for path in world.folder.glob("channels.sqlite*"))
    with closing(connect(world.folder / "channels.sqlite")) as connection:
        left = connection.execute("SELECT body FROM message WHERE member <> 'm2'").fetchall()
    assert left == [(b"",), (b"",)]
    assert b"words-2" in content


def test_all_channels_at_once_are_one_each(server: ChannelServer, world: World) -> None:
    world.hear(decided(1, ("sms", "wecom"), first_available=False))
    world.go()
    assert sorted(one.provider for one in server.arrived) == ["sms", "wecom"]
    assert {one.message for one in world.heap.reports} == {f"{1:032x}"}


def test_what_lacks_an_address_or_a_template_goes_on(server: ChannelServer, world: World) -> None:
    world.hear(decided(77, ("sms", "mini_program")))
    world.hear(decided(1, ("sms", "mini_program"), template="unheard-of"))
    world.hear(decided(2, ("pigeon",)))
    world.go()
    assert server.arrived == []
    assert sorted(world.heap.said()) == [
        ("mini_program", "accepted", ""),
        ("mini_program", "accepted", ""),
        ("pigeon", "failed", "no_channel"),
        ("sms", "failed", "no_address"),
        ("sms", "failed", "no_template"),
    ]


def test_a_wrong_key_loses_nothing(server: ChannelServer, world: World) -> None:
    """What is ours to put right holds the channel up, also longer than a message is tried."""
    server.codes = ["isv.AMOUNT_NOT_ENOUGH"] * 7
    world.hear(decided(1), decided(2))
    for _ in range(9):
        world.go(skip=6 * MINUTE)
    assert len(server.arrived) == 2


def test_nothing_shows_addresses_or_secrets(
    server: ChannelServer, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.codes = ["isv.MOBILE_NUMBER_ILLEGAL"]  # the provider repeats the phone in its answer
    world.hear(decided(1), decided(2, ("wechat_template", "wecom")))
    world.go()
    with closing(connect(world.folder / "channels.sqlite")) as connection:
        answers = str(connection.execute("SELECT answer, ref, body FROM message").fetchall())
    shown = caplog.text + answers + repr(world.heap.reports)
    assert "MOBILE_NUMBER_ILLEGAL" in shown
    for secret in (*ENV.values(), "1380000000", "openid-2", "ext-2"):
        assert secret not in shown


def test_what_cannot_be_told_just_now_waits(server: ChannelServer, world: World) -> None:
    world.heap.there = False
    world.hear(decided(1))
    world.go()
    assert world.heap.reports == []
    world.restart()
    world.heap.there = True
    world.go()
    assert world.heap.said() == [("sms", "accepted", "")]


def test_the_pace_of_a_channel(server: ChannelServer, tmp_path: Path) -> None:
    made = configured(server.address, tmp_path)
    slow = msgspec.structs.replace(made.channels["sms"], per_minute=2, receipt_hours=0)
    made = msgspec.structs.replace(made, channels=made.channels | {"sms": slow})
    world = World(server, tmp_path, made=made)
    with closing(world.worker):
        world.hear(*(decided(number) for number in range(5)))
        world.go()
        assert len(server.arrived) == 2
        world.restart()
        world.go(skip=30 * SECOND_US)
        assert len(server.arrived) == 2
        world.go(skip=31 * SECOND_US)
        assert len(server.arrived) == 4


def test_who_is_taken_out_of_the_contacts_gets_nothing(
    server: ChannelServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.channels.contacts.LOOK_SECONDS", 0.0)
    world.worker.close()
    (world.folder / "contacts.csv").write_text("member,phone\nm2,13800000002\n", "utf-8")
    world.worker = world.open()
    world.hear(decided(1), decided(2))
    world.go()
    assert [one.address for one in server.arrived] == ["13800000002"]


def test_an_event_of_a_subscription_has_the_template(world: World) -> None:
    refused = event(
        "member.subscription.v1", "r", {"member": "m1", "template": TMPL, "status": "refused"}
    )
    world.hear(subscribed(1, 2), refused, decided(1, ("wechat_subscription",)))
    world.go()
    assert world.heap.said() == [("wechat_subscription", "failed", "no_credit")]


def test_the_threads_do_it_by_themselves(server: ChannelServer, tmp_path: Path) -> None:
    class Once:
        def __init__(self) -> None:
            self.batches = [Batch([heard_in_line(decided(n)) for n in range(5)], [], [])]

        def read(self, timeout: float) -> Batch:  # type: ignore[type-arg]
            return self.batches.pop() if self.batches else Batch([], [], [])

        def ended(self) -> bool:
            return not self.batches

        def close(self) -> None:
            pass

    world = World(server, tmp_path)
    with closing(world.worker):
        world.worker.run(Once(), threading.Event(), once=True)
    assert len(server.arrived) == 5
    assert len(world.heap.reports) == 5
