"""When it happened, beside Python's own zones."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.importing.problems import MappingError

ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "UTC"]


def around_clock_changes(zone: ZoneInfo) -> list[datetime]:
    """Local times every 15 minutes, six hours around each change of clocks of a year."""
    found = []
    instant = datetime(2023, 1, 1, tzinfo=UTC)
    while instant.year < 2024:
        later = instant + timedelta(hours=1)
        if instant.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            start = instant.astimezone(zone).replace(tzinfo=None) - timedelta(hours=3)
            found += [start + timedelta(minutes=15 * step) for step in range(24)]
        instant = later
    return found or [datetime(2023, 6, 1, 12) + timedelta(hours=h) for h in range(3)]  # noqa: DTZ001


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("pass_", ["first", "second"])
def test_local_times_beside_python(
    zone: str, pass_: str, run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    info = ZoneInfo(zone)
    locals_ = around_clock_changes(info)
    text = rows_of(*({"line": str(n), "at": str(local)} for n, local in enumerate(locals_)))
    changes = {"timezone": zone, "event": {"time": {"repeated_hour": pass_}}}
    done = run(text, changes=changes)
    expected, gaps, twice = {}, set(), 0
    for number, local in enumerate(locals_):
        instants = [local.replace(tzinfo=info, fold=fold).astimezone(UTC) for fold in (0, 1)]
        real = [i for i in instants if i.astimezone(info).replace(tzinfo=None) == local]
        if real:
            chosen = min(real) if pass_ == "first" else max(real)
            expected[f"B1:{number}"] = chosen.strftime("%Y-%m-%dT%H:%M:%SZ")
            twice += min(real) != max(real)
        else:
            gaps.add(str(number))
    assert done.times == expected
    assert {row["line"] for row in done.quarantine} == gaps
    assert done.report.repeated_hour == twice
    assert done.report.impossible_times == ({"time_in_gap": len(gaps)} if gaps else {})
    if zone not in ("UTC", "Asia/Shanghai"):
        assert gaps
        assert twice
        assert any(f"they were read as the {pass_}" in words for words in done.report.warnings)


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("12/1/2010 8:26", ["%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S"], "2010-12-01T08:26:00Z"),
        ("2010-12-01 08:26:00", ["%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S"], "2010-12-01T08:26:00Z"),
        ("1/12/2010 8:26", ["%d/%m/%Y %H:%M"], "2010-12-01T08:26:00Z"),
        ("2024-05-01 10:00:00.125", ["%Y-%m-%d %H:%M:%S.%g", "iso"], "2024-05-01T09:00:00.125000Z"),
        ("2024-05-01T10:00:00+08:00", ["iso"], "2024-05-01T02:00:00Z"),
        ("2024-05-01T10:00:00Z", ["iso"], "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:00", ["iso"], "2024-05-01T09:00:00Z"),
        ("2024-05-01", ["iso"], "2024-04-30T23:00:00Z"),
        ("01.05.2024 10:00 +0300", ["%d.%m.%Y %H:%M %z"], "2024-05-01T07:00:00Z"),
        ("1714557600", ["epoch_seconds"], "2024-05-01T10:00:00Z"),
        ("1714557600250", ["epoch_milliseconds"], "2024-05-01T10:00:00.250000Z"),
        ("infinity", ["iso"], None),
        ("epoch", ["iso"], None),
        ("99999999999999999999", ["epoch_seconds"], None),
        ("2/3/10 8:26", ["%m/%d/%Y %H:%M"], None),
    ],
)
def test_declared_formats(
    text: str,
    formats: list[str],
    expected: str | None,
    run: Callable[..., Any],
    rows_of: Callable[..., str],
) -> None:
    done = run(rows_of({"at": text}), changes={"event": {"time": {"formats": formats}}})
    assert list(done.times.values()) == ([] if expected is None else [expected])


def test_times_that_are_times_already(run: Callable[..., Any], tmp_path: Path) -> None:
    local = datetime(2024, 5, 1, 10, 0, 0, 5)  # noqa: DTZ001
    for kind, expected in (
        (pa.timestamp("us"), "2024-05-01T09:00:00.000005Z"),
        (pa.timestamp("us", "UTC"), "2024-05-01T10:00:00.000005Z"),
        (pa.timestamp("ns"), "2024-05-01T09:00:00.000005Z"),
        (pa.date32(), "2024-04-30T23:00:00Z"),
    ):
        table = pa.table(
            {
                "bill": ["B1"],
                "line": [1],
                "article": ["TEA"],
                "shop": ["S1"],
                "pieces": [1],
                "at": pa.array([local.date() if kind == pa.date32() else local], kind),
            }
        )
        path = tmp_path / "sales.parquet"
        pq.write_table(table, path)
        done = run(path, changes={"event": {"time": {"formats": None}}})
        assert list(done.times.values()) == [expected]


def test_text_needs_a_format(run: Callable[..., Any], rows_of: Callable[..., str]) -> None:
    with pytest.raises(MappingError, match=r"line \d+: time is text here: say how it is written"):
        run(rows_of({}), changes={"event": {"time": {"formats": None}}})


def test_a_zone_for_each_row(run: Callable[..., Any], rows_of: Callable[..., str]) -> None:
    changes = {
        "maps": {"zones": {"values": {"S1": "Europe/London", "S2": "Asia/Shanghai"}}},
        "event": {"time": {"zone": {"column": "shop", "map": "zones"}}},
    }
    rows = rows_of({}, {"line": "2", "shop": "S2"}, {"line": "3", "shop": "S3"})
    done = run(rows, changes=changes)
    assert done.times == {
        "B1:1": "2024-05-01T09:00:00Z",
        "B1:2": "2024-05-01T02:00:00Z",
    }
    assert done.refusals == {"zone_unknown": 'there is no time zone "S3"'}


def test_events_are_in_the_order_of_time_then_of_the_files(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    at = ["2024-05-02 10:00:00", "2024-05-01 10:00:00", "2024-05-02 10:00:00"]
    one = rows_of(*({"line": str(n), "at": each} for n, each in enumerate(at)))
    two = rows_of({"line": "9", "at": "2024-05-01 09:00:00"}, {"line": "8", "at": at[0]})
    assert [e.id[3:] for e in run(one, two).events] == ["9", "1", "0", "2", "8"]
    as_read = run(one, two, changes={"sort": "input"})
    assert [e.id[3:] for e in as_read.events] == ["0", "1", "2", "9", "8"]


def test_dates_of_expiry(run: Callable[..., Any], rows_of: Callable[..., str]) -> None:
    expiry = {"expires_on": {"column": "note", "formats": ["%d.%m.%Y"]}}
    done = run(rows_of({"note": "3.6.2025"}, {"line": "2"}), changes={"event": expiry})
    assert [json.loads(line)["data"].get("expires_on") for line in done.lines] == [
        "2025-06-03",
        None,
    ]
