"""The drill: many clients on few SKUs, a projection that repeats itself, and a count at the end."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue

from bench.hold_ways import position
from schemas.position import Position
from sinks.redis.client import HoldGate
from sinks.redis.errors import Short
from sinks.redis.model import HoldLine
from sinks.redis.settings import GateSettings

SKUS, PLACES = ("tea", "cup"), ("P1", "P2")
PAIRS = [(sku, place) for sku in SKUS for place in PLACES]
PROCESSES = 4


@dataclass(frozen=True)
class Drilled:
    """What the drill found."""

    calls: int
    refused: int
    seconds: float
    samples: int
    oversold: int
    lost: int
    sold: int
    told: dict[str, int]


def _client(settings: GateSettings, number: int, calls: int, done: list[int]) -> None:
    """One client: holds, pays, pays again, gives back, forgets; `done` counts calls, refusals."""
    choice = random.Random(number)
    with HoldGate(settings) as gate:
        turn = 0
        while done[0] < calls:
            turn += 1
            name = f"c{number}-{turn}"
            done[0] += 1
            lines = [
                HoldLine(choice.choice(SKUS), choice.randint(1, 2), choice.choice((None, *PLACES)))
                for _ in range(choice.choice((1, 1, 2)))
            ]
            try:
                gate.hold(name, lines, ttl_seconds=choice.choice((0.005, 900.0)))
            except Short:
                done[1] += 1
                continue
            # 1 in 5 forgets, 2 pay, 2 give back; every other one does it twice.
            end = choice.choice((None, gate.confirm, gate.confirm, gate.release, gate.release))
            for _ in range(choice.randint(1, 2) if end else 0):
                assert end is not None
                end(name)
                done[0] += 1


def _process(
    settings: GateSettings, numbers: list[int], calls: int, answer: Queue[tuple[int, int]]
) -> None:
    counts = [[0, 0] for _ in numbers]
    threads = [
        threading.Thread(target=_client, args=(settings, number, calls, done))
        for number, done in zip(numbers, counts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer.put((sum(done[0] for done in counts), sum(done[1] for done in counts)))


class _Flow:
    """The stock flow in miniature: applies confirms in order, tells positions, remembers all."""

    def __init__(self, gate: HoldGate, stock: int) -> None:
        self.gate, self.stock = gate, stock
        self.sold: dict[tuple[str, str], int] = defaultdict(int)
        self.seq: dict[tuple[str, str], int] = defaultdict(int)
        self.version: dict[tuple[str, str], int] = defaultdict(int)
        self.open: dict[tuple[str, str, str], int] = {}
        self.told: list[Position] = []
        self.counts: dict[str, int] = defaultdict(int)
        for pair in PAIRS:
            self.tell(pair)
        gate.project(self.told)

    def tell(self, pair: tuple[str, str]) -> None:
        self.version[pair] += 1
        self.told.append(
            position(
                *pair,
                self.stock,
                self.version[pair],
                allocated=self.sold[pair],
                seq=self.seq[pair],
            )
        )

    def read(self) -> list[Position]:
        """Relay the outbox: what became of each line, and the positions that come of it."""
        before = len(self.told)
        while entries := self.gate.outbox(count=2000):
            for entry in entries:
                event, pair = entry.event, (entry.event.sku, entry.event.place)
                self.counts[event.state] += 1
                if event.state == "held":
                    self.open[event.reservation, *pair] = event.quantity
                else:
                    self.open.pop((event.reservation, *pair), None)
                if event.state == "confirmed":
                    if event.hold_seq != self.seq[pair] + 1:
                        msg = f"confirm {event.hold_seq} of {pair} follows {self.seq[pair]}"
                        raise SystemExit(msg)
                    self.seq[pair] += 1
                    self.sold[pair] += event.quantity
            for pair in PAIRS:
                self.tell(pair)
            self.gate.trim(entries[-1].id)
        return self.told[before:]


def drill(url: str, calls: int, clients: int, stock: int) -> Drilled:
    """Run it and count."""
    settings = GateSettings(url=url, pool="drill", timeout_seconds=60)
    choice, samples, oversold = random.Random(1), 0, 0
    with HoldGate(settings) as gate:
        gate.open_gate("drill")
        flow = _Flow(gate, stock)
        context = get_context("spawn")
        answer: Queue[tuple[int, int]] = context.Queue()
        numbers = [list(range(start, clients, PROCESSES)) for start in range(PROCESSES)]
        workers = [
            context.Process(target=_process, args=(settings, mine, calls // clients, answer))
            for mine in numbers
        ]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            newest = flow.read()
            choice.shuffle(newest)
            gate.project([*newest, *choice.sample(flow.told, min(20, len(flow.told)))])
            gate.sweep(200)
            for sku, rows in gate.available(SKUS).items():
                for row in rows:
                    samples += 1
                    # `sold` is as old as the last relay, so this can only be too strict.
                    oversold += row.available < 0 or flow.sold[sku, row.place] > stock
            workers[0].join(0.01)
        seconds = time.perf_counter() - began
        if any(worker.exitcode for worker in workers):
            msg = "a client of the drill failed: see its words above"
            raise SystemExit(msg)
        counts = [answer.get() for _ in workers]
        while gate.sweep(1000):
            flow.read()
        gate.project(flow.read())
        lost = 0
        for sku, place in PAIRS:
            (row,) = gate.available([sku], [place])[sku]
            held = sum(
                units for (_, its, at), units in flow.open.items() if (its, at) == (sku, place)
            )
            sold = flow.sold[sku, place]
            oversold += max(0, sold + held - stock)
            lost += abs(stock - sold - held - row.available) + abs(held - row.held)
        return Drilled(
            sum(done for done, _ in counts),
            sum(refused for _, refused in counts),
            seconds,
            samples,
            oversold,
            lost,
            sum(flow.sold.values()),
            dict(flow.counts),
        )
