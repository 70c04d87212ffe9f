"""What a member allows: the newest word on a purpose counts, for its channel or for any."""

from __future__ import annotations

from collections.abc import Mapping

from operators.members.member import ConsentKey, Statement


def newest(consents: Mapping[ConsentKey, Statement], purpose: str, channel: str) -> str | None:
    """The status that counts: of the channel or of all of them, whichever was said last.

    Of two statements at one instant the stricter one.
    """
    said = [one for key in (channel, "any") if (one := consents.get((purpose, key))) is not None]
    return max(said, key=lambda one: one[:2])[3] if said else None


def allowed(consents: Mapping[ConsentKey, Statement], purpose: str, channel: str) -> bool:
    """Whether a message may go: marketing only if it was granted, service unless refused."""
    status = newest(consents, purpose, channel)
    return status == "granted" or (status is None and purpose == "service")


def objects(consents: Mapping[ConsentKey, Statement]) -> bool:
    """Whether the member refuses to be profiled, and so every personal marketing."""
    return newest(consents, "profiling", "any") in ("denied", "withdrawn")


def opted_out(consents: Mapping[ConsentKey, Statement]) -> bool:
    """Whether marketing was refused in every channel, or profiling."""
    status = newest(consents, "marketing", "any")
    if objects(consents):
        return True
    if status not in ("denied", "withdrawn"):
        return False
    channels = {channel for purpose, channel in consents if purpose == "marketing"}
    return not any(allowed(consents, "marketing", one) for one in channels)
