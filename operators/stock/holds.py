"""What the hold gate's events mean: a paid hold is the claim of a placed order; each has a row."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from schemas.instants import parse_instant
from schemas.movement import Confirmed
from schemas.reservation import Reservation, ReservationState

# What a line may come to only after another: of two events of one instant the larger is later.
_RANKS: dict[ReservationState, int] = {
    "held": 0,
    "released": 1,
    "expired": 1,
    "expired_short": 2,
    "confirmed": 2,
}
# As the gate's relay names events: milliseconds and number of the entry of its outbox.
_ENTRY = re.compile(r"(\d+)-(\d+)#", re.ASCII)
# A version is time (us), rank and number side by side: so much of it fits beside the year 2999.
_NUMBER_BITS = 6
_RANK_BITS = 2
_MILLISECOND_US = 1_000
# As operators.stock.decode has it for the times of events.
_EARLIEST, _LATEST = map(parse_instant, ("1900-01-01T00:00:00Z", "3000-01-01T00:00:00Z"))


def confirmed_hold(reservation: Reservation) -> Confirmed | None:
    """What an event adds to the ledger: the claim that was paid, if it says that, else nothing.

    Units that are merely held are counted by the gate alone; a claim moves over to the ledger when
    it is paid. One that was paid too late and found nothing is no claim.
    """
    if reservation.state != "confirmed":
        return None
    return Confirmed(
        sku=reservation.sku,
        place=reservation.place,
        quantity=reservation.quantity,
        order=reservation.order or reservation.reservation,
        hold_seq=reservation.hold_seq,
    )


def reservation_row(event_id: str, time: int, reservation: Reservation) -> tuple[Any, ...]:
    """The row of the table `reservation` that an event tells; instants in us since 1970.

    Raises:
        ValidationError: the line is held until no readable instant.
    """
    expires_at = None
    if reservation.state == "held" and reservation.expires_at is not None:
        expires_at = _expiry(reservation.expires_at)
    return (
        reservation.reservation,
        reservation.sku,
        reservation.place,
        reservation.state,
        reservation.quantity,
        reservation.hold_seq,
        reservation.order or None,
        reservation.channel or None,
        expires_at,
        time,
        version_of(event_id, time, reservation.state),
    )


def version_of(event_id: str, time: int, state: ReservationState) -> int:
    """What decides between two states of one line: time, then rank, then the gate's own number.

    The gate's clock has milliseconds, in which a hold can be made and extended, or lapse and be
    paid. A number past the bits that it has is the largest that they hold, and so is that of an
    entry whose millisecond began after the gate had looked at its clock.
    """
    entry = _ENTRY.match(event_id)
    number = most = (1 << _NUMBER_BITS) - 1
    if entry is None:
        number = 0
    elif int(entry[1]) <= time // _MILLISECOND_US:
        number = min(int(entry[2]), most)
    return ((time << _RANK_BITS | _RANKS[state]) << _NUMBER_BITS) | number


def _expiry(text: str) -> int:
    try:
        instant = parse_instant(text)
    except ValueError as wrong:
        msg = f"expires_at: {wrong}"
        raise msgspec.ValidationError(msg) from None
    if _EARLIEST <= instant < _LATEST:
        return instant
    msg = "expires_at: before the year 1900 or after 2999"
    raise msgspec.ValidationError(msg)
