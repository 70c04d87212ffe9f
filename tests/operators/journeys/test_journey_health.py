"""Health in journeys' conditions: read, told in words, tried out, judged at the very moment."""

from __future__ import annotations

import pytest
from health_models import quick_model
from journey_driver import Shop, chain_of, instant, journey, program

from operators.journeys.compile import read_journey
from operators.journeys.explain import explain
from operators.journeys.replay import Replay
from operators.journeys.trial import try_out

CHAIN = chain_of()
DAILY = "{schedule: every day 10:00}"
CHINESE = """
旅程: 快流失
触发: {定时: 每天 10:00}
对象: {健康分: <40}
重入: 从不
步骤:
  - 赠送: 关怀
"""


def test_words_in_both_languages() -> None:
    """The same condition, told as it is meant."""
    english = program(journey("weak", DAILY, "give: care", who="{health: <40}"), CHAIN)
    chinese = program(CHINESE, CHAIN)
    assert english.who == chinese.who
    assert english.asks("health")
    assert chinese.asks("health")
    assert not program(journey("all", DAILY, "give: care"), CHAIN).asks("health")
    assert "health 39 or less" in " ".join(explain(english))
    assert "健康分不高于 39" in "".join(explain(chinese, "zh"))
    inside = "{if: {any: [{not: {health: '>=55'}}, {visits: 3}]}, then: [{give: care}]}"
    assert program(journey("inside", DAILY, inside), CHAIN).asks("health")


@pytest.mark.parametrize("test", ["<0.3", ">=101", "low"])
def test_what_is_no_score_is_told_with_what_to_write(test: str) -> None:
    """A share, or more than there is: the finding names the scale and its line."""
    text = journey("weak", DAILY, "give: care", who=f"{{health: '{test}'}}")
    read = read_journey(text, "weak.yaml", CHAIN)
    (found,) = [one for one in read.source.findings if one.level == "error"]
    assert found.line == 3
    assert "0 to 100: write `health: <30`" in found.said.en
    assert "健康分: <30" in found.said.zh


def test_nobody_crosses_to_a_health() -> None:
    """It falls by itself, so it is a condition and no trigger."""
    read = read_journey(
        journey("up", "{crosses: {field: health, above: 60}}", "give: care"), "up.yaml", CHAIN
    )
    assert any("crosses no level" in one.said.en for one in read.source.findings)


def test_blocks_in_the_file_say_how_healthy_the_member_is() -> None:
    """`health: 20` of the member is that score; without it there is none, and nobody comes in."""
    text = journey("weak", DAILY, "give: care", who="{health: <40}")
    text += """
tests:
  - name: weak
    member: {health: 20}
    given: [{at: 2026-06-01 12:00, purchase: 50}, {at: 2026-06-02 10:00, tick: true}]
    expect: {given: 1}
  - name: strong
    member: {health: 80}
    given: [{at: 2026-06-01 12:00, purchase: 50}, {at: 2026-06-02 10:00, tick: true}]
    expect: {given: 0, entered: 0}
  - name: unknown
    given: [{at: 2026-06-01 12:00, purchase: 50}, {at: 2026-06-02 10:00, tick: true}]
    expect: {given: 0}
  - name: impossible
    member: {health: 120}
    given: [{at: 2026-06-01 12:00, purchase: 50}]
    expect: {given: 0}
"""
    read = read_journey(text, "weak.yaml", CHAIN)
    assert read.program is not None
    wrong = [try_out(one, read.program, CHAIN).wrong for one in read.tests]
    assert wrong[:3] == [(), (), ()]
    assert "no score" in wrong[3][0]


def test_it_is_judged_at_the_moment_it_is_asked() -> None:
    """Nothing happens after the purchase, and on the day on which health is low the gift comes."""
    given = {}
    for level in (90, 35, 15):
        text = journey("weak", DAILY, "give: care", who=f"{{health: <{level}}}", reenter="never")
        shop = Shop(chain=CHAIN)
        shop.replay = Replay(CHAIN, health=quick_model())
        shop.replay.pass_to(instant("2026-06-01 00:00"))
        shop.publish(text)
        shop.buy("2026-06-01 12:00")
        shop.replay.pass_to(instant("2026-06-20 12:00"))
        (gift,) = [one for one in shop.replay.decisions if one.action == "give"]
        given[level] = gift.decided_at
    assert instant("2026-06-02 10:00") == given[90] < given[35] < given[15]
