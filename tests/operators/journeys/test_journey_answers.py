"""What providers and members answer, back in journeys: another channel where nobody opens."""

from __future__ import annotations

from typing import Any

import pytest
from journey_driver import SHANGHAI, Shop, chain_of, journey, program

from operators.journeys.compile import read_journey
from operators.journeys.decisions import Decision
from operators.journeys.explain import explain
from operators.journeys.lint import lint
from operators.journeys.trial import try_out
from schemas.journeys import Heard

FIRST = "send: {class: marketing, channels: [wechat_subscription, sms], text: hello}"
SECOND = "send: {class: marketing, channels: [sms], text: again}"
CHAIN = chain_of()


def waiting(event: str, *before: str, when_it_comes: str = "exit: glad") -> str:
    """A message, and another one if the event does not come within two days."""
    ways = f"then: [{{{when_it_comes}}}], else: [{{{SECOND}}}]"
    wait = f"{{wait: {{event: {event}, timeout: 2d}}, {ways}}}"
    return journey("j", "{event: purchase}", FIRST, *before, wait, reenter="always")


def opened_shop(text: str) -> tuple[Shop, Decision]:
    """A member that was just sent the first message."""
    shop = Shop(text, chain=CHAIN)
    shop.allow("2026-06-01 09:00")
    shop.buy("2026-06-01 12:00")
    shop.replay.pass_to(shop.replay.now + 1)
    (first,) = sends(shop)
    return shop, first


def sends(shop: Shop) -> list[Decision]:
    """Messages that went."""
    return [one for one in shop.replay.decisions if one.action == "send" and one.decision == "go"]


def left(shop: Shop) -> list[str]:
    """Why members left."""
    return [one.reason for one in shop.replay.moves if one.status == "exited"]


def test_who_opens_gets_no_second_message() -> None:
    """Told twice it is the same; told of another message it is nothing."""
    shop, first = opened_shop(waiting("opened"))
    shop.answer("2026-06-01 13:00", "opened", "another message")
    shop.answer("2026-06-01 13:30", "delivered", first.id)
    assert left(shop) == []
    shop.answer("2026-06-02 12:00", "opened", first.id)
    shop.answer("2026-06-02 12:05", "opened", first.id)
    shop.until("2026-06-10 12:00")
    assert len(sends(shop)) == 1
    assert left(shop) == ["glad"]


def test_who_does_not_gets_it_in_the_other_channel() -> None:
    """After exactly the time that the file says; an opening after that changes nothing."""
    shop, first = opened_shop(waiting("opened"))
    shop.until("2026-06-04 12:00")
    assert [one.text for one in sends(shop)] == ["hello", "again"]
    assert sends(shop)[1].decided_at - first.decided_at == 2 * 86_400 * 10**6
    shop.answer("2026-06-05 12:00", "opened", first.id)
    assert left(shop) == ["done"]


def test_what_came_before_the_wait_is_not_lost() -> None:
    """It is opened while the journey waits for something else."""
    shop, first = opened_shop(waiting("opened", "wait: 1d"))
    shop.answer("2026-06-01 12:30", "opened", first.id)
    shop.until("2026-06-10 12:00")
    assert len(sends(shop)) == 1
    assert left(shop) == ["glad"]


def test_failed_means_in_all_its_channels() -> None:
    """The worker tries the next channel by itself; only when none is left has it failed."""
    shop, first = opened_shop(waiting("failed", when_it_comes="exit: nobody"))
    shop.answer("2026-06-01 12:01", "failed", first.id, channel="wechat_subscription", reason="x")
    assert left(shop) == []
    shop.answer("2026-06-01 12:02", "failed", first.id, channel="sms", reason="refused")
    shop.until("2026-06-01 12:03")
    assert left(shop) == ["nobody"]
    shop, first = opened_shop(waiting("failed", when_it_comes="exit: nobody"))
    shop.answer("2026-06-01 12:01", "failed", first.id, channel="sms", reason="expired")
    shop.until("2026-06-01 12:03")
    assert left(shop) == ["nobody"]


@pytest.mark.parametrize("late", [False, True])
def test_after_a_merge_the_person_hears_it(late: bool) -> None:
    """The message went to an id that is somebody else's now."""
    shop, first = opened_shop(waiting("opened"))
    if late:
        shop.replay.restart()
    shop.link("2026-06-01 15:00", "m", "n")
    shop.answer("2026-06-01 16:00", "opened", first.id)
    shop.until("2026-06-10 12:00")
    assert len(sends(shop)) == 1
    assert left(shop)[-1] == "glad"


def test_words_lint_and_blocks_in_the_file() -> None:
    """In Chinese the same; without a message there is nothing to wait for; tests can open it."""
    chinese = """
旅程: j
触发: {事件: 购买}
重入: 总是
步骤:
  - 发送: {类别: 营销, 渠道: [短信], 文案: hello}
  - 等待: {事件: 打开, 超时: 2d}
    否则: [{发送: {类别: 营销, 渠道: [短信], 文案: again}}]
"""
    one = program(chinese, CHAIN)
    assert "消息被打开" in "".join(explain(one, "zh"))
    assert "the message being opened" in " ".join(explain(one))
    read = read_journey(
        journey("j", "{event: purchase}", "{wait: {event: opened, timeout: 2d}}", "give: x"),
        "j.yaml",
        CHAIN,
    )
    lint([read], CHAIN)
    assert "no_message" in [one.code for one in read.source.findings]
    blocks = """
tests:
  - name: opened
    given:
      - {at: 2026-06-01 12:00, purchase: 50}
      - {at: 2026-06-01 12:10, opened: true}
      - {at: 2026-06-09 12:00, tick: true}
    expect: {sent: 1, exited: glad}
  - name: not opened
    given: [{at: 2026-06-01 12:00, purchase: 50}, {at: 2026-06-09 12:00, tick: true}]
    expect: {sent: 2}
"""
    read = read_journey(f"{waiting('opened')}\n{blocks}", "j.yaml", CHAIN)
    assert read.program is not None
    assert [try_out(each, read.program, CHAIN).wrong for each in read.tests] == [(), ()]


def test_kinds_are_those_of_the_grammar() -> None:
    """Each can be waited for."""
    kinds: Any = Heard.__args__  # type: ignore[attr-defined]
    for kind in kinds:
        assert program(waiting(kind), CHAIN).name == "j"
    assert CHAIN.timezone == SHANGHAI
