"""YAML to frozen structs by their annotations; every struct remembers its line of the file.

All scalars are read as text and converted by the annotation, so that the code `01`, the country
`NO` and the date `2010-12-01` stay what the operator wrote.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

import msgspec
import yaml

from sources.importing.problems import MappingError, nearest

T = TypeVar("T", bound="Part")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a declared file. `at` is its line there, counted from 1; 0 when made in code.

    `shorthand` is the key that a plain scalar stands for: `sku: StockCode` is `sku: {column:
    StockCode}`. `undeclared` fields are no keys of the file. What `__post_init__` raises as a
    ValueError is shown with the part's line.
    """

    shorthand: ClassVar[str | None] = None
    undeclared: ClassVar[frozenset[str]] = frozenset({"at"})
    at: int = 0


def load(text: str, cls: type[T], where: str) -> T:
    """Read one YAML text as the struct `cls`; `where` names the text in messages.

    Raises:
        MappingError: no YAML, an unknown, missing or repeated key, or a value of another type.
    """
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        problem = getattr(wrong, "problem", None) or str(wrong)
        line = mark.line + 1 if mark else 0
        raise MappingError(where, line, f"this is not YAML: {problem}") from None
    if node is None:
        raise MappingError(where, 1, "the mapping is empty")
    return _Reader(where).struct(cls, node, "the mapping")


class _Reader:
    """Walks YAML nodes and annotations side by side."""

    def __init__(self, where: str) -> None:
        self._where = where

    def _fail(self, node: yaml.Node, message: str) -> MappingError:
        return MappingError(self._where, _line(node), message)

    def value(self, kind: Any, node: yaml.Node, path: str) -> Any:
        """The node as the annotation says."""
        origin = get_origin(kind)
        if origin in (Union, UnionType):
            kinds = [choice for choice in get_args(kind) if choice is not NoneType]
            return self.value(kinds[0], node, path)
        if origin is tuple:
            return self._items(get_args(kind)[0], node, path)
        if origin is dict:
            item = get_args(kind)[1]
            return {
                key.value: self.value(item, value, f"{path}.{key.value}")
                for key, value in self._pairs(node, path)
            }
        if isinstance(kind, type) and issubclass(kind, Part):
            return self.struct(kind, node, path)
        return self._scalar(kind, node, path)

    def _items(self, item: Any, node: yaml.Node, path: str) -> tuple[Any, ...]:
        """A list; one thing alone is a list of one."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return tuple(
            self.value(item, each, f"{path}[{number}]") for number, each in enumerate(nodes, 1)
        )

    def struct(self, cls: type[T], node: yaml.Node, path: str) -> T:
        """A mapping node as a struct, key by key."""
        if isinstance(node, yaml.ScalarNode) and cls.shorthand is not None:
            pairs: list[tuple[yaml.ScalarNode, yaml.Node]]
            pairs = [(yaml.ScalarNode(node.tag, cls.shorthand, node.start_mark), node)]
        else:
            pairs = self._pairs(node, path)
        fields = {
            field.encode_name: field
            for field in msgspec.structs.fields(cls)
            if field.name not in cls.undeclared
        }
        found: dict[str, Any] = {"at": _line(node)}
        for key, value in pairs:
            field = fields.get(key.value)
            if field is None:
                hint = nearest(key.value, fields) or f"; known keys: {', '.join(fields)}"
                raise self._fail(key, f'"{key.value}" is not a key of {path}{hint}')
            found[field.name] = self.value(field.type, value, key.value)
        for name, field in fields.items():
            if field.required and field.name not in found:
                raise self._fail(node, f'{path} needs the key "{name}"')
        try:
            return cls(**found)
        except ValueError as wrong:
            raise self._fail(node, f"{path}: {wrong}") from None

    def _pairs(self, node: yaml.Node, path: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._fail(node, f"{path} must be a set of keys and values (key: value)")
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._fail(key, f"{path}: a key must be a plain name")
            if key.value in seen:
                message = f'"{key.value}" is there already, in line {seen[key.value]}'
                raise self._fail(key, f"{path}: {message}; keep one of the two")
            seen[key.value] = _line(key)
        pairs: list[tuple[yaml.ScalarNode, yaml.Node]] = node.value
        return pairs

    def _scalar(self, kind: Any, node: yaml.Node, path: str) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self._fail(node, f"{path} must be one value, not a list or a set of keys")
        text: str = node.value
        if get_origin(kind) is Literal:
            choices = get_args(kind)
            if text not in choices:
                hint = nearest(text, choices) or f"; it is one of {', '.join(choices)}"
                raise self._fail(node, f'{path} cannot be "{text}"{hint}')
            return text
        if kind is bool:
            if text.lower() not in _TRUE | _FALSE:
                raise self._fail(node, f'{path} must be true or false, not "{text}"')
            return text.lower() in _TRUE
        if kind is int:
            try:
                return int(text)
            except ValueError:
                raise self._fail(node, f'{path} must be a whole number, not "{text}"') from None
        return text


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
