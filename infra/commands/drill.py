"""`tillflow drill`: break a live stack on purpose and count what is left."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import click
import msgspec

from infra.drill.report import report
from infra.drill.result import DrillOptions
from infra.drill.run import drill
from infra.stack.brokers import java_for, kafka_version
from infra.stack.record import StackError


@click.command(name="drill")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    help="How long the load runs at least.",
)
@click.option("--short", is_flag=True, help="A small chain and the main faults only.")
@click.option(
    "--kafka-home",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Apache Kafka to run.  [default: KAFKA_HOME, else Tansu, whose restart is left out]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the stack, its logs and the result.  [default: one that is removed]",
)
def drill_command(minutes: float, short: bool, kafka_home: Path | None, out: Path | None) -> None:
    """Break a live stack under load, and count what is left.

    Starts a stack of its own, plays a simulated chain and a rush for last units against it, kills
    and restarts its parts, and checks all units and promises against what was really sent.
    The exit code is 1 when a number that must be 0 is not.
    """
    # Brokers that go are no news here.
    logging.getLogger("tillflow.kafka").setLevel(logging.ERROR)
    home = kafka_home or _home()
    options = DrillOptions(minutes=minutes, short=short, kafka_home=home)
    try:
        if out is not None:
            result = drill(options, out.resolve(), click.echo)
            (out / "result.json").write_bytes(msgspec.json.encode(result) + b"\n")
        else:
            with tempfile.TemporaryDirectory(prefix="tillflow-drill-") as folder:
                result = drill(options, Path(folder), click.echo)
    except StackError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    click.echo(report(result))
    if result.failed:
        raise SystemExit(1)


def _home() -> Path | None:
    home = os.environ.get("KAFKA_HOME")
    if home and kafka_version(Path(home)) is not None and java_for(Path(home)) is not None:
        return Path(home)
    return None
