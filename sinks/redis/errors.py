"""What the gate answers instead of a hold. Each message says what, where and what to do.

Nothing was written when one of these is raised, except `GateUnavailable`: then it is not known, and
the same call with the same id may simply be made again.
"""

from __future__ import annotations

from dataclasses import dataclass


class GateError(Exception):
    """Base of everything the gate raises."""


class InvalidHold(GateError, ValueError):
    """The call itself is wrong: no lines, too many, a quantity below 1, a time out of range."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """An SKU of which less can be promised than was wanted, lapsed holds not counted."""

    sku: str
    wanted: int
    available: int


class Short(GateError):
    """Not all lines can be held, so none is; `shortages` has every SKU that falls short."""

    def __init__(self, shortages: list[Shortage]) -> None:
        self.shortages = shortages
        told = ", ".join(f"{s.sku!r}: {s.wanted} wanted, {s.available} there" for s in shortages)
        super().__init__(f"not enough to promise: {told}")


class Mismatch(GateError):
    """The id is that of a hold with other lines, order, channel or customer."""


class GateClosed(GateError):
    """The gate is empty, being rebuilt, or of another epoch: it promises nothing until it is open.

    `state` is empty, closed, restarted (Redis is not the process that it was opened on, and may
    have lost its last writes) or open (then the epoch is another one).
    """

    def __init__(self, pool: str, state: str, epoch: str) -> None:
        self.state, self.epoch = state, epoch
        super().__init__(
            f"the hold gate of pool {pool!r} is {state}"
            + (f" (epoch {epoch!r})" if epoch else "")
            + ": it must be rebuilt or opened before it takes holds (the keeper does), see "
            "docs/holds.md"
        )


class UnknownSku(GateError):
    """No position of these (sku, place) has arrived; the place is empty when no place has it."""

    def __init__(self, pool: str, unknown: list[tuple[str, str]]) -> None:
        self.unknown = unknown
        told = ", ".join(f"{sku!r}" + (f" at {at!r}" if at else "") for sku, at in unknown)
        super().__init__(f"no position in pool {pool!r} yet of {told}")


class UnknownReservation(GateError):
    """There is no such hold, or its record has ended (see `GateSettings.kept_seconds`)."""


class CapReached(GateError):
    """The customer would have more unpaid holds or units than one may have."""

    def __init__(self, holds: int, units: int) -> None:
        self.holds, self.units = holds, units
        super().__init__(
            f"the customer would have {holds} unpaid holds of {units} units, "
            "more than one customer may have"
        )


class AlreadyConfirmed(GateError):
    """The hold to replace has been paid: its order must be cancelled instead."""


class GateBusy(GateError):
    """What the call is about kept changing between its tries. Make it again."""


class GateUnavailable(GateError):
    """Redis did not answer: it is not known whether the call was done. Make it again, same id."""


class GateFull(GateError):
    """The server is at its memory limit: what is held can be paid or released, nothing added."""


class ServerUnfit(GateError):
    """The server would lose or evict holds, or is too old; the message says what to set."""


class OutboxNotEmpty(GateError):
    """Events still wait in the outbox: relay and trim them before the gate is written again."""


class GateOpen(GateError):
    """The gate is open: close it before it is written again."""
