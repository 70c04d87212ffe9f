"""The pure parts: the last judgement, templates, what is heard."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from channel_world import consent, decided, erased, event, subscribed

from operators.channels.filling import fill, fitting
from operators.channels.heard import Asked, Credit, Gone, Said, heard_in_line, heard_in_record
from operators.channels.judge import Judge, Standing
from operators.inbox import Unreadable
from operators.records import Record
from schemas.channels import Template
from schemas.instants import HOUR_US, to_micros
from schemas.journey_rules import JourneysConfig

NOON = to_micros(datetime(2026, 11, 23, 4, 0, tzinfo=UTC))  # in Shanghai
ASKED = Asked(
    id="d",
    member="m",
    journey="j",
    decided_at=NOON,
    not_after=NOON + 72 * HOUR_US,
    marketing=True,
    channels=("sms",),
    zone="Asia/Shanghai",
    text="满280减50",
    gift="c280-50",
    valid_seconds=5 * 86400,
)
JUDGE = Judge(JourneysConfig())
NOTHING = Standing({}, erased=False)


def said(purpose: str, channel: str, status: str) -> Standing:
    return Standing({(purpose, channel): (1, 0, 0, status, None, None)}, erased=False)


@pytest.mark.parametrize(
    ("hour", "verdict", "until"),
    [(12, "go", 0), (20.999, "go", 0), (21, "hold", 33), (24, "hold", 33), (32.99, "hold", 33),
     (33, "go", 0)],
)  # fmt: skip
def test_quiet_hours_go_by_the_members_clock(hour: float, verdict: str, until: int) -> None:
    """M8: 21:00 to 09:00 over midnight."""
    midnight = NOON - 12 * HOUR_US
    judged = JUDGE.judge(ASKED, "sms", NOTHING, midnight + round(hour * HOUR_US))
    assert judged.verdict == verdict
    assert judged.until == (midnight + until * HOUR_US if until else 0)
    service = msgspec.structs.replace(ASKED, marketing=False)
    assert JUDGE.judge(service, "sms", NOTHING, midnight + round(hour * HOUR_US)).verdict == "go"


def test_a_quiet_night_longer_than_the_message_lives() -> None:
    short = msgspec.structs.replace(ASKED, not_after=NOON + 12 * HOUR_US)
    assert JUDGE.judge(short, "sms", NOTHING, NOON + 10 * HOUR_US) == ("stop", "quiet", 0)
    assert JUDGE.judge(short, "sms", NOTHING, NOON + 12 * HOUR_US + 1) == ("stop", "expired", 0)


@pytest.mark.parametrize(
    ("standing", "marketing", "service"),
    [
        (NOTHING, "go", "go"),
        (said("marketing", "sms", "granted"), "go", "go"),
        (said("marketing", "sms", "withdrawn"), "next", "go"),
        (said("marketing", "any", "denied"), "next", "go"),
        (said("marketing", "wechat", "denied"), "go", "go"),
        (said("profiling", "any", "withdrawn"), "stop", "go"),
        (said("service", "sms", "withdrawn"), "go", "next"),
        (Standing({}, erased=True), "stop", "stop"),
    ],
)
def test_what_was_said_since(standing: Standing, marketing: str, service: str) -> None:
    about = msgspec.structs.replace(ASKED, marketing=False)
    assert JUDGE.judge(ASKED, "sms", standing, NOON).verdict == marketing
    assert JUDGE.judge(about, "sms", standing, NOON).verdict == service


def test_places_of_a_template() -> None:
    values = {"a": "{contact.name}: {text}", "b": "{until}/{valid_days}", "c": "{contact.no}{gift}"}
    template = Template(code="T", values=values, page="p?g={gift}")
    made = fill(ASKED, template, {"name": "王"}, "138", "")
    assert made.values == {"a": "王: 满280减50", "b": "2026-11-28/5", "c": "c280-50"}
    assert (made.code, made.page, made.text) == ("T", "p?g=c280-50", "满280减50")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [("thing1", "二" * 20, "二" * 20), ("thing12", "二" * 21, "二" * 19 + "…"),
     ("phrase3", "一二三四五六", "一二三四…"), ("date4", "x" * 50, "x" * 50)],
)  # fmt: skip
def test_values_are_cut_as_wechat_wants_them(name: str, value: str, kept: str) -> None:
    assert fitting(name, value) == kept


def test_what_is_heard() -> None:
    asked = heard_in_line(decided(4, ("sms", "wecom")))
    assert isinstance(asked, Asked)
    assert (asked.member, asked.channels, asked.marketing) == ("m4", ("sms", "wecom"), True)
    for more in ({"decision": "defer"}, {"action": "set"}, {"held_out": True}):
        assert heard_in_line(decided(4, **more)) is None
    given = heard_in_line(decided(4, (), action="give", gift="mug", message_class=None))
    assert isinstance(given, Asked)
    assert (given.action, given.gift, given.entry) == ("give", "mug", "e")
    withdrawn = heard_in_line(consent(1, "withdrawn", "sms"))
    assert isinstance(withdrawn, Said)
    assert withdrawn[:4] == ("m1", "marketing", "sms", "withdrawn")
    assert heard_in_line(erased(2)) == Gone(("m2",))
    assert heard_in_line(subscribed(1, 2)) == Credit("test#s-1", "m1", "tmpl-AbCdEf", 2)
    assert heard_in_line(event("stock.alert.v1", "a", {})) is None


def test_both_modes_of_the_log_say_the_same() -> None:
    line = subscribed(1)
    parts = msgspec.json.decode(line)
    names = ("id", "source", "type", "time")
    headers = tuple((f"ce_{name}", parts[name].encode()) for name in names)
    binary = Record(None, msgspec.json.encode(parts["data"]), headers, 0, 0)
    structured = Record(None, line, (), 0, 0)
    wanted = heard_in_line(line)
    assert heard_in_record(binary, "member.subscription.v1") == wanted
    assert heard_in_record(structured, "member.subscription.v1") == wanted


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        event("message.decided.v1", "x", {"message": "x"}),
        event("member.subscription.v1", "x", {"member": "m", "template": "t", "status": "maybe"}),
        consent(1, "granted").replace(b'"time": "', b'"time": "not '),
    ],
)
def test_what_cannot_be_used_is_said(line: bytes) -> None:
    with pytest.raises(Unreadable):
        heard_in_line(line)
