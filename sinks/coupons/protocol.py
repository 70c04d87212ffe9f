"""The desk's calls as conversations, and what they remember between them."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from sinks.coupons.errors import (
    CouponError,
    DeskBusy,
    DeskClosed,
    DeskFull,
    DeskUnavailable,
    InvalidCall,
    Mismatch,
    NotPublished,
    Refused,
    UnknownCampaign,
    UnknownCoupon,
)
from sinks.coupons.keys import Keys
from sinks.coupons.settings import DeskSettings
from sinks.redis.library import Library
from sinks.redis.scripted import TRIES, Remembered, Scripted, Steps

MAX_NAME = 200
_DAY_MS = 86_400_000
_words = msgspec.json.Decoder(dict[str, Any])


class Owner(msgspec.Struct):
    """Whose coupon it is and of which campaign: what its keys are made of. It never changes."""

    campaign: str
    member: str


_owner = msgspec.json.Decoder(Owner)
_NOBODY = Owner("", "")


class Other(Exception):
    """The call named other keys than those it needs; `owner` has what it needs."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner


class Protocol(Scripted):
    """The calls of one desk."""

    def __init__(self, settings: DeskSettings, library: Library) -> None:
        self.settings = settings
        self.keys = Keys(settings.desk)
        super().__init__(library, self.keys.base, settings.scripting)
        self.owners: Remembered[str, Owner] = Remembered()

    @property
    def kept(self) -> int:
        """How long a coupon is remembered after its end, in ms."""
        return self.settings.kept_days * _DAY_MS

    def about(self, verb: str, coupon: str, payload: dict[str, Any]) -> Steps[bytes]:
        """A call about one coupon; whose it is is learned on the way."""
        check_name("coupon", coupon)
        payload |= {"coupon": coupon, "kept": self.kept}
        for _ in range(TRIES):
            owner = self.owners.get(coupon, _NOBODY)
            payload |= {"campaign": owner.campaign, "member": owner.member}
            keys = self.keys.one(coupon, owner.campaign, owner.member, payload["order"])
            try:
                return (yield from self.call(verb, keys, payload))
            except Other as other:
                self.owners.keep(coupon, other.owner)
        msg = f"coupon {coupon!r} kept changing during {TRIES} tries: make the call again"
        raise DeskBusy(msg)

    def unavailable(self, wrong: Exception) -> DeskUnavailable:
        """The error when no answer came."""
        return DeskUnavailable(
            f"{self.settings!r} gave no answer ({wrong}): it is not known whether the call was "
            "done, make it again with the same id"
        )

    def unknown(self) -> UnknownCoupon:
        """The error when there is no such coupon."""
        return UnknownCoupon(
            f"no such coupon at desk {self.settings.desk!r}, or it ended more than "
            f"{self.settings.kept_days} days ago"
        )

    def full(self) -> DeskFull:
        """The error when the server is at its memory limit."""
        return DeskFull(
            "Redis is at its memory limit and issues or reserves no coupon; nothing was written. "
            "Raise `maxmemory`, and see that the outbox is relayed"
        )

    def refused(self, wrong: Exception) -> CouponError:
        """The error when the server refused for another reason."""
        return CouponError(f"Redis refused a call of the coupon desk: {wrong}")

    def refusal(self, word: bytes, body: bytes) -> Exception:
        """The error that a script answered instead of OK."""
        match word:
            case b"RETRY":
                return Other(_owner.decode(body))
            case b"REFUSED":
                return Refused(_words.decode(body)["reason"])
            case b"MISMATCH":
                return Mismatch("the id belongs to a call with other content: use a new id")
            case b"UNKNOWN":
                return self.unknown()
            case b"UNKNOWN_CAMPAIGN":
                return UnknownCampaign("no such campaign: `tillflow coupon publish` its file")
            case b"CLOSED":
                return DeskClosed(self.settings.desk, _words.decode(body)["state"])
            case b"OPEN":
                return NotPublished("the desk is open, or somebody else has begun to write it anew")
            case b"OLDER":
                return NotPublished(
                    f"version {_words.decode(body)['version']} is published: give the file a "
                    "higher version"
                )
            case b"SAME_VERSION":
                return NotPublished(
                    f"another file of version {_words.decode(body)['version']} is published: give "
                    "this one a higher version"
                )
            case b"TERMS":
                named = ", ".join(_words.decode(body)["campaigns"])
                return NotPublished(
                    f"{named}: members have coupons with the terms of before. Only budget, "
                    "per_member, name, stopped and offline_hours may change; give new terms a new "
                    "id"
                )
        return CouponError(f"the desk answered {word!r}, which this release does not know")


def check_name(what: str, name: str) -> None:
    """Names are 1 to 200 characters, as in every event.

    Raises:
        InvalidCall: it is not.
    """
    if not 1 <= len(name) <= MAX_NAME:
        msg = f"{what} {name[:40]!r} has {len(name)} characters, not 1 to {MAX_NAME}"
        raise InvalidCall(msg)


def fingerprint(*content: object) -> str:
    """What makes a repeated call the same call: its content."""
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:24]


def digest(member: str) -> str:
    """What a desk keeps of an erased member: enough to know the id when it comes again."""
    return hashlib.sha256(member.encode()).hexdigest()[:32]
