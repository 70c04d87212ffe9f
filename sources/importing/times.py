"""When it happened: SQL from what a file says to an instant, with clock changes seen through.

A local time without an offset is wrong for an hour a year (it never was) and unclear for another
(it was twice). DuckDB's zones move the first and pick one of the second; both are found here by
going there and back.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.tables import literal
from sources.importing.fields import Day, Time
from sources.importing.notation import cleaned

_NATIVE_LOCAL = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE")
_NATIVE_INSTANT = "TIMESTAMP WITH TIME ZONE"
_WITH_OFFSET = r"\d\d:\d\d\S*([Zz]|[+-]\d\d(:?\d\d)?)$"
# Clock changes on earth are of one hour, or of half an hour on Lord Howe Island.
_SHIFTS = ("1 HOUR", "30 MINUTES")
_EPOCHS = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000}


@dataclass(frozen=True, slots=True)
class Moment:
    """SQL of one time: `local` where the file says no offset, `instant` where it does."""

    local: str
    instant: str


def needs_formats(kind: str) -> bool:
    """Whether a column of that DuckDB type says its times in a format that must be declared."""
    return kind not in (*_NATIVE_LOCAL, _NATIVE_INSTANT)


def moment(time: Time | Day, expression: str, kind: str) -> Moment:
    """The SQL that reads a column or expression of that DuckDB type."""
    if kind == _NATIVE_INSTANT:
        return Moment("NULL::TIMESTAMP", expression)
    if kind in _NATIVE_LOCAL:
        return Moment(_on_calendar(f"{expression}::TIMESTAMP"), "NULL::TIMESTAMPTZ")
    text = cleaned(f"{expression}::VARCHAR")
    locals_, instants = [], []
    for form in time.formats:
        if form in _EPOCHS:
            micros = f"(number({expression}) * {_EPOCHS[form]})::BIGINT"
            instants.append(f"TRY(make_timestamptz({micros}))")
        elif form == "iso":
            with_offset = f"regexp_matches({text}, {literal(_WITH_OFFSET)})"
            instants.append(f"CASE WHEN {with_offset} THEN TRY_CAST({text} AS TIMESTAMPTZ) END")
            locals_.append(f"CASE WHEN NOT {with_offset} THEN TRY_CAST({text} AS TIMESTAMP) END")
        elif "%z" in form or "%Z" in form:
            instants.append(f"try_strptime({text}, {literal(form)})")
        else:
            locals_.append(_on_calendar(f"try_strptime({text}, {literal(form)})"))
    return Moment(
        f"coalesce({', '.join([*locals_, 'NULL::TIMESTAMP'])})",
        f"coalesce({', '.join([*instants, 'NULL::TIMESTAMPTZ'])})",
    )


def _on_calendar(local: str) -> str:
    span = "TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-30'"
    return f"CASE WHEN {local} BETWEEN {span} THEN {local} END"


def resolved(zone: str, repeated_hour: str) -> dict[str, str]:
    """SQL of the columns `instant`, `in_gap` and `repeated`, over `t_local` and `t_instant`.

    `zone` is SQL of a zone's name that exists; `repeated_hour` is that of the mapping.
    """
    guess = f"timezone({zone}, t_local)"
    if zone == "'UTC'":
        return {
            "instant": f"coalesce(t_instant, {guess})",
            "in_gap": "false",
            "repeated": "false",
        }
    others = [
        f"CASE WHEN timezone({zone}, {guess} {sign} INTERVAL {shift}) = t_local "
        f"THEN {guess} {sign} INTERVAL {shift} END"
        for shift in _SHIFTS
        for sign in "-+"
    ]
    pick = "greatest" if repeated_hour == "second" else "least"
    return {
        "instant": f"coalesce(t_instant, {pick}({', '.join([guess, *others])}))",
        "in_gap": f"t_instant IS NULL AND timezone({zone}, {guess}) <> t_local",
        "repeated": f"t_instant IS NULL AND coalesce({', '.join(others)}) IS NOT NULL",
    }


def start_of(day: str, zone: str) -> str:
    """SQL of the instant at which a local date begins."""
    return f"timezone({literal(zone)}, TIMESTAMP '{day}')"
