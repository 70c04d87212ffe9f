"""Who works when: one variable for each shape of a shift, person and day.

People are told apart only where shifts are given out. Inside a slot only classes of people count
(who can do the same), so breaks and tasks are numbers of a class, not of a person: breaks of a
class fit their shifts exactly when enough have begun by each slot and enough are left from each
slot on (Bechtold and Jacobs 1990: true when no window lies strictly inside another one, and all of
ours are as wide, around the middle of the shift).
"""

from __future__ import annotations

from collections import defaultdict

from operators.roster.legal import fixed_reason, forbidden
from operators.roster.model.builder import Builder, Linear
from operators.roster.problem import SLOTS, Problem


def classes(problem: Problem, *, loose: bool = False) -> list[list[int]]:
    """People who can stand in for each other, as far as the rules that are on can tell.

    `loose`: as far as their tasks can tell.
    """
    rules = problem.rules
    trainees = any(person.trainee for person in problem.people)
    found: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for at, person in enumerate(problem.people):
        kind: list[object] = [person.shop]
        if rules.qualification is not None:
            kind.append(frozenset(person.skills))
        if rules.mentor_beside_trainee is not None and trainees and not loose:
            kind += (person.mentor, person.trainee)
        if rules.skilled_at_peak is not None and not loose:
            kind.append(person.grade >= rules.skilled_at_peak.grade)
        found[tuple(kind)].append(at)
    return list(found.values())


def add_shifts(build: Builder) -> None:
    """A shift or none for everybody on every day, without those that a rule forbids."""
    problem, model = build.problem, build.model
    for person, who in enumerate(problem.people):
        for day in range(len(problem.days)):
            if build.part is not None and (person, day) not in build.part.free:
                kept = build.part.kept.get((person, day))
                build.choices[person, day] = [] if kept is None else [(kept, 1)]
                build.work[person, day] = int(kept is not None)
                continue
            choices = []
            for shape in problem.shapes_of(person, day):
                reasons = list(forbidden(problem, person, day, shape))
                if reasons and not build.explain:
                    continue
                chosen = build.flag(f"{who.name} {day} {shape.start}-{shape.end}")
                for reason in reasons:
                    build.require(reason, model.add(chosen == 0))
                choices.append((shape, chosen))
            build.choices[person, day] = choices
            work = build.flag(f"{who.name} {day}")
            build.work[person, day] = work
            model.add_exactly_one([work.negated(), *(chosen for _, chosen in choices)])
            if (person, day) in problem.fixed and problem.rules.fixed_assignments is not None:
                build.require(fixed_reason(problem, person, day), model.add(work == 1))


def add_presence(build: Builder) -> None:
    """How many of each class are at work in each slot, breaks taken off."""
    problem = build.problem
    build.classes = classes(problem, loose=build.loose)
    for kind, members in enumerate(build.classes):
        for day in build.days:
            changes: dict[int, list[Linear]] = defaultdict(list)
            due: list[tuple[int, int, Linear]] = []
            for person in members:
                for shape, chosen in build.choices[person, day]:
                    changes[shape.start].append(chosen)
                    changes[shape.end].append(-chosen)
                    if shape.pause:
                        due.append((shape.first, shape.last, chosen))
            if due:
                _add_breaks(build, kind, day, len(members), due, changes)
            last: Linear = 0
            for slot in range(min(changes, default=0), max(changes, default=0)):
                inside = build.count(len(members), f"inside {kind} {day} {slot}")
                build.model.add(inside == last + sum(changes.get(slot, ())))
                build.inside[kind, day * SLOTS + slot] = last = inside


def _add_breaks(
    build: Builder,
    kind: int,
    day: int,
    most: int,
    due: list[tuple[int, int, Linear]],
    changes: dict[int, list[Linear]],
) -> None:
    model, pause = build.model, build.problem.pause
    first, last = min(one[0] for one in due), max(one[1] for one in due)
    begins = {}
    for slot in range(first, last + 1):
        begins[slot] = build.count(most, f"break {kind} {day} {slot}")
        build.pauses[kind, day, slot] = begins[slot]
        changes[slot].append(-begins[slot])
        changes[slot + pause].append(begins[slot])
    if build.loose:
        model.add(sum(begins.values()) == sum(chosen for _, _, chosen in due))
        return
    # Begun by a slot, as running sums: every constraint stays short.
    begun: Linear = 0
    must: Linear = 0
    may: Linear = 0
    for slot in range(first, last + 1):
        total = build.count(most, f"breaks by {kind} {day} {slot}")
        model.add(total == begun + begins[slot])
        begun = total
        ended = [chosen for _, end, chosen in due if end == slot]
        opened = [chosen for start, _, chosen in due if start == slot]
        if ended:
            now = build.count(most, f"breaks due by {kind} {day} {slot}")
            model.add(now == must + sum(ended))
            must = now
        if opened:
            now = build.count(most, f"breaks open by {kind} {day} {slot}")
            model.add(now == may + sum(opened))
            may = now
        model.add(total >= must)
        model.add(total <= may)
