"""What the people at work do: tasks in each slot, duties in their windows, what is short."""

from __future__ import annotations

from itertools import groupby, pairwise

from operators.roster.model.builder import Builder, Linear
from operators.roster.problem import SLOTS, clock
from operators.roster.reasons import Reason, on_day


def add_duties(build: Builder) -> None:
    """Each duty begins once, in its window."""
    problem = build.problem
    if problem.rules.opening_duties is None:
        return
    for at, duty in enumerate(problem.duties):
        if duty.earliest // SLOTS not in build.days:
            continue
        for slot in duty.starts:
            build.begins[at, slot] = build.flag(f"duty {at} {slot}")
        day = duty.earliest // SLOTS
        reason = Reason(
            "opening_duties",
            f"{duty.name} takes {duty.heads} at {duty.task} between "
            f"{clock(duty.earliest % SLOTS)} and "
            f"{clock((duty.latest - 1) % SLOTS + 1)} {on_day(problem, day)}",
            None,
            day,
        )
        build.require(
            reason, build.model.add(sum(build.begins[at, slot] for slot in duty.starts) == 1)
        )


def duty_heads(build: Builder) -> dict[tuple[str, int], Linear]:
    """Heads that duties take, by task and slot."""
    taken: dict[tuple[str, int], Linear] = {}
    for (at, start), begins in build.begins.items():
        duty = build.problem.duties[at]
        for slot in range(start, start + duty.length):
            key = (duty.task, slot)
            taken[key] = taken.get(key, 0) + duty.heads * begins
    return taken


def add_cover(build: Builder) -> None:
    """People of a class go to tasks they can do; heads that are missing cost what waiting costs."""
    problem = build.problem
    taken = duty_heads(build)
    least = problem.rules.least_heads.heads if problem.rules.least_heads is not None else {}
    for slot in build.slots():
        active = [
            task
            for task in problem.tasks
            if slot in problem.demands[task]
            or (task, slot) in taken
            or (least.get(task) and problem.is_open(slot))
        ]
        if not active:
            continue
        _add_tasks(build, slot, active)
        for task in active:
            heads = sum(
                build.doing[kind, task, slot]
                for kind in range(len(build.classes))
                if (kind, task, slot) in build.doing
            )
            serving = heads
            if (task, slot) in taken:
                serving = heads - taken[task, slot]
                build.model.add(serving >= 0)
            if least.get(task) and problem.is_open(slot):
                _add_least(build, task, slot, least[task], serving)
            if slot in problem.demands[task] and problem.rules.waiting is not None:
                _add_shortfall(build, task, slot, serving)


def _add_tasks(build: Builder, slot: int, active: list[str]) -> None:
    problem = build.problem
    for kind, members in enumerate(build.classes):
        inside = build.inside.get((kind, slot))
        if inside is None:
            continue
        able = active
        if problem.rules.qualification is not None:
            able = [task for task in active if task in problem.people[members[0]].skills]
        if len(able) == 1:
            build.doing[kind, able[0], slot] = inside
        elif able:
            for task in able:
                build.doing[kind, task, slot] = build.count(len(members), f"{kind} {task} {slot}")
            build.model.add(sum(build.doing[kind, task, slot] for task in able) <= inside)


def _add_least(build: Builder, task: str, slot: int, least: int, serving: Linear) -> None:
    problem, day = build.problem, slot // SLOTS
    reason = Reason(
        "least_heads",
        f"{least} at {task} as long as the shop is open {on_day(problem, day)}",
        None,
        day,
    )
    if isinstance(serving, int):
        # Nobody could be there.
        build.require(reason, build.model.add_bool_or([]))
    else:
        build.require(reason, build.model.add(serving >= least))


def _add_shortfall(build: Builder, task: str, slot: int, serving: Linear) -> None:
    cost = build.problem.demands[task][slot].cost
    steps = [before - after for before, after in pairwise(cost)]
    build.pay("waiting", cost[-1])
    if isinstance(serving, int):
        build.pay("waiting", sum(steps))
        return
    filled = []
    # Steps fall, so the dearest are filled first by themselves; equal ones are one number.
    for saved, group in groupby(steps):
        many = len(list(group))
        heads = build.count(many, f"served {task} {slot} {saved}")
        filled.append(heads)
        build.pay("waiting", saved * (many - heads))
    if filled:
        build.model.add(sum(filled) <= serving)
