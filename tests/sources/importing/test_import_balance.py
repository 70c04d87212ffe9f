"""Any heap of rows against a slow, plain reader: the account of rows, fates, ids and contents."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from depth import cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.importing.mapping import read_mapping
from sources.importing.run import import_files

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
COLUMNS = ("bill", "line", "article", "shop", "at", "pieces", "note")
MAPPING = """
source: shop
timezone: Europe/London
skip: {when: article = 'TOTAL', because: a subtotal}
refuse: {when: note = 'gift', code: gift, because: not sold}
duplicates: DUPLICATES
event:
  id: ID
  kind:
    - {is: returned, when: "starts_with(bill, 'R')", negate: true}
    - {is: adjusted, when: note = 'broken', reason: note}
    - sold
  sku: article
  place: shop
  time: {column: at, formats: ["%Y-%m-%d %H:%M"]}
  quantity: pieces
  order: note
"""
IDS = {
    "key": "{key: [bill, line]}",
    "all": "{content: '*'}",
    "some": "{content: [bill, article, at, pieces]}",
}
SOME = ("bill", "article", "at", "pieces")
Row = tuple[str, ...]

rows = st.tuples(
    st.sampled_from(["B1", "B2", "R1", "R:1", "B%", "", " "]),
    st.sampled_from(["1", "2", "1:1", ""]),
    st.sampled_from(["TEA", "茶 叶", 'a"b\\c', "two\nlines", "TOTAL", "", " TEA "]),
    st.sampled_from(["S1", "S2", ""]),
    st.sampled_from(
        [
            *("2024-03-31 00:59", "2024-03-31 01:30", "2023-10-29 01:30", "2024-06-01 13:00"),
            *("2024-06-01 13:01", "1999-12-31 23:59", "2000-01-01 00:00", "31.12.2023", ""),
        ]
    ),
    st.sampled_from(["1", "2", "-1", "0", "1.0", "2.5", "x", "", "100000001", "7-"]),
    st.sampled_from(["", "gift", "broken", "a,b", "é"]),
)
# Few different rows, so that some come twice, in one file and in several.
heaps = st.lists(rows, min_size=1, max_size=12).flatmap(
    lambda few: st.lists(st.lists(st.sampled_from(few), max_size=14), min_size=1, max_size=3)
)


class Fate(NamedTuple):
    """What becomes of a row: `event`, `skipped`, `duplicate` or the code of a refusal."""

    what: str
    id: str = ""
    content: tuple[Any, ...] = ()


def judged(row: Row) -> Fate:
    bill, _, article, shop, at, pieces, note = (value.strip() for value in row)
    kind = "returned" if bill[:1] == "R" else "adjusted" if note == "broken" else "sold"
    if article == "TOTAL":
        return Fate("skipped")
    if note == "gift":
        return Fate("gift")
    if not article:
        return Fate("sku_missing")
    if not shop:
        return Fate("place_missing")
    if not at:
        return Fate("time_missing")
    try:
        local = datetime.strptime(at, "%Y-%m-%d %H:%M")  # noqa: DTZ007
    except ValueError:
        return Fate("time_unreadable")
    instant = local.replace(tzinfo=LONDON).astimezone(UTC)
    if instant.astimezone(LONDON).replace(tzinfo=None) != local:
        return Fate("time_in_gap")
    if local.year < 2000:
        return Fate("time_before_floor")
    if instant > NOW:
        return Fate("time_in_future")
    if not pieces:
        return Fate("quantity_missing")
    try:
        number = Decimal("-" + pieces[:-1] if pieces.endswith("-") else pieces)
    except InvalidOperation:
        return Fate("quantity_unreadable")
    units = -number if kind == "returned" else number
    if units != int(units):
        return Fate("quantity_not_whole")
    if units == 0:
        return Fate("quantity_zero")
    if units < 0 and kind != "adjusted":
        return Fate("quantity_negative")
    if abs(units) > 100_000_000:
        return Fate("quantity_too_large")
    time = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    reason = note if kind == "adjusted" else None
    return Fate("event", "", (kind, article, shop, time, int(units), note or None, reason))


def digest(row: Row, names: tuple[str, ...]) -> str:
    values = dict(zip(COLUMNS, row, strict=True))
    parts = [f"{len(values[name].encode())}:{values[name]}" for name in sorted(names)]
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:32]


def expected(files: list[list[Row]], by: str, drop: bool) -> list[Fate]:
    fates: list[Fate] = []
    seen: dict[str, Row] = {}
    rows_seen: set[Row] = set()
    for file in files:
        occurrences: Counter[str] = Counter()
        for row in file:
            fate = judged(row)
            if by == "key":
                bill, line = row[0].strip(), row[1].strip()
                escaped = [part.replace("%", "%25").replace(":", "%3A") for part in (bill, line)]
                identity = ":".join(escaped)
                if fate.what not in ("skipped", "gift") and not (bill and line):
                    fate = Fate("id_missing")
            else:
                mark = digest(row, COLUMNS if by == "all" else SOME)
                occurrences[mark] += 1
                identity = f"{mark}-{occurrences[mark]}"
            if fate.what == "event":
                if (drop and row in rows_seen) or seen.get(identity) == row:
                    fate = Fate("duplicate")
                elif identity in seen:
                    fate = Fate("id_conflict")
                else:
                    seen[identity] = row
                    rows_seen.add(row)
                    fate = fate._replace(id=identity)
            fates.append(fate)
    return fates


def text_of(file: list[Row]) -> str:
    quoted = ['"' + '","'.join(value.replace('"', '""') for value in row) + '"' for row in file]
    return "\n".join([",".join(COLUMNS), *quoted]) + "\n"


@pytest.mark.parametrize(
    ("by", "duplicates"), [("key", "drop"), ("all", "keep"), ("all", "drop"), ("some", "keep")]
)
@settings(max_examples=cases(2, 12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=heaps)
def test_every_row_is_accounted_for(by: str, duplicates: str, files: list[list[Row]]) -> None:
    mapping = read_mapping(MAPPING.replace("DUPLICATES", duplicates).replace("ID", IDS[by], 1))
    fates = expected(files, by, duplicates == "drop" or by == "key")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.csv") for number in range(len(files))]
        for path, file in zip(paths, files, strict=True):
            path.write_text(text_of(file), "utf-8")
        out = Path(folder, "events.jsonl")
        report = import_files(mapping, paths, out, now=NOW)
        events = [json.loads(line) for line in out.read_bytes().splitlines()]
        again = import_files(mapping, paths, Path(folder, "again.jsonl"), now=NOW)
        assert Path(folder, "again.jsonl").read_bytes() == out.read_bytes()

    counts = Counter(fate.what for fate in fates)
    refused = {
        code: n for code, n in counts.items() if code not in ("event", "skipped", "duplicate")
    }
    assert {each.code: each.rows for each in report.refused_by_reason} == refused
    assert report.rows_in == len(fates) == sum(len(file) for file in files)
    assert report.events_out == counts["event"] == again.events_out
    assert report.duplicates_dropped == counts["duplicate"]
    assert report.skipped == counts["skipped"]
    assert report.duplicates.found == len(fates) - len({row for file in files for row in file})

    found = {event["id"]: content_of(event) for event in events}
    assert len(found) == len(events)
    assert found == {fate.id: fate.content for fate in fates if fate.what == "event"}
    times = [event["time"] for event in events]
    assert times == sorted(times)


def content_of(event: dict[str, Any]) -> tuple[Any, ...]:
    data = event["data"]
    names = ("kind", "sku", "place")
    return (
        *(data[name] for name in names),
        event["time"],
        data["quantity"],
        data.get("order"),
        data.get("reason"),
    )
