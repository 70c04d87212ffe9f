"""Files of journeys: two languages, one meaning; every mistake with its line and what to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_driver import SEND, chain_of, journey, program

from operators.journeys.compile import read_journey, schedule_of
from operators.journeys.diff import diff
from operators.journeys.explain import explain
from operators.journeys.findings import WordsError
from operators.journeys.lint import lint
from operators.journeys.trial import try_out
from operators.journeys.units import duration, hours, money, range_of, share, weekdays
from schemas.chain import Chain
from schemas.export import json_schema
from schemas.instants import DAY_US, HOUR_US
from schemas.journey_rules import JourneysConfig
from schemas.journey_words import KEYS
from schemas.journeys import Journey

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples" / "journeys"
CHINESE = """
旅程: 挽回
触发: {未购满: 30天}
人群: {全部: [{分群: [重要保持, 一般保持]}, {累计消费: ">=¥100"}]}
重入: {每隔: 90天}
对照组: 10%
限制: {优先级: 60, 免打扰: "21:00-09:00", 超频时: 等待, 发送日: 周一至周五}
退出条件: [购买, 退订]
步骤:
  - 等待: 到周五 10:00
  - 发送: {类别: 营销, 渠道: [短信, 小程序], 文案: 你好}
  - {等待: {事件: 购买, 超时: 7天}, 否则: [{通知店员: 请致电}]}
"""
ENGLISH = """
journey: 挽回
when: {no_purchase_for: 30d}
who: {all: [{segment: [high_value_leaving, "Small basket, slipping"]}, {spent: ">=¥100"}]}
reenter: {once_per: 90d}
holdout: 10%
limits: {priority: 60, quiet_hours: "21:00-09:00", on_capped: wait, days: Mon-Fri}
exit_when: [purchase, opted_out]
steps:
  - wait: until Friday 10:00
  - send: {class: marketing, channels: [sms, mini_program], text: 你好}
  - {wait: {event: purchase, timeout: 7d}, else: [{notify_staff: 请致电}]}
"""


def test_chinese_and_english_are_one() -> None:
    chain = chain_of()
    one, other = program(CHINESE, chain), program(ENGLISH, chain)
    assert one.nodes == other.nodes
    assert (one.trigger, one.who, one.hours) == (other.trigger, other.who, other.hours)
    assert (one.exit_events, one.holdout) == (other.exit_events, other.holdout)
    assert explain(one, "zh") == explain(other, "zh")


# A line of a file, what is wrong with it, and words that have to be in what is said.
MISTAKES = {
    "jurney: x": ("unknown_key", "did you mean journey"),
    "when: {event: purchas}": ("no_such_word", "did you mean purchase"),
    "when: {event: purchase, schedule: every day 10:00}": ("one_trigger", "exactly one"),
    "when: {schedule: fridays}": ("no_trigger", "every Friday 20:00"),
    "when: {segment_enters: [重要保特]}": ("no_such_segment", "did you mean 重要保持"),
    "when: {no_purchase_for: 30 suns}": ("no_trigger", "30d"),
    "when: {event: purchase, cause: [time]}": ("no_partner", "means nothing"),
    "when: {crosses: {field: spend_30d, above: 500}}": ("other_window", "365 days"),
    "when: {crosses: {field: tier, above: 500}}": ("no_trigger", "no level"),
    "who: {visits: many}": ("no_test", ">=3"),
    "who: {visitz: '>=3'}": ("no_such_figure", "did you mean visits"),
    "holdout: 110%": ("no_value", "10%"),
    "reenter: sometimes": ("no_such_word", "never"),
    "limits: {quiet_hours: 9-21}": ("no_value", "write 20:00"),
    "limits: {quiet_hours: '09:00-09:00'}": ("no_value", "different ends"),
    "limits: {on_capped: drop}": ("no_such_word", "skip"),
    "limits: {priority: high}": ("wrong_kind", "whole number"),
    "exit_when: [birthday]": ("no_such_exit", "opted_out"),
    "goal: {purchase_within: soon}": ("no_value", "30d"),
    "steps: []": ("no_steps", "at least one"),
    "steps: [{wait: 1d, give: x}]": ("one_verb", "one thing"),
    "steps: [{wait: {event: purchase}}]": ("no_timeout", "timeout"),
    "steps: [{exit: done}, {give: x}]": ("unreachable", "nobody gets here"),
    "steps: [{if: {visits: 3}, then: [{exit: a}], else: [{exit: b}]}, {give: x}]": (
        "unreachable", "nobody gets here"),
    "steps: [{give: x, else: [{give: y}]}]": ("no_partner", "beside give"),
    "steps: [{send: {class: marketing, channels: [smss]}}]": ("no_such_channel", "mean sms"),
    "steps: [{send: {channels: [sms]}}]": ("missing", "class is missing"),
    "steps: [{name: a, give: x}, {name: a, give: y}]": ("step_twice", "named a"),
    "title: a\ntitle: b": ("twice", "written twice"),
}  # fmt: skip


@pytest.mark.parametrize("line", MISTAKES)
def test_every_mistake_has_its_line(line: str) -> None:
    """Put into a good file as its second line, it is told as that of the second line."""
    code, words = MISTAKES[line]
    good = {"journey": "x", "when": "{event: purchase}", "steps": "[{give: x}]"}
    key = line.partition(":")[0]
    rest = [f"{name}: {value}" for name, value in good.items() if name != key]
    text = "\n".join([f"# {key}", line, *rest])
    read = read_journey(text, "x.yaml", Chain())
    found = [one for one in read.source.findings if one.code == code]
    assert found, read.source.findings
    assert found[0].line == (3 if key == "title" else 2)
    assert words in found[0].said.en
    assert found[0].shown("x.yaml").startswith(f"x.yaml, line {found[0].line}: error: ")
    assert "第" in found[0].shown("x.yaml", "zh")
    assert found[0].said.zh != found[0].said.en
    assert read.program is None


def test_what_could_be_there_is_of_that_place_and_in_that_language() -> None:
    read = read_journey(
        "旅程: 甲\n触发: {达到: {指标: 累计消费, 大于: 500}}\n限制: {静默: 无}\n"
        "步骤:\n  - 等待: {事件: opend, 超时: 2天}\n",
        "a.yaml",
        chain_of(),
    )
    told = {one.line: one for one in read.source.findings}
    assert told[2].said.en.endswith("here: there are field, above")
    assert told[2].said.zh.endswith("指标、不低于")
    assert "免打扰" in told[3].said.zh
    assert told[5].said.en.endswith("did you mean opened?")
    assert "购买" in told[5].said.zh
    assert "purchase" not in told[5].said.zh


def test_all_mistakes_are_told_at_once() -> None:
    text = "journey: x\nwhen: {event: purchas}\nholdout: 3\nsteps:\n  - wait: 3x\n  - sned: {}\n"
    lines = [one.line for one in read_journey(text, "x", Chain()).source.findings]
    assert sorted(set(lines)) == [2, 3, 5, 6]


def test_what_is_no_yaml_and_no_journey() -> None:
    for text, line in (("journey: [", 2), ("- a\n- b", 1), ("", 1)):
        (one,) = read_journey(text, "x", Chain()).source.findings
        assert (one.level, one.line <= line) == ("error", True)


WARNED = {
    "no_holdout": journey("x", "{event: purchase}", "give: g", reenter="always"),
    "no_reenter": journey("x", "{event: purchase}", SEND),
    "no_opt_out": journey("x", "{event: refund}", "wait: 3d", SEND, reenter="never"),
    "quiet_schedule": journey("x", "{schedule: every Friday 22:00}", SEND),
    "short_ttl": journey("x", "{event: refund}", SEND, limits="{ttl: 2h}"),
    "does_nothing": journey("x", "{event: refund}", "wait: 1d"),
    "no_text": journey("x", "{event: refund}", SEND.replace(", text: hello", "")),
    "never_comes": journey(
        "x", "{event: refund}", "{wait: {event: purchase, timeout: 1d}, then: [give: g]}",
        exit_when="[purchase]",
    ),
    "no_tests": journey("x", "{event: refund}", SEND),
    "expects_nothing": journey("x", "{event: refund}", SEND)
    + "\ntests: [{name: t, given: [], expect: {}}]",
}  # fmt: skip


@pytest.mark.parametrize("code", WARNED)
def test_what_is_hardly_meant(code: str) -> None:
    chain = Chain()
    read = read_journey(WARNED[code], "x.yaml", chain)
    lint([read], chain)
    assert code in {one.code for one in read.source.findings}
    assert all(one.level == "warning" for one in read.source.findings)
    assert read.program is not None


def test_two_files_of_one_name() -> None:
    chain = Chain()
    text = journey("x", "{event: refund}", SEND)
    reads = [read_journey(text, name, chain) for name in ("a.yaml", "b.yaml")]
    lint(reads, chain)
    assert [any(one.code == "name_twice" for one in read.source.findings) for read in reads] == [
        False,
        True,
    ]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_pass_their_own_tests(path: Path) -> None:
    chain = Chain()
    read = read_journey(path.read_text("utf-8"), path.name, chain)
    assert read.program is not None, read.source.findings
    assert len(read.tests) >= 4
    for one in read.tests:
        assert try_out(one, read.program, chain).wrong == (), one.name


def test_what_the_page_shows_works() -> None:
    """The journey of docs/journeys.md passes the test block of docs/journeys.md."""
    page = (EXAMPLES.parents[1] / "journeys.md").read_text("utf-8")
    blocks = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
    text = blocks[0] + blocks[2]
    chain = msgspec.convert(yaml.safe_load(blocks[1]), Chain)
    read = read_journey(text, "page", msgspec.structs.replace(chain, journeys=JourneysConfig()))
    assert read.program is not None, read.source.findings
    for one in read.tests:
        assert try_out(one, read.program, Chain()).wrong == ()


def test_a_test_that_is_wrong_fails() -> None:
    chain = Chain()
    text = (EXAMPLES / "vip-at-500.yaml").read_text("utf-8")
    read = read_journey(text.replace("purchase: 250}", "purchase: 150}"), "x", chain)
    assert read.program is not None
    wrong = try_out(read.tests[0], read.program, chain).wrong
    assert "entered: expected 1, came 0" in wrong


def test_a_version_is_what_a_file_does() -> None:
    """Not its tests, its title or its language; what members in it keep is the old one."""
    chain = chain_of()
    one = program(ENGLISH, chain)
    assert program(ENGLISH + "\ntitle: other\ntests: []", chain).version == one.version
    assert program(ENGLISH.replace("7d", "8d"), chain).version != one.version
    assert program(ENGLISH + "\nversion: 2", chain).version.startswith("v2-")


def test_diff_in_sentences() -> None:
    chain = chain_of()
    one = program(ENGLISH, chain)
    other = program(ENGLISH.replace("7d", "8d").replace("holdout: 10%", "holdout: 5%"), chain)
    found = diff(one, other)
    assert [line[0] for line in found[:-1]] == ["-", "+", "-", "+"]
    assert "10%" in found[0]
    assert "8 days" in found[3]
    assert one.version in found[-1]
    assert diff(one, one) == [f"{one.version} = {one.version}: both do the same"]
    # A step that is put before the others is one line.
    more = program(ENGLISH.replace("steps:\n", "steps:\n  - give: hello\n"), chain)
    assert diff(one, more)[:-1] == ["+ Give hello."]


def test_figures_as_people_write_them() -> None:
    assert duration("2小时") == duration("2h") == 2 * HOUR_US
    assert duration("1w") == 7 * DAY_US
    assert money("¥1,280.50") == 128_050
    assert share("0.1") == share("10%") == 1_000
    assert hours("21:00-09:00") == (1_260, 540)
    assert weekdays("Fri-Mon") == weekdays("周五至周一") == {4, 5, 6, 0}
    assert range_of("<500", of_money=True).holds(49_999)
    assert not range_of("<500", of_money=True).holds(50_000)
    assert range_of("2..3", of_money=False) == (2, 3)
    assert schedule_of("每月1日 10:00") == schedule_of("every month 1 10:00")
    assert schedule_of("每周五 20:00") == schedule_of("every Friday 20:00")


@pytest.mark.parametrize(
    ("read", "value"),
    [(duration, "0d"), (duration, "-3d"), (duration, "9999999999d"), (money, "1.005"),
     (share, "10.001%"), (hours, "25:00-09:00"), (weekdays, "Fryday")],
)  # fmt: skip
def test_figures_that_are_none(read: object, value: str) -> None:
    assert callable(read)
    with pytest.raises(WordsError, match=value[:3]):
        read(value)


def test_the_schema_holds_the_english_words() -> None:
    """Every Chinese word stands for one that the schema, a test block or a figure has."""
    exported = msgspec.json.encode(json_schema("journey.v1")).decode()
    fields = {f'"{one.encode_name}"' for one in msgspec.structs.fields(Journey)}
    assert all(one in exported for one in fields)
    known = {f'"{word}"' in exported or word in KEYS.values() for word in set(KEYS.values())}
    assert known == {True}


@settings(max_examples=cases(60, 300), deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(sorted({*KEYS.values(), *list(KEYS)[:20], "x"})), inner, max_size=4
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(("when", "who", "steps", "limits", "exit_when", "tests", "reenter", "goal")),
)
def test_nothing_that_is_written_stops_the_reader(value: object, key: str) -> None:
    """Whatever a part of a file is, it is run or it has findings; nothing is raised."""
    plain = {"journey": "x", "when": {"event": "purchase"}, "steps": [{"give": "x"}], key: value}
    text = msgspec.json.encode(plain).decode()
    chain = Chain()
    read = read_journey(text, "x.yaml", chain)
    lint([read], chain)
    assert (read.program is None) == read.source.broken
    if read.program is not None:
        assert explain(read.program, "zh")
        assert explain(read.program)
        for one in read.tests:
            try_out(one, read.program, chain)
