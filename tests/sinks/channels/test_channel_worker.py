"""What the channels worker does with decisions, at a clock that tests set, against real servers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from channel_server import TMPL, ChannelServer, start_channel_server
from channel_world import ENV, configured, consent, decided, erased, event, subscribed

from operators.channels.heard import heard_in_line
from operators.inbox import Batch
from schemas.channels import Channels, WhenUnknown
from schemas.instants import DAY_US, HOUR_US, SECOND_US
from schemas.journey_rules import JourneysConfig
from sinks.channels.database import connect
from sinks.channels.listing import counts
from sinks.channels.store import Report
from sinks.channels.worker import Worker
from sinks.hooks.worker import wall_clock

ALL_DAY = JourneysConfig(quiet_hours=None)
MINUTE = 60 * SECOND_US


class Heap:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.erased: list[str] = []
        self.there = True

    def tell(self, reports: Sequence[Report], erased: Sequence[str]) -> bool:
        if self.there:
            self.reports += reports
            self.erased += erased
        return self.there

    def close(self) -> None:
        pass

    def said(self) -> list[tuple[str, str, str]]:
        return [(one.channel, one.status, one.reason) for one in self.reports]


class World:
    """A worker whose senders are stepped by hand; `now` is real time plus what was skipped."""

    def __init__(
        self,
        server: ChannelServer,
        folder: Path,
        rules: JourneysConfig = ALL_DAY,
        made: Channels | None = None,
    ) -> None:
        self.heap = Heap()
        self.server = server
        self.skipped = 0
        self._args = (made or configured(server.address, folder), rules, folder / "channels.sqlite")
        self.folder = folder
        self.worker = self._open()

    def _open(self) -> Worker:
        return Worker(*self._args, ENV, self.heap, clock=self.now)

    def now(self) -> int:
        return wall_clock() + self.skipped

    def restart(self) -> None:
        self.worker.close()
        self.worker = self._open()

    def hear(self, *lines: bytes) -> int:
        heard = [one for line in lines if (one := heard_in_line(line)) is not None]
        return self.worker.step(Batch(heard, [], []))

    def go(self, skip: int = 0) -> None:
        """Step every sender until nothing is due, and tell."""
        self.skipped += skip
        self.server.ahead = self.skipped / SECOND_US
        for _ in range(3):
            for sender in self.worker.senders.values():
                for _ in range(30):
                    due = sender.step()
                    if due is None or due > self.now():
                        break
        self.worker.tell()

    def states(self) -> dict[str, int]:
        with closing(connect(self.folder / "channels.sqlite")) as connection:
            return counts(connection)


@pytest.fixture
def server() -> Iterator[ChannelServer]:
    with start_channel_server() as providers:
        yield providers


@pytest.fixture
def world(server: ChannelServer, tmp_path: Path) -> Iterator[World]:
    made = World(server, tmp_path)
    yield made
    made.worker.close()


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


@pytest.mark.parametrize("plan", ["drop", (502, "bad gateway")])
def test_an_answer_that_never_came_is_learned(
    server: ChannelServer, world: World, plan: str | tuple[int, str]
) -> None:
    """Taken and the connection broken: found. Not taken: sent again once that is sure."""
    server.plans = [plan]
    world.hear(decided(1))
    world.go()
    assert world.states() == {"doubt": 1}
    for _ in range(4):
        world.go(skip=6 * SECOND_US)
    assert len(server.arrived) == 1
    assert world.states() == {"delivered": 1}


def test_a_provider_that_lists_messages_late_is_waited_for(
    server: ChannelServer, tmp_path: Path
) -> None:
    """Taken and not yet listed is no proof that it never came, before `settle_seconds`."""
    made = configured(server.address, tmp_path)
    patient = msgspec.structs.replace(made.channels["sms"], settle_seconds=60)
    made = msgspec.structs.replace(made, channels=made.channels | {"sms": patient})
    world = World(server, tmp_path, made=made)
    with closing(world.worker):
        server.plans, server.lists_after = ["drop"], 30
        world.hear(decided(1))
        world.go()
        for _ in range(14):
            world.go(skip=6 * SECOND_US)
    assert len(server.arrived) == 1
    assert world.states() == {"delivered": 1}


def test_erased_while_the_provider_answers(server: ChannelServer, world: World) -> None:
    """The request has left; nothing is kept of it."""

    def answer() -> tuple[int, str]:
        world.hear(erased(1))
        return 200, '{"Code": "OK", "Message": "OK", "BizId": "B"}'

    server.plans = [answer]
    world.hear(decided(1))
    world.go()
    assert world.states() == {"erased": 1}
    assert world.heap.reports == []


def test_what_never_left_is_tried_again(server: ChannelServer, world: World) -> None:
    server.plans = ["reset"]
    world.hear(decided(1))
    world.go()
    for _ in range(4):
        world.go(skip=MINUTE)
    assert len(server.arrived) == 1


def test_a_provider_that_cannot_be_asked_for_days_leaves_it_unknown(
    server: ChannelServer, world: World
) -> None:
    server.plans, server.blind = ["drop"], True
    world.hear(decided(1))
    world.go()
    for _ in range(60):
        world.go(skip=2 * HOUR_US)
    assert world.states() == {"unknown": 1}
    assert len(server.arrived) == 1
    assert world.heap.said() == [("sms", "unknown", "")]


@pytest.mark.parametrize(("purpose", "arrive"), [("marketing", 1), ("service", 2)])
def test_where_nothing_can_be_learned_the_class_says_which_side_to_err_on(
    server: ChannelServer, world: World, purpose: str, arrive: int
) -> None:
    """M2; WeChat would take a second one, as the member allowed several."""
    server.plans, server.credits["openid-1"] = ["drop"], 5
    lines = decided(1, ("wechat_subscription",), message_class=purpose)
    world.hear(subscribed(1, 5), lines)
    for _ in range(4):
        world.go(skip=MINUTE)
    assert len(server.arrived) == arrive
    assert world.states() == ({"unknown": 1} if purpose == "marketing" else {"accepted": 1})


def test_the_side_to_err_on_is_a_setting(server: ChannelServer, tmp_path: Path) -> None:
    made = configured(server.address, tmp_path)
    name = "wechat_subscription"
    careful = WhenUnknown(marketing="resend", service="show")
    other = msgspec.structs.replace(made.channels[name], when_unknown=careful)
    made = msgspec.structs.replace(made, channels=made.channels | {name: other})
    world = World(server, tmp_path, made=made)
    with closing(world.worker):
        server.plans, server.credits["openid-1"] = ["drop"], 5
        world.hear(subscribed(1, 5), decided(1, (name,), message_class="service"))
        for _ in range(3):
            world.go(skip=MINUTE)
        assert world.states() == {"unknown": 1}
        assert len(server.arrived) == 1


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
    world.worker = world._open()
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
