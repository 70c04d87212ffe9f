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
        Column("channel", "text", "as journeys name it"),
        Column("member", "text", "pseudonym"),
        Column("status", "text", "accepted by the provider, delivered, failed or unknown"),
        Column(
            "reason",
            "text",
            "of failed: expired, consent, erased, quiet, no_address, no_credit, no_template, "
            "no_channel, refused, gave_up, not_delivered",
        ),
        Column("provider", "text", "who sends, or sandbox, or offers"),
        Column("provider_id", "text", "the provider's id of the message, where it gave one"),
        Column("provider_code", "text", "the provider's last code"),
        Column("attempts", "integer", "requests that left", "requests"),
        Column("at", "instant", "when it came to be so"),
        Column("version", "integer", "microseconds since 1970 of `at`"),
    ),
)
