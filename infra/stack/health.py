"""Whether a service does its work, asked the way its users would, and a word about how it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx

from sources.kafka.errors import BrokerError
from sources.kafka.lag import topics_there
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics

ANSWER_SECONDS = 3.0
# What a reader of topics logs when it has taken up its partitions.
READS = " reads "
# A flow writes that it lives every 30 s at least, also when nothing happens.
PROGRESS_SECONDS = 300.0
FLOW_TABLES = ("stock_position", "stock_alert", "dead_letter")


class Health(NamedTuple):
    """Whether it is well; `detail` says how it is, or why not."""

    well: bool
    detail: str = ""


# Given what the service has logged since it was started.
Probe = Callable[[str], Health]


def broker_health(kafka: KafkaSettings, topics: Sequence[str]) -> Probe:
    """A broker that answers and has its topics."""

    def ask(_said: str) -> Health:
        try:
            there = topics_there(kafka, timeout=ANSWER_SECONDS)
        except BrokerError as wrong:
            return Health(False, str(wrong))
        missing = [name for name in topics if name not in there.topics]
        if missing:
            return Health(False, f"topics are missing: {', '.join(missing)}")
        nodes = "" if there.brokers == 1 else f" on {there.brokers} brokers"
        return Health(True, f"{len(there.topics)} topics{nodes}")

    return ask


def make_topics(kafka: KafkaSettings, topics: Sequence[str]) -> None:
    """Create the topics that are missing.

    Raises:
        BrokerError: the brokers do not answer, or refuse one.
    """
    check_topics(kafka, topics, create=True, timeout=ANSWER_SECONDS * 5)


def redis_health(url: str, pool: str) -> Probe:
    """A Redis that may keep holds, and the state of the gate in it."""

    def ask(_said: str) -> Health:
        from sinks.redis.client import HoldGate  # noqa: PLC0415 (clients load when asked)
        from sinks.redis.errors import GateError  # noqa: PLC0415
        from sinks.redis.settings import GateSettings  # noqa: PLC0415

        with HoldGate(GateSettings(url=url, pool=pool, timeout_seconds=ANSWER_SECONDS)) as gate:
            try:
                warnings = gate.check_server()
                gate_is = gate.gate_state()
            except GateError as wrong:
                return Health(False, str(wrong))
        epoch = f", epoch {gate_is.epoch}" if gate_is.epoch else ""
        again = ", restarted since" if gate_is.restarted else ""
        said = [f"gate of pool {pool} {gate_is.state}{epoch}{again}", *warnings]
        return Health(True, "; ".join(said))

    return ask


def warehouse_health(address: str, token_file: Path) -> Probe:
    """A warehouse that answers questions, and what is in it."""

    def ask(_said: str) -> Health:
        from sinks.warehouse.address import WarehouseError, parse_target  # noqa: PLC0415
        from sinks.warehouse.client import open_reader  # noqa: PLC0415

        counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in FLOW_TABLES)
        try:
            target = parse_target(address, token_file=token_file)
            with closing(open_reader(target, patience=ANSWER_SECONDS)) as reader:
                found = reader.execute(f"SELECT {counts}").fetchone()
        except WarehouseError as wrong:
            return Health(False, str(wrong))
        assert found is not None
        positions, alerts, letters = found
        return Health(True, f"{positions:,} positions, {alerts:,} alerts, {letters:,} dead letters")

    return ask


def reads_health(engine: Path | None = None) -> Probe:
    """A process that has taken up its partitions; a flow also writes its progress to `engine`."""

    def ask(said: str) -> Health:
        if READS not in said:
            return Health(False, "has not begun to read yet")
        age = _age(engine) if engine is not None else None
        if age is not None and age > PROGRESS_SECONDS:
            return Health(False, f"hangs: it has not saved its progress for {age:,.0f} s")
        return Health(True, "reads")

    return ask


def _age(folder: Path) -> float | None:
    """Seconds since anything in the folder was written; None when nothing is there."""
    written = [path.stat().st_mtime for path in folder.glob("*")]
    return max(time.time() - max(written), 0.0) if written else None


def says_health(words: str) -> Probe:
    """A process that has said these words since it was started."""
    return lambda said: Health(words in said, "works" if words in said else "not ready yet")


def http_health(url: str) -> Probe:
    """A web service whose address of health answers 200."""

    def ask(_said: str) -> Health:
        try:
            answer = httpx.get(url, timeout=ANSWER_SECONDS)
        except httpx.HTTPError as wrong:
            return Health(False, f"{url}: {wrong}")
        return Health(answer.status_code == httpx.codes.OK, f"HTTP {answer.status_code}")

    return ask
