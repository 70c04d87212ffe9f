"""Options that several commands have, each in one wording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)
CHAIN = "The chain's configuration (YAML)."
BROKERS = "Brokers to read from and write to"


def kafka_option(words: str, *, required: bool = False) -> Callable[[F], F]:
    """`--kafka`, given to the command as text; `words` say what for."""
    return click.option(
        "--kafka",
        metavar="HOST:PORT",
        envvar="TILLFLOW_KAFKA",
        show_envvar=True,
        required=required,
        help=words,
    )


def config_option(words: str = CHAIN) -> Callable[[F], F]:
    """`--config`: a file, or None."""
    return click.option("--config", type=_PATH, help=words)


def format_option(forms: Sequence[str] = ("table", "json")) -> Callable[[F], F]:
    """`--format`, given to the command as `form`: the first of these unless told otherwise."""
    choice = click.Choice(forms)
    return click.option("--format", "form", type=choice, default=forms[0], show_default=True)


def token_file_option(command: F) -> F:
    """`--token-file`, where the command opens the warehouse by the settings of a flow."""
    option = click.option(
        "--token-file",
        type=_PATH,
        envvar="TILLFLOW_WAREHOUSE_TOKEN_FILE",
        show_envvar=True,
        help="Token of a served warehouse.",
    )
    return option(command)


def create_topics_option(command: F) -> F:
    """`--create-topics`."""
    words = "Create topics that are missing."
    return click.option("--create-topics", is_flag=True, help=words)(command)


def workers_option(words: str) -> Callable[[F], F]:
    """`--workers`: threads."""
    return click.option(
        "--workers", type=click.IntRange(min=1), default=1, show_default=True, help=words
    )


def epoch_option(default: float | None = None, more: str = "") -> Callable[[F], F]:
    """`--epoch-seconds`; `more` says what is the default where it is not one figure."""
    return click.option(
        "--epoch-seconds",
        type=click.FloatRange(min=0, max=86_400),
        default=default,
        show_default=default is not None,
        help=f"How often progress is made durable.{more}",
    )
