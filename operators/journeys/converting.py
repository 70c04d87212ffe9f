"""Parts of a file to the schema's types, part by part, so that each mistake is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import msgspec

from operators.journeys.findings import Path, Said, WordsError, nearest
from operators.journeys.reading import Source
from schemas.journey_words import KEYS, VALUES
from schemas.journeys import Heard

T = TypeVar("T")
_WORDS = {
    "event": ("purchase", "refund", "registered", "consent"),
    "class": ("marketing", "service"),
    "on_capped": ("skip", "wait", "exit"),
    "zone": ("member", "chain"),
    "enrol": ("future_only", "current_and_future"),
    "cause": ("purchase", "refund", "time"),
    "reenter": ("never", "always", "once_per: 90d"),
}
# What a wait may be for, too: what becomes of the last message.
_HEARD = get_args(Heard)
_NAMES = {
    "str": Said("a text", "文字"),
    "int": Said("a whole number", "整数"),
    "float": Said("a number", "数字"),
    "bool": Said("yes or no", "是或否"),
    "null": Said("nothing", "空"),
    "array": Said("a list", "列表"),
    "object": Said("a mapping (`key: value`)", "“键: 值”"),
}


def worded(source: Source, path: Path, read: Callable[[object], T], value: object) -> T | None:
    """What `read` makes of a value; what is wrong goes to the findings."""
    try:
        return read(value)
    except WordsError as wrong:
        source.add(path, "no_value", wrong.said)
        return None


def converted(source: Source, path: Path, plain: Any, kind: type[T]) -> T | None:
    """A part as the schema's type, None where it is none."""
    try:
        made: T = msgspec.convert(plain, kind)
    except msgspec.ValidationError as wrong:
        what, _, where = str(wrong).partition(" - at `$")
        inside = _steps(where.rstrip("`"))
        _explain(source, (*path, *inside), what, _inner(kind, inside))
        return None
    return made


def _inner(kind: Any, steps: Path) -> Any:
    """The type of a part within a type, None where it is no struct of ours."""
    for step in steps:
        if isinstance(step, int) or not isinstance(kind, type):
            return None
        fields = {one.encode_name: one.type for one in msgspec.structs.fields(kind)}
        options = get_args(fields.get(step)) or (fields.get(step),)
        kind = next(
            (one for one in options if isinstance(one, type) and issubclass(one, msgspec.Struct)),
            None,
        )
    return kind


def _explain(source: Source, path: Path, what: str, kind: Any) -> None:
    key = str(path[-1]) if path else ""
    quoted = what.partition("`")[2].partition("`")[0]
    if "unknown field" in what:
        fields = msgspec.structs.fields(kind) if isinstance(kind, type) else ()
        known = [one.encode_name for one in fields]
        hint = nearest(quoted, [*known, *(zh for zh, en in KEYS.items() if en in known)])
        there = ", ".join(known)
        zh = "、".join(map(_chinese, known))
        said = Said(
            f"there is no setting {quoted} here{hint.en or (there and ': there are ' + there)}",
            f"这里没有“{quoted}”这一项{hint.zh or (zh and '，可用：' + zh)}",
        )
        source.add((*path, quoted), "unknown_key", said)
    elif "missing required" in what:
        said = Said(f"{quoted} is missing", f"缺少“{_chinese(quoted)}”")
        source.add(path, "missing", said)
    elif "enum value" in what:
        value = what.partition("'")[2].partition("'")[0]
        named = key if key in _WORDS else str(path[-2]) if len(path) > 1 else key
        words = _WORDS.get(named, ())
        if named == "event" and "wait" in path:
            words += _HEARD
        hint = nearest(value, (*words, *(zh for zh, en in VALUES.items() if en in words)))
        said = Said(
            f"{value} is none of {', '.join(words)}{hint.en}",
            f"“{value}”不可用，可选：{'、'.join(map(_chinese_value, words))}{hint.zh}",
        )
        source.add(path, "no_such_word", said)
    else:
        source.add(path, "wrong_kind", _kinds(key, what))


def _kinds(key: str, what: str) -> Said:
    """`Expected `str`, got `int``, and the limits of numbers and texts."""
    wanted, got = (part.partition("`")[0] for part in (what.split("`") + [""] * 4)[1:4:2])
    words = [_NAMES.get(one) for one in wanted.replace(" ", "").split("|")]
    named = [one for one in words if one is not None and one.en != "nothing"]
    found = _NAMES.get(got)
    if not named or found is None or not what.startswith("Expected"):
        return Said(f"{key}: {what}", f"“{key}”不对：{what}")
    return Said(
        f"{key} is {' or '.join(one.en for one in named)}, here is {found.en}",
        f"“{_chinese(key)}”应为{'或'.join(one.zh for one in named)}，这里是{found.zh}",
    )


def _chinese(key: str) -> str:
    return next((zh for zh, en in KEYS.items() if en == key), key)


def _chinese_value(word: str) -> str:
    return next((zh for zh, en in VALUES.items() if en == word), word)


def _steps(path: str) -> Path:
    """The steps in a path as msgspec spells it: `.digest.over`, `.places[2]`."""
    found: list[str | int] = []
    for part in path.replace("[", ".[").split("."):
        if part.startswith("["):
            if part[1:-1].isdigit():
                found.append(int(part[1:-1]))
        elif part:
            found.append(part)
    return tuple(found)
