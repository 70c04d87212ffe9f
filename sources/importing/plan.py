"""The mapping as SQL: one statement that turns the rows of a file into judged movements.

Stage by stage, each adding columns to those before it: what the file says (`file_x`), what that
means by the code maps (`x`), units and zones, when it happened, and the first check a row fails.
"""

from __future__ import annotations

from datetime import datetime

from schemas.tables import literal, quoted
from sources.importing.checks import Check, checks
from sources.importing.codes import known_table, lookup_table, map_table
from sources.importing.expressions import Expression, values
from sources.importing.fields import iana_zones
from sources.importing.identity import digest, id_sql, likeness
from sources.importing.mapping import Mapping
from sources.importing.notation import cleaned, text_of
from sources.importing.tables import Loaded
from sources.importing.times import moment, resolved

# Fields of an event that are texts, in the order of the contract.
TEXTS = (
    "sku",
    "place",
    "order",
    "line",
    "lot",
    "from_place",
    "to_place",
    "transfer",
    "reason",
    "device",
    "device_seq",
    "corrects",
    "subject",
    "sequence",
    "correlationid",
)
_FACTOR = "DECIMAL(14,6)"


def movements_ddl() -> str:
    """DDL of the table of all rows read: what each says and what became of it.

    `fate` is event, refused, duplicate or skipped; `code` and `words` say why. `counted_sign`,
    `time_fault`, `unknown_sku` and `repeated` are findings about a row whatever became of it.
    """
    texts = ", ".join(f"{quoted(name)} VARCHAR" for name in TEXTS)
    return f"""
    CREATE TABLE movements (
      file INTEGER, "row" BIGINT, line_in_file BIGINT, fate VARCHAR, skip_rule INTEGER,
      code VARCHAR, words VARCHAR, first_file INTEGER, likeness UBIGINT, id VARCHAR, kind VARCHAR,
      instant TIMESTAMPTZ, quantity BIGINT, expires_on VARCHAR, counted_sign TINYINT,
      time_fault VARCHAR, unknown_sku VARCHAR, repeated BOOLEAN, {texts}
    )"""


def rows_sql(mapping: Mapping, loaded: Loaded) -> str:
    """SQL of the rows of a file as expressions see them: clean texts, lookups as structs."""
    columns = [
        f"{cleaned(quoted(name), mapping.file.empty)} AS {quoted(name)}"
        if kind == "VARCHAR"
        else quoted(name)
        for name, kind in loaded.columns.items()
    ]
    columns += ["__row", "__line", f"{likeness(loaded)} AS __likeness"]
    if mapping.event.id.content:
        columns.append(f"{digest(loaded, mapping.event.id.content)} AS __digest")
    sql = f"SELECT {', '.join(columns)} FROM {loaded.relation}"
    joins = ""
    shown = ["seen.*"]
    for name, lookup in mapping.lookups.items():
        spelled = loaded.column(lookup.on or lookup.key)
        assert spelled is not None
        table = quoted(f"__{name}")
        key = text_of(f"seen.{quoted(spelled)}", loaded.columns[spelled])
        joins += f" LEFT JOIN {lookup_table(name)} AS {table} ON {table}.code = {key}"
        shown.append(f"{table}.value AS {quoted(name)}")
    return f"SELECT {', '.join(shown)} FROM ({sql}) AS seen{joins}"


def movements_sql(
    mapping: Mapping, bound: dict[str, Expression], number: int, rows: str, now: datetime
) -> str:
    """SQL that inserts the rows of file `number`, the relation `rows`, into `movements`."""
    judged = checks(mapping, now)
    faults = [
        check
        for check in judged
        if check.code.startswith(("time_", "zone_")) and not check.verbatim
    ]
    stage, joins = _meant(mapping)
    sql = f"SELECT {_columns(_said(mapping, bound))} FROM {rows}"
    sql = _stage(sql, stage, joins)
    sql = _stage(sql, _counted(mapping))
    zone = mapping.constant_zone
    spoken = "zone" if zone is None else literal(zone)
    sql = _stage(sql, resolved(spoken, mapping.event.time.repeated_hour))
    sql = _stage(sql, {"failed": _first(judged)})
    live = "skip_rule IS NULL"
    failing = f"CASE WHEN {live} THEN failed END"
    kept = {
        "file": str(number),
        "row": "__row",
        "line_in_file": "__line",
        "fate": f"CASE WHEN NOT {live} THEN 'skipped' WHEN failed IS NULL THEN 'event' "
        "ELSE 'refused' END",
        "skip_rule": "skip_rule",
        "code": _by_number(failing, [literal(check.code) for check in judged]),
        "words": _by_number(failing, [check.words_sql() for check in judged]),
        "first_file": "NULL",
        "likeness": "__likeness",
        "id": "id",
        "kind": "kind",
        "instant": "instant",
        "quantity": "CASE WHEN failed IS NULL THEN units::BIGINT END",
        "expires_on": "expires_on",
        "counted_sign": f"CASE WHEN {live} THEN sign(counted)::TINYINT END",
        "time_fault": f"CASE WHEN {live} THEN "
        f"{_by_number(_first(faults), [literal(check.code) for check in faults])} END",
        "unknown_sku": f"CASE WHEN {live} AND (sku_missed OR sku_unknown) THEN file_sku END",
        "repeated": f"{live} AND repeated",
        **{name: quoted(name) if name in bound or name == "reason" else "NULL" for name in TEXTS},
    }
    return f"INSERT INTO movements BY NAME SELECT {_columns(kept)} FROM ({sql})"


def _columns(columns: dict[str, str]) -> str:
    return ", ".join(f"{sql} AS {quoted(name)}" for name, sql in columns.items())


def _stage(before: str, columns: dict[str, str], joins: str = "") -> str:
    return f"SELECT stage.*, {_columns(columns)} FROM ({before}) AS stage{joins}"


def _first(judged: list[Check]) -> str:
    cases = " ".join(f"WHEN {check.when} THEN {n}" for n, check in enumerate(judged, 1))
    return f"CASE {cases} END"


def _by_number(number: str, results: list[str]) -> str:
    cases = " ".join(f"WHEN {n} THEN {result}" for n, result in enumerate(results, 1))
    return f"CASE {number} {cases} END"


def _rule(bound: dict[str, Expression], group: str, count: int) -> str:
    """The number of the first rule of a group that holds; a rule without a condition holds."""
    cases = []
    for number in range(1, count + 1):
        each = bound.get(f"{group}.{number}")
        cases.append(f"WHEN {each.sql if each else 'true'} THEN {number}")
    return f"CASE {' '.join(cases)} END" if cases else "NULL::INTEGER"


def _said(mapping: Mapping, bound: dict[str, Expression]) -> dict[str, str]:
    event = mapping.event
    columns = {
        "__row": "__row",
        "__line": "__line",
        "__likeness": "__likeness",
        "id": id_sql(mapping, bound),
        "skip_rule": _rule(bound, "skip", len(mapping.skip)),
        "refuse_rule": _rule(bound, "refuse", len(mapping.refuse)),
        "kind_rule": _rule(bound, "kind", len(event.kind)),
    }
    for slot in values(mapping):
        columns[f"file_{slot}"] = _text(bound[slot])
    for number, rule in enumerate(event.kind, 1):
        if rule.reason is not None:
            columns[f"rule_reason_{number}"] = _text(bound[f"reason.{number}"])
    time = bound["time"]
    when = moment(event.time, time.sql, time.type)
    columns |= {"file_time": _text(time), "t_local": when.local, "t_instant": when.instant}
    if event.quantity is None:
        columns |= {"file_quantity": "NULL::VARCHAR", "counted": "NULL::DECIMAL(24,6)"}
    else:
        quantity = bound["quantity"]
        columns |= {"file_quantity": _text(quantity), "counted": f"number({quantity.sql})"}
    if event.expires_on is None:
        return columns | {"file_expires_on": "NULL::VARCHAR", "expires_on": "NULL::VARCHAR"}
    expiry = bound["expires_on"]
    day = moment(event.expires_on, expiry.sql, expiry.type)
    columns |= {
        "file_expires_on": _text(expiry),
        "expires_on": f"strftime(coalesce({day.local}, "
        f"timezone({literal(mapping.timezone.name)}, {day.instant})), '%Y-%m-%d')",
    }
    return columns


def _text(each: Expression) -> str:
    text = text_of(each.sql, each.type)
    return cleaned(text) if each.type == "VARCHAR" else text


def _meant(mapping: Mapping) -> tuple[dict[str, str], str]:
    """The columns that code maps make, and the joins with the maps."""
    columns: dict[str, str] = {}
    joins = ""
    own = [number for number, rule in enumerate(mapping.event.kind, 1) if rule.reason]
    for slot, value in values(mapping).items():
        said = f"file_{slot}"
        columns[f"{slot}_missed"] = "false"
        if value.map is None:
            columns[slot] = said
        else:
            table = quoted(f"map_of_{slot}")
            joins += f" LEFT JOIN {map_table(value.map)} AS {table} ON {table}.code = stage.{said}"
            missing = mapping.maps[value.map].missing
            kept = f"coalesce({table}.value, {said})"
            columns[slot] = kept if missing == "keep" else f"{table}.value"
            if missing == "refuse":
                columns[f"{slot}_missed"] = f"{said} IS NOT NULL AND {table}.code IS NULL"
    if own:
        cases = " ".join(f"WHEN {number} THEN rule_reason_{number}" for number in own)
        general = columns.get("reason", "NULL")
        columns["reason"] = f"CASE kind_rule {cases} ELSE {general} END"
        of_rule = f"kind_rule IN ({', '.join(map(str, own))})"
        columns["reason_missed"] = f"NOT {of_rule} AND {columns.get('reason_missed', 'false')}"
    elif "reason" not in columns:
        columns["reason"] = "NULL::VARCHAR"
    for name in ("to_place", "corrects"):
        columns.setdefault(name, "NULL::VARCHAR")
    sequence = columns.get("device_seq")
    if sequence is not None:
        whole = f"regexp_full_match({sequence}, '-?\\d{{1,18}}')"
        columns["device_seq"] = f"CASE WHEN {whole} THEN {sequence}::BIGINT::VARCHAR END"
    factor = mapping.event.quantity and mapping.event.quantity.factor
    if factor:
        # A constant is the mapping's own and is written as YAML writes numbers.
        is_constant = factor.constant is not None and factor.map is None
        number = columns["factor"] if is_constant else f"number({columns['factor']})"
        columns["factor"] = f"TRY_CAST({number} AS {_FACTOR})"
    zone = mapping.constant_zone
    if zone is not None:
        columns["zone"] = literal(zone)
    else:
        zones = ", ".join(literal(name) for name in sorted(iana_zones()))
        columns["zone"] = f"CASE WHEN {columns['zone']} IN ({zones}) THEN {columns['zone']} END"
    return columns, joins


def _counted(mapping: Mapping) -> dict[str, str]:
    rules = mapping.event.kind
    kinds = [literal(rule.is_) for rule in rules]
    negated = [str(number) for number, rule in enumerate(rules, 1) if rule.negate]
    signed = "counted"
    if negated:
        signed = f"CASE WHEN kind_rule IN ({', '.join(negated)}) THEN -counted ELSE counted END"
    if mapping.event.quantity and mapping.event.quantity.factor:
        signed = f"({signed}) * factor"
    columns = {"kind": _by_number("kind_rule", kinds), "units": signed}
    for field in ("sku", "place"):
        known = getattr(mapping.known, field)
        unknown = f"{field} NOT IN (SELECT code FROM {known_table(field)})"
        columns[f"{field}_unknown"] = "false" if known is None else unknown
    return columns
