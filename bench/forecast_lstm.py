"""An LSTM for all stores (Hochreiter and Schmidhuber 1997), in JAX: the seed's kind of model.

It goes through the 96 quarters of a day with the same inputs as the LightGBM model (lags, calendar,
weather, campaigns, what the store is) and says by how much each quarter's mean differs from that of
the last four weeks, trained by the Poisson likelihood with Adam (Kingma and Ba 2015) on a falling
rate. It is trained once, before the first
day that is judged; later days get fresh lags, as its users do it.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bench.forecast_peers import Task, table
from operators.forecast.panel import SLOTS

Floats = NDArray[np.float64]

HIDDEN, BATCH, RATE = 64, 128, 4e-3
# What was hardly ever seen in training (the first hot days) must not run away with it.
FARTHEST = 5.0


class Lstm:
    """One LSTM for all stores, one layer and a readout."""

    def __init__(self, epochs: int = 40, seed: int = 1) -> None:
        self.epochs, self.seed = epochs, seed
        self._weights: Any = None
        self._centre: Floats = np.zeros(0)
        self._scale: Floats = np.ones(0)

    def __call__(self, task: Task) -> Floats:
        """Train where that has not been done yet, and say the day."""
        if self._weights is None:
            self._train(task)
        made, size = table(task, task.day)
        said = np.asarray(_run(self._weights, self._ready(made))) + _usual(made)
        return np.asarray(np.exp(said) * size[:, None] * task.open_now)

    def _ready(self, made: Floats) -> NDArray[np.float32]:
        # The store's number says nothing to a network: its size, group and lags do.
        near = np.clip((made[..., :-1] - self._centre) / self._scale, -FARTHEST, FARTHEST)
        return np.asarray(near, np.float32)

    def _train(self, task: Task) -> None:
        days = range(28, task.day)
        tables = [table(task, day) for day in days]
        rows = np.concatenate([made for made, _ in tables])
        usual = _usual(rows).astype(np.float32)
        size = np.concatenate([size for _, size in tables])
        self._centre = rows[..., :-1].mean(axis=(0, 1))
        self._scale = np.maximum(rows[..., :-1].std(axis=(0, 1)), 1e-3)
        x = self._ready(rows)
        y = np.concatenate([task.seen[:, day] for day in days]) / size[:, None]
        there = (~np.isnan(y)).astype(np.float32) * size[:, None].astype(np.float32)
        y = np.nan_to_num(y).astype(np.float32)
        rng = np.random.default_rng(self.seed)
        weights = _fresh(rng, x.shape[2])
        first = {name: np.zeros_like(one) for name, one in weights.items()}
        second = {name: np.zeros_like(one) for name, one in weights.items()}
        steps = self.epochs * (len(x) // BATCH)

        def loss(weights: Any, x: Any, usual: Any, y: Any, there: Any) -> Any:
            said = _run(weights, x) + usual
            return jnp.sum(there * (jnp.exp(said) - y * said)) / jnp.sum(there)

        def step(weights: Any, first: Any, second: Any, number: Any, *batch: Any) -> Any:
            slopes = jax.grad(loss)(weights, *batch)
            rate = RATE * 0.5 * (1 + jnp.cos(jnp.pi * number / steps))
            moved = {}
            for name, steep in slopes.items():
                slope = jnp.clip(steep, -1, 1)
                first[name] = 0.9 * first[name] + 0.1 * slope
                second[name] = 0.999 * second[name] + 0.001 * slope**2
                one = first[name] / (1 - 0.9 ** (number + 1))
                two = second[name] / (1 - 0.999 ** (number + 1))
                moved[name] = weights[name] - rate * one / (jnp.sqrt(two) + 1e-8)
            return moved, first, second

        fast: Any = jax.jit(step)
        number = 0
        for _ in range(self.epochs):
            order = rng.permutation(len(x))
            for at in range(0, len(x) - BATCH + 1, BATCH):
                some = order[at : at + BATCH]
                batch = (x[some], usual[some], y[some], there[some])
                weights, first, second = fast(weights, first, second, float(number), *batch)
                number += 1
        self._weights = weights


def _usual(made: Floats) -> Floats:
    """The log of the mean of the last four weeks, in shares of the store's size."""
    return np.asarray(np.log(made[..., 1] + 0.02))


def _fresh(rng: np.random.Generator, width: int) -> dict[str, NDArray[np.float32]]:
    def draw(*shape: int) -> NDArray[np.float32]:
        return np.asarray(rng.normal(0, 1, shape) / np.sqrt(shape[0]), np.float32)

    bias = np.zeros(4 * HIDDEN, np.float32)
    bias[HIDDEN : 2 * HIDDEN] = 1  # remember at first
    return {
        "inputs": draw(width, 4 * HIDDEN),
        "state": draw(HIDDEN, 4 * HIDDEN),
        "bias": bias,
        "out": draw(HIDDEN, 1) * 0.1,
        "skip": draw(width, 1) * 0.1,
        "level": np.zeros(1, np.float32),
    }


def _run(weights: Any, x: Any) -> Any:
    """Logs of the means, (days, 96)."""
    driven = x @ weights["inputs"] + weights["bias"]

    def one(carried: Any, drive: Any) -> Any:
        hidden, cell = carried
        gates = drive + hidden @ weights["state"]
        enter, keep, leave, new = jnp.split(gates, 4, axis=-1)
        cell = jax.nn.sigmoid(keep) * cell + jax.nn.sigmoid(enter) * jnp.tanh(new)
        hidden = jax.nn.sigmoid(leave) * jnp.tanh(cell)
        return (hidden, cell), hidden

    start = (jnp.zeros((x.shape[0], HIDDEN)), jnp.zeros((x.shape[0], HIDDEN)))
    _, hidden = jax.lax.scan(one, start, jnp.swapaxes(driven, 0, 1))
    out = jnp.swapaxes(hidden, 0, 1) @ weights["out"] + x @ weights["skip"]
    assert x.shape[1] == SLOTS
    return jnp.clip(out[..., 0] + weights["level"], -12, 6)
