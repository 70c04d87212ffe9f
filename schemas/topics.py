"""Topic names, keys and retention on the log; a file of events carries the same types."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: records of one `key` keep their order, nothing else does."""

    name: str
    key: str
    comment: str
    compacted: bool = False


TOPICS: tuple[Topic, ...] = (
    Topic("stock.movement.v1", "sku", "what happened to units at a place"),
    Topic("stock.position.v1", "sku@place", "absolute, versioned positions", compacted=True),
    Topic("stock.alert.v1", "sku@place", "alerts raised, updated and cleared"),
    Topic("stock.reservation.v1", "sku", "units held, confirmed and given back, from the gate"),
    Topic("stock.transfer_suggestion.v1", "sku", "transfers between places, as they go on"),
    Topic("stock.transfer_decision.v1", "sku", "suggested transfers accepted and rejected"),
    Topic("tillflow.dead_letter.v1", "origin", "what could not be read, byte by byte"),
    Topic("store.visit.v1", "store", "people through a door"),
    Topic("pos.order.v1", "store", "orders rung up at tills"),
    Topic("footfall.window.v1", "store", "quarters of an hour of a store, versioned"),
    Topic("staffing.alert.v1", "store", "rosters off the need of the running day"),
    Topic("pos.refund.v1", "store", "money given back for a receipt"),
    Topic("member.registered.v1", "member", "new members, their home store and zone"),
    Topic("member.merged.v1", "member", "two ids are one person"),
    Topic("member.unmerged.v1", "member", "a merge was a mistake"),
    Topic("member.erased.v1", "member", "people who asked to be forgotten"),
    Topic("member.consent.v1", "member", "what members allowed and forbade, with evidence"),
    Topic("member.thresholds.v1", "version", "from when on which figures are high"),
    Topic("coupon.event.v1", "member", "what becomes of coupons, and which tills rejected"),
    Topic("member.segment_changed.v1", "member", "changes of segment, with their cause"),
    Topic("member.health_changed.v1", "member", "bands of members' health, falling by time, too"),
    Topic("message.decided.v1", "member", "what journeys decided to do, to put off, or not to do"),
    Topic("message.accepted.v1", "member", "messages that a provider has taken"),
    Topic("message.delivered.v1", "member", "messages that arrived"),
    Topic("message.failed.v1", "member", "messages that will not arrive, and why"),
    Topic("message.opened.v1", "member", "messages that members opened"),
    Topic("message.unknown.v1", "member", "messages of which nobody can know whether they arrived"),
    Topic("member.subscription.v1", "member", "WeChat messages that members allowed, one by one"),
)
