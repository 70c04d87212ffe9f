"""`tillflow journey`, the way an operator uses it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result
from flow_driver import write_lines
from journey_driver import SEND, journey
from member_events import event, order, refund, render

from infra.cli import main
from schemas.instants import DAY_US, HOUR_US, parse_instant

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "journeys"
NOW = parse_instant("2026-06-30T12:00:00+08:00")


def run(*words: object) -> Result:
    """A command, whatever it comes to."""
    result = CliRunner().invoke(main, ["journey", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_lint_tells_lines_and_ends_with_1(tmp_path: Path) -> None:
    good = run("lint", EXAMPLES)
    assert good.exit_code == 0
    assert good.output.splitlines()[-1] == "3 journeys, 0 errors, 2 warnings"
    assert run("lint", EXAMPLES, "--strict").exit_code == 1
    path = tmp_path / "a.yaml"
    path.write_text("旅程: a\n触发: {事件: 购买}\n步骤:\n  - 等代: 3天\n", encoding="utf-8")
    english, chinese = run("lint", path), run("lint", path, "--language", "zh")
    assert english.exit_code == chinese.exit_code == 1
    assert (
        f"{path}, line 4: error: there is no setting 等代 here; did you mean 等待?"
        in english.output
    )
    assert f"{path} 第 4 行 错误：这里没有“等代”这一项，是否想写 等待？" in chinese.output
    path.write_bytes("旅程: a".encode("gbk"))
    assert "save it as UTF-8" in run("lint", path).output
    missing = run("lint", tmp_path / "b.yaml")
    assert missing.exit_code == 1
    assert "is not there" in missing.output


def test_gifts_are_looked_up_among_the_coupons(tmp_path: Path) -> None:
    """In a given file, or in that which the chain's file names; also before a simulation."""
    book = EXAMPLES.parent / "coupons.yaml"
    fitting = run("lint", EXAMPLES, "--coupons", book)
    assert (fitting.exit_code, fitting.output) == (0, run("lint", EXAMPLES).output)
    path = tmp_path / "a.yaml"
    path.write_text(journey("a", "{event: purchase}", "give: gift-pak", SEND), encoding="utf-8")
    said = f"{path}, line 4: error: coupons.yaml has no coupon gift-pak; did you mean gift-pack?"
    shown = run("lint", path, "--coupons", book)
    assert shown.exit_code == 1
    assert said in shown.output
    assert run("lint", path).exit_code == 0

    (tmp_path / "coupons.yaml").write_bytes(book.read_bytes())
    chain = tmp_path / "chain.yaml"
    chain.write_text("journeys: {coupons: coupons.yaml}\n", encoding="utf-8")
    for command in (["lint"], ["explain"], ["simulate", "--source", tmp_path / "none.jsonl"]):
        shown = run(command[0], path, *command[1:], "--config", chain)
        assert shown.exit_code == 1
        assert said in shown.output, command
    chinese = run("lint", path, "--config", chain, "--language", "zh").output
    assert "coupons.yaml 里没有券 gift-pak，是否想写 gift-pack？" in chinese
    missing = run("lint", path, "--coupons", tmp_path / "no.yaml")
    assert missing.exit_code == 1
    assert "no.yaml cannot be read" in missing.output


def test_explain_and_diff(tmp_path: Path) -> None:
    shown = run("explain", EXAMPLES / "winback-30d.yaml").output
    assert "A member comes in 30 days after the last purchase." in shown
    assert "10% of members are held out" in shown
    chinese = run("explain", EXAMPLES / "friday-280-50.yaml", "--language", "zh").output
    assert "每周五 20:00（会员当地时间）进入。" in chinese
    text = (EXAMPLES / "vip-at-500.yaml").read_text("utf-8")
    other = tmp_path / "new.yaml"
    other.write_text(text.replace("wait: 7d", "wait: 14d"), encoding="utf-8")
    lines = run("diff", EXAMPLES / "vip-at-500.yaml", other).output.splitlines()
    assert lines[:2] == ["- Wait 7 days.", "+ Wait 14 days."]
    assert "Members who are in it finish" in lines[2]
    broken = tmp_path / "broken.yaml"
    broken.write_text("journey: x\n", encoding="utf-8")
    assert run("explain", broken).exit_code == 1


def test_tests_in_files(tmp_path: Path) -> None:
    good = run("test", EXAMPLES)
    assert good.exit_code == 0
    assert good.output.splitlines()[-1] == "15 passed, 0 failed"
    text = (EXAMPLES / "vip-at-500.yaml").read_text("utf-8")
    path = tmp_path / "a.yaml"
    path.write_text(text.replace("purchase: 60}", "purchase: 10}"), encoding="utf-8")
    bad = run("test", path)
    assert bad.exit_code == 1
    assert "FAILED  vip-at-500: a refund below 500 and a new purchase give one gift" in bad.output
    assert "given: expected 1, came 0" in bad.output
    assert bad.output.splitlines()[-1] == "4 passed, 1 failed"
    path.write_text(journey("x", "{event: purchase}", SEND), encoding="utf-8")
    assert run("test", path).exit_code == 1


@pytest.fixture(name="events")
def _events(tmp_path: Path) -> Path:
    """A hundred days of 60 members; every third one allows nothing."""
    rng = Random(8)
    lines: list[tuple[int, bytes]] = []
    for number in range(60):
        name = f"m{number}"
        if number % 3:
            said = {"purpose": "marketing", "channel": "any", "status": "granted"}
            at = NOW - 100 * DAY_US
            lines.append(
                (at, render(event("member.consent.v1", f"c{number}", at, **said, member=name)))
            )
        for times in range(6):
            at = NOW - rng.randrange(100 * 24) * HOUR_US
            receipt = f"{number}-{times}"
            lines.append((at, render(order(name, receipt, at, 15_000))))
            if times == 0:
                back = at + HOUR_US
                lines.append((back, render(refund(name, receipt, back, 15_000, f"b{number}"))))
    return write_lines(tmp_path / "events.jsonl", [line for _, line in sorted(lines)])


def test_simulate_counts_what_would_have_been(tmp_path: Path, events: Path) -> None:
    """Entered is left and waiting; what was held back has its reason, day by day."""
    texts = (
        journey("thanks", "{event: purchase}", SEND, reenter="always", holdout="20%"),
        journey("silent", "{no_purchase_for: 20d}", SEND, exit_when="[purchase]"),
    )
    folder = tmp_path / "journeys"
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    words = ("simulate", folder, "--source", events, "--weeks", 4)
    found = {one["journey"]: one for one in json.loads(run(*words, "--format", "json").output)}
    told = [json.loads(line) for line in events.read_bytes().splitlines()]
    start = max(parse_instant(one["time"]) for one in told) - 28 * DAY_US
    bought = sum(
        one["type"] == "pos.order.v1" and parse_instant(one["time"]) >= start for one in told
    )
    thanks = found["thanks"]
    assert thanks["entered"] + thanks["not_for"] == bought
    assert thanks["not_for"] < bought / 4
    for one in found.values():
        assert one["entered"] == sum(one["exited"].values()) + one["waiting"]
        assert one["entered"] == sum(day["entered"] for day in one["days"].values())
        assert one["sent"] == sum(day["sent"] for day in one["days"].values()) > 0
    assert thanks["sent"] + sum(thanks["held"].values()) + thanks["waiting"] == thanks["entered"]
    assert {"consent", "holdout", "cap"} >= set(thanks["held"]) > {"holdout"}
    assert thanks["deferred"]["quiet"] > 0
    shown = run(*words, "--daily").output
    assert "nothing was sent" in shown
    assert "2026-06-" in shown
    assert run(*words).output == run(*words).output


def test_simulate_without_events(tmp_path: Path) -> None:
    empty = write_lines(tmp_path / "e.jsonl", [b""])
    nothing = run("simulate", EXAMPLES, "--source", empty)
    assert nothing.exit_code == 1
    assert "no events of members" in nothing.output
    assert run("simulate", EXAMPLES, "--source", tmp_path / "none.jsonl").exit_code == 1
