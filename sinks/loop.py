"""A thread that does one thing after the other and sleeps until the next is due."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from schemas.instants import SECOND_US

LOG = logging.getLogger("tillflow.loop")

Clock = Callable[[], int]
# Called with the name of each step that was just made; tests end the process there.
Steps = Callable[[str], None]


def wall_clock() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Loop(ABC):
    """`step` does one thing and says when to come back, `start` repeats it until `stop`.

    Whoever started it looks at `failure` now and then: an error ends the thread.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.failure: BaseException | None = None
        self._clock = clock
        self._awake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def step(self) -> int | None:
        """Do at most one thing; when there is something to do next, None for not yet known."""

    def start(self) -> None:
        """Go on in a thread."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        self._awake.set()

    def stop(self) -> None:
        """End after what is being done."""
        self._stopping = True
        self._awake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._awake.clear()
                due = self.step()
                if due is None:
                    self._awake.wait()
                elif (left := due - self._clock()) > 0:
                    self._awake.wait(left / SECOND_US)
        except BaseException as wrong:
            # Whoever started it raises it in its own thread.
            LOG.exception("%s: the thread ended", self.name)
            self.failure = wrong
