"""The health model's file, and whether there is one for those who ask for health."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from operators.journeys.program import Program
from operators.members.health.model import HealthModel, ModelError, from_json
from sources.files import SourceError


class HealthFileError(SourceError):
    """There is no model, or it cannot be read; the message says what to do."""


def load_health(path: Path | None, programs: Iterable[Program] = ()) -> HealthModel | None:
    """The model of `tillflow members fit`; None where none is given and no journey needs one.

    Raises:
        HealthFileError: the file is none, or a journey asks for health without one.
    """
    if path is None:
        for program in programs:
            if program.asks("health"):
                msg = (
                    f"journey {program.name} asks for health, and there is no model: make one "
                    "with `tillflow members fit`, and give it as --health health.json"
                )
                raise HealthFileError(msg)
        return None
    try:
        return from_json(path.read_bytes())
    except OSError as wrong:
        msg = f"cannot read the health model {path}: {wrong.strerror}"
        raise HealthFileError(msg) from wrong
    except ModelError as wrong:
        msg = f"{path}: {wrong}"
        raise HealthFileError(msg) from wrong
