"""The texts: files anybody can edit, with `{field}` where a value stands.

The first line is the title. A line whose fields are all empty is left out, so that a text reads
well without a link or without claims. `{{` and `}}` are braces. `words.txt` has the words for
severities, types and actions, as `key = text`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from schemas.alert import AlertType, Severity
from schemas.hooks import Language
from schemas.hooks_file import HooksProblem
from schemas.lined_yaml import nearest
from schemas.staffing import StaffingAlertType

SHIPPED = Path(__file__).parent / "templates"
LANGUAGES: tuple[Language, ...] = ("zh", "en")

_ONE = frozenset(
    [
        "severity",
        "icon",
        "type",
        "sku",
        "place",
        "place_name",
        "observed",
        "level",
        "clear_level",
        "shortfall",
        "opened",
        "updated",
        "cleared",
        "lasted",
        "action",
        "claims",
        "link",
        "alert",
        "change",
        "to_place",
        "quantity",
        "orders",
        "outcome",
        "task",
        "stretch",
        "why",
        "heads",
        "proposals",
    ]
)
_MANY = frozenset(["severity", "icon", "count", "lines", "more", "link"])
_LINE = _ONE - {"claims", "link", "proposals"}
# The fields every text may name.
FIELDS: dict[str, frozenset[str]] = {
    "raised": _ONE,
    "updated": _ONE,
    "cleared": _ONE,
    "escalated": _ONE,
    "transfer": _ONE,
    "staffing": _ONE,
    "staffing_cleared": _ONE,
    "staffing_line": _LINE,
    "digest": _MANY,
    "digest_line": _LINE,
    "test": frozenset({"route", "channel", "time"}),
}
STAFFING: tuple[str, ...] = StaffingAlertType.__args__  # type: ignore[attr-defined]
_TYPES: tuple[str, ...] = (
    *AlertType.__args__,  # type: ignore[attr-defined]
    *STAFFING,
    "transfer_suggestion",
)
WORDS: frozenset[str] = frozenset(
    [
        *(f"severity.{name}" for name in Severity.__args__),  # type: ignore[attr-defined]
        *(f"icon.{name}" for name in Severity.__args__),  # type: ignore[attr-defined]
        *(f"type.{name}" for name in _TYPES),
        *(f"action.{name}" for name in _TYPES),
        *(f"kind.{name}" for name in ("raised", "updated", "cleared", "escalated")),
        *(f"outcome.{name}" for name in ("accepted", "rejected", "expired", "superseded")),
        "outcome.shipped",
        "outcome.executed",
        *("claim.sale", "claim.allocation", "claim.broke_floor", "claim.more", "digest.more"),
        *(f"measure.{name}" for name in ("entries", "orders")),
        *(f"staffing.{name}" for name in ("above", "below", "as_forecast", "short", "over")),
        *(f"staffing.{name}" for name in ("stay", "go", "call", "price", "together", "none")),
        *("link.acknowledge", "lasted.days", "lasted.hours", "lasted.minutes"),
        *("page.title", "page.button", "page.name", "page.done", "page.expired", "page.unknown"),
    ]
)
_PART = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)\}|[{}]")


class Line(NamedTuple):
    """One line of a text: literal parts at even places, names of fields at odd ones."""

    parts: tuple[str, ...]

    def filled(self, fields: Mapping[str, str]) -> str | None:
        """The line with its fields; None when it has some and all are empty."""
        names = self.parts[1::2]
        if names and not any(fields[name] for name in names):
            return None
        return "".join(
            fields[part] if number % 2 else part for number, part in enumerate(self.parts)
        )


class Template(NamedTuple):
    """A text: its title and the lines under it."""

    title: Line
    body: tuple[Line, ...]

    def fill(self, fields: Mapping[str, str]) -> tuple[str, str]:
        """Title and body."""
        lines = [filled for line in self.body if (filled := line.filled(fields)) is not None]
        return (self.title.filled(fields) or "").strip(), "\n".join(lines)


class Texts(NamedTuple):
    """All texts and words of one language."""

    templates: dict[str, Template]
    words: dict[str, str]


def load_texts(language: Language, own: Path | None = None) -> Texts:
    """The texts of a language: the shipped ones, and instead of each the one in `own` if any.

    Raises:
        HooksProblem: a text has an unknown field or cannot be read; names file and line.
    """
    folders = [SHIPPED / language]
    if own is not None:
        if not own.is_dir():
            msg = f"templates: there is no folder {own}"
            raise HooksProblem(msg)
        folders.insert(0, own / language)
    templates = {}
    for name, known in FIELDS.items():
        path = _first(folders, f"{name}.txt")
        templates[name] = read_template(_text(path), known, _shown(path))
    words: dict[str, str] = {}
    for folder in reversed(folders):
        path = folder / "words.txt"
        if path.is_file():
            words |= read_words(_text(path), _shown(path))
    _refuse_strangers(folders)
    return Texts(templates, words)


def read_template(text: str, known: frozenset[str], name: str) -> Template:
    """A text from a file; see `load_texts` for what it raises."""
    lines = [_line(line, number, known, name) for number, line in enumerate(text.splitlines(), 1)]
    if not lines or not "".join(lines[0].parts).strip():
        msg = f"{name}, line 1: the first line is the title and must not be empty"
        raise HooksProblem(msg)
    return Template(lines[0], tuple(lines[1:]))


def read_words(text: str, name: str) -> dict[str, str]:
    """`key = text` lines; empty ones and those that begin with # are skipped."""
    words = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        key = key.strip()
        if not equals:
            msg = f"{name}, line {number}: expected key = text"
            raise HooksProblem(msg)
        if key not in WORDS:
            msg = f"{name}, line {number}: there is no word {key}{nearest(key, WORDS)}"
            raise HooksProblem(msg)
        words[key] = value.strip()
    return words


def _line(text: str, number: int, known: frozenset[str], name: str) -> Line:
    parts = [""]
    at = 0
    for found in _PART.finditer(text):
        parts[-1] += text[at : found.start()]
        at = found.end()
        field = found.group(1)
        if field is None:
            if len(found.group()) == 1:
                msg = f"{name}, line {number}: a brace alone; write {found.group() * 2} for one"
                raise HooksProblem(msg)
            parts[-1] += found.group()[0]
        elif field not in known:
            hint = nearest(field, known) or f"; there are {', '.join(sorted(known))}"
            msg = f"{name}, line {number}: there is no field {{{field}}} here{hint}"
            raise HooksProblem(msg)
        else:
            parts += [field, ""]
    parts[-1] += text[at:]
    return Line(tuple(parts))


def _first(folders: list[Path], name: str) -> Path:
    return next(path for folder in folders if (path := folder / name).is_file())


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        msg = f"{path} cannot be read: {getattr(wrong, 'strerror', None) or wrong}"
        raise HooksProblem(msg) from None


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _refuse_strangers(folders: list[Path]) -> None:
    """A file of the operator whose name is misspelled would be ignored in silence."""
    known = {f"{name}.txt" for name in (*FIELDS, "words")}
    for folder in folders:
        for path in sorted(folder.glob("*.txt")):
            if path.name not in known:
                msg = f"{_shown(path)}: there is no such text{nearest(path.name, known)}"
                raise HooksProblem(msg)
