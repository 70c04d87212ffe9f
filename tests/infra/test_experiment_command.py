"""`tillflow experiment`: files of people to rates, intervals, the ratio check and a verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from infra.cli import main

# What was published of the e-mail challenge: members, visits, buyers of each arm.
PUBLISHED = {
    "Mens E-Mail": (21_307, 3_894, 267),
    "Womens E-Mail": (21_387, 3_238, 189),
    "No E-Mail": (21_306, 2_262, 122),
}


def people() -> Iterator[tuple[str, int, int, float, float]]:
    """The published counts; what each buyer spent is made up."""
    for arm, (members, visits, buyers) in PUBLISHED.items():
        for n in range(members):
            spend = 29.99 + 3 * (n % 60) if n < buyers else 0.0
            yield arm, int(n < visits), int(n < buyers), spend, 30.0 + n % 7


@pytest.fixture(scope="module")
def challenge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("people") / "challenge.csv"
    lines = [f"{arm},{v},{c},{s:.2f},{h:.2f}" for arm, v, c, s, h in people()]
    file.write_text("segment,visit,conversion,spend,history\n" + "\n".join(lines) + "\n")
    return file


def run(*words: str | Path) -> tuple[int, str]:
    told = CliRunner().invoke(main, ["experiment", *(str(word) for word in words)])
    return told.exit_code, told.output


def test_the_e_mail_challenge_gives_the_published_rates_and_the_right_verdict(
    challenge: Path,
) -> None:
    code, output = run("read", challenge)
    assert code == 0, output
    # Published: visits 18.3%, 15.1%, 10.6%; conversions 1.25%, 0.88%, 0.57%.
    for told in ("18.28%", "15.14%", "10.62%", "1.25%", "0.88%", "0.57%"):
        assert told in output
    assert "split: p = 0.904 at one look, 1 at any look: as planned" in output
    assert "verdict: roll out" in output
    assert "Mens E-Mail is clearly better than No E-Mail in visit: +7.66 points (" in output
    assert "Mens E-Mail is clearly better than Womens E-Mail, too" in output


def test_the_same_for_programs(challenge: Path) -> None:
    words = ("--arm", "segment", "--control", "No E-Mail", "--metric", "visit:rate")
    code, output = run(
        "read", challenge, *words, "--metric", "spend:money", "--once", "--format", "json"
    )
    assert code == 0, output
    plain: dict[str, Any] = json.loads(output)
    assert (plain["verdict"], plain["arm"]) == ("roll_out", "Mens E-Mail")
    visit = plain["metrics"]["visit"]
    assert visit["arms"]["No E-Mail"] == {"members": 21_306, "mean": 2_262 / 21_306}
    pair = next(one for one in visit["differences"] if one["arm"] == "Mens E-Mail")
    assert pair["against"] == "No E-Mail"
    assert pair["plain"]["value"] == pytest.approx(0.076590, abs=1e-6)
    # Once, for three pairs: 2.394 standard errors to each side.
    half = pair["plain"]["high"] - pair["plain"]["value"]
    assert half / pair["plain"]["error"] == pytest.approx(2.394, abs=5e-4)
    # Money is in whole minor units: nothing is lost on the way.
    exact = sum(round(100 * s) for arm, _, _, s, _ in people() if arm == "Mens E-Mail")
    assert plain["metrics"]["spend"]["arms"]["Mens E-Mail"]["mean"] == exact / 21_307


def small(tmp_path: Path, rows: Sequence[tuple[object, ...]], names: Sequence[str]) -> Path:
    file = tmp_path / "small.parquet"
    columns = list(zip(*rows, strict=True))
    pq.write_table(pa.table({n: list(c) for n, c in zip(names, columns, strict=True)}), file)
    return file


def test_own_columns_several_rows_a_member_and_guardrails(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = []
    for n in range(1_200):
        arm = "AB"[n % 2]
        at = f"2026-11-{1 + n % 14:02d} 10:00:00"
        bought = int(n % 20 < 2 or (arm == "B" and n % 5 == 0))
        rows.append((f"m{n}", arm, bought, int(arm == "B" and n % 12 == 1), at))
        rows.append((f"m{n}", arm, 0, None, at))
    rows.append(("m0", "B", 0, 0, "2026-11-03 10:00:00"))
    file = small(tmp_path, rows, ("who", "arm", "bought", "gone", "at"))
    words = [
        *("--arm", "arm", "--control", "A", "--member", "who", "--exposed-at", "at"),
        *("--metric", "bought:rate", "--guardrail", "gone:rate:lower"),
        *("--share", "A=50", "--share", "B=50%"),
    ]
    code, output = run("read", file, *words)
    assert code == 0, output
    assert "left out: 1 members who were in several arms" in output
    assert "verdict: guarded" in output
    assert "B is not rolled out although the goal is better: gone +" in output
    assert "one row a member" in run("read", file, *words, "--picture", tmp_path / "x.svg")[1]
    code, output = run("read", file, *words, "--min-days", "21")
    assert "wait: it has run for 13.0 of at least 21 days" in output
    code, output = run("read", file, *words[:-4], "--share", "A=20", "--share", "B=80")
    assert "verdict: broken" in output
    assert "NOT the planned one" in output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "say --arm and --metric"),
        (("--arm", "arm", "--metric", "x"), "no column `x`; it has arm, y"),
        (("--arm", "arm", "--metric", "y:rate", "--control", "A"), "y is 7 in row 2"),
        (("--arm", "arm", "--metric", "y"), "say --control: the arms are A, B"),
        (("--arm", "arm", "--metric", "y:much"), "`much` is none of"),
        (("--arm", "arm", "--metric", "y", "--control", "A", "--share", "A=x"), "ARM=PERCENT"),
        (("--arm", "arm", "--metric", "y", "--control", "A", "--share", "A=9"), "nothing is said"),
        (
            (
                "--arm",
                "arm",
                "--metric",
                "y",
                "--control",
                "A",
                "--share",
                "A=90",
                "--share",
                "B=9",
            ),
            "they make 99%, they must make 100%",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    file = small(tmp_path, [("A", 1), ("B", 7)], ("arm", "y"))
    code, output = run("read", file, *words)
    assert code != 0
    assert told in output


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("arm,y\nA,1\n,0\n")
    code, output = run("read", file, "--arm", "arm", "--metric", "y", "--control", "A")
    assert code == 1
    assert "row 2 has no arm" in output
    file.write_text("arm,y\nA,1\nA,0\n")
    assert "only arm" in run("read", file, "--arm", "arm", "--metric", "y", "--control", "A")[1]
    broken = tmp_path / "people.parquet"
    broken.write_bytes(b"nothing")
    assert "cannot be read" in run("read", broken, "--arm", "arm")[1]


def test_a_picture_shows_the_looks(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [("AB"[n % 2], int(n % 4 == 1), f"2026-11-{1 + n // 60:02d}") for n in range(600)]
    file = small(tmp_path, rows, ("arm", "bought", "at"))
    picture = tmp_path / "looks.svg"
    words = ("--arm", "arm", "--control", "A", "--metric", "bought:rate", "--exposed-at", "at")
    code, output = run("read", file, *words, "--picture", picture)
    assert code == 0, output
    assert picture.read_text(encoding="utf-8").lstrip().startswith("<?xml")


def test_the_size_of_an_experiment() -> None:
    assert run("size", "5", "6") == (0, "8,143 members in each arm, for one look at the end\n")
    assert "must differ" in run("size", "5", "5")[1]
