"""How long a sale takes from its record on the log to its alert on the log, under load.

    python -m bench.kafka [--rate 2000] [--seconds 40]

A broker (Tansu from its wheel, in memory), the stock flow and this meter run side by side. Every
tenth event sells the last unit of a shelf, which raises an alert; its latency is from just before
the sale is handed to the producer until the alert is read from `stock.alert.v1`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from schemas.instants import format_instant
from schemas.movement import MOVEMENT_TYPE
from sinks.kafka.events import OutRecord, to_record
from sinks.kafka.producer import TopicWriter
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from broker import start_broker

PARTITIONS = 4
EVERY = 10
# Shelves that sell all the time and never run out.
PAIRS = 20_000
STEP_SECONDS = 0.01


def movement(kind: str, sku: str, place: str, quantity: int, id: str) -> OutRecord:
    """One movement that happens now."""
    now = format_instant(time.time_ns() // 1000)
    data = {"sku": sku, "place": place, "kind": kind, "quantity": quantity}
    return to_record(MOVEMENT_TYPE, "bench", id, now, data, key=sku)


class Meter:
    """Reads alerts and notes how long each took."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.sent: dict[bytes, float] = {}
        self.took: list[float] = []
        self._reader = RecordReader(settings, ["stock.alert.v1"], "bench")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            blocks = self._reader.read(0.05)
            now = time.perf_counter()
            for block in blocks:
                for record in block.records:
                    began = self.sent.pop(record.key or b"", None)
                    if began is not None:
                        self.took.append(now - began)

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()
        self._reader.close()


def drive(writer: TopicWriter, meter: Meter, rate: int, seconds: float) -> int:
    """Sell at a steady rate; how many sales took the last unit."""
    last = 0
    number = 0
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        while number < elapsed * rate:
            if number % EVERY == 0:
                sku = f"LAST-{last}"
                last += 1
                meter.sent[f"{sku}@S1".encode()] = time.perf_counter()
                writer.write(*movement("sold", sku, "S1", 1, f"last-{number}"))
            else:
                sku, place = f"SKU-{number % PAIRS // 8}", f"S{number % 8}"
                writer.write(*movement("sold", sku, place, 1, f"sale-{number}"))
            number += 1
        writer.poll()
        time.sleep(STEP_SECONDS)
    return last


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("more", nargs="*", help="further options of `tillflow run stock`")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with start_broker(folder / "broker") as broker:
            report(options, KafkaSettings(broker.address), folder)


def report(options: Any, settings: KafkaSettings, folder: Path) -> None:
    """One run against a broker that is there."""
    topics = ["stock.movement.v1", "stock.reservation.v1", "stock.alert.v1"]
    check_topics(settings, topics, create=True, partitions=PARTITIONS)
    writer = TopicWriter(settings, linger_ms=1)
    for number in range(int(options.rate * options.seconds / EVERY) + 1_000):
        writer.write(*movement("received", f"LAST-{number}", "S1", 1, f"in-{number}"))
    for pair in range(PAIRS):
        place = f"S{pair % 8}"
        writer.write(*movement("received", f"SKU-{pair // 8}", place, 99_999, f"in-{pair}"))
    writer.flush()
    command = [sys.executable, "-c", "from infra.cli import main; main()", "run", "stock"]
    command += ["--create-topics", "--warehouse", str(folder / "w.duckdb"), *options.more]
    environ = {**os.environ, "TILLFLOW_KAFKA": settings.brokers}
    meter = Meter(settings)
    with subprocess.Popen(command, env=environ) as flow:
        try:
            time.sleep(8)
            meter.took.clear()
            last = drive(writer, meter, options.rate, options.seconds)
            time.sleep(2)
        finally:
            flow.terminate()
            flow.wait(60)
            meter.close()
    took = sorted(meter.took)
    shown = {
        f"p{share:g}": took[int(len(took) * share / 100)] * 1e3 for share in (50, 90, 99, 99.9)
    }
    print(f"{options.rate:,} events/s for {options.seconds:g} s, {len(took):,} of {last:,} alerts")
    print("  ".join(f"{name} {value:.0f} ms" for name, value in shown.items()), end="  ")
    print(f"max {took[-1] * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
