"""Every problem the API answers with: its type, its status, its words."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.coupons import Names
from serving.holds.messages import HoldAnswer, Problem, ShortageItem, UnknownItem
from sinks.redis import errors

URN = "urn:tillflow:problem:"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem; `name` ends its URN and never changes."""

    name: str
    status: int
    title: str
    retry: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("invalid-request", 400, "The request is not as it must be"),
        Kind("missing-key", 401, "The request carries no API key"),
        Kind("unknown-key", 401, "The API key is not known or was revoked"),
        Kind("missing-scope", 403, "The API key may not do this"),
        Kind("not-found", 404, "There is nothing at this address"),
        Kind("unknown-hold", 404, "There is no such hold"),
        Kind("unknown-coupon", 404, "There is no such coupon"),
        Kind("method-not-allowed", 405, "This address does not take that method"),
        Kind("short", 409, "Not enough can be promised"),
        Kind("id-conflict", 409, "The id belongs to another hold"),
        Kind("cap-reached", 409, "The customer holds as much as one may"),
        Kind("already-confirmed", 409, "The hold has been paid"),
        Kind("expired-short", 409, "Paid too late, and the units are gone"),
        Kind("not-held", 409, "The hold has ended"),
        Kind("coupon-refused", 409, "The coupon cannot be had or used"),
        Kind("call-conflict", 409, "The id belongs to a call with other content"),
        Kind("request-too-large", 413, "The request is too large"),
        Kind("unknown-sku", 422, "No position of a SKU is known"),
        Kind("unknown-campaign", 422, "No such campaign is published"),
        Kind("rate-limited", 429, "Too many requests with this key", retry=True),
        Kind("internal", 500, "The server failed"),
        Kind("gate-closed", 503, "No holds are taken just now", retry=True),
        Kind("gate-busy", 503, "What the call is about kept changing", retry=True),
        Kind("gate-full", 503, "The store of holds is full", retry=True),
        Kind("gate-unavailable", 503, "The store of holds did not answer", retry=True),
        Kind("coupons-closed", 503, "No coupons are taken just now", retry=True),
        Kind("coupons-busy", 503, "What the call is about kept changing", retry=True),
        Kind("coupons-full", 503, "The store of coupons is full", retry=True),
        Kind("coupons-unavailable", 503, "The store of coupons did not answer", retry=True),
    )
}


class ProblemError(Exception):
    """A problem on its way to the client."""

    def __init__(
        self,
        detail: str,
        name: str,
        *,
        hold: HoldAnswer | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.kind, self.detail = KINDS[name], detail
        self.hold, self.retry_after = hold, retry_after
        super().__init__(f"{name}: {detail}")

    @property
    def problem(self) -> Problem:
        """The body of the answer."""
        return problem(self.kind, self.detail, hold=self.hold)


def problem(
    kind: Kind,
    detail: str | None,
    *,
    hold: HoldAnswer | None = None,
    shortages: list[ShortageItem] | None = None,
    unknown: list[UnknownItem] | None = None,
    reason: str | None = None,
    words: Names | None = None,
) -> Problem:
    """The body of an answer."""
    return Problem(
        type=URN + kind.name,
        title=kind.title,
        status=kind.status,
        detail=detail,
        hold=hold,
        shortages=shortages,
        unknown=unknown,
        reason=reason,
        words=words,
    )


_SIMPLE: tuple[tuple[type[errors.GateError], str], ...] = (
    (errors.InvalidHold, "invalid-request"),
    (errors.Mismatch, "id-conflict"),
    (errors.CapReached, "cap-reached"),
    (errors.AlreadyConfirmed, "already-confirmed"),
    (errors.UnknownReservation, "unknown-hold"),
    (errors.GateBusy, "gate-busy"),
    (errors.GateFull, "gate-full"),
)


def of_gate(wrong: errors.GateError) -> tuple[Kind, Problem]:
    """What the gate refused, as a problem; nothing of the server's inside is shown."""
    if isinstance(wrong, errors.Short):
        kind = KINDS["short"]
        shortages = [
            ShortageItem(each.sku, each.wanted, each.available) for each in wrong.shortages
        ]
        return kind, problem(kind, str(wrong), shortages=shortages)
    if isinstance(wrong, errors.UnknownSku):
        kind = KINDS["unknown-sku"]
        unknown = [UnknownItem(sku, place or None) for sku, place in wrong.unknown]
        return kind, problem(kind, str(wrong), unknown=unknown)
    if isinstance(wrong, errors.GateClosed):
        kind = KINDS["gate-closed"]
        detail = f"the gate is {wrong.state}: try again when it has been rebuilt"
        return kind, problem(kind, detail)
    if isinstance(wrong, errors.GateUnavailable):
        kind = KINDS["gate-unavailable"]
        detail = "it is not known whether the call was done: make it again with the same id"
        return kind, problem(kind, detail)
    for refusal, name in _SIMPLE:
        if isinstance(wrong, refusal):
            return KINDS[name], problem(KINDS[name], str(wrong))
    return KINDS["internal"], problem(KINDS["internal"], "see the log of the server")
