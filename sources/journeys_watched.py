"""Journeys' files of a flow that runs: read at its start, and again when they were changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from operators.journeys.program import Program
from operators.members.health.model import HealthModel
from operators.records import NewFiles
from schemas.chain import Chain
from sources.files import SourceError
from sources.health import load_health
from sources.journeys import journey_files, load_journeys

LOG = logging.getLogger("tillflow.journeys")

LOOK_SECONDS = 1.0
# Path, time of the last change, size.
State = tuple[tuple[str, int, int], ...]


class JourneyFiles:
    """A file or folder of journeys, None for none, and the health model that they may ask for."""

    def __init__(
        self,
        given: Path | None,
        chain: Chain,
        health: Path | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._given, self._chain, self._health, self._clock = given, chain, health, clock
        self._known = self._seen = self._state()
        self._in_force: dict[str, str] = {}
        self._look_at = 0.0

    def load(self) -> tuple[tuple[Program, ...], HealthModel | None]:
        """All programs and the model.

        Raises:
            SourceError: a file has errors, or a journey asks for health and there is no model.
        """
        programs = load_journeys(self._given, self._chain)
        health = load_health(self._health, programs)
        self._in_force = {one.name: one.version for one in programs}
        return programs, health

    def look(self) -> NewFiles | None:
        """The programs of files that were changed; None where nothing is new, or it has errors.

        Those of before stay in force then, and the log of the process says what is wrong. Files
        are read once they have not changed between two looks: one that is being saved is none yet.
        """
        now = self._clock()
        if self._given is None or now < self._look_at:
            return None
        self._look_at = now + LOOK_SECONDS
        state, self._seen = self._seen, self._state()
        if self._seen == self._known or self._seen != state:
            return None
        self._known = self._seen
        before = self._in_force
        try:
            programs, _ = self.load()
        except SourceError as wrong:
            LOG.warning("journeys stay as they were, the changed files are not right: %s", wrong)
            return None
        if self._in_force == before:
            return None
        for name in sorted(before.keys() | self._in_force.keys()):
            if before.get(name) != self._in_force.get(name):
                LOG.warning("journey %s: %s from now on", name, self._in_force.get(name, "gone"))
        return NewFiles(programs)

    def _state(self) -> State:
        try:
            paths = [] if self._given is None else journey_files([self._given])
            stats = [(str(path), path.stat()) for path in paths]
        except (SourceError, OSError):
            return ()
        return tuple((name, one.st_mtime_ns, one.st_size) for name, one in stats)
