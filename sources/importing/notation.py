"""How texts, numbers and codes of a file are read: SQL over one column or expression."""

from __future__ import annotations

from schemas.tables import literal
from sources.importing.fields import Numbers

# What people and exports leave around a value: blanks, line ends, no-break and Chinese spaces.
WHITE = " \t\r\n\u00a0\u3000\ufeff"
NUMBER = "DECIMAL(24,6)"
# DuckDB reads texts into 64 bits some sixty times as fast as into the 128 of NUMBER; longer numbers
# (barcodes in the quantity column) take the long way.
_SHORT_NUMBER = "DECIMAL(18,6)"


def cleaned(expression: str, empty: tuple[str, ...] = ()) -> str:
    """SQL of a text without white space around it; NULL when nothing, or a declared empty, is left.

    The no-break and the Chinese space count as white space.
    """
    sql = f"nullif(trim({expression}, {literal(WHITE)}), '')"
    for text in empty:
        sql = f"nullif({sql}, {literal(text)})"
    return sql


def number_macro(numbers: Numbers) -> str:
    """DDL of the macro `number(x)`: the number a text says in the declared notation, or NULL.

    It reads `1,234.50`, `-3`, `+3` and `3-` (as some ledgers write it), to six decimals; numbers
    that are numbers already pass through.
    """
    point, thousands = numbers.decimal, numbers.thousands
    text = "replace(trim(x::VARCHAR), chr(8722), '-')"  # U+2212, the minus of typesetters
    whole = r"\d+"
    if thousands:
        whole = rf"(\d+|\d{{1,3}}([{thousands}]\d{{3}})+)"
    if thousands == " ":
        text = f"replace(replace({text}, chr(160), ' '), chr(8239), ' ')"
    unsigned = rf"({whole}([{point}]\d*)?|[{point}]\d+)"
    digits = f"replace(rtrim({text}, '-'), {literal(thousands)}, '')"
    if point != ".":
        digits = f"replace({digits}, {literal(point)}, '.')"
    read = f"coalesce(TRY_CAST({digits} AS {_SHORT_NUMBER}), TRY_CAST({digits} AS {NUMBER}))"
    sign = f"CASE WHEN ends_with({text}, '-') THEN -1 ELSE 1 END"
    return (
        f"CREATE MACRO number(x) AS CASE WHEN typeof(x) <> 'VARCHAR' THEN TRY_CAST(x AS {NUMBER}) "
        f"WHEN regexp_full_match({text}, {literal(f'[+-]?{unsigned}|{unsigned}-')}) "
        f"THEN ({sign} * {read})::{NUMBER} END"
    )


def text_of(expression: str, kind: str) -> str:
    """SQL of a value as text; a whole number that was stored as a float has no `.0`."""
    if kind == "VARCHAR":
        return expression
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"{expression} = trunc({expression}) AND abs({expression}) < 1e15"
        return (
            f"CASE WHEN {whole} THEN {expression}::BIGINT::VARCHAR ELSE {expression}::VARCHAR END"
        )
    return f"{expression}::VARCHAR"
