"""A broken mapping is refused with its line, the nearest right name and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sources.importing.mapping import Mapping, load_mapping, read_mapping
from sources.importing.problems import InputError, MappingError

GOOD = """\
source: shop
timezone: Europe/London
file:
  encoding: utf-8
maps:
  codes:
    values: {"01": TEA, NO: norway}
skip:
  - {when: article = 'TOTAL', because: a subtotal}
event:
  id: {key: [bill, line]}
  kind:
    - {is: returned, when: "starts_with(bill, 'R')", negate: true}
    - sold
  sku: {column: article, map: codes}
  place: {constant: S1}
  time: {column: at, formats: ["%Y-%m-%d %H:%M:%S"]}
  quantity: {column: pieces, factor: 12}
"""
# what is changed, into what, line, words
BROKEN = [
    (
        "source: shop",
        "sorce: shop",
        1,
        '"sorce" is not a key of the mapping; did you mean "source"?',
    ),
    ("source: shop\n", "", 1, 'the mapping needs the key "source"'),
    ("source: shop", "source: ''", 1, "source must be 1 to 200 characters"),
    (
        "Europe/London",
        "Europe/Lundon",
        2,
        'no time zone "Europe/Lundon"; did you mean "Europe/London"?',
    ),
    (
        "Europe/London",
        "localtime",
        2,
        'no time zone "localtime"; IANA names look like Asia/Shanghai',
    ),
    ("utf-8", "uft-8", 4, 'there is no encoding "uft-8"'),
    ("utf-8", "rot13", 4, 'there is no encoding "rot13"'),
    (
        "  encoding: utf-8",
        "  delimiter: '||'",
        4,
        "delimiter must be one character or the word tab",
    ),
    ("  encoding: utf-8", "  header: maybe", 4, 'header must be true or false, not "maybe"'),
    ("  encoding: utf-8", "  header: false", 4, "without a header the names are needed"),
    ("  encoding: utf-8", "  columns: [a, b]", 4, "add header: false"),
    ("  encoding: utf-8", "  skip_lines: some", 4, 'skip_lines must be a whole number, not "some"'),
    (
        "  encoding: utf-8",
        "  type: exel",
        4,
        'type cannot be "exel"; it is one of auto, csv, parquet',
    ),
    (
        "    values:",
        "    valuse:",
        7,
        '"valuse" is not a key of maps.codes; did you mean "values"?',
    ),
    ('{"01": TEA', '{"01": TEA, "01": TEE', 7, 'values: "01" is there already, in line 7'),
    ('    values: {"01": TEA, NO: norway}', "    missing: keep", 7, "either values or a file"),
    ('    values: {"01": TEA, NO: norway}', "    file: x.csv", 7, "needs from and to"),
    ("  codes:", "  co des:", 1, '"co des" must be letters, digits and _'),
    (
        "because: a subtotal",
        "becuase: x",
        9,
        '"becuase" is not a key of skip[1]; did you mean "because"?',
    ),
    ("{key: [bill, line]}", "{}", 11, "say either key: [columns] or content: [columns]"),
    (
        "is: returned",
        "is: retruned",
        13,
        '"retruned" is not a kind of movement; did you mean "returned"?',
    ),
    (
        "when: \"starts_with(bill, 'R')\", ",
        "",
        11,
        "the rules after the returned rule without a when",
    ),
    ("negate: true", "negate: [true]", 13, "negate must be one value, not a list"),
    ("map: codes", "map: code", 15, 'there is no map "code"; did you mean "codes"?'),
    ("  place: {constant: S1}\n", "", 11, 'event needs the key "place"'),
    (
        "{constant: S1}",
        "{constant: S1, column: shop}",
        16,
        "exactly one of column, constant and sql",
    ),
    ("{constant: S1}", "[a]", 16, "place must be a set of keys and values"),
    (
        "column: at,",
        "column: at, not_before: 1.1.2020,",
        17,
        '"1.1.2020" is not a date like 2020-01-31',
    ),
    ("column: at,", "column: at, not_after: 2020-02-30,", 17, '"2020-02-30" is not a date'),
    ("column: at,", "column: at, zone: Mars,", 17, 'there is no time zone "Mars"'),
    ("  quantity: {column: pieces, factor: 12}\n", "", 11, 'event: needs the key "quantity"'),
    ("source: shop", "source: shop\nduplicates: keep", 1, "rows of one key are one movement"),
    (
        "source: shop",
        "source: shop\nnumbers: {decimal: ',', thousands: ','}",
        2,
        'cannot both be ","',
    ),
    ("source: shop", "source: [shop", 2, "this is not YAML: "),
    ("source: shop", "source: shop\npath: x", 2, '"path" is not a key of the mapping'),
    ("source: shop", "source: shop\nsource: pos", 2, '"source" is there already, in line 1'),
    (GOOD, "", 1, "the mapping is empty"),
    (GOOD, "- a", 1, "the mapping must be a set of keys and values"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"), BROKEN, ids=[f"{row[3][:40]}" for row in BROKEN]
)
def test_broken_mappings(old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    with pytest.raises(MappingError) as refused:
        read_mapping(GOOD.replace(old, new, 1), Path("a/shop.yaml"))
    assert str(refused.value).startswith(f"shop.yaml, line {line}: ")
    assert words in str(refused.value)


def test_scalars_stay_what_was_written() -> None:
    mapping = read_mapping(GOOD)
    assert mapping.maps["codes"].values == {"01": "TEA", "NO": "norway"}
    assert mapping.event.quantity is not None
    assert mapping.event.quantity.factor is not None
    assert mapping.event.quantity.factor.constant == "12"


EXPORT = "bill,line,article,shop,at,pieces,note\nB1,1,TEA,S1,2024-05-01 10:00:00,2,\n"


@pytest.mark.parametrize(
    ("event", "line", "words"),
    [
        (
            {"sku": "artcle"},
            9,
            'there is no column "artcle" in export1.csv; its columns are bill, line, article, '
            "shop, at, pieces, note; for a fixed text write {constant: ...}",
        ),
        (
            {"sku": {"sql": "upper(artcle)"}},
            10,
            'there is no column "artcle" in export1.csv; its col',
        ),
        (
            {"sku": {"sql": "uper(article)"}},
            10,
            "the expression 'uper(article)' fails: Catalog Error",
        ),
        (
            {"sku": {"sql": "upper(article"}},
            10,
            "the expression 'upper(article' is not SQL: syntax",
        ),
        ({"sku": {"sql": "a; DROP TABLE x"}}, 10, "is not SQL: "),
        ({"sku": {"sql": "article FROM x"}}, 10, "must be one value of a row"),
        ({"sku": {"sql": "article WHERE true"}}, 10, "must be one value of a row"),
        ({"sku": {"sql": "article, bill"}}, 10, "must be one value of a row"),
        ({"sku": {"sql": "(SELECT 1)"}}, 10, "it contains a subquery; to look something up"),
        ({"sku": {"sql": "row_number() OVER ()::TEXT"}}, 10, "it looks at other rows"),
        ({"sku": {"sql": "max(article)"}}, 10, "the expression 'max(article)' fails: Binder Error"),
        (
            {"kind": [{"is": "sold", "when": "upper(note)"}]},
            9,
            "is VARCHAR, a when must be true or",
        ),
        ({"id": {"key": None, "content": ["bil"]}}, 5, 'there is no column "bil" in export1.csv'),
        ({"id": {"key": ["bil"]}}, 5, 'there is no column "bil" in export1.csv'),
    ],
)
def test_mappings_that_do_not_fit_the_file(
    event: dict[str, Any], line: int, words: str, run: Callable[..., Any]
) -> None:
    with pytest.raises(MappingError) as refused:
        run(EXPORT, changes={"event": event})
    message = str(refused.value)
    assert message.startswith(f"shop.yaml, line {line}: ")
    assert words.replace("export1.csv", "") in message.replace(_path_in(message), "")


def _path_in(message: str) -> str:
    return next((word.rstrip(";") for word in message.split() if "export1.csv" in word), "\0")


def test_an_expression_that_fails_on_a_row_is_named(run: Callable[..., Any]) -> None:
    changes = {"event": {"quantity": {"sql": "pieces::INTEGER"}}}
    with pytest.raises(MappingError) as refused:
        run(EXPORT.replace(",2,", ",two,"), changes=changes)
    message = str(refused.value)
    assert message.startswith(
        "shop.yaml, line 16: the expression 'pieces::INTEGER' fails on a row: "
    )
    assert "Could not convert string 'two'" in message
    assert "TRY_CAST, or number(column)" in message


def test_expressions_may_end_in_a_comment(run: Callable[..., Any]) -> None:
    done = run(EXPORT, changes={"event": {"sku": {"sql": "lower(article) -- small"}}})
    assert done.events[0].data.sku == "tea"


def test_names_of_shipped_mappings_and_files(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as refused:
        load_mapping("completejurney")
    assert str(refused.value) == (
        "completejurney: there is no such file, and no shipped mapping of that name; "
        'did you mean "completejourney"? (shipped: completejourney, online_retail)'
    )
    path = tmp_path / "latin.yaml"
    path.write_bytes("source: Käse".encode("latin-1"))
    with pytest.raises(MappingError, match=r"latin\.yaml: cannot be read"):
        load_mapping(path)


def code_files(folder: Path) -> Mapping:
    text = GOOD.replace('values: {"01": TEA, NO: norway}', "{file: codes.csv, from: ean, to: sku}")
    text = text.replace("  codes:\n    {", "  codes: {")
    return read_mapping(text, folder / "shop.yaml")


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (None, 'line 6: the file "codes.csv" is not there; looked in '),
        ("ean,item\n1,A\n", 'line 6: there is no column "sku" in '),
        (
            "ean,sku\n1,B\n2,C\n1 ,A\n",
            'says two things of "1": A and B; keep one row for each code',
        ),
    ],
)
def test_code_files_that_cannot_be_used(
    codes: str | None, words: str, run: Callable[..., Any], tmp_path: Path
) -> None:
    if codes is not None:
        (tmp_path / "codes.csv").write_text(codes)
    with pytest.raises(MappingError) as refused:
        run(EXPORT, mapping=code_files(tmp_path))
    assert words in str(refused.value)


def test_code_files_must_be_readable_as_a_whole(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("ean,sku\n1,A\n2\n")
    with pytest.raises(InputError, match=r"codes\.csv, line 3: the row has 1 values"):
        run(EXPORT, mapping=code_files(tmp_path))
