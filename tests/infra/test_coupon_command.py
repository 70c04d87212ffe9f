"""`tillflow coupon`: a campaign to its causes, baskets to what thresholds give away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from coupon_case import FIRST, SECOND, first_audience, redeemed, second_audience

from infra.cli import main
from operators.members.coupons.diagnosis.facts import Campaign, Receiver


def run(*words: str | Path) -> tuple[int, str]:
    told = CliRunner().invoke(main, ["coupon", *(str(word) for word in words)])
    return told.exit_code, told.output


def written(folder: Path, campaign: Campaign, receivers: Sequence[Receiver]) -> tuple[Path, Path]:
    about, people = folder / "campaign.yaml", folder / "receivers.jsonl"
    about.write_bytes(msgspec.yaml.encode(campaign))
    people.write_bytes(b"\n".join(map(msgspec.json.encode, receivers)) + b"\n\n")
    return about, people


def test_the_first_campaign_is_diagnosed(tmp_path: Path) -> None:
    files = written(tmp_path, FIRST, first_audience(1_000))
    code, output = run("diagnose", *files, "--margin", "0.3")
    assert code == 0, output
    assert "300-50: redeemed " in output
    causes = output.partition("causes:")[2].partition("not causes:")[0]
    for told in (
        "AUDIENCE_MISMATCH: 80% of the receivers",
        "THRESHOLD_TOO_HIGH: the threshold of 300 is 1.9 times",
        "TIMING_MISMATCH: 0% of their purchases",
        "CHANNEL_SINGLE: sent by 1 channel (sms)",
    ):
        assert told in causes
    assert "keep a control next time" in output
    assert "next: " in output


def test_a_campaign_as_its_page_says_to_write_it(tmp_path: Path) -> None:
    about, people = written(tmp_path, FIRST, first_audience(100))
    about.write_text(
        "name: 300-50\nthreshold: 30000\noff: 5000\nvalid_from: 2026-11-01\n"
        "valid_to: 2026-11-07\nas_of: 2026-11-30\nchannels: [sms]\n"
    )
    code, output = run("diagnose", about, people, "--margin", "0.3")
    assert code == 0, output
    assert "300-50: redeemed " in output
    about.write_text(about.read_text().replace("off: 5000", "off: fifty"))
    code, output = run("diagnose", about, people, "--margin", "0.3")
    assert code == 1
    assert "campaign.yaml, line 3: off: " in output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("threshold: 30000", "threshold: 0", "line 2: threshold: "),
        ("off: 5000", "off: -5", "line 3: off: "),
        ("off: 5000", "off: 30001", "line 3: off: "),
        ("valid_to: 2026-11-07", "valid_to: 2026-10-07", "line 5: valid_to: "),
    ],
)
def test_a_campaign_that_is_none(tmp_path: Path, old: str, new: str, said: str) -> None:
    about, people = written(tmp_path, FIRST, first_audience(10))
    text = (
        "name: 300-50\nthreshold: 30000\noff: 5000\nvalid_from: 2026-11-01\n"
        "valid_to: 2026-11-07\nas_of: 2026-11-30\nchannels: [sms]\n"
    )
    about.write_text(text.replace(old, new))
    code, output = run("diagnose", about, people, "--margin", "0.3")
    assert code == 1
    assert f"campaign.yaml, {said}" in output
    about.write_text(text)
    people.write_bytes(b"")
    assert "is empty" in run("diagnose", about, people, "--margin", "0.3")[1]


def test_the_next_experiment_is_a_journey_that_passes_its_lint(tmp_path: Path) -> None:
    files = written(tmp_path, FIRST, first_audience(1_000))
    file = tmp_path / "next.yaml"
    code, output = run("diagnose", *files, "--margin", "0.3", "--journey", file)
    assert code == 0, output
    text = file.read_text()
    size = output.partition("next: ")[2].strip()
    assert f"# Size: {size}." in text
    # To those whom it fits, at the end of the month, when they buy, and not by SMS alone.
    assert 'visits: ">=2", median_basket: ">=210"' in text
    assert "give: 300-50" in text
    assert "every month 22 10:00" in text
    assert "channels: [sms, wechat_subscription, mini_program]" in text
    for verb in ("lint", "test"):
        told = CliRunner().invoke(main, ["journey", verb, str(file)])
        assert told.exit_code == 0, told.output
        assert "warning" not in told.output.replace("0 warnings", "")


def test_a_threshold_beyond_everybody_is_lowered_in_the_next_experiment(tmp_path: Path) -> None:
    small = [replace(one, baskets=(15_000,) * len(one.baskets)) for one in first_audience(500)]
    file = tmp_path / "next.yaml"
    files = written(tmp_path, FIRST, small)
    assert run("diagnose", *files, "--margin", "0.3", "--journey", file)[0] == 0
    text = file.read_text()
    assert "give: c170-28" in text
    assert "threshold: 17000, amount: 2800" in text


def test_a_campaign_that_all_bought_in_has_a_next_experiment_too(tmp_path: Path) -> None:
    files = written(tmp_path, SECOND, second_audience(1_000))
    code, output = run("diagnose", *files, "--margin", "0.3")
    assert code == 0, output
    assert "% with a basket from 280 from 2" in output.partition("next: ")[2]


def test_a_change_is_split_into_who_and_how(tmp_path: Path) -> None:
    _, old = written(tmp_path, FIRST, first_audience(1_000))
    old = old.rename(tmp_path / "old.jsonl")
    _, new = written(tmp_path, SECOND, second_audience(1_000))
    code, output = run("change", old, new)
    assert code == 0, output
    assert "points because other members got it" in output
    code, output = run("change", old, new, "--format", "json")
    found = json.loads(output)
    assert found["who"] + found["how"] == pytest.approx(found["after"] - found["before"])
    assert found["who"] > 0.8 * (found["after"] - found["before"])
    assert "--warehouse" in run("change", old, "c280-50")[1]


def test_the_second_campaign_against_its_control_is_deadweight(tmp_path: Path) -> None:
    files = written(tmp_path, SECOND, second_audience(3_000))
    control = tmp_path / "control.jsonl"
    never = replace(SECOND, threshold=10**9)
    people = [redeemed(never, one) for one in second_audience(3_000, seed=9)]
    control.write_bytes(b"\n".join(map(msgspec.json.encode, people)))
    words = (*files, "--control", control, "--margin", "0.3", "--once")
    code, output = run("diagnose", *words, "--format", "json")
    assert code == 0, output
    plain = json.loads(output)
    assert plain["judged"]["verdict"] == "deadweight"
    assert plain["judged"]["margin"]["low"] < -1_370 < plain["judged"]["margin"]["high"]
    assert plain["judged"]["deadweight"] > 0.9
    assert plain["funnel"]["redemption"] == pytest.approx(0.274, abs=0.025)
    assert plain["replayed"][0]["deadweight"] == pytest.approx(0.274, abs=0.01)


def test_baskets_are_replayed(tmp_path: Path) -> None:
    file = tmp_path / "baskets.csv"
    file.write_text("paid\n" + "\n".join(["100", "250", "279.99", "280", "300", "-5"]) + "\n")
    code, output = run(
        "replay",
        file,
        "--basket",
        "paid",
        "--offer",
        "280-50",
        "--offer",
        "300-200",
        "--margin",
        "0.3",
    )
    assert code == 0, output
    own, other = (line.split() for line in output.splitlines() if "-" in line.split(" ")[0])
    assert own[:4] == ["280-50", "40.0%", "40.0%", "20,000"]
    assert own[-1] == "588"  # 20,000 / (280 x 0.3 - 50)
    assert other[-1] == "never"


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--offer", "cheap"), "THRESHOLD-OFF"), (("--offer", "9-1", "--basket", "x"), "no column")],
)
def test_offers_and_columns_that_are_none(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    file = tmp_path / "baskets.csv"
    file.write_text("basket\n3.0\n")
    code, output = run("replay", file, "--margin", "0.3", *words)
    assert code != 0
    assert told in output


def test_files_that_are_none_are_refused_with_their_line(tmp_path: Path) -> None:
    about, people = written(tmp_path, FIRST, first_audience(2))
    people.write_bytes(people.read_bytes() + b'{"member": 3}\n')
    code, output = run("diagnose", about, people, "--margin", "0.3")
    assert (code, "receivers.jsonl, line 4: " in output) == (1, True)
    about.write_text("name: x\n")
    assert (
        "missing required field `threshold`" in run("diagnose", about, people, "--margin", "1")[1]
    )
    file = tmp_path / "baskets.csv"
    file.write_text("basket\n-1.0\n")
    assert "no baskets above 0" in run("replay", file, "--offer", "9-1", "--margin", "0.3")[1]
