"""`tillflow transfers accept` and `reject`: what people answer to suggestions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from flows.settings import SettingsError, kafka_settings, load_chain
from infra.answers import shown
from infra.options import config_option
from infra.transfer_options import at_option, open_table, time_of
from infra.warehouse_option import warehouse_option
from operators.stock.transfers.facts import Decided, TransferBatch
from operators.stock.transfers.history import shard_from
from operators.stock.transfers.rules import TransferRules
from schemas.instants import to_datetime
from schemas.transfer import TransferDecision
from sinks.kafka.producer import DeliveryError, TopicWriter
from sinks.transfers.records import decision_record
from sinks.warehouse.address import Target

F = TypeVar("F", bound=Callable[..., Any])

DECISIONS_SOURCE = "tillflow/decisions"


def _answering(command: F) -> F:
    """The options of an answer."""
    for option in (
        click.argument("suggestion"),
        click.option("--by", help="Who says so."),
        click.option("--reason", help="Why."),
        click.option(
            "--kafka",
            envvar="TILLFLOW_KAFKA",
            show_envvar=True,
            help="Brokers: the answer goes to the running flow instead of a file.",
        ),
        click.option("--sku", help="SKU, where it cannot be told from the suggestion's name."),
        config_option(),
        at_option,
        warehouse_option,
    ):
        command = option(command)
    return command


@click.command()
@_answering
@click.option("--transfer", help="Number under which the goods will travel.")
def accept(suggestion: str, transfer: str | None, **given: Any) -> None:
    """Say that a suggested transfer will be carried out."""
    _answer(suggestion, "accepted", {"transfer": transfer}, **given)


@click.command()
@_answering
@click.option(
    "--quiet-hours",
    type=click.FloatRange(0, 8760),
    help="How long these two places are left alone with it.  [default: the chain's]",
)
def reject(suggestion: str, quiet_hours: float | None, **given: Any) -> None:
    """Say that a suggested transfer will not be carried out."""
    _answer(suggestion, "rejected", {"quiet_hours": quiet_hours}, **given)


def _answer(
    suggestion: str,
    decision: str,
    more: dict[str, Any],
    *,
    by: str | None,
    reason: str | None,
    kafka: str | None,
    sku: str | None,
    config: Path | None,
    at: str | None,
    warehouse: Target,
) -> None:
    made = {
        "suggestion": suggestion,
        # <sku>/<from>><to>/<number>
        "sku": sku or suggestion.rsplit("/", 2)[0],
        "decision": decision,
        "by": by,
        "reason": reason,
        **more,
    }
    if kafka:
        _send(kafka, made)
        click.echo(f"{suggestion}: {decision}, told to the flow")
        return
    with open_table(warehouse) as found:
        one = found.one(suggestion)
        if one is None:
            near = ", ".join(found.near(suggestion))
            msg = f"there is no suggestion {suggestion}"
            msg += f"; near it are {near}" if near else ": tillflow transfers plan makes some"
            raise click.ClickException(msg)
        now = time_of(at, found)
        made |= {"sku": one.sku, "decided_at": to_datetime(now)}
        shard = shard_from([each for each in found.states() if each.sku == one.sku], _rules(config))
        decided = Decided(msgspec.convert(made, TransferDecision), now)
        outcomes = shard.apply([TransferBatch(0, [decided])], now)
        for outcome in outcomes:
            if outcome.refusals:
                raise click.ClickException(outcome.refusals[0].reason)
            found.write(outcome)
        after = found.one(suggestion)
        assert after is not None
    until = f", to leave before {shown(after.not_after)}" if decision == "accepted" else ""
    click.echo(f"{suggestion}: {after.status}{until}")


def _rules(config: Path | None) -> TransferRules:
    return TransferRules(load_chain(config))


def _send(brokers: str, made: dict[str, Any]) -> None:
    """Put an answer on the log."""
    made["decided_at"] = datetime.now(UTC)
    decision = msgspec.convert(made, TransferDecision)
    try:
        settings = kafka_settings(brokers)
        assert settings is not None
        writer = TopicWriter(settings)
        writer.write(*decision_record(decision, DECISIONS_SOURCE))
        writer.flush(30)
    except (DeliveryError, SettingsError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
