"""What makes a row dirty: one list, in the order in which a row is judged; the first one counts.

Conditions are SQL over the columns that `plan.py` makes: `file_x` is what the file says of the
field x (its code, before a map), `x` is what the event would say. `words` are for a person; `{x}`
in them is a column of the row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from schemas.movement import MAX_QUANTITY
from schemas.tables import literal
from sources.importing.expressions import values
from sources.importing.mapping import Mapping
from sources.importing.times import start_of

_HOLE = re.compile(r"\{(\w+)\}")
# Names in the contract are at most this long.
_LONGEST_NAME = 200
# Quoted values are cut to this many characters; the whole row stands beside the words anyway.
_SHOWN = 60

# These two are known only when all rows have been read.
DUPLICATE = "duplicate_row"
CONFLICT = "id_conflict"


@dataclass(frozen=True, slots=True)
class Check:
    """A reason to refuse a row: its code, SQL that is true for such rows, and words.

    `verbatim` words are an operator's own: nothing is filled in.
    """

    code: str
    when: str
    words: str
    verbatim: bool = False

    def words_sql(self) -> str:
        """SQL of the words with the row's values in them."""
        if self.verbatim:
            return literal(self.words)
        parts = [
            f"left(coalesce(({_shown(text)})::VARCHAR, ''), {_SHOWN})"
            if number % 2
            else literal(text)
            for number, text in enumerate(_HOLE.split(self.words))
            if text
        ]
        return f"concat({', '.join(parts)})"


def _shown(column: str) -> str:
    text = f"{column}::VARCHAR"
    if column == "units":
        # A DECIMAL has all its decimals as text; 1.500000 units are 1.5.
        text = f"regexp_replace({text}, '[.]?0+$', '')"
    return f"left(coalesce({text}, ''), {_SHOWN})"


def checks(mapping: Mapping, now: datetime) -> list[Check]:
    """All checks of a mapping, in order; what is later than `now` is in the future."""
    return [
        *_declared(mapping),
        *_identity(mapping),
        Check("no_kind", "kind IS NULL", "no rule of kind holds for this row"),
        *_codes(),
        *_time(mapping, now),
        *_quantity(mapping),
        *_by_kind(),
        *_others(mapping),
    ]


def _declared(mapping: Mapping) -> list[Check]:
    return [
        Check(rule.code, f"refuse_rule = {number}", rule.because, verbatim=True)
        for number, rule in enumerate(mapping.refuse, 1)
    ]


def _identity(mapping: Mapping) -> list[Check]:
    key = " and ".join(mapping.event.id.key)
    long = f"the id {{id}}... is longer than {_LONGEST_NAME} characters"
    return [
        Check("id_missing", "id IS NULL", f"{key} make the id of a row; one of them is empty"),
        Check("text_too_long", f"length(id) > {_LONGEST_NAME}", long),
    ]


def _codes() -> list[Check]:
    found = []
    for field, word in (("sku", "SKU"), ("place", "place")):
        found += [
            Check(f"{field}_missing", f"file_{field} IS NULL", f"the {word} is empty"),
            Check(
                f"unknown_{field}",
                f"{field}_missed",
                f'{word} "{{file_{field}}}" is not in the map of the mapping',
            ),
            Check(f"{field}_missing", f"{field} IS NULL", f"the {word} is empty"),
            Check(
                f"unknown_{field}",
                f"{field}_unknown",
                f'{word} "{{{field}}}" is not among the known ones',
            ),
            Check(
                "text_too_long",
                f"length({field}) > {_LONGEST_NAME}",
                f'{word} "{{{field}}}..." is longer than {_LONGEST_NAME} characters',
            ),
        ]
    return found


def _time(mapping: Mapping, now: datetime) -> list[Check]:
    time = mapping.event.time
    zone = mapping.timezone.name
    forms = " or ".join(time.formats) or "a time"
    found = [
        Check("time_missing", "file_time IS NULL", "the time is empty"),
        Check(
            "time_unreadable",
            "t_local IS NULL AND t_instant IS NULL",
            f'time "{{file_time}}" cannot be read as {forms}',
        ),
    ]
    if mapping.constant_zone is None:
        words = 'there is no time zone "{file_zone}"'
        found.append(Check("zone_unknown", "t_instant IS NULL AND zone IS NULL", words))
    words = "{t_local} did not exist in {zone}: clocks went forward over it"
    found.append(Check("time_in_gap", "in_gap", words))
    if time.repeated_hour == "refuse":
        words = "{t_local} was twice in {zone}, for clocks went back; which is meant is not said"
        found.append(Check("time_repeated", "repeated", words))
    found += [
        Check(
            "time_before_floor",
            f"instant < {start_of(time.not_before, zone)}",
            f'time "{{file_time}}" is before {time.not_before}',
        ),
        Check(
            "time_in_future",
            f"instant > TIMESTAMPTZ {literal(now.isoformat())}",
            f'time "{{file_time}}" is later than this import, {now:%Y-%m-%d %H:%M} UTC',
        ),
    ]
    if time.not_after is not None:
        next_day = (date.fromisoformat(time.not_after) + timedelta(days=1)).isoformat()
        words = f'time "{{file_time}}" is after {time.not_after}'
        found.append(Check("time_after_ceiling", f"instant >= {start_of(next_day, zone)}", words))
    return found


def _quantity(mapping: Mapping) -> list[Check]:
    if mapping.event.quantity is None:
        return []
    needed = "kind <> 'corrected'"
    found = [
        Check("quantity_missing", f"{needed} AND file_quantity IS NULL", "the quantity is empty"),
        Check(
            "quantity_unreadable",
            "file_quantity IS NOT NULL AND counted IS NULL",
            f'quantity "{{file_quantity}}" is not a number written like {_example(mapping)}',
        ),
    ]
    if mapping.event.quantity.factor is not None:
        words = 'units in one, "{file_factor}", is not a number above 0'
        found.append(Check("factor_unreadable", "factor IS NULL OR factor <= 0", words))
    return [
        *found,
        Check(
            "quantity_not_whole",
            "units <> trunc(units)",
            "{units} units are not a whole number",
        ),
        Check(
            "quantity_zero",
            "kind <> 'counted' AND units = 0",
            "the quantity is 0: nothing moved",
        ),
        Check(
            "quantity_negative",
            "kind NOT IN ('adjusted', 'corrected') AND units < 0",
            "{units} units cannot be {kind}; only an adjustment may be below 0",
        ),
        Check(
            "quantity_too_large",
            f"abs(units) > {MAX_QUANTITY}",
            f"{{units}} units are more than {MAX_QUANTITY:,}: a code in the quantity column?",
        ),
    ]


def _example(mapping: Mapping) -> str:
    numbers = mapping.numbers
    return f"1{numbers.thousands}234{numbers.decimal}5"


def _by_kind() -> list[Check]:
    return [
        Check(
            "reason_missing",
            f"kind = 'adjusted' AND coalesce(length(reason), 0) NOT BETWEEN 1 AND {_LONGEST_NAME}",
            "an adjustment needs a reason of 1 to 200 characters",
        ),
        Check(
            "to_place_missing",
            "kind = 'transfer_out' AND coalesce(length(to_place), 0) "
            f"NOT BETWEEN 1 AND {_LONGEST_NAME}",
            "a transfer out needs to_place: where the goods go",
        ),
        Check(
            "to_place_same",
            "kind = 'transfer_out' AND to_place = place",
            "the transfer goes to the place it leaves, {place}",
        ),
        Check(
            "corrects_missing",
            "kind = 'corrected' AND coalesce(length(corrects), 0) "
            f"NOT BETWEEN 1 AND {_LONGEST_NAME}",
            "a correction needs corrects: the id of what it takes back",
        ),
    ]


def _others(mapping: Mapping) -> list[Check]:
    found = [
        Check("unknown_code", f"{slot}_missed", f'{slot} "{{file_{slot}}}" is not in its map')
        for slot, value in values(mapping).items()
        if value.map is not None and slot not in ("sku", "place", "zone", "factor")
    ]
    if mapping.event.expires_on is not None:
        words = 'expires_on "{file_expires_on}" cannot be read as a date'
        when = "file_expires_on IS NOT NULL AND expires_on IS NULL"
        found.append(Check("date_unreadable", when, words))
    if mapping.event.device_seq is not None:
        words = 'device_seq "{file_device_seq}" is not a whole number'
        when = "file_device_seq IS NOT NULL AND device_seq IS NULL"
        found.append(Check("device_seq_unreadable", when, words))
    return found
