"""The warehouse's table of what became of messages."""

from __future__ import annotations

from schemas.tables import Column, Table

MESSAGE_DELIVERY = Table(
    name="message_delivery",
    comment=(
        "What became of a message in a channel; a message that could not go in one has a row for "
        "the next one, too."
    ),
    primary_key=("message", "channel"),
    version="version",
    columns=(
        Column("message", "text", "id, as in the table message"),
        Column("channel", "text", "as journeys name it; coupons: issued at the coupon desk"),
        Column("member", "text", "pseudonym"),
        Column("status", "text", "accepted by the provider, delivered, failed or unknown"),
        Column(
            "reason",
            "text",
            "of failed: expired, consent, erased, quiet, no_address, no_credit, no_template, "
            "no_channel, no_gift, refused, gave_up, not_delivered; of coupons also no_campaign, "
            "stopped, budget_issued, budget_redeemed, budget_money, per_member",
        ),
        Column("provider", "text", "who sends, or sandbox, offers, coupons"),
        Column("provider_id", "text", "the provider's id of the message, where it gave one"),
        Column("provider_code", "text", "the provider's last code"),
        Column("attempts", "integer", "requests that left", "requests"),
        Column("at", "instant", "when it came to be so"),
        Column("version", "integer", "microseconds since 1970 of `at`"),
    ),
)
