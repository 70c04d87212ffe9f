"""The warehouse's tables of coupons: what was told of them, and what members bought meanwhile."""

from __future__ import annotations

from schemas.tables import Column, Table

COUPON_EVENT = Table(
    name="coupon_event",
    comment=(
        "What happened to coupons, as the desk told it: a row an event, so that reading it again "
        "changes nothing. coupon_state has what it came to."
    ),
    primary_key=("source", "event"),
    version="version",
    columns=(
        Column("source", "text", "`source` of the event: a coupon desk in one of its epochs"),
        Column("event", "text", "`id` of the event"),
        Column("desk", "text", "the desk's name"),
        Column("number", "integer", "its place among the desk's events; larger is later"),
        Column("coupon", "text", "id; of erased members a hash of it"),
        Column("campaign", "text", "id in coupons.yaml"),
        Column("member", "text", "pseudonym of whose it is; empty: erased"),
        Column("what", "text", "issued, reserved, released, redeemed, rolled_back or expired"),
        Column("at", "instant", "when"),
        Column("day", "text", "the day of it by the chain's clock, YYYY-MM-DD"),
        Column("valid_from", "instant", "valid from then"),
        Column("valid_to", "instant", "valid until then, not included"),
        Column("receipt", "text", "order at the till", "", True),
        Column("store", "text", "where", "", True),
        Column("amount_off", "integer", "taken off or given back", "minor money units", True),
        Column("basket", "integer", "goods that count, before it", "minor money units", True),
        Column("partial", "integer", "of rolled_back: 1 only some of the goods came back"),
        Column("message", "text", "issued: what it was issued by", "", True),
        Column("experiment", "text", "issued: of which experiment", "", True),
        Column("arm", "text", "issued: the member's arm of it", "", True),
        Column("version", "integer", "always 1: what was told does not change"),
    ),
)

COUPON_REJECTION = Table(
    name="coupon_rejection",
    comment=(
        "Coupons that tills asked for and did not get, as the desk told it: a row a coupon, order "
        "and code, however often the till tried. coupon_friction has them by shop and day."
    ),
    primary_key=("desk", "coupon", "receipt", "code"),
    version="version",
    columns=(
        Column("desk", "text", "the desk's name"),
        Column("coupon", "text", "id; of erased members and of unknown coupons a hash of it"),
        Column("receipt", "text", "order at the till"),
        Column("code", "text", "why: as the API refuses, or unknown_coupon"),
        Column("verb", "text", "reserve or redeem"),
        Column("campaign", "text", "id in coupons.yaml; empty: there is no such coupon"),
        Column("member", "text", "pseudonym of whose it is; empty: erased or no such coupon"),
        Column("store", "text", "where; empty: the till did not say"),
        Column("at", "instant", "when"),
        Column("day", "text", "the day of it by the chain's clock, YYYY-MM-DD"),
        Column("left_out", "integer", "of the whole desk: so many before it were not told"),
        Column("version", "integer", "place among the desk's events: of two the later one counts"),
    ),
)

PURCHASE = Table(
    name="purchase",
    comment=(
        "What members bought, and gave back: a row a receipt (part empty) and a row a refund of it."
    ),
    primary_key=("store", "receipt", "part"),
    version="version",
    columns=(
        Column("store", "text", "shop of the receipt"),
        Column("receipt", "text", "order at the till"),
        Column("part", "text", "empty: the purchase; else the refund"),
        Column("member", "text", "pseudonym"),
        Column("at", "instant", "when"),
        Column("day", "text", "the day of it by the chain's clock, YYYY-MM-DD"),
        Column("amount", "integer", "paid; below 0: given back", "minor money units"),
        Column("currency", "text", "of amount"),
        Column("version", "integer", "always 1: of the same receipt the last row counts"),
    ),
)

COUPON_CAMPAIGN = Table(
    name="coupon_campaign",
    comment="The coupons of the chain as their file has them.",
    primary_key=("campaign",),
    version="version",
    columns=(
        Column("campaign", "text", "id"),
        Column("name_zh", "text", "what people read"),
        Column("name_en", "text", "what people read"),
        Column("kind", "text", "amount_off, percent_off or gift"),
        Column("threshold", "integer", "what the goods have to cost", "minor money units"),
        Column("most_off", "integer", "at most off a basket", "minor money units", True),
        Column("stores", "json", "shops in which it counts, null: all"),
        Column("currency", "text", "of the money"),
        Column("timezone", "text", "of its days"),
        Column("version", "integer", "of the file"),
        Column(
            "goods",
            "json",
            "skus and categories it is for and the gift's SKU, null: all; empty: not read since",
            "",
            True,
            added=True,
        ),
    ),
)

MESSAGE_OPENED = Table(
    name="message_opened",
    comment="Messages that members opened: a row a message and who did, with the first time of it.",
    primary_key=("message", "member"),
    version="version",
    columns=(
        Column("message", "text", "id, as in the table message"),
        Column("member", "text", "pseudonym"),
        Column("at", "instant", "when it was first opened"),
        Column("version", "integer", "microseconds until 1970 of `at`: the first time stands"),
    ),
)

MEMBER_GONE = Table(
    name="member_gone",
    comment="Pseudonyms that were erased: nothing that comes later is written of them.",
    primary_key=("member",),
    version="version",
    columns=(
        Column("member", "text", "pseudonym"),
        Column("version", "integer", "always 1: who is gone stays so"),
    ),
)
