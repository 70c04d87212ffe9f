"""The journal of one shard: a base state and the entries since, in one file a generation.

A frame is length (4 bytes), CRC-32 (4 bytes), payload; the first frame is the base. Where the
highest bit of the length is set, the payload is its whole length (8 bytes) and Snappy. A mark names
generation and length, so that a crash after more was written is undone by reading no further. The
last generations are kept until marks of the newer one have long been committed by the engine.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import pyarrow

# A new base pays once the entries weigh more than the old one: each byte of state is then written
# at most twice as often as without bases. Small shards wait for a few megabytes.
SMALLEST_REBASE_BYTES = 4 * 1024 * 1024
# The engine commits an epoch before the next but one is closed: older generations than this many
# marks ago cannot be asked for any more.
MARKS_TO_KEEP = 3
# An epoch of a backfill may be hundreds of megabytes: so much waits in memory, more goes into the
# file at once. Behind the last mark it does not count until the next one.
MOST_PENDING_BYTES = 4 * 1024 * 1024
HEADER = 8
# Journals hold lines much like each other: a sixth is left of them, and packing takes less time
# than writing and checking the rest. What is small is not worth it.
LEAST_PACKED_BYTES = 4096
_PACKED = 1 << 31
_snappy = pyarrow.Codec("snappy")


class JournalError(Exception):
    """The journal does not hold what the recovery store says it does."""


class FileJournal:
    """Journal of the shard `name` in a folder (operators.machine.Journal)."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        # 0: not yet begun.
        self._generation = 0
        self._length = 0
        # What base, and base and entries together, come to before they are packed.
        self._base_bytes = 0
        self._bytes = 0
        # Whether the name of the newest generation is as durable as what is in it.
        self._named = True
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        # (generation, marks since it was replaced)
        self._old: list[list[int]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, generation: int) -> Path:
        return self._folder / f"{self._name}.{generation:08d}.journal"

    def _generations(self) -> list[int]:
        pattern = re.compile(re.escape(self._name) + r"\.(\d{8})\.journal")
        found = (pattern.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def read(self, generation: int, length: int) -> list[bytes]:
        """Base and entries up to a mark; what was written after it is cut off.

        Raises:
            JournalError: the file is missing, shorter than the mark, or damaged.
        """
        path = self._path(generation)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            msg = f"{path} is missing: restore the recovery folder as a whole, or start a new one"
            raise JournalError(msg) from None
        if len(data) < length:
            msg = (
                f"{path} has {len(data)} bytes, the recovery store counts on {length}: "
                "restore the recovery folder as a whole, or start a new one"
            )
            raise JournalError(msg)
        frames = _frames(memoryview(data)[:length], path)
        os.truncate(path, length)
        self._generation = generation
        self._length = length
        self._bytes = sum(HEADER + len(frame) for frame in frames)
        self._base_bytes = len(frames[0])
        for other in self._generations():
            if other > generation:
                self._path(other).unlink()
            elif other < generation:
                self._old.append([other, 0])
        return frames

    def append(self, entry: bytes) -> None:
        """Add an entry; durable at the next mark."""
        self._add(entry)
        if self._pending_bytes >= MOST_PENDING_BYTES:
            with self._path(self._generation).open("ab") as file:
                self._write(file)

    def _add(self, entry: bytes) -> None:
        header, payload = _frame(entry)
        self._pending += (header, payload)
        self._pending_bytes += HEADER + len(payload)
        self._length += HEADER + len(payload)
        self._bytes += HEADER + len(entry)

    def _write(self, file: BinaryIO) -> None:
        file.writelines(self._pending)
        self._pending.clear()
        self._pending_bytes = 0

    def wants_base(self) -> bool:
        """Whether the entries weigh more than the base."""
        return self._bytes > self._base_bytes + max(self._base_bytes, SMALLEST_REBASE_BYTES)

    def rebase(self, base: bytes) -> None:
        """Start a new generation from a base; the old one stays for a while."""
        known = self._generations()
        if self._generation:
            self._old.append([self._generation, 0])
        else:
            self._old = [[generation, 0] for generation in known]
        self._generation = max(known, default=0) + 1
        self._pending.clear()
        self._pending_bytes = self._length = self._bytes = 0
        self._add(base)
        self._base_bytes = len(base)
        self._path(self._generation).touch(exist_ok=False)
        self._named = False

    def mark(self) -> tuple[int, int]:
        """Write and sync what was appended; the generation and length to read it back."""
        # Opened for a moment only: nobody tells a journal when it is not needed any more.
        with self._path(self._generation).open("ab") as file:
            self._write(file)
            file.flush()
            os.fdatasync(file.fileno())
        if not self._named:
            _sync(self._folder)
            self._named = True
        for old in self._old:
            old[1] += 1
            if old[1] > MARKS_TO_KEEP:
                self._path(old[0]).unlink(missing_ok=True)
        self._old = [old for old in self._old if old[1] <= MARKS_TO_KEEP]
        return (self._generation, self._length)


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _frame(entry: bytes) -> tuple[bytes, bytes]:
    """Header and payload.

    Raises:
        JournalError: it is longer than a header can say.
    """
    packed = 0
    payload = entry
    if len(entry) >= LEAST_PACKED_BYTES:
        packed = _PACKED
        payload = len(entry).to_bytes(8, "little") + _snappy.compress(entry, asbytes=True)
    if len(payload) >= _PACKED:
        msg = f"{len(payload):,} bytes in one journal entry, at most {_PACKED - 1:,} are possible"
        raise JournalError(msg)
    length = len(payload) | packed
    return length.to_bytes(4, "little") + crc32(payload).to_bytes(4, "little"), payload


def _frames(data: memoryview, path: Path) -> list[bytes]:
    frames: list[bytes] = []
    at = 0
    while at < len(data):
        head = int.from_bytes(data[at : at + 4], "little")
        size = head & ~_PACKED
        payload = bytes(data[at + HEADER : at + HEADER + size])
        if len(payload) < size or crc32(payload) != int.from_bytes(
            data[at + 4 : at + HEADER], "little"
        ):
            msg = f"{path} is damaged at byte {at}: restore it, or start a new recovery folder"
            raise JournalError(msg)
        if head & _PACKED:
            whole = int.from_bytes(payload[:8], "little")
            payload = _snappy.decompress(payload[8:], whole, asbytes=True)
        frames.append(payload)
        at += HEADER + size
    return frames
