"""Key names of one desk. One hash tag holds them all in one slot, so that a call may touch any."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.redis.keys import quoted


@dataclass(frozen=True)
class Keys:
    """The keys of `desk`."""

    desk: str

    @property
    def tag(self) -> str:
        """What every key begins with; no pool of holds has the same."""
        return "{coupons:" + quoted(self.desk) + "}"

    @property
    def state(self) -> str:
        """Hash: state, epoch, version, book of what is published; `gone:DIGEST`, who was erased."""
        return f"{self.tag}:desk"

    @property
    def log(self) -> str:
        """Stream: the outbox."""
        return f"{self.tag}:log"

    @property
    def due(self) -> str:
        """Sorted set: unused coupons by the time they expire."""
        return f"{self.tag}:due"

    @property
    def rules(self) -> str:
        """Hash: the rules of all campaigns there ever were."""
        return f"{self.tag}:rules"

    @property
    def base(self) -> list[str]:
        """The first keys of every call."""
        return [self.state, self.log, self.due, self.rules]

    @property
    def unknown(self) -> str:
        """Sorted set: rejections of coupons that there are not, by the time they were told."""
        return f"{self.tag}:unknown"

    def coupon(self, coupon: str) -> str:
        """String: one coupon, as JSON."""
        return f"{self.tag}:c:{quoted(coupon)}"

    def member(self, member: str) -> str:
        """Sorted set: the usable coupons of a member by the time they expire."""
        return f"{self.tag}:m:{quoted(member)}"

    def rule(self, campaign: str) -> list[str]:
        """Hash of a campaign's caps and counters, sorted set of its reservations."""
        name = quoted(campaign)
        return [f"{self.tag}:r:{name}", f"{self.tag}:l:{name}"]

    def counts(self, campaign: str) -> str:
        """Hash: how many coupons of a campaign each member was issued."""
        return f"{self.tag}:n:{quoted(campaign)}"

    def order(self, order: str) -> str:
        """Sorted set: the coupons of an order by how long they are its own."""
        return f"{self.tag}:o:{quoted(order)}"

    def one(self, coupon: str, campaign: str, member: str, order: str) -> list[str]:
        """What a call about one coupon names."""
        return [
            self.coupon(coupon),
            *self.rule(campaign),
            self.member(member),
            self.counts(campaign),
            self.order(order),
        ]
