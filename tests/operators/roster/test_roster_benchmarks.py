"""Benchmark instances: read, judged apart from any model, solved by the commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from roster_instances import CLASSICAL, retail_text

from bench.roster import classical, retail
from bench.roster.classical_judge import judge
from bench.roster.classical_read import Classical, read_classical
from bench.roster.retail_judge import Worked
from bench.roster.retail_judge import judge as judge_retail
from bench.roster.retail_read import Retail, read_retail
from bench.roster.sections import UnreadInstance


@pytest.fixture
def desk(tmp_path: Path) -> Classical:
    path = tmp_path / "Instance1.txt"
    path.write_text(CLASSICAL, encoding="utf-8")
    return read_classical(path)


@pytest.fixture
def shop(tmp_path: Path) -> Retail:
    path = tmp_path / "1_2_3_2.txt"
    path.write_text(retail_text(), encoding="utf-8")
    return read_retail(path)


def test_a_classical_instance_is_read(desk: Classical) -> None:
    assert desk.days == 7
    assert desk.minutes == {"E": 480, "L": 600}
    assert desk.cannot_follow == {"E": frozenset(), "L": frozenset({"E"})}
    assert desk.staff["ann"].most_of == {"E": 7, "L": 2}
    assert desk.days_off == {"ann": frozenset({2}), "bob": frozenset({0, 6})}
    assert desk.cover[4, "E"] == (2, 100, 1)


def week(text: str) -> list[str | None]:
    return [None if shift == "-" else shift for shift in text]


# bob is always legal; ann's week is E E - - E - -, with one rule broken at a time.
@pytest.mark.parametrize(
    ("ann", "broken"),
    [
        ("EE--E--", "works only 1 days in a row from day 4"),
        ("EEE----", "works on day 2, which is to be free"),
        ("LE-----", "E on day 1 after L"),
        ("EE--LLL", "3 times L"),
        ("E------", "480 minutes, not 960 to 2400"),
        ("EE-EE--", "is off only 1 days in a row from day 2"),
        ("---EEEE", None),
        ("EE---EE", None),
        ("EE-----", None),
    ],
)
def test_the_judge_names_the_classical_rule_that_is_broken(
    desk: Classical, ann: str, broken: str | None
) -> None:
    verdict = judge(desk, {"ann": week(ann), "bob": week("-EE----")})
    said = [what for what in verdict.broken if what.startswith("ann")]
    if broken is None:
        assert verdict.broken == []
    else:
        assert f"ann: {broken}" in said


def test_the_judge_counts_runs_and_weekends(desk: Classical) -> None:
    said = judge(desk, {"ann": week("EE-----"), "bob": week("-EEEE-E")}).broken
    assert "bob: works 4 days in a row from day 1" in said
    desk.staff["bob"].most_of["E"] = 7
    assert judge(desk, {"ann": week("EE-----"), "bob": week("-E-E-E-")}).broken == []


def test_the_classical_cost_is_requests_and_cover(desk: Classical) -> None:
    # ann off on day 0: 2; bob no L on day 3: 3; ann E on day 5: 4; under 0, 1 L, 3, two on 4: 500.
    verdict = judge(desk, {"ann": week("-----EE"), "bob": week("-E-----")})
    assert verdict.broken == []
    assert verdict.cost == 2 + 3 + 4 + 100 * (1 + 1 + 1 + 2)


def test_a_retail_instance_is_read_from_six_in_the_morning(shop: Retail) -> None:
    assert (shop.days, shop.tasks, shop.quarters) == (2, 2, 192)
    assert shop.minutes["3"] == (720, 1200)
    assert shop.cover[0, 0] == (0, 1)
    assert shop.cover[10, 0] == (1, 1)
    assert shop.cover[96 + 10, 1] == (1, 1)


GOOD = {
    "1": [Worked(10, (0,) * 24)],
    "2": [Worked(96 + 10, (1,) * 24)],
    "3": [Worked(0, (0,) * 4 + (1,) * 20), Worked(96, (0,) * 24)],
}


def test_a_legal_retail_roster_costs_the_squares_above_the_maximum(shop: Retail) -> None:
    assert judge_retail(shop, GOOD) == ([], 0)
    crowd = {**GOOD, "2": [Worked(10, (0,) * 24)], "1": [Worked(96 + 10, (1,) * 24)]}
    assert judge_retail(shop, crowd) == ([], 0)
    # Three at the floor for an hour: two too many, four times four quarters; then two.
    crowd["3"] = [Worked(0, (1,) * 24), Worked(96 + 10, (1,) * 24)]
    assert judge_retail(shop, crowd).cost == 24


@pytest.mark.parametrize(
    ("shifts", "broken"),
    [
        ([Worked(11, (0,) * 24)], None),
        ([Worked(17, (0,) * 24)], "a shift begins 615 minutes after midnight"),
        ([Worked(10, (0,) * 23)], "a shift of 345 minutes from quarter 10"),
        ([Worked(10, (0,) * 21 + (1,) * 3)], "task 2 for 45 minutes"),
        ([Worked(0, (0,) * 24), Worked(64, (0,) * 24)], "too little rest before quarter 64"),
        ([Worked(160, (0,) * 40)], "leaves the horizon"),
        ([Worked(0, (0,) * 40), Worked(96, (0,) * 40)], "1200 minutes, not 360 to 600"),
        ([Worked(72, (0,) * 24), Worked(72 + 80, (0,) * 24)], "two shifts begin on a day"),
        ([Worked(10, (7,) * 24)], "has a task that there is not"),
    ],
)
def test_the_judge_names_the_retail_rule_that_is_broken(
    shop: Retail, shifts: list[Worked], broken: str | None
) -> None:
    said = [what for what in judge_retail(shop, {**GOOD, "1": shifts}).broken if what[0] == "1"]
    if broken is None:
        assert said == []
    else:
        assert any(broken in what for what in said)


def test_six_days_in_a_row_are_too_many(tmp_path: Path) -> None:
    path = tmp_path / "2_7_3_1.txt"
    path.write_text(retail_text(7, 1), encoding="utf-8")
    instance = read_retail(path)
    said = judge_retail(
        instance, {"1": [Worked(96 * day, (0,) * 24) for day in range(6)], "2": [], "3": []}
    ).broken
    assert "1: works more than 5 days in a row until day 5" in said


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Instance1.txt"
    path.write_text(retail_text(), encoding="utf-8")
    with pytest.raises(UnreadInstance, match="SECTION_SHIFTS"):
        read_classical(path)
    path.write_text("7\nSECTION_HORIZON\n", encoding="utf-8")
    with pytest.raises(UnreadInstance, match="before the first"):
        read_classical(path)
    path.write_text(retail_text().rsplit("\n", 1)[0], encoding="utf-8")
    with pytest.raises(UnreadInstance, match="no cover for task 2 in quarter 191"):
        read_retail(path)


def test_the_classical_command_prints_ours_beside_the_best_known(
    desk: Classical,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = "instance,best_upper_bound,lower_bound\n1,109,\n"
    (tmp_path / "best_known.csv").write_text(known, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["classical", "--data", str(tmp_path), "--seconds", "0.5"])
    classical.main()
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("| 1 |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1] == "109"
    assert cells[6] == "0", "rules are broken"


def test_the_retail_command_solves_what_it_reads(
    shop: Retail,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["retail", "--data", str(tmp_path), "--seconds", "2"])
    retail.main()
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("| 1_2_3_2 |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[4] == "0"
    assert cells[6] == "0", "rules are broken"
