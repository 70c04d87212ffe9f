"""Rows that are on their way to the warehouse, and the form in which a snapshot carries them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from operators.stock.refusals import Refusal
from schemas.warehouse import STOCK_POSITION

# (format, positions as an Arrow stream, alerts, withdrawn, refusals, reservations): plain values
# only, for pickled classes would tie the recovery store to module paths.
Carried = tuple[Any, ...]
# That of before had no reservations.
BEFORE = 1
FORMAT = 2


@dataclass(slots=True)
class Pending:
    """Rows that wait: positions and reservations as they were made, alerts by id."""

    positions: list[pa.RecordBatch] = field(default_factory=list)
    alerts: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    reservations: list[tuple[Any, ...]] = field(default_factory=list)

    def __bool__(self) -> bool:
        changes = self.positions or self.alerts or self.withdrawn
        return bool(changes or self.refusals or self.reservations)

    def __len__(self) -> int:
        rows = sum(map(len, self.positions)) + len(self.alerts) + len(self.reservations)
        return rows + len(self.withdrawn) + len(self.refusals)

    @classmethod
    def joined(cls, first: Pending, then: Pending) -> Pending:
        """The rows of both, those of `then` made later."""
        alerts = {row: kept for row, kept in first.alerts.items() if row not in then.withdrawn}
        return cls(
            [*first.positions, *then.positions],
            alerts | then.alerts,
            (first.withdrawn - then.alerts.keys()) | then.withdrawn,
            [*first.refusals, *then.refusals],
            [*first.reservations, *then.reservations],
        )

    def packed(self) -> Carried:
        """The rows as a snapshot carries them."""
        out = pa.BufferOutputStream()
        with pa.ipc.new_stream(out, STOCK_POSITION.arrow()) as stream:
            for batch in self.positions:
                stream.write_batch(batch)
        return (
            FORMAT,
            out.getvalue().to_pybytes(),
            list(self.alerts.values()),
            sorted(self.withdrawn),
            [tuple(refusal) for refusal in self.refusals],
            self.reservations,
        )

    @classmethod
    def unpacked(cls, carried: Carried) -> Pending:
        """The rows of a snapshot.

        Raises:
            ValueError: it is of a format that this code does not read.
        """
        number, *values = carried
        if number == BEFORE:
            values = [*values, []]
        elif number != FORMAT:
            msg = (
                f"the snapshot of the warehouse sink has format {number}, this tillflow reads "
                f"{FORMAT}: run the version that wrote it, or start with an empty recovery folder"
            )
            raise ValueError(msg)
        positions, alerts, withdrawn, refusals, reservations = values
        return cls(
            list(pa.ipc.open_stream(positions)),
            {row[0]: tuple(row) for row in alerts},
            set(withdrawn),
            [Refusal(*row) for row in refusals],
            list(map(tuple, reservations)),
        )
