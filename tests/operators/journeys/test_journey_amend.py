"""An arm is rolled out in the operator's own text: nothing else of it changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from journey_driver import chain_of, program

from operators.journeys.amend import AmendError, rolled_out_text
from operators.journeys.program import Program, SplitArms
from operators.members.experiments.definition import Experiment

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples" / "journeys"
FLOW = """journey: j
when: {event: purchase}
steps:
  - split: {experiment: x, arms: {A: 50%, 'B b': 50%}, steps: {A: [give: a]}}  # why not
  - give: c
"""
CHINESE = """# 说明
旅程: 测试
版本: 7
触发: {事件: 购买}
步骤:
  - 如果: {到店次数: '>=2'}
    那么:
      - 分流:
          实验: 文案
          # 第一组是对照
          分组: {甲: 40%, 乙: 60%}
          步骤:
            甲: [赠送: 券一]
            乙: [赠送: 券二]
    否则:
      - 赠送: 券三
"""


def split_of(one: Program) -> Experiment:
    (found,) = [node.experiment for node in one.nodes if isinstance(node, SplitArms)]
    return found


@pytest.mark.parametrize(
    ("text", "name", "best", "remaining"),
    [
        (FLOW, "x", "B b", 1_000),
        (CHINESE, "文案", "乙", 500),
        ((EXAMPLES / "winback-30d.yaml").read_text("utf-8"), "winback-words", "urgent", 1_000),
    ],
)
def test_the_program_is_that_of_the_better_arm(
    text: str, name: str, best: str, remaining: int
) -> None:
    chain = chain_of()
    before, amended = program(text, chain), rolled_out_text(text, name, best, remaining)
    after = program(amended, chain)
    phase = split_of(after).phase
    control = split_of(after).control
    assert phase.released
    assert phase.shares() == {control: remaining, best: 10_000 - remaining}
    assert split_of(after).phases[0] == split_of(before).phase
    assert after.version.partition("-")[0] == f"v{int(before.version[1:].partition('-')[0]) + 1}"
    # Taken out again, it is the text of before, to the letter.
    rest = re.sub(
        r"(rolled_out|推全): .*?(, |\n *)(remaining|保留): [0-9.]+%(, |\n *)", "", amended
    )
    lines = text.splitlines()
    other = [line for line in rest.splitlines() if line not in lines]
    assert len(other) == 1
    assert other[0].startswith(("version: ", "版本: "))
    without = [line for line in lines if not line.startswith(("version: ", "版本: "))]
    assert [line for line in rest.splitlines() if line != other[0]] == without
    with pytest.raises(AmendError, match="already"):
        rolled_out_text(amended, name, best, remaining)


def test_in_the_words_of_the_file() -> None:
    amended = rolled_out_text(CHINESE, "文案", "乙", 1_000)
    assert "          推全: 乙\n          保留: 10%\n          分组: {甲" in amended
    assert "版本: 8" in amended
    assert "{experiment: x, rolled_out: 'B b', remaining: 2.5%, arms: {A: 50%" in (
        rolled_out_text(FLOW, "x", "B b", 250)
    )
    assert "journey: j\nversion: 2\nwhen:" in rolled_out_text(FLOW, "x", "B b", 250)


@pytest.mark.parametrize(
    ("text", "name", "best", "word"),
    [
        (FLOW, "y", "A", "no split of experiment y"),
        (FLOW, "x", "C", "has no arm C"),
        ("- a", "x", "A", "no journey"),
    ],
)
def test_what_cannot_be_changed(text: str, name: str, best: str, word: str) -> None:
    with pytest.raises(AmendError, match=word):
        rolled_out_text(text, name, best, 1_000)
