"""`tillflow members fit`: purchases in a file to a model in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from infra.commands.members_fit import fit_command
from operators.members.health.model import from_json
from sources.columns import read_days


@pytest.fixture(scope="module")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("purchases") / "log.csv"
    draws = np.random.default_rng(3)
    lines = ["who,bought_at,paid,of"]
    for member in range(300):
        at, gap = float(draws.integers(0, 120)), float(draws.gamma(2, 20))
        while at < 300:
            when = np.datetime64("2026-01-01T04:00:00") + np.timedelta64(int(at * 24), "h")
            lines.append(f"m{member},{when}Z,{draws.integers(10, 90)},")
            if draws.random() < 0.2:
                break
            at += float(draws.exponential(gap)) + 1
    file.write_text("\n".join(lines) + "\n")
    return file


def run(*words: str | Path) -> tuple[int, str]:
    told = CliRunner().invoke(fit_command, [str(word) for word in words])
    return told.exit_code, told.output


_NAMES = ("--member", "who", "--at", "bought_at", "--amount", "paid", "--refund-of", "of")


def test_a_file_of_purchases_gives_a_model(purchases: Path, tmp_path: Path) -> None:
    out = tmp_path / "health.json"
    code, output = run(purchases, *_NAMES, "--out", out)
    assert code == 0, output
    model = from_json(out.read_bytes())
    assert model.version == "2026-10-28"
    assert model.members == 300
    assert "300 members until 2026-10-28: " in output
    assert "modified BG/NBD, in days: r " in output
    assert "recency" in output


def test_days_are_those_of_the_zone_and_refunds_name_theirs(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(
        "m,at,paid,of\na,2026-01-01T15:59:00Z,5,\na,2026-01-01T16:00:00Z,7,\n"
        "a,2026-01-09T00:00:00Z,-5,2026-01-01T15:59:00Z\n"
    )
    first = (np.datetime64("2026-01-01") - np.datetime64("1970-01-01")).astype(int)
    _, amounts, days, of = read_days(file, "m", "paid", "at", "of", "Asia/Shanghai")
    assert (days - first).tolist() == [0, 1, 8]
    assert (of - first).tolist() == [0, 1, 0]
    assert amounts.tolist() == [5, 7, -5]
    assert (read_days(file, "m", "paid", "at", None, "UTC")[2] - first).tolist() == [0, 0, 8]


def test_what_members_opened_is_a_term(purchases: Path, tmp_path: Path) -> None:
    opened = tmp_path / "opened.csv"
    lines = purchases.read_text().splitlines()
    # A third of the members open what they are sent a day before they buy; strangers do, too.
    rows = [line.split(",")[:2] for line in lines[1:] if int(line[1 : line.index(",")]) % 3 == 0]
    opened.write_text(
        "who,bought_at\n" + "\n".join(",".join(row) for row in rows) + "\nx,2026-02-01\n"
    )
    out = tmp_path / "health.json"
    code, output = run(purchases, *_NAMES, "--engaged", opened, "--out", out)
    assert code == 0, output
    found = from_json(out.read_bytes())
    assert found.evidence != {}
    assert ("engagement" in found.weights) == (found.kind == "full")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--member", "nobody"), "no column `nobody`; it has who, bought_at, paid, of"),
        ((*_NAMES, "--until", "soon"), "--until a day such as 2026-11-01"),
        ((*_NAMES, "--zone", "Asia/Beijing"), "--zone is a name such as Asia/Shanghai"),
        ((*_NAMES, "--until", "2026-02-01"), "days of purchases: five times 30 are the least"),
        ((*_NAMES[:-3], "of", *_NAMES[-2:]), "rows without `of`"),
    ],
)
def test_what_is_wrong_is_said(purchases: Path, words: tuple[str, ...], told: str) -> None:
    code, output = run(purchases, *words)
    assert code != 0
    assert told in output
