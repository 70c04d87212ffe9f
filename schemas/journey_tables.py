"""The warehouse's tables of journeys: what was decided, and where members stand."""

from __future__ import annotations

from schemas.tables import Column, Table

MESSAGE = Table(
    name="message",
    comment=(
        "What journeys decided to do to members: messages, gifts, tags, words to staff. A row that "
        "says `go` is to be done once for its id and is never taken back."
    ),
    primary_key=("message",),
    version="version",
    columns=(
        Column("message", "text", "id: of member, journey, its version, step and entry"),
        Column("member", "text", "pseudonym"),
        Column("journey", "text", "its name"),
        Column("journey_version", "text", "the operator's number and a hash of what it does"),
        Column("entry", "text", "what let the member in: an event, or an instant"),
        Column("step", "text", "place or name of the step in the file"),
        Column("action", "text", "send, give, set or notify_staff"),
        Column("decision", "text", "go; defer: judged again at next_at; suppress: never"),
        Column("reason", "text", "of defer and suppress: quiet, cap, consent, objected, holdout, "
               "expired"),
        Column("decided_at", "instant", "when"),
        Column("first_due", "instant", "when it would have been done without being put off"),
        Column("next_at", "instant", "defer: when it is judged again", "", True),
        Column("not_after", "instant", "done later than this it does harm"),
        Column("message_class", "text", "send: marketing or service", "", True),
        Column("channels", "json", "send: those that may be used, in the order to try them"),
        Column("first_available", "integer", "send: 1 the first one, 0 all of them"),
        Column("text", "text", "what is said, empty with a template"),
        Column("template", "text", "name of the channel's template"),
        Column("gift", "text", "give: what", "", True),
        Column("valid_seconds", "integer", "give: how long it can be used", "seconds", True),
        Column("tags", "json", "set: names and values"),
        Column("held_out", "integer", "1: in the control, so that nothing is done"),
        Column("experiment", "text", "the last one on the way, or empty"),
        Column("arm", "text", "the member's arm of it"),
        Column("zone", "text", "whose clock quiet hours went by"),
        Column("segment", "text", "then", "", True),
        Column("visits", "integer", "then", "visits"),
        Column("spent", "integer", "then", "minor money units"),
        Column("version", "integer", "0 defer, 1 suppress, 2 go: the larger one stands"),
    ),
)  # fmt: skip

JOURNEY_RUN = Table(
    name="journey_run",
    comment="Where members stand in journeys, or why they have left.",
    primary_key=("member", "journey", "entry"),
    version="version",
    columns=(
        Column("member", "text", "pseudonym"),
        Column("journey", "text", "its name"),
        Column("journey_version", "text", "the one that the member came into and stays in"),
        Column("entry", "text", "what let the member in: an event, or an instant"),
        Column("status", "text", "waiting or exited"),
        Column("reason", "text", "of exited: done, goal, purchase, refund, opted_out, condition, "
               "cap, expired, merged, or the file's own"),
        Column("step", "text", "place or name of the step"),
        Column("entered_at", "instant", "when it came in"),
        Column("at", "instant", "when it came to where it stands"),
        Column("next_at", "instant", "when it goes on", "", True),
        Column("held_out", "integer", "1: in the control"),
        Column("experiment", "text", "the last one on the way, or empty"),
        Column("arm", "text", "the member's arm of it"),
        Column("regret", "integer", "1: something was done before a purchase was known that was "
               "earlier"),
        Column("version", "integer", "microseconds since 1970 of `at`"),
    ),
)  # fmt: skip
