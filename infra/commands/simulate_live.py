"""The live side of `tillflow simulate`: where the stack is, how fast to play, what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from infra.live_doors import ApiDoor, DoorError, GateDoor, HoldDoor
from infra.live_load import LiveLoad, LiveOptions
from infra.stack.record import StackError
from infra.stack_address import StackAddress, find_stack
from schemas.topics import TOPICS
from sinks.kafka.producer import DeliveryError
from sources.kafka.errors import BrokerError
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics
from sources.simulator import Settings

F = TypeVar("F", bound=Callable[..., Any])

KEY = "TILLFLOW_HOLDS_KEY"
DAY_QUARTERS = 96
ANSWER_SECONDS = 10.0


def live_options(command: F) -> F:
    """The options that go with --live; each is None where it was not given."""
    options = (
        click.option("--live", is_flag=True, help="Play against a stack that runs, in real time."),
        click.option(
            "--data",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Live: the stack's folder, as of `tillflow up`.",
        ),
        click.option(
            "--kafka", metavar="HOST:PORT", help="Live: brokers, where there is no --data."
        ),
        click.option(
            "--holds",
            metavar="URL",
            help=f"Live: redis://… of the gate, or http://… of its API with a key in {KEY}; "
            "'none' plays without holds.  [default: the API of --data]",
        ),
        click.option("--pool", help="Live: the gate's pool.  [default: that of the stack, or all]"),
        click.option(
            "--speed",
            type=click.FloatRange(1, 1_000),
            help="Live: simulated seconds a second.  [default: 60]",
        ),
        click.option(
            "--rate",
            type=click.FloatRange(min=0, min_open=True),
            metavar="N",
            help="Live: events a second, as far as the chain has them at 1,000 times real time.",
        ),
        click.option(
            "--minutes",
            type=click.FloatRange(min=0, min_open=True),
            help="Live: how long.  [default: until Ctrl-C or the last simulated day]",
        ),
        click.option(
            "--opens",
            type=click.IntRange(0, 23),
            help="Live: the simulated hour at which the clock begins to run.  [default: 10]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def play_live(
    settings: Settings,
    out: Path | None,
    *,
    data: Path | None,
    kafka: str | None,
    holds: str | None,
    pool: str | None,
    speed: float | None,
    rate: float | None,
    minutes: float | None,
    opens: int | None,
) -> None:
    """Play a chain against a stack.

    Raises:
        click.ClickException: the stack is not there, or went away for good.
    """
    try:
        there = None if data is None else find_stack(data)
    except StackError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    brokers = kafka or (None if there is None else there.kafka)
    if brokers is None:
        msg = "say where the stack is: --data FOLDER of `tillflow up`, or --kafka HOST:PORT"
        raise click.UsageError(msg)
    door = _door(holds, there, pool)
    options = LiveOptions(
        kafka=KafkaSettings(brokers),
        speed=speed or 60.0,
        rate=rate,
        minutes=minutes,
        opens=4 * (10 if opens is None else opens),
        # Ids of an earlier play must not come again with other times.
        prefix=f"{int(time.time()):x}-",
        out=out,
    )
    try:
        check_topics(
            options.kafka, [topic.name for topic in TOPICS], create=False, timeout=ANSWER_SECONDS
        )
        load = LiveLoad(settings, options, door, click.echo)
        try:
            load.run()
        except KeyboardInterrupt:
            click.echo("stopped; what is on its way is not sent", err=True)
    except (BrokerError, DeliveryError, DoorError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    finally:
        if door is not None:
            door.close()
    click.echo(load.summary())
    if out is not None:
        click.echo(f"the hidden truth is in {out / 'truth'}")


def _door(holds: str | None, there: StackAddress | None, pool: str | None) -> HoldDoor | None:
    if holds is None and there is not None:
        return ApiDoor(there.api, there.key)
    if holds is None or holds == "none":
        return None
    if holds.startswith(("http://", "https://")):
        key = os.environ.get(KEY)
        if not key:
            msg = f"{holds} wants a key: put one of `tillflow holds keys new` into {KEY}"
            raise click.UsageError(msg)
        return ApiDoor(holds, key)
    return GateDoor(holds, pool or (there.pool if there else "all"))
