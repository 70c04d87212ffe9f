"""A channels worker whose senders are stepped by hand, at a clock that tests set."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from channel_server import ChannelServer
from channel_world import ENV, configured

from operators.channels.heard import heard_in_line
from operators.inbox import Batch
from schemas.channels import Channels
from schemas.instants import SECOND_US
from schemas.journey_rules import JourneysConfig
from sinks.channels.database import connect
from sinks.channels.listing import counts
from sinks.channels.store import Report
from sinks.channels.worker import Worker
from sinks.loop import wall_clock

ALL_DAY = JourneysConfig(quiet_hours=None)
MINUTE = 60 * SECOND_US


class Heap:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.erased: list[str] = []
        self.there = True

    def tell(self, reports: Sequence[Report], erased: Sequence[str]) -> bool:
        if self.there:
            self.reports += reports
            self.erased += erased
        return self.there

    def close(self) -> None:
        pass

    def said(self) -> list[tuple[str, str, str]]:
        return [(one.channel, one.status, one.reason) for one in self.reports]


class World:
    """A worker whose senders are stepped by hand; `now` is real time plus what was skipped."""

    def __init__(
        self,
        server: ChannelServer,
        folder: Path,
        rules: JourneysConfig = ALL_DAY,
        made: Channels | None = None,
    ) -> None:
        self.heap = Heap()
        self.server = server
        self.skipped = 0
        self._args = (made or configured(server.address, folder), rules, folder / "channels.sqlite")
        self.folder = folder
        self.worker = self.open()

    def open(self) -> Worker:
        return Worker(*self._args, ENV, self.heap, clock=self.now)

    def now(self) -> int:
        return wall_clock() + self.skipped

    def restart(self, made: Channels | None = None) -> None:
        self.worker.close()
        if made is not None:
            self._args = (made, *self._args[1:])
        self.worker = self.open()

    def hear(self, *lines: bytes) -> int:
        heard = [one for line in lines if (one := heard_in_line(line)) is not None]
        return self.worker.step(Batch(heard, [], []))

    def go(self, skip: int = 0) -> None:
        """Step every sender until nothing is due, and tell."""
        self.skipped += skip
        self.server.ahead = self.skipped / SECOND_US
        for _ in range(3):
            for sender in self.worker.senders.values():
                for _ in range(30):
                    due = sender.step()
                    if due is None or due > self.now():
                        break
        self.worker.tell()

    def states(self) -> dict[str, int]:
        with closing(connect(self.folder / "channels.sqlite")) as connection:
            return counts(connection)
