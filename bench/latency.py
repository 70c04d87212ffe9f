"""From a sale on the log to a message at somebody's door, under load, hop by hop.

    python -m bench.latency [--rate 2000] [--alerts 5] [--seconds 40]

A broker (Tansu from its wheel, or Apache Kafka where TILLFLOW_TEST_KAFKA_HOME names one), the stock
flow, the hooks worker and a local webhook run as processes of their own. Some sales a second take
the last unit of a shelf, which raises an alert; all others go on around them. The clock of a sale
starts just before it is handed to the producer, and ends when the webhook has read the request.
The bar is 300 ms for 99 of 100.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.kafka import PAIRS, PARTITIONS, STEP_SECONDS, movement
from infra.drill.receiver import Receiver, hooks_file, receiver
from schemas.alert import ALERT_TYPE
from sinks.kafka.producer import TopicWriter
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from broker import KAFKA_HOME, start_broker

BAR_MS = 300.0
SHARES = (50, 90, 99)
TOPICS = (
    "stock.movement.v1",
    "stock.reservation.v1",
    ALERT_TYPE,
    "stock.transfer_suggestion.v1",
)
WARM_SECONDS = 10.0
LAST_SECONDS = 3.0


class AlertTimes:
    """When each SKU's first alert was written to the log, by the record's own time."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.at: dict[str, float] = {}
        self._reader = RecordReader(kafka, [ALERT_TYPE], "bench-latency")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            for block in self._reader.read(0.1):
                for record in block.records:
                    sku = (record.key or b"").decode().partition("@")[0]
                    self.at.setdefault(sku, record.timestamp_ms / 1_000)

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()
        self._reader.close()


def drive(
    writer: TopicWriter, rate: int, alerts: float, seconds: float, names: Iterator[str]
) -> dict[str, float]:
    """Sell at a steady rate; when each last unit was sold."""
    sold: dict[str, float] = {}
    number = 0
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        while number < elapsed * rate:
            if len(sold) < elapsed * alerts:
                sku = next(names)
                record = movement("sold", sku, "S1", 1, f"last-{sku}")
                sold[sku] = time.time()
                writer.write(*record)
            else:
                name, place = f"SKU-{number % PAIRS // 8}", f"S{number % 8}"
                writer.write(*movement("sold", name, place, 1, f"{began}-{number}"))
            number += 1
        writer.poll()
        time.sleep(STEP_SECONDS)
    return sold


@contextmanager
def process(words: list[str], log: Path) -> Iterator[None]:
    """A command of tillflow, until the block ends."""
    command = [sys.executable, "-c", "from infra.cli import main; main()", *words]
    with log.open("wb") as out:
        started = subprocess.Popen(command, stdout=out, stderr=out, env=dict(os.environ))
    try:
        yield
        assert started.poll() is None, f"{words} ended: {log.read_text()[-2000:]}"
    finally:
        started.terminate()
        started.wait(60)


def measure(options: Any, folder: Path, taken: Receiver) -> None:
    """One run."""
    secret, config = folder / "secret", folder / "hooks.yaml"
    secret.write_text(secrets.token_urlsafe(24))
    config.write_text(hooks_file(taken.address, str(secret)))
    with start_broker(folder / "broker") as broker:
        kafka = KafkaSettings(broker.address)
        check_topics(kafka, TOPICS, create=True, partitions=PARTITIONS)
        writer = TopicWriter(kafka, linger_ms=1)
        skus = [f"LAST-{n}" for n in range(int(options.alerts * (options.seconds + 20)) + 100)]
        for sku in skus:
            writer.write(*movement("received", sku, "S1", 1, f"in-{sku}"))
        for pair in range(PAIRS):
            place = f"S{pair % 8}"
            writer.write(*movement("received", f"SKU-{pair // 8}", place, 99_999, f"in-{pair}"))
        writer.flush()
        at = ["--kafka", broker.address]
        stock = ["run", "stock", *at, "--create-topics", "--warehouse", str(folder / "w.duckdb")]
        hooks = ["hooks", "run", *at, "--config", str(config), "--store", str(folder / "h.sqlite")]
        times = AlertTimes(kafka)
        names = iter(skus)
        with process(stock, folder / "stock.log"), process(hooks, folder / "hooks.log"):
            time.sleep(5)
            drive(writer, options.rate, options.alerts, WARM_SECONDS, names)
            sold = drive(writer, options.rate, options.alerts, options.seconds, names)
            load = os.getloadavg()[0]
            time.sleep(LAST_SECONDS)
        times.close()
    _report(options, sold, times.at, taken, load)


def _report(
    options: Any, sold: dict[str, float], alerts: dict[str, float], taken: Receiver, load: float
) -> None:
    arrived = {sku: taken.first(sku) for sku in sold}
    come = {sku: at for sku, at in arrived.items() if at is not None}
    print(
        f"{options.rate:,} events/s for {options.seconds:g} s, {len(come):,} of {len(sold):,} "
        f"alerts at the webhook; {'Apache Kafka' if KAFKA_HOME else 'Tansu'}, "
        f"{os.cpu_count()} cores, load average {load:.1f} at the end"
    )
    whole = sorted((at - sold[sku]) * 1e3 for sku, at in come.items())
    hops = {
        "sale to webhook": whole,
        "sale to alert topic": sorted((alerts[sku] - sold[sku]) * 1e3 for sku in come),
        "alert topic to webhook": sorted((at - alerts[sku]) * 1e3 for sku, at in come.items()),
    }
    for name, took in hops.items():
        shown = "  ".join(f"p{share} {_cut(took, share):6.0f} ms" for share in SHARES)
        print(f"  {name:24} {shown}  max {took[-1]:6.0f} ms")
    p99 = _cut(whole, 99)
    print(f"  the bar, p99 < {BAR_MS:g} ms: {'met' if p99 < BAR_MS else 'MISSED'}")


def _cut(took: list[float], share: int) -> float:
    return took[min(len(took) - 1, int(len(took) * share / 100))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--alerts", type=float, default=5.0, help="a second, among the load")
    parser.add_argument("--seconds", type=float, default=40.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, receiver() as taken:
        measure(options, Path(name), taken)


if __name__ == "__main__":
    main()
