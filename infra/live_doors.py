"""Where a channel asks for holds: the HTTP API, or the gate with its own client."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from sinks.redis import errors
from sinks.redis.client import HoldGate
from sinks.redis.model import Hold, HoldLine
from sinks.redis.settings import GateSettings

# What a customer waits for an answer; a gate that hangs must not hold up a whole chain.
TIMEOUT_SECONDS = 2.0
# How often a channel comes again when it was too fast.
WAITS = 3
OPEN = "open"
REFUSED = "refused"
UNKNOWN = "unknown"
# What the API answers to a request that is as it must be.
ANSWERS = (200, 201, 409, 422)
Units = tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a gate answered: a state of the hold, or `refused`, `unknown`, or `open`.

    `open`: nobody answered, or the gate is closed; whether something was done is not known.
    `units` are (SKU, place, quantity).
    """

    state: str
    units: Units = ()
    why: str = ""


class DoorError(Exception):
    """The door is not what it should be: a wrong address or key, no such call."""


class HoldDoor(Protocol):
    """Where holds are asked for."""

    def hold(
        self, name: str, sku: str, units: int, place: str | None, ttl: float, order: str
    ) -> Told:
        """Claim units at a place."""

    def confirm(self, name: str) -> Told:
        """Paid."""

    def release(self, name: str) -> Told:
        """Given up."""

    def close(self) -> None:
        """Let go of connections."""


class GateDoor:
    """The gate itself."""

    def __init__(self, url: str, pool: str = "all") -> None:
        settings = GateSettings(url=url, pool=pool, timeout_seconds=TIMEOUT_SECONDS)
        self._gate = HoldGate(settings)

    def hold(
        self, name: str, sku: str, units: int, place: str | None, ttl: float, order: str
    ) -> Told:
        """Claim units at a place."""
        lines = [HoldLine(sku, units, place)]
        return _told(lambda: self._gate.hold(name, lines, ttl_seconds=ttl, order=order))

    def confirm(self, name: str) -> Told:
        """Paid."""
        return _told(lambda: self._gate.confirm(name))

    def release(self, name: str) -> Told:
        """Given up."""
        return _told(lambda: self._gate.release(name))

    def close(self) -> None:
        """Let go of connections."""
        self._gate.close()


def _told(call: Callable[[], Hold]) -> Told:
    try:
        hold = call()
    except errors.UnknownReservation:
        return Told(UNKNOWN)
    except (errors.GateClosed, errors.GateBusy, errors.GateUnavailable) as wrong:
        return Told(OPEN, why=type(wrong).__name__)
    except errors.GateError as wrong:
        return Told(REFUSED, why=type(wrong).__name__)
    return Told(hold.state, tuple((line.sku, line.place, line.quantity) for line in hold.lines))


class ApiDoor:
    """The HTTP API, with a key of it."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=TIMEOUT_SECONDS,
        )

    def hold(
        self, name: str, sku: str, units: int, place: str | None, ttl: float, order: str
    ) -> Told:
        """Claim units at a place."""
        line = {"sku": sku, "quantity": units} | ({} if place is None else {"place": place})
        return self._post(
            "/v1/holds", {"id": name, "lines": [line], "ttl_seconds": ttl, "order": order}
        )

    def confirm(self, name: str) -> Told:
        """Paid."""
        return self._post(f"/v1/holds/{quote(name, safe='')}/confirm", None)

    def release(self, name: str) -> Told:
        """Given up."""
        return self._post(f"/v1/holds/{quote(name, safe='')}/release", None)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _post(self, path: str, body: dict[str, Any] | None) -> Told:
        try:
            answer = self._client.post(path, json=body)
            for _ in range(WAITS):
                if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    break
                # The key has its rate: a channel keeps to it.
                time.sleep(min(float(answer.headers.get("Retry-After", 1)), TIMEOUT_SECONDS))
                answer = self._client.post(path, json=body)
            found = answer.json()
        except (httpx.HTTPError, ValueError) as wrong:
            return Told(OPEN, why=type(wrong).__name__)
        kind = str(found.get("type", "")).rpartition(":")[2]
        if answer.status_code == httpx.codes.NOT_FOUND and kind == "unknown-hold":
            return Told(UNKNOWN)
        if answer.status_code >= 500 or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return Told(OPEN, why=kind)
        if answer.status_code not in ANSWERS:
            msg = f"{answer.url} answered {answer.status_code}: {found.get('detail') or kind}"
            raise DoorError(msg)
        hold = found if answer.is_success else found.get("hold")
        if kind == "already-confirmed":
            return Told("confirmed", _units(hold), kind)
        if hold is None:
            return Told(REFUSED, why=kind)
        return Told(hold["state"], _units(hold), kind)


def _units(hold: dict[str, Any] | None) -> Units:
    lines = [] if hold is None else hold["lines"]
    return tuple((line["sku"], line["place"], line["quantity"]) for line in lines)
