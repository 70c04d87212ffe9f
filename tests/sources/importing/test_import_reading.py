"""Files as shops have them: encodings, marks, ragged rows, quotes, and files that are no tables."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.importing.csv_records import MAX_RECORD_LINES, Broken, CsvText, Plain, Record
from sources.importing.fields import FileFormat
from sources.importing.problems import ImportProblem, InputError, MappingError
from sources.importing.reading import fitting_encoding

CHINESE = [{"article": "苹果", "shop": "上海 南京西路店"}]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("gb18030", "gb18030"),
        ("gbk", "gbk"),
        ("gbk", ["utf-8", "gb18030"]),
        ("utf-16", "utf-16"),
        ("big5hkscs", "big5hkscs"),
    ],
)
def test_declared_encodings(
    encoding: str, declared: Any, run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    text = (
        rows_of(*CHINESE).replace("苹果", "蘋果") if encoding == "big5hkscs" else rows_of(*CHINESE)
    )
    text = text.replace("上海 南京西路店", "S1") if encoding == "big5hkscs" else text
    done = run(text.encode(encoding), changes={"file": {"encoding": declared}})
    (event,) = done.events
    assert event.data.sku in ("苹果", "蘋果")
    assert event.data.sku.encode() in done.lines[0], "text is UTF-8, not escaped"
    assert done.report.warnings == []


def test_latin_1_and_the_order_of_declared_encodings(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    text = rows_of({"article": "CAFÉ £"})
    for data in (text.encode("latin-1"), text.encode("utf-8")):
        done = run(data, changes={"file": {"encoding": ["utf-8", "latin-1"]}})
        assert done.events[0].data.sku == "CAFÉ £"
    assert [file.encoding for file in done.report.files] == ["utf-8"]


def test_rows_in_another_encoding_are_refused_alone_and_a_remedy_is_named(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    done = run(rows_of({}, {"line": "2", "article": "苹果"}, {"line": "3"}).encode("gb18030"))
    assert [event.id for event in done.events] == ["B1:1", "B1:3"]
    assert list(done.refusals) == ["bad_encoding"]
    (warning,) = done.report.warnings
    assert "not utf-8 throughout (first at byte " in warning
    assert "the whole file fits gb18030: declare file: {encoding: gb18030}" in warning


@pytest.mark.parametrize("before", [0, 5, (1 << 20) - 1, 1 << 20])
def test_where_the_first_wrong_byte_is(before: int, tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(b"a" * before + "茶".encode() + b"b\xffc")
    assert fitting_encoding(path, FileFormat()) == ("utf-8", before + 4)
    path.write_bytes(b"a" * before + "茶".encode()[:2])
    assert fitting_encoding(path, FileFormat()) == ("utf-8", before)
    assert fitting_encoding(path, FileFormat(encoding=("utf-8", "latin-1"))) == ("latin-1", None)


def test_notation_of_the_continent(run: Callable[..., Any]) -> None:
    text = "Beleg;Artikel;Menge;Zeit\n1;Tee;1.200,0;01.05.2024 10:00\n2;Öl;3-;01.05.2024 10:01\n"
    changes = {
        "file": {"delimiter": ";", "encoding": "latin-1"},
        "numbers": {"decimal": ",", "thousands": "."},
        "timezone": "Europe/Berlin",
        "event": {
            "id": {"key": "Beleg"},
            "kind": [
                {"is": "returned", "when": "number(Menge) < 0", "negate": True},
                {"is": "sold"},
            ],
            "sku": "Artikel",
            "place": {"constant": "Laden"},
            "time": {"column": "Zeit", "formats": ["%d.%m.%Y %H:%M"]},
            "quantity": "Menge",
        },
    }
    done = run(text.encode("latin-1"), changes=changes)
    assert [(e.data.kind, e.data.sku, e.data.quantity) for e in done.events] == [
        ("sold", "Tee", 1200),
        ("returned", "Öl", 3),
    ]
    assert list(done.times.values()) == ["2024-05-01T08:00:00Z", "2024-05-01T08:01:00Z"]


def test_a_file_without_a_header_and_with_lines_above(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    names, row = rows_of({}).splitlines()
    text = f"Till export\nof May\n{row}\n"
    file = {"header": "false", "columns": names.split(","), "skip_lines": "2", "delimiter": ","}
    done = run(text, changes={"file": file})
    assert len(done.events) == 1
    done = run("#\n" + rows_of({"pieces": "0"}), changes={"file": {"skip_lines": 1}})
    assert done.quarantine[0]["tillflow_line"] == "3"


def test_tabs_no_quotes_and_declared_empty_texts(run: Callable[..., Any]) -> None:
    head = "bill\tline\tarticle\tshop\tat\tpieces\tnote\n"
    text = head + 'B1\t1\t12" pan\tS1\t2024-05-01 10:00:00\t1\tNULL\n'
    file = {"delimiter": "tab", "quote": "", "empty": ["NULL", "n/a"]}
    done = run(text, changes={"file": file, "event": {"order": "note"}})
    assert done.events[0].data.sku == '12" pan'
    assert done.events[0].data.order is None
    assert b"order" not in done.lines[0], "a field that says nothing is left out"


def test_quoted_line_breaks_and_line_ends_of_windows(run: Callable[..., Any]) -> None:
    text = (
        "bill,line,article,shop,at,pieces,note\r\n"
        'B1,1,"green\r\ntea, loose",S1,2024-05-01 10:00:00,1,\r\n'
        "\r\n"
        "B1,2,TEA,S1,2024-05-01 10:00:00,0,\r\n"
        ",,,,,,\r\n"
    )
    done = run(text)
    assert done.events[0].data.sku == "green\r\ntea, loose"
    assert done.quarantine[0]["tillflow_line"] == "5", "the record before has two lines"
    assert done.report.rows_in == 2
    assert done.report.files[0].blank_lines == 2


def test_values_that_nobody_named_are_left_out_only_when_empty(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    head, row = rows_of({}).splitlines()
    done = run(f"{head}\n{row},,\n{row.replace('B1', 'B2')},,x\n")
    assert [event.id for event in done.events] == ["B1:1"]
    assert "the row has 9 values, the header has 7 columns" in done.refusals["ragged_row"]


def test_an_open_quote_costs_its_own_line_only(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    lines = rows_of(*({"line": str(number)} for number in range(1, 7))).splitlines()
    lines[2] = lines[2].replace("TEA", '"TEA')
    lines[4] = lines[4].replace("TEA", '"TEA" fine')
    done = run("\n".join(lines) + "\n")
    assert [event.id for event in done.events] == ["B1:1", "B1:3", "B1:5", "B1:6"]
    assert [row["tillflow_line"] for row in done.quarantine] == ["3", "5"]
    assert [row["tillflow_raw"] for row in done.quarantine] == [lines[2], lines[4]]
    assert [row["tillflow_row"] for row in done.quarantine] == ["2", "4"]


def records(lines: list[str], chunk: int = 3) -> list[Record | Broken]:
    """All records, by the quick way in small chunks; the careful way must say the same."""
    text = CsvText(iter(lines), ",", '"')
    careful: list[Record | Broken] = []
    while (record := text.record()) is not None:
        careful.append(record)
    quick: list[Record | Broken] = []
    for batch in CsvText(iter(lines), ",", '"').batches(chunk):
        if isinstance(batch, Plain):
            quick += [Record(batch.line + n, values) for n, values in enumerate(batch.rows)]
        else:
            quick += batch
    assert quick == careful
    return quick


def test_a_record_without_end_is_given_up_after_many_lines() -> None:
    lines = ['"open\n'] + ["1,2\n"] * (MAX_RECORD_LINES + 5)
    found = records(lines)
    assert isinstance(found[0], Broken)
    assert found[1:] == [Record(line, ["1", "2"]) for line in range(2, len(lines) + 1)]


cells = st.text(st.sampled_from('ab,"\n ;'), max_size=4)


@settings(max_examples=60)
@given(st.lists(st.lists(cells, min_size=2, max_size=3), max_size=6))
def test_whatever_is_quoted_properly_is_read_back(table: list[list[str]]) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table]
    text = "\n".join(lines).splitlines(keepends=True)
    found = records(text)
    assert [record.values for record in found if isinstance(record, Record)] == table
    assert [record.line for record in found] == [
        1 + sum(line.count("\n") + 1 for line in lines[:number]) for number in range(len(lines))
    ]


@settings(max_examples=100)
@given(st.text(st.sampled_from('a,"\n'), max_size=40))
def test_any_text_is_accounted_for_line_by_line(text: str) -> None:
    lines = text.splitlines(keepends=True)
    found = records(lines)
    begins = [record.line for record in found]
    assert begins == sorted(set(begins))
    broken = [record for record in found if isinstance(record, Broken)]
    assert all(record.raw == lines[record.line - 1].rstrip("\n") for record in broken)
    covered = len(broken) + sum(
        1 + sum(value.count("\n") for value in record.values)
        for record in found
        if isinstance(record, Record)
    )
    assert covered == len(lines)


def test_empty_and_header_only_files_are_explained(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    head = rows_of({}).splitlines()[0]
    done = run("", head + "\n", rows_of({}), "\n\n")
    assert len(done.events) == 1
    assert [file.rows for file in done.report.files] == [0, 0, 1, 0]
    empty, only_header, _, blank = (file.file for file in done.report.files)
    assert done.report.warnings == [
        f"{empty} is empty: it has no header and no rows",
        f"{only_header} has a header and no rows",
        f"{blank} is empty: it has no header and no rows",
    ]
    nothing = run("")
    assert nothing.lines == []
    assert nothing.report.balance.startswith("0 rows in = 0 events + 0 refused")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "is an Excel workbook or a zip archive: save the sheet as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1", "is an old Excel workbook"),
        (gzip.compress(b"a,b", mtime=0), "is packed with gzip: unpack it first"),
        (b"%PDF-1.7", "is a PDF"),
        ("bill,line\n".encode("utf-16-le"), "declare file: {encoding: utf-16}"),
        (b"PAR1 and then nothing", "cannot be read as Parquet"),
        (b'bill,"line\n1,2\n', "line 1: the header cannot be read"),
    ],
)
def test_files_that_are_no_tables(content: bytes, words: str, run: Callable[..., Any]) -> None:
    with pytest.raises(InputError) as refused:
        run(content)
    assert words in str(refused.value)
    assert "export1.csv" in str(refused.value)


def test_a_file_that_is_not_there(run: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: cannot be opened: No such file"):
        run(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="cannot be opened: Is a directory"):
        run(tmp_path)


def test_a_missing_column_is_named_with_those_that_are_there(run: Callable[..., Any]) -> None:
    with pytest.raises(MappingError) as refused:
        run("bill;line;article\n1;1;TEA\n")
    message = str(refused.value)
    assert message.startswith('shop.yaml, line 9: there is no column "article" in ')
    assert "its columns are bill;line;article" in message
    assert 'it seems to be separated by ;: declare file: {delimiter: ";"}' in message


def test_a_header_in_another_encoding_leads_to_the_remedy(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    with pytest.raises(MappingError, match="the whole file fits gb18030"):
        run(
            rows_of({}).replace("article", "商品").encode("gbk"), changes={"event": {"sku": "商品"}}
        )


def test_second_columns_of_a_name_get_a_number(run: Callable[..., Any]) -> None:
    text = "bill,line,article,shop,at,pieces,Note,note,,__row\n"
    done = run(
        text + "B1,1,TEA,S1,2024-05-01 10:00:00,0,a,b,c,d\n", changes={"event": {"lot": "note_2"}}
    )
    (row,) = done.quarantine
    assert (row["Note"], row["note_2"], row["column_9"], row["__row_2"]) == ("a", "b", "c", "d")
    assert 'a second column "note" is called "note_2" here' in done.report.warnings[0]


def test_parquet_keeps_its_types_and_awkward_names(run: Callable[..., Any], tmp_path: Path) -> None:
    table = pa.table(
        {
            "bill": pa.array([7, 8, 9]),
            "line": pa.array([1.0, 2.0, None]),
            "article": ["TEA ", "", "TEA"],
            "shop": pa.array([17850.0, 17850.0, 1.5]),
            "at": pa.array(["2024-05-01 10:00:00"] * 3),
            "pieces": pa.array([2.0, 1.0, 2.5]),
        }
    )
    folder = tmp_path / "year=2024"
    folder.mkdir()
    path = folder / "sales [1]*?.parquet"
    pq.write_table(table, path)
    (folder / "sales 1.parquet").write_bytes(b"must not be read")
    done = run(path)
    (event,) = done.events
    assert (event.id, event.data.sku, event.data.place) == ("7:1", "TEA", "17850")
    assert [row["tillflow_code"] for row in done.quarantine] == ["sku_missing", "id_missing"]
    assert [row["shop"] for row in done.quarantine] == ["17850.0", "1.5"]
    assert "year" not in done.quarantine[0]


def test_nothing_is_written_when_the_import_fails(
    run: Callable[..., Any], rows_of: Callable[..., str], tmp_path: Path
) -> None:
    out = tmp_path / "run1" / "events.jsonl"
    with pytest.raises(ImportProblem):
        run(rows_of({}), changes={"event": {"sku": {"sql": "article::INTEGER::VARCHAR"}}})
    assert sorted(path.name for path in out.parent.iterdir()) == ["export1.csv"]


def test_columns_may_be_called_as_anything(run: Callable[..., Any]) -> None:
    names = ["id", "kind", "sku", "place", "instant", "units", "zone", "order", "row", "file"]
    names += ["value", "code", "line", "failed", "seen", "stage", "number", "skip_rule", "time"]
    names += ["file_sku", "select", 'a "quoted" name', "t_local", "now", "counted", "factor"]
    values = dict.fromkeys(names, "7") | {"instant": "2024-05-01 10:00:00", "code": "TEA"}
    text = f"{','.join(_quoted(name) for name in names)}\n{','.join(values.values())}\n"
    event = {
        "id": {"key": ["id", "row", 'a "quoted" name']},
        "kind": [{"is": "sold", "when": "seen = '7' AND kind = '7' AND number(number) = 7"}],
        "sku": "code",
        "place": {"sql": "value || \"order\" || stage || failed || file_sku || skip_rule || 'x'"},
        "time": {"column": "instant", "zone": {"constant": "UTC"}},
        "quantity": {"column": "units", "factor": {"column": "factor"}},
        "order": 'a "quoted" name',
        "line": {"sql": 'zone || "select"'},
        "reason": {"sql": "t_local || now || counted || time || id || sku || place"},
    }
    rule = {"when": "row = '8' OR file = '8' OR line = '8'", "because": "never"}
    (found,) = run(text, changes={"event": event, "skip": rule}).events
    assert (found.id, found.data.sku, found.data.quantity) == ("7:7:7", "TEA", 49)
    assert (found.data.place, found.data.line, found.data.reason) == ("777777x", "77", "7" * 7)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_an_empty_parquet_file(run: Callable[..., Any], tmp_path: Path) -> None:
    names = ["bill", "line", "article", "shop", "at", "pieces"]
    pq.write_table(
        pa.table({name: pa.array([], pa.string()) for name in names}), tmp_path / "p.parquet"
    )
    done = run(tmp_path / "p.parquet")
    assert (done.report.rows_in, done.lines) == (0, [])
