"""A file to a program, with everything that is wrong with it."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, cast

import msgspec

from operators.journeys.condition_words import field_of, level_of, read_condition, segment_of
from operators.journeys.conditions import FIELDS, Condition
from operators.journeys.converting import converted, worded
from operators.journeys.findings import Path, Said, WordsError
from operators.journeys.program import (
    Leave,
    OnCrossing,
    OnEvent,
    OnSchedule,
    OnSegment,
    OnSilence,
    Program,
    Trigger,
)
from operators.journeys.reading import Source, read_source
from operators.journeys.steps import Steps
from operators.journeys.units import clock, duration, hours, range_of, share, weekday, weekdays
from operators.journeys.wall import EVERY_DAY, Hours, Schedule
from schemas.chain import Chain
from schemas.instants import HOUR_US
from schemas.journeys import Goal, Journey, Limits, OncePer, When
from schemas.journeys import Test as TestBlock
from schemas.member_events import Cause

TRIGGERS = ("event", "segment_enters", "no_purchase_for", "crosses", "schedule")
# These fall and rise by time alone, and nobody comes to them.
_NO_LEVEL = ("days_since_purchase", "days_registered", "health")
EXIT_EVENTS = ("purchase", "refund", "opted_out")
_EVERY = re.compile(r"(?:every\s+|每)(.+?)\s*(\d{1,2}[::]\d{2})", re.IGNORECASE)
_MONTH = re.compile(
    r"(?:month(?:\s+on)?(?:\s+the|\s+day)?|个?月)\s*(\d{1,2})\s*(?:日|号|st|nd|rd|th)?"
)


class Read:
    """A file as it was understood: `program` only if nothing keeps it from running."""

    def __init__(
        self,
        source: Source,
        program: Program | None,
        tests: list[TestBlock],
        places: dict[str, Path] | None = None,
    ) -> None:
        self.source = source
        self.program = program
        self.tests = tests
        # Where the file says each step, by its name.
        self.places = places or {}


def read_journey(text: str, name: str, chain: Chain) -> Read:
    """A journey from its YAML text; findings are in `source`."""
    source = read_source(text, name)
    if not isinstance(source.plain, dict):
        return Read(source, None, [])
    return _Reader(source, chain).read()


class _Reader:
    """Understands one file, part by part, so that every mistake is told at once."""

    def __init__(self, source: Source, chain: Chain) -> None:
        self._source = source
        self._chain = chain
        self._plain: dict[str, Any] = source.plain

    def read(self) -> Read:
        plain, source = self._plain, self._source
        # Everything but what is read part by part; a part of it that is wrong is left out.
        head = {key: value for key, value in plain.items() if key not in _PARTS}
        empty: dict[str, Any] = {"when": {}, "steps": []}
        journey = converted(source, (), {**empty, **head}, Journey)
        when = self._when()
        steps = Steps(source, self._chain)
        if "steps" in plain:
            steps.read(("steps",), plain["steps"])
        else:
            self._say("steps", "missing", "steps is missing: what is to happen?", "缺少“步骤”")
        who = read_condition(source, ("who",), plain.get("who") or {}, self._chain.members)
        limits = converted(source, ("limits",), plain.get("limits") or {}, Limits) or Limits()
        given_goal = plain.get("goal")
        goal = converted(source, ("goal",), given_goal, Goal) if given_goal else None
        events, conditions = self._exits()
        about = {
            "reenter": self._reenter(when),
            "holdout": worded(source, ("holdout",), share, plain.get("holdout", 0)) or 0,
            "hours": self._hours(limits),
            "max_age": self._length(limits.max_event_age, "max_event_age")
            or round(self._chain.journeys.max_event_age_hours * HOUR_US),
            "ttl": self._length(limits.ttl, "ttl")
            or round(self._chain.journeys.ttl_hours * HOUR_US),
            "goal": None
            if goal is None
            else worded(source, ("goal", "purchase_within"), duration, goal.purchase_within),
        }
        tests = self._tests()
        if journey is None or when is None or source.broken:
            return Read(source, None, tests)
        program = Program(
            name=journey.journey,
            version=f"v{journey.version}-{content_hash(plain)}",
            title=journey.title,
            text=source.text,
            trigger=when,
            who=who,
            nodes=(*steps.nodes, Leave("end", "done")),
            priority=limits.priority,
            enrol_current=journey.enrol == "current_and_future",
            on_capped=limits.on_capped,
            exit_events=events,
            exit_when=conditions,
            **cast(Any, about),
        )
        return Read(source, program, tests, steps.places)

    def _say(self, key: str, code: str, en: str, zh: str) -> None:
        self._source.add((key,), code, Said(en, zh))

    def _when(self) -> Trigger | None:
        plain, source = self._plain.get("when"), self._source
        if plain is None:
            self._say("when", "missing", "when is missing: what lets members in?", "缺少“触发”")
            return None
        when = converted(source, ("when",), plain, When)
        if when is None:
            return None
        named = [one for one in TRIGGERS if getattr(when, one) is not None]
        if len(named) != 1:
            self._say("when", "one_trigger",
                      f"when is exactly one of {', '.join(TRIGGERS)}",
                      f"“触发”必须是其中之一：{'、'.join(TRIGGERS)}")  # fmt: skip
            return None
        for key, partners in _PARTNERS.items():
            if key in plain and not partners & set(named):
                self._source.add(("when", key), "no_partner", Said(
                    f"{key} means nothing beside {named[0]}",
                    f"“{key}”与 {named[0]} 放在一起没有意义"))  # fmt: skip
        try:
            return self._trigger(when)
        except WordsError as wrong:
            source.add(("when", named[0]), "no_trigger", wrong.said)
            return None

    def _trigger(self, when: When) -> Trigger | None:
        at = ("when",)
        if when.event is not None:
            amount = None if when.amount is None else range_of(when.amount, of_money=True)
            return OnEvent(when.event, amount)
        if when.segment_enters is not None:
            listed = when.segment_enters
            names = listed if isinstance(listed, list) else [listed]
            found = [segment_of(self._source, (*at, "segment_enters"), one) for one in names]
            causes = cast("tuple[Cause, ...]", tuple(when.cause or ()))
            return OnSegment(tuple(one for one in found if one is not None), causes)
        if when.no_purchase_for is not None:
            return OnSilence(duration(when.no_purchase_for))
        if when.crosses is not None:
            field = field_of(
                self._source, (*at, "crosses"), when.crosses.field, self._chain.members
            )
            if field is None:
                return None
            if FIELDS[field][0] not in ("money", "number") or field in _NO_LEVEL:
                raise WordsError(
                    Said(
                        f"{field} crosses no level: write spent, visits, orders or median_basket; "
                        "for days without a purchase there is no_purchase_for",
                        f"{field} 不能用“达到”，可用 spent、visits、orders、median_basket",
                    )
                )
            level = level_of(self._source, (*at, "crosses"), field, when.crosses.above)
            return None if level is None else OnCrossing(field, level)
        return OnSchedule(schedule_of(str(when.schedule)), when.zone)

    def _exits(self) -> tuple[frozenset[str], tuple[Condition, ...]]:
        listed = self._plain.get("exit_when") or []
        events, conditions = set(), []
        for number, one in enumerate(listed if isinstance(listed, list) else [listed]):
            at = ("exit_when", number)
            if isinstance(one, dict):
                conditions.append(read_condition(self._source, at, one, self._chain.members))
            elif one in EXIT_EVENTS:
                events.add(str(one))
            else:
                there = ", ".join(EXIT_EVENTS)
                self._source.add(at, "no_such_exit", Said(
                    f"{one} is no way out: there are {there}, or a test like `spent: <500`",
                    f"“{one}”不是退出条件，可用：{there}，或写条件如 spent: <500"))  # fmt: skip
        return frozenset(events), tuple(conditions)

    def _reenter(self, when: Trigger | None) -> int | None:
        given = self._plain.get("reenter")
        if given is None:
            # A schedule means every time, a state is come to once.
            return 0 if isinstance(when, OnSchedule) else None
        if isinstance(given, dict):
            made = converted(self._source, ("reenter",), given, OncePer)
            if made is None:
                return None
            return worded(self._source, ("reenter", "once_per"), duration, made.once_per)
        if given in ("never", "always"):
            return None if given == "never" else 0
        self._say("reenter", "no_such_word", f"{given} is none of never, always, once_per: 90d",
                  f"“{given}”不可用，可选：从不、总是、每隔: 90天")  # fmt: skip
        return None

    def _hours(self, limits: Limits) -> Hours:
        windows = []
        chain = self._chain.journeys.quiet_hours
        if chain is not None:
            windows.append(hours(chain))
        days = EVERY_DAY
        if limits.quiet_hours is not None:
            found = worded(self._source, ("limits", "quiet_hours"), hours, limits.quiet_hours)
            if found is not None and found not in windows:
                windows.append(found)
        if limits.days is not None:
            days = worded(self._source, ("limits", "days"), weekdays, limits.days) or EVERY_DAY
        return Hours(tuple(windows), days)

    def _length(self, given: str | None, key: str) -> int | None:
        return None if given is None else worded(self._source, ("limits", key), duration, given)

    def _tests(self) -> list[TestBlock]:
        listed = self._plain.get("tests") or []
        found = [
            converted(self._source, ("tests", number), one, TestBlock)
            for number, one in enumerate(listed if isinstance(listed, list) else [])
        ]
        return [one for one in found if one is not None]


_PARTS = frozenset({"when", "steps", "who", "limits", "goal", "exit_when", "tests", "reenter"})
_PARTNERS = {"cause": {"segment_enters"}, "amount": {"event"}, "zone": {"schedule"}}


def schedule_of(text: str) -> Schedule:
    """The schedule of `every Friday 20:00`, `every day 01:30`, `every month 1 10:00`, or 每周五.

    Raises:
        WordsError: it is none.
    """
    found = _EVERY.fullmatch(text.strip())
    if found is None:
        raise WordsError(
            Said(
                f"{text} is no schedule: write `every Friday 20:00`, `every day 09:00` or "
                "`every month 1 10:00`",
                f"“{text}”不是定时：请写 每周五 20:00、每天 09:00 或 每月1日 10:00",
            )
        )
    day, minute = found[1].strip(), clock(found[2])
    month = _MONTH.fullmatch(day.lower())
    if month is not None:
        number = int(month[1])
        if not 1 <= number <= 31:
            raise WordsError(Said(f"no month has a day {number}", f"没有 {number} 日"))
        return Schedule(minute, month_day=number)
    if day.lower() in ("day", "天", "日"):
        return Schedule(minute)
    # 每周五 is read as 周五; a plain 五 is not a day.
    days = weekdays(day) if "," in day or "、" in day or "-" in day else {weekday(day)}
    return Schedule(minute, frozenset(days))


def content_hash(plain: dict[str, Any]) -> str:
    """Of what a file does: not of its tests, its title, the order of its keys or its language."""
    does = {key: value for key, value in plain.items() if key not in ("tests", "title", "version")}
    packed = msgspec.json.encode(does, order="deterministic")
    return blake2b(packed, digest_size=4).hexdigest()
