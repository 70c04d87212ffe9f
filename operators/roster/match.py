"""Who does what in a slot: heads asked for by task, given out to the people who are there."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def match(
    asked: Mapping[str, int], able: Mapping[int, Collection[str]], last: Mapping[int, str | None]
) -> dict[int, str]:
    """A task for each person who is needed: at each as many as asked, where that is possible.

    `able` has the tasks that each person there can do, `last` what they did before: they go on
    with it, unless they are needed elsewhere (augmenting paths find that).
    """
    given: dict[int, str] = {}
    open_ = dict(asked)
    for person, tasks in able.items():
        task = last.get(person)
        if task is not None and task in tasks and open_.get(task, 0) > 0:
            given[person] = task
            open_[task] -= 1

    def find(task: str, seen: set[int]) -> bool:
        """One more at the task: somebody free, or somebody whose own task finds another."""
        can = [person for person, tasks in able.items() if task in tasks and person not in seen]
        for person in sorted(can, key=lambda one: one in given):
            if given.get(person) == task or person in seen:
                continue
            seen.add(person)
            other = given.get(person)
            if other is None or find(other, seen):
                given[person] = task
                return True
        return False

    for task, many in open_.items():
        for _ in range(many):
            if not find(task, set()):
                break
    return given
