"""What is wrong with a line that is no event, in words a person understands."""

from __future__ import annotations

import re

import msgspec

NOT_UTF8 = "not readable as UTF-8 text: export as UTF-8"


def no_event(line: bytes, wrong: Exception) -> tuple[str, str]:
    """Reason code and reason for what is no JSON object with the text fields of an envelope."""
    try:
        msgspec.json.decode(line)
    except UnicodeDecodeError:
        return "not_json", NOT_UTF8
    except (ValueError, RecursionError) as broken:
        return "not_json", f"not a JSON object: {plain(broken)}; one whole event a line is needed"
    return "invalid_event", plain(wrong)


def bad_event(wrong: Exception) -> tuple[str, str]:
    """Reason code and reason for an event of a known type whose content is wrong."""
    if isinstance(wrong, UnicodeDecodeError):
        return "not_json", NOT_UTF8
    reason = plain(wrong)
    if isinstance(wrong, OverflowError):
        return "invalid_time", reason
    if not isinstance(wrong, msgspec.ValidationError):
        return "not_json", f"not a JSON object: {reason}; one whole event a line is needed"
    if reason.startswith(("time:", "recordedtime:")):
        return "invalid_time", f"{reason} (wanted: RFC 3339 like 2026-11-23T10:15:00+08:00)"
    return "invalid_event", reason


_WORDS = {
    "int": "a whole number",
    "str": "a text",
    "float": "a number",
    "object": "an object",
    "array": "a list",
    "null": "nothing",
    "bool": "true or false",
}


def plain(wrong: Exception) -> str:
    """A decoder's message in words: `at quantity: expected a whole number, got a text`."""
    text, _, where = str(wrong).partition(" - at `")
    field = where.rstrip("`").removeprefix("$.").removeprefix("data.")
    text = re.sub(r"`(\w+)( \| null)?`", lambda found: _WORDS.get(found[1], found[0]), text)
    if not text[:2].isupper():
        text = text[:1].lower() + text[1:]
    return f"{field}: {text}" if field and field != "$" else text
