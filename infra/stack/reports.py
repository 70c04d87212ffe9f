"""What `tillflow status` says about a flow beyond that it runs: how far it is, what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from infra.stack.health import ANSWER_SECONDS
from sources.kafka.errors import BrokerError
from sources.kafka.lag import lag
from sources.kafka.settings import KafkaSettings

Report = Callable[[], str]

_FLOW = """
SELECT events, strftime(newest_event, '%Y-%m-%dT%H:%M:%SZ'), {columns}
FROM flow_run WHERE flow = '{flow}' ORDER BY started_at DESC LIMIT 1
"""
_TRANSFERS = """
SELECT count(*) FILTER (status = 'proposed'), count(*) FILTER (status = 'accepted'), count(*)
FROM transfer_suggestion
"""


def flow_report(
    flow: str,
    counted: Mapping[str, str],
    warehouse: tuple[str, Path],
    log: tuple[KafkaSettings, str, Sequence[str]],
    *,
    with_lag: bool,
) -> Report:
    """What a flow has read and how far it is behind the log.

    `counted`: further columns of flow_run, with their words. `warehouse` is an address with the
    file of its token, `log` the brokers with the flow's group and topics. `with_lag`: Tansu answers
    for the end of a partition with the beginning of its last batch.
    """
    question = _FLOW.format(columns=", ".join(counted), flow=flow)
    kafka, group, topics = log

    def report() -> str:
        words = []
        found = _ask(*warehouse, question)
        if found is None:
            words.append("nothing read yet")
        else:
            events, newest, *counts = found
            words.append(f"{events:,} events, newest {newest}")
            there = zip(counts, counted.values(), strict=True)
            words.append(", ".join(f"{many:,} {what}" for many, what in there) + " in this run")
        if with_lag:
            behind = lag(kafka, group, topics, timeout=ANSWER_SECONDS)
            words.append(f"{behind:,} records since its last commit")
        return "; ".join(words)

    return _in_words(report)


def transfers_report(reader: str, token_file: Path) -> Report:
    """What the transfers flow has suggested."""

    def report() -> str:
        found = _ask(reader, token_file, _TRANSFERS)
        assert found is not None
        proposed, accepted, all_of_them = found
        return f"{proposed:,} suggestions open, {accepted:,} accepted, {all_of_them:,} in all"

    return _in_words(report)


def keeper_report(redis: str, pool: str) -> Report:
    """What the keeper of the gate says of itself."""

    def report() -> str:
        from serving.keeper.operation import shown  # noqa: PLC0415 (clients load when asked)
        from sinks.redis.client import HoldGate  # noqa: PLC0415
        from sinks.redis.errors import GateError  # noqa: PLC0415
        from sinks.redis.settings import GateSettings  # noqa: PLC0415

        settings = GateSettings(url=redis, pool=pool, timeout_seconds=ANSWER_SECONDS)
        try:
            with HoldGate(settings) as gate:
                found = shown(gate, None)
        except GateError as wrong:
            return str(wrong)
        keeper = found["keeper"] or {}
        words = [f"gate {found['gate']}", f"{keeper.get('role', 'no keeper')}"]
        words.append(f"{keeper.get('positions', 0):,} positions projected")
        words.append(f"{keeper.get('relayed', 0):,} events relayed, {found['outbox']:,} wait")
        if found["over_claimed"]:
            words.append(f"{len(found['over_claimed']):,} over-claimed")
        return ", ".join(words)

    return report


def _ask(reader: str, token_file: Path, question: str) -> tuple[Any, ...] | None:
    from sinks.warehouse.address import parse_target  # noqa: PLC0415 (DuckDB loads when asked)
    from sinks.warehouse.client import open_reader  # noqa: PLC0415

    target = parse_target(reader, token_file=token_file)
    with closing(open_reader(target, patience=ANSWER_SECONDS)) as opened:
        row: tuple[Any, ...] | None = opened.execute(question).fetchone()
    return row


def _in_words(report: Report) -> Report:
    """What cannot be found out says why: a report never fails."""

    def safely() -> str:
        from sinks.warehouse.address import WarehouseError  # noqa: PLC0415

        try:
            return report()
        except (BrokerError, WarehouseError) as wrong:
            return str(wrong)

    return safely
