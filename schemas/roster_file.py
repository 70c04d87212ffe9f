"""Reads a roster file; what is wrong with it is told with the part it stands in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
import yaml

from schemas import roster as parts
from schemas import roster_rules as rules
from schemas.roster import RosterFile

_REPLACED = {f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float")}

# Every field there is, for those that are misspelt.
_FIELDS = sorted(
    {
        field
        for module in (parts, rules)
        for part in vars(module).values()
        if isinstance(part, type) and issubclass(part, msgspec.Struct)
        for field in part.__struct_fields__
    }
)


class _Loader(yaml.SafeLoader):
    """YAML in which `on` and `off` are words, and 09:30 is a time of day, not a number."""

    # Without those of YAML 1.1 for booleans and numbers; dates and null stay.
    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9]\d*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:\d+\.\d*|\.\d+)$"), list("-+.0123456789")
)


class RosterProblem(Exception):
    """The file cannot be used; the message says where and what to do."""


def load_roster(path: Path, week: tuple[date, int] | None = None) -> RosterFile:
    """The roster file at a path; `week` as for `read_roster`.

    Raises:
        RosterProblem: it cannot be read, or something in it is wrong.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        msg = f"{path} cannot be read: {getattr(wrong, 'strerror', None) or wrong}"
        raise RosterProblem(msg) from None
    return read_roster(text, path.name, week)


def read_roster(
    text: str, name: str = "roster.yaml", week: tuple[date, int] | None = None
) -> RosterFile:
    """The roster file from its YAML text.

    `on` and `off` switch a rule on with its usual figures, or off. With a `week`, its first day and
    how many, the file need not say its days nor its need: what it says of them does not count.

    Raises:
        RosterProblem: as for `load_roster`.
    """
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        msg = f"{name}{line}: this is no YAML: {getattr(wrong, 'problem', None) or wrong}"
        raise RosterProblem(msg) from None
    if not isinstance(data, dict):
        msg = f"{name}: expected shop, employees, tasks, need (see docs/roster.md for an example)"
        raise RosterProblem(msg)
    if isinstance(data.get("rules"), dict):
        data["rules"] = {
            rule: {} if value in ("on", True) else value
            for rule, value in data["rules"].items()
            if value not in ("off", False, None)
        }
    if week is not None:
        data |= {"first_day": week[0], "days": week[1]}
        data.setdefault("need", [])
    try:
        roster = msgspec.convert(data, RosterFile)
    except msgspec.ValidationError as wrong:
        what, _, at = str(wrong).partition(" - at `$")
        at = at.rstrip("`").lstrip(".")
        line = _line(text, at)
        msg = f"{name}{line}: {_spelled(data, at)}{what}{_meant(what)}"
        raise RosterProblem(msg) from None
    for problem in _problems(roster):
        msg = f"{name}: {problem}"
        raise RosterProblem(msg)
    return roster


def _line(text: str, at: str) -> str:
    """`, line 12` for the part of the file that a path such as `employees[2].pay` names."""
    node = yaml.compose(text, Loader=_Loader)
    for step in re.findall(r"[^.\[\]]+", at):
        if isinstance(node, yaml.SequenceNode) and step.isdigit():
            node = node.value[int(step)]
        elif isinstance(node, yaml.MappingNode):
            found = [value for key, value in node.value if key.value == step]
            if not found:
                break
            node = found[0]
    return f", line {node.start_mark.line + 1}" if node is not None else ""


def _meant(what: str) -> str:
    """For a field that is not there: the nearest one that is."""
    unknown = re.search(r"unknown field `(.*)`", what)
    near = get_close_matches(unknown[1], _FIELDS, n=1) if unknown else []
    return f"; did you mean `{near[0]}`?" if near else ""


def _spelled(data: dict[str, Any], at: str) -> str:
    """`employees[2]` as the person's name, where it has one."""
    head, _, rest = at.partition("]")
    part, _, number = head.partition("[")
    if number.isdigit() and isinstance(data.get(part), list):
        one = data[part][int(number)]
        named = one.get("name") or one.get("employee") if isinstance(one, dict) else None
        return f"{part}[{int(number) + 1}]{f' ({named})' if named else ''}{rest}: "
    return f"{at}: " if at else ""


def _problems(roster: RosterFile) -> Iterable[str]:
    names = [employee.name for employee in roster.employees]
    for twice, count in Counter(names).items():
        if count > 1:
            yield f"employees: there are {count} named {twice}: give each a name of their own"
    for employee in roster.employees:
        for task in employee.skills:
            yield from _unknown(f"employee {employee.name}: skills", "task", task, roster.tasks)
        if employee.least_hours > employee.most_hours:
            yield f"employee {employee.name}: least_hours is above most_hours"
    for need in roster.need:
        where = f"need of {need.task} on {need.date}"
        yield from _unknown(where, "task", need.task, roster.tasks)
        if bool(need.arrivals) == bool(need.heads):
            yield f"{where}: give arrivals or heads, one of them"
        known = roster.tasks.get(need.task)
        if need.arrivals and known is not None and known.service_s is None:
            yield f"{where}: arrivals need tasks.{need.task}.service_s"
    for duty in roster.duties:
        yield from _unknown(f"duty {duty.name}", "task", duty.task, roster.tasks)
    for kind in ("published", "fixed"):
        for shift in getattr(roster, kind):
            yield from _unknown(f"{kind} on {shift.date}", "employee", shift.employee, names)
            if shift.start >= shift.end:
                yield f"{kind} shift of {shift.employee} on {shift.date}: ends before it starts"
    least = roster.rules.least_heads
    for task in least.heads if least else ():
        yield from _unknown("rules.least_heads", "task", task, roster.tasks)
    hours = [("the shop", roster.opens, roster.closes)]
    hours += [(shop.name, shop.opens, shop.closes) for shop in roster.shops]
    for name, opens, closes in hours:
        if opens >= closes:
            yield f"{name} opens at {opens} and closes at {closes}: nights do not fit"
    yield from _shops(roster)


def _shops(roster: RosterFile) -> Iterable[str]:
    """What is wrong with shops that share people."""
    names = [shop.name for shop in roster.shops]
    for twice, count in Counter(names).items():
        if count > 1:
            yield f"shops: there are {count} named {twice}: give each a name of its own"
    if any("/" in name for name in names):
        yield "shops: a name has a /, which stands between a shop and its task"
    for way in roster.travel:
        for name in way.between:
            yield from _unknown("travel", "shop", name, names)
    for employee in roster.employees:
        where = f"employee {employee.name}: shops"
        if bool(employee.shops) != bool(names):
            yield f"{where}: name {'one or more' if names else 'none, or list them under shops'}"
        for name in employee.shops:
            yield from _unknown(where, "shop", name, names)
    placed = (
        *((f"need of {one.task} on {one.date}", one.shop) for one in roster.need),
        *((f"duty {one.name}", one.shop) for one in roster.duties),
    )
    for where, shop in placed:
        yield from _named(where, shop, names)
    theirs = {employee.name: employee.shops for employee in roster.employees}
    for kind in ("published", "fixed"):
        for shift in getattr(roster, kind):
            where = f"{kind} shift of {shift.employee} on {shift.date}"
            yield from _named(where, shift.shop, theirs.get(shift.employee, ()))


def _named(where: str, shop: str | None, known: Collection[str]) -> Iterable[str]:
    if shop is None and known:
        yield f"{where}: say in which shop"
    elif shop is not None:
        yield from _unknown(where, "shop", shop, known)


def _unknown(where: str, what: str, name: str, known: Iterable[str]) -> Iterable[str]:
    known = list(known)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        yield f"{where}: there is no {what} {name}" + (f"; did you mean {near[0]}?" if near else "")
