"""A YAML text to plain values with English keys, each with the line it stands on.

Scalars are taken as they are written, for YAML takes 20:00 for the number 1200.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from operators.journeys.findings import Finding, Level, Path, Said
from schemas.journey_words import FREE, KEYS, VALUES

# Under these, keys are names that the operator has given.
_OWN_KEYS = frozenset({"arms", "consents", "arm"})
_TRUE, _FALSE = {"true", "yes", "on", "是"}, {"false", "no", "off", "否"}
DEEPEST = 40


@dataclass
class Source:
    """A file as it was read; `lines` of every part by its path."""

    name: str
    text: str
    plain: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a part, or of the nearest part around it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def add(self, path: Path, code: str, said: Said, *, warning: bool = False) -> None:
        """Note what is wrong with a part."""
        level: Level = "warning" if warning else "error"
        self.findings.append(Finding(self.line(path), level, code, said))

    @property
    def broken(self) -> bool:
        """Whether anything keeps it from running."""
        return any(one.level == "error" for one in self.findings)


def read_source(text: str, name: str) -> Source:
    """The file of a journey; what is no YAML is among its findings."""
    source = Source(name, text)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(wrong, "problem", None) or str(wrong).partition("\n")[0]
        said = Said(
            f"this is no YAML: {problem}; look at the indentation and the colons",
            f"不是有效的 YAML（{problem}）：请检查缩进和冒号",
        )
        source.findings.append(Finding(line, "error", "no_yaml", said))
        return source
    if not isinstance(node, yaml.MappingNode):
        said = Said(
            "expected a journey: `journey: name`, `when:` and `steps:`",
            "应当是一个旅程：要有“旅程”“触发”“步骤”",
        )
        source.findings.append(Finding(1, "error", "no_journey", said))
        return source
    source.plain = _value(source, node, (), "", own=False)
    return source


def _value(source: Source, node: yaml.Node, path: Path, key: str, *, own: bool) -> Any:
    source.lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > DEEPEST:
        said = Said("this is nested too deeply", "嵌套过深")
        source.add(path, "too_deep", said)
        return None
    free = own or key in FREE
    if isinstance(node, yaml.MappingNode):
        return _mapping(source, node, path, key, free=free)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(source, one, (*path, number), key, own=own)
            for number, one in enumerate(node.value)
        ]
    return _scalar(node, free=free)


def _mapping(
    source: Source, node: yaml.MappingNode, path: Path, parent: str, *, free: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    # The arms of an experiment have names of their own, and so have their steps.
    names = parent in _OWN_KEYS or (parent == "steps" and path[-1:] == ("steps",))
    for key_node, value_node in node.value:
        written = str(key_node.value)
        key = written if names else KEYS.get(written, written)
        line = key_node.start_mark.line + 1
        if key in found:
            source.lines[(*path, key, "again")] = line
            said = Said(
                f"{written} is written twice; the file would mean only one of them, take one out",
                f"“{written}”写了两次：只会有一处生效，请删掉一处",
            )
            source.add((*path, key, "again"), "twice", said)
        source.lines[(*path, key)] = line
        below = free and parent == "set"
        found[key] = _value(source, value_node, (*path, key), "" if names else key, own=below)
    return found


def _scalar(node: yaml.Node, *, free: bool) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text if free else VALUES.get(text, text)
    if text in ("", "~", "null"):
        return None
    if free:
        return text
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    digits = text.lstrip("-")
    # Longer ones are numbers of receipts, not amounts.
    if digits.isascii() and digits.isdigit() and len(digits) < 16:
        return int(text)
    try:
        return float(text) if digits.count(".") == 1 and digits.isascii() else VALUES[text]
    except (ValueError, KeyError):
        return text
