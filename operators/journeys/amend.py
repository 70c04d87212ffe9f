"""A journey's file with an arm rolled out: the operator's own text, comments and all."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from schemas.journey_words import KEYS

_CHINESE = {"rolled_out": "推全", "remaining": "保留", "version": "版本"}


class AmendError(ValueError):
    """The text cannot be changed by a program; the message says what to write by hand."""


def rolled_out_text(text: str, experiment: str, best: str, remaining: int) -> str:
    """The text with `best` rolled out, and a higher version.

    `remaining`: slots of 10,000 that stay in the control.

    Raises:
        AmendError: there is no such split, or an arm of it is rolled out already.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        msg = "this is no journey"
        raise AmendError(msg)
    splits = [one for one in _splits(root) if _text(one, "experiment") == experiment]
    if not splits:
        msg = f"no split of experiment {experiment} is in the file"
        raise AmendError(msg)
    edits = []
    for split in splits:
        if _find(split, "rolled_out") is not None:
            msg = f"an arm of {experiment} is rolled out already"
            raise AmendError(msg)
        found = _find(split, "arms")
        arms = found[1] if found is not None else None
        if found is None or not isinstance(arms, yaml.MappingNode):
            msg = f"experiment {experiment} has no arms of its own here"
            raise AmendError(msg)
        names = [key for key, _ in arms.value if key.value == best]
        if not names:
            msg = f"experiment {experiment} has no arm {best}"
            raise AmendError(msg)
        # As it is written there, with its quotes.
        name = text[names[0].start_mark.index : names[0].end_mark.index]
        words = (("rolled_out", name), ("remaining", f"{remaining / 100:g}%"))
        edits.append(_before(split, found[0], words))
    edits.append(_version(root))
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def _before(
    mapping: yaml.MappingNode, key: yaml.Node, words: tuple[tuple[str, str], ...]
) -> tuple[int, int, str]:
    """Entries put before one of a mapping, in its own style and language."""
    mark = key.start_mark
    end = ", " if mapping.flow_style else "\n" + " " * mark.column
    chinese = not key.value.isascii()
    told = "".join(f"{_CHINESE[word] if chinese else word}: {it}{end}" for word, it in words)
    return mark.index, mark.index, told


def _version(root: yaml.MappingNode) -> tuple[int, int, str]:
    found = _find(root, "version")
    if found is None:
        # The second key: the first one is the name, by which people know the file.
        key = root.value[min(1, len(root.value) - 1)][0]
        return _before(root, key, (("version", "2"),))
    node = found[1]
    try:
        higher = int(str(node.value)) + 1
    except ValueError:
        msg = f"version {node.value} is no whole number"
        raise AmendError(msg) from None
    return node.start_mark.index, node.end_mark.index, str(higher)


def _splits(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _splits(one)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if KEYS.get(key.value, key.value) == "split" and isinstance(value, yaml.MappingNode):
                yield value
            yield from _splits(value)


def _find(mapping: yaml.MappingNode, word: str) -> tuple[yaml.Node, yaml.Node] | None:
    for key, value in mapping.value:
        if KEYS.get(key.value, key.value) == word:
            return key, value
    return None


def _text(mapping: yaml.MappingNode, word: str) -> str | None:
    found = _find(mapping, word)
    return None if found is None else str(found[1].value)
