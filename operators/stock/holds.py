"""What the hold gate's events mean to the ledger: a paid hold is the claim of a placed order."""

from __future__ import annotations

from schemas.movement import Confirmed
from schemas.reservation import Reservation


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
