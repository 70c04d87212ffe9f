"""What the people at work do: tasks in each slot, duties in their windows, what is short."""

from __future__ import annotations

from itertools import combinations, groupby, pairwise

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
    """People go to tasks they can do; heads that are missing cost what waiting costs.

    Who does what is not decided here: heads can be had at all tasks together exactly when, for
    every set of tasks, no more are asked for than there are people who can do one of them (Hall
    1935). That takes no variables, and the linear relaxation is as near as with them.
    """
    problem = build.problem
    taken = duty_heads(build)
    least = problem.rules.least_heads.heads if problem.rules.least_heads is not None else {}
    for slot in build.slots():
        for task in problem.tasks:
            asked: Linear = 0
            if slot in problem.demands[task] and problem.rules.waiting is not None:
                asked = _add_served(build, task, slot)
            if least.get(task) and problem.is_open(slot, problem.shop_of(task)):
                asked = _add_least(build, task, slot, least[task], asked)
            if (task, slot) in taken:
                asked = asked + taken[task, slot]
            if not isinstance(asked, int):
                build.asked[task, slot] = asked
        _add_sets(build, slot)


def _add_sets(build: Builder, slot: int) -> None:
    """For every set of tasks: no more heads than people who can do one of them."""
    problem = build.problem
    active = [task for task in problem.tasks if (task, slot) in build.asked]
    kinds = [kind for kind in range(len(build.classes)) if (kind, slot) in build.inside]
    able = {task: {kind for kind in kinds if build.can(kind, task)} for task in active}
    # Of the sets that the same people can do something of, the largest says it for all.
    largest: dict[frozenset[int], set[str]] = {}
    for size in range(1, len(active) + 1):
        for tasks in combinations(active, size):
            who = frozenset().union(*(able[task] for task in tasks))
            largest.setdefault(who, set()).update(tasks)
    for who, together in largest.items():
        heads = sum(build.asked[task, slot] for task in active if task in together)
        build.model.add(heads <= sum(build.inside[kind, slot] for kind in sorted(who)))


def _add_least(build: Builder, task: str, slot: int, least: int, served: Linear) -> Linear:
    """What is asked for where the rule wants so many, beside those that waiting pays for."""
    problem, day = build.problem, slot // SLOTS
    reason = Reason(
        "least_heads",
        f"{least} at {task} as long as the shop is open {on_day(problem, day)}",
        None,
        day,
    )
    heads = build.count(len(problem.people), f"heads {task} {slot}")
    build.require(reason, build.model.add(heads >= least))
    build.model.add(heads >= served)
    return heads


def _add_served(build: Builder, task: str, slot: int) -> Linear:
    """The heads that serve, as far as they save waiting; what they do not save is paid for."""
    cost = build.problem.demands[task][slot].cost
    build.pay("waiting", cost[-1])
    filled = []
    # Steps fall, so the dearest are filled first by themselves; equal ones are one number.
    for saved, group in groupby(before - after for before, after in pairwise(cost)):
        many = len(list(group))
        heads = build.count(many, f"served {task} {slot} {saved}")
        filled.append(heads)
        build.pay("waiting", saved * (many - heads))
    return sum(filled)
