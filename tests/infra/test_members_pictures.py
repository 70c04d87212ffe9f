"""Pictures of members hold what the tables say: over time, now, and from where to where."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from flow_driver import query, write_chain, write_lines
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from member_driver import invoke, run_members
from member_events import arrivals, event, history, member_chain, render

from infra.cli import main
from infra.figure import CHINESE
from infra.members_picture import draw_segments, draw_transitions, over_time
from operators.engine import system_clock
from operators.members.segments import SEGMENTS
from serving.members import open_member_queries

PNG = b"\x89PNG"


@pytest.fixture(scope="module", name="warehouse")
def _warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    rng = Random(4)
    source = write_lines(folder / "a.jsonl", arrivals(rng, history(rng, 40, 400, 60), 8.0))
    config = write_chain(folder / "chain.yaml", member_chain())
    run_members("--source", source, "--config", config, "--warehouse", folder / "w.duckdb")
    return folder / "w.duckdb"


def test_days_add_up() -> None:
    """Each day's end, and quiet times in one step: they are level, not slopes."""
    found = over_time(
        [
            (date(2026, 1, 1), None, "promising_new", 3),
            (date(2026, 1, 2), None, "promising_new", 1),
            (date(2026, 1, 2), "promising_new", "high_value", 2),
            (date(2026, 2, 1), "promising_new", None, 1),
        ]
    )
    assert [day for day, _ in found] == [
        date(2026, 1, 1),
        date(2026, 1, 2),
        date(2026, 1, 31),
        date(2026, 2, 1),
    ]
    assert [(held["promising_new"], held["high_value"]) for _, held in found] == [
        (3, 0),
        (2, 2),
        (2, 2),
        (1, 2),
    ]


def test_the_last_day_is_now(warehouse: Path) -> None:
    """What was told, added up, is where members are."""
    with open_member_queries(warehouse) as queries:
        _, held = over_time(queries.changes_by_day())[-1]
    now: dict[object, object] = dict(
        query(
            warehouse,
            "SELECT segment, count(*) FROM member_state "
            "WHERE status = 'active' AND segment IS NOT NULL GROUP BY segment",
        )
    )
    assert {code: many for code, many in held.items() if many} == now


def test_pictures_and_tables(warehouse: Path, tmp_path: Path) -> None:
    """Both commands draw into the format of the ending, beside what they always print."""
    about = ("--warehouse", warehouse)
    png, svg = tmp_path / "s.png", tmp_path / "t.svg"
    assert "Members by segment" in invoke("members", "segments", "--picture", png, *about)
    assert png.read_bytes().startswith(PNG)
    told = invoke("members", "transitions", "--days", 3650, "--picture", svg, *about)
    assert "because of" in told
    assert "<svg" in svg.read_text(encoding="utf-8")
    rows = json.loads(invoke("members", "transitions", "--days", 3650, "--format", "json", *about))
    counted: Counter[tuple[object, ...]] = Counter()
    for one in rows:
        counted[one["from_segment"], one["to_segment"], one["cause"]] += one["changes"]
    asked = "SELECT from_segment, to_segment, cause, count(*) FROM member_transition GROUP BY ALL"
    assert counted == {row[:3]: row[3] for row in query(warehouse, asked)}
    few = json.loads(invoke("members", "transitions", "--days", 1, "--format", "json", *about))
    assert sum(one["changes"] for one in few) < sum(counted.values())


def font_of(letters: str, family: str, path: Path) -> Path:
    """A font in which each of the letters is a box."""
    names = {ord(letter): f"box{number}" for number, letter in enumerate(sorted(set(letters)))}
    glyphs = [".notdef", *names.values()]
    pen = TTGlyphPen(None)
    for at, point in enumerate(((50, 0), (50, 800), (950, 800), (950, 0))):
        (pen.lineTo if at else pen.moveTo)(point)
    pen.closePath()
    box = pen.glyph()
    made = FontBuilder(1000)
    made.setupGlyphOrder(glyphs)
    made.setupCharacterMap(names)
    made.setupGlyf(dict.fromkeys(glyphs, box))
    made.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 50)))
    made.setupHorizontalHeader(ascent=900, descent=-100)
    made.setupNameTable({"familyName": family, "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    made.save(path)
    return path


@pytest.mark.filterwarnings("error")
def test_names_in_chinese_where_a_font_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All letters or none of them: no empty boxes, and no complaint of matplotlib's."""
    fonts = font_manager.fontManager
    others = [one for one in fonts.ttflist if one.name not in CHINESE]
    chinese = "".join(one.zh for one in SEGMENTS)
    now: dict[str, int] = {one.code: number for number, one in enumerate(SEGMENTS, 1)}
    steps = [(None, one.code, "purchase", 2) for one in SEGMENTS]

    def texts() -> list[str]:
        draw_segments(now, [(date(2026, 1, 1), now), (date(2026, 1, 2), now)], tmp_path / "s.svg")
        draw_transitions(steps, "moves", tmp_path / "t.svg")
        # Of each text matplotlib notes what its outlines say.
        return [(tmp_path / name).read_text(encoding="utf-8") for name in ("s.svg", "t.svg")]

    for letters, there in (("", False), (chinese.replace("留", ""), False), (chinese, True)):
        monkeypatch.setattr(fonts, "ttflist", list(others))
        if letters:
            path = font_of(letters, "Noto Sans CJK SC", tmp_path / f"{len(letters)}.ttf")
            fonts.addfont(path)
        for text in texts():
            for one in SEGMENTS:
                assert f"<!-- {one.en}  {one.zh} -->" in text or not there
                assert (one.zh in text) is there
                assert one.en in text


def test_nobody_has_bought(tmp_path: Path) -> None:
    """There is nothing to draw, and it says so."""
    joined = event("member.registered.v1", "r", system_clock(), "crm", member="m")
    source = write_lines(tmp_path / "a.jsonl", [render(joined)])
    run_members("--source", source, "--warehouse", tmp_path / "w.duckdb")
    words = ["members", "segments", "--picture", tmp_path / "s.png", "--warehouse"]
    result = CliRunner().invoke(main, [*map(str, words), str(tmp_path / "w.duckdb")])
    assert result.exit_code == 1
    assert "nothing to draw" in result.output
