"""What every `tillflow run FLOW` can be told, in one order and one wording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from infra.options import (
    BROKERS,
    config_option,
    create_topics_option,
    epoch_option,
    kafka_option,
    token_file_option,
    workers_option,
)

F = TypeVar("F", bound=Callable[..., Any])

FILES = "File of events (JSON Lines or Parquet), folder, or pattern."
INSTEAD = f"{BROKERS}, instead of --source."


def run_options(
    topics: Sequence[str], group: str, recovery: str, *, source: str = FILES, kafka: str = INSTEAD
) -> Callable[[F], F]:
    """The options of a flow; `recovery` says where its state is kept unless told otherwise."""
    options = (
        click.option("--source", help=source),
        kafka_option(kafka),
        click.option(
            "--topic",
            "topics",
            multiple=True,
            default=tuple(topics),
            show_default=True,
            help="Topic to read; may be given several times.",
        ),
        click.option(
            "--group", default=group, show_default=True, help="Consumer group that shows lag."
        ),
        create_topics_option,
        click.option(
            "--until-end", is_flag=True, help="Kafka: end when all is read that is there now."
        ),
        click.option(
            "--warehouse",
            required=True,
            type=click.Path(path_type=Path),
            help="DuckDB file, or quack://HOST:PORT (token in TILLFLOW_WAREHOUSE_TOKEN).",
        ),
        token_file_option,
        config_option(),
        click.option(
            "--recovery",
            type=click.Path(path_type=Path),
            help=f"Folder for state and progress.  [default: {recovery}]",
        ),
        click.option(
            "--no-recovery", is_flag=True, help="Keep no state: the next run starts anew."
        ),
        click.option(
            "--follow", is_flag=True, help="Go on when the end is reached, until stopped."
        ),
        workers_option("Worker threads a process."),
        epoch_option(more="  [default: 10, live from Kafka 30]"),
    )

    def dressed(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return dressed
