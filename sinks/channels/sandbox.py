"""A channel that writes what it would send to a file of JSON Lines."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from operators.channels.filling import Outgoing
from schemas.instants import format_instant
from sinks.channels.client import Found, Plain
from sinks.sending.verdict import Verdict


class Line(msgspec.Struct):
    """One message; the address is there by its last characters only."""

    message: str
    channel: str
    at: str
    to: str
    template: str
    values: dict[str, str]
    text: str


class SandboxClient(Plain):
    """Appends whole lines, durably; a message that is there already is not written again."""

    provider = "sandbox"
    finds = True
    absence_proves = True

    def __init__(self, path: Path, channel: str, *, credits: bool = False) -> None:
        self._path = path
        self._channel = channel
        self.credits = credits

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Write one message."""
        line = Line(
            message.id,
            self._channel,
            format_instant(now),
            f"…{message.address[-4:]}",
            message.code,
            message.values,
            message.text,
        )
        content = msgspec.json.encode(line) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab+") as file:
                # What was torn by a crash stays a line of its own.
                if file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                    content = b"\n" + content
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as wrong:
            return Verdict("retry", f"{self._path.name}: {wrong.strerror}", whole=True)
        return Verdict("sent", f"written to {self._path.name}", code="OK", ref=message.id)

    def find(self, message: Outgoing, left_at: int, ref: str, now: int) -> Found:
        """Whether the message is in the file."""
        try:
            content = self._path.read_bytes()
        except OSError:
            return Found("absent", "there is no file")
        for line in content.splitlines():
            try:
                there = msgspec.json.decode(line, type=Line)
            except msgspec.DecodeError:
                continue
            if (there.message, there.channel) == (message.id, self._channel):
                return Found("delivered", "in the file", "OK", message.id)
        return Found("absent", "not in the file")


class OffersClient(Plain):
    """A screen that fetches its own offers: there is nothing to send, they are there already."""

    provider = "offers"
    finds = True
    absence_proves = True

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Leave it to the screen."""
        return Verdict("sent", "left to the screen that fetches offers")

    def find(self, message: Outgoing, left_at: int, ref: str, now: int) -> Found:
        """It is as if sent: nothing leaves."""
        return Found("accepted", "left to the screen that fetches offers")
