"""What every `tillflow run FLOW` can be told, in one order and one wording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

FILES = "File of events (JSON Lines or Parquet), folder, or pattern."
BROKERS = "Brokers to read from and write to, instead of --source."


def run_options(
    topics: Sequence[str], group: str, recovery: str, *, source: str = FILES, kafka: str = BROKERS
) -> Callable[[F], F]:
    """The options of a flow; `recovery` says where its state is kept unless told otherwise."""
    options = (
        click.option("--source", help=source),
        click.option(
            "--kafka", metavar="HOST:PORT", envvar="TILLFLOW_KAFKA", show_envvar=True, help=kafka
        ),
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
        click.option("--create-topics", is_flag=True, help="Create topics that are missing."),
        click.option(
            "--until-end", is_flag=True, help="Kafka: end when all is read that is there now."
        ),
        click.option(
            "--warehouse",
            required=True,
            type=click.Path(path_type=Path),
            help="DuckDB file, or quack://HOST:PORT (token in TILLFLOW_WAREHOUSE_TOKEN).",
        ),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path),
            envvar="TILLFLOW_WAREHOUSE_TOKEN_FILE",
            show_envvar=True,
            help="Token of a served warehouse.",
        ),
        click.option(
            "--config", type=click.Path(path_type=Path), help="The chain's configuration (YAML)."
        ),
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
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Worker threads a process.",
        ),
        click.option(
            "--epoch-seconds",
            type=click.FloatRange(min=0, max=86_400),
            help="How often progress is made durable.  [default: 10, live from Kafka 30]",
        ),
    )

    def dressed(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return dressed
