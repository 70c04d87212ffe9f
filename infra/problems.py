"""What an operator can put right, said in one line instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def problems_told(*kinds: type[Exception]) -> Iterator[None]:
    """Errors of those kinds, and of files, become the message of the command.

    Raises:
        click.ClickException: with the words of the error.
    """
    try:
        yield
    except kinds as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except OSError as wrong:
        msg = f"{wrong.filename}: {wrong.strerror}" if wrong.filename else str(wrong)
        raise click.ClickException(msg) from wrong
