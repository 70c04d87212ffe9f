"""The cheapest tasks within shifts: each is stayed at for some slots at least."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.roster.patterns.cover import Floats


def prices_of_shifts(paid: Floats, starts: NDArray[np.intp], lengths: range, stint: int) -> Floats:
    """What a shift costs by start and length, where `paid` is by slot and task.

    A state is the task and how long it has been done, up to `stint` slots.
    """
    tasks = paid.shape[1]
    padded = np.vstack([paid, np.full((lengths[-1], tasks), np.inf)])
    prices = np.full((len(starts), len(lengths)), np.inf)
    if tasks == 1:
        sums = np.concatenate([[0.0], np.cumsum(paid[:, 0]), np.full(lengths[-1], np.inf)])
        for at, length in enumerate(lengths):
            prices[:, at] = sums[starts + length] - sums[starts]
        return prices
    state = np.full((stint, len(starts), tasks), np.inf)
    state[0] = padded[starts]
    for done in range(1, lengths[-1]):
        now = padded[starts + done]
        stayed = state[-1].copy()
        if stint > 1:
            np.minimum(stayed, state[-2], out=stayed)
        first = state[-1].min(axis=1)
        state[1:-1] = state[:-2]
        state[0] = first[:, None]
        state[-1] = stayed
        state += now
        if done + 1 in lengths:
            prices[:, lengths.index(done + 1)] = state[-1].min(axis=1)
    return prices


def best_tasks(paid: Floats, stint: int) -> list[int]:
    """The tasks of one shift, slot by slot, for what its slots and tasks cost."""
    slots, tasks = paid.shape
    if tasks == 1:
        return [0] * slots
    sums = np.vstack([np.zeros(tasks), np.cumsum(paid, axis=0)])
    # Least cost up to a slot where a stint ends; a stint of up to two times the least is enough.
    least = [0.0] + [np.inf] * slots
    came: list[tuple[int, int]] = [(0, 0)] * (slots + 1)
    for end in range(stint, slots + 1):
        for start in {*range(max(0, end - 2 * stint + 1), end - stint + 1)}:
            if least[start] == np.inf:
                continue
            costs = sums[end] - sums[start]
            task = int(costs.argmin())
            if least[start] + costs[task] < least[end]:
                least[end], came[end] = least[start] + float(costs[task]), (start, task)
    given = [0] * slots
    end = slots
    while end > 0:
        start, task = came[end]
        given[start:end] = [task] * (end - start)
        end = start
    return given
