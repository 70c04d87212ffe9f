"""Reads hooks.yaml; what is wrong with it is told with its line."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import yaml

from schemas.hooks import Channel, Hooks, Route, secret_hook

T = TypeVar("T")
Steps = tuple[str | int, ...]


class HooksProblem(Exception):
    """The configuration, a template or a secret is wrong; the message is for the operator."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?` when one of the known names is close, else nothing."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def load_hooks(path: Path) -> Hooks:
    """The configuration in a file; paths in it are made relative to the file's folder.

    Raises:
        HooksProblem: it cannot be read or something in it is wrong; names the line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        msg = f"{path} cannot be read: {getattr(wrong, 'strerror', None) or wrong}"
        raise HooksProblem(msg) from None
    hooks = read_hooks(text, path.name)
    beside = {
        name: str(path.parent / value)
        for name in ("chain", "templates")
        if (value := getattr(hooks, name)) is not None
    }
    return msgspec.structs.replace(hooks, **beside)


def read_hooks(text: str, name: str = "hooks.yaml") -> Hooks:
    """The configuration from its YAML text.

    Raises:
        HooksProblem: as for `load_hooks`.
    """
    return _File(text, name).hooks()


class _File:
    """A YAML text with the places of its parts."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        try:
            self._node = yaml.compose(text, Loader=yaml.SafeLoader)
            self._data = yaml.safe_load(text)
        except yaml.YAMLError as wrong:
            mark = getattr(wrong, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark is not None else ""
            problem = getattr(wrong, "problem", None) or str(wrong).partition("\n")[0]
            msg = f"{name}{line}: this is no YAML: {problem}"
            raise HooksProblem(msg) from None

    def hooks(self) -> Hooks:
        if not isinstance(self._data, dict):
            msg = f"{self._name}: expected channels and routes (see docs/hooks.md for an example)"
            raise HooksProblem(msg)
        data = dict(self._data)
        channels, routes = data.pop("channels", None), data.pop("routes", None)
        if not isinstance(channels, dict) or not channels:
            self._refuse(("channels",), "channels is a mapping of a name to a channel, at least 1")
        if not isinstance(routes, list) or not routes:
            self._refuse(("routes",), "routes is a list of routes, at least 1")
        rest: Hooks = self._convert({**data, "channels": {}, "routes": []}, Hooks, ())
        made = {
            str(key): self._convert(value, Channel, ("channels", key))
            for key, value in channels.items()
        }
        listed = tuple(
            self._convert(value, Route, ("routes", number)) for number, value in enumerate(routes)
        )
        hooks: Hooks = msgspec.structs.replace(rest, channels=made, routes=listed)
        self._cross_check(hooks)
        return hooks

    def _cross_check(self, hooks: Hooks) -> None:
        try:
            ZoneInfo(hooks.timezone)
        except (KeyError, OSError, ValueError):
            self._refuse(("timezone",), f"there is no time zone {hooks.timezone!r}")
        names = [route.name for route in hooks.routes]
        for number, route in enumerate(hooks.routes):
            at: Steps = ("routes", number)
            if names.index(route.name) != number:
                self._refuse((*at, "name"), f"there are two routes named {route.name}")
            if route.channel not in hooks.channels:
                hint = nearest(route.channel, hooks.channels)
                self._refuse((*at, "channel"), f"there is no channel {route.channel}{hint}")
            for key in ("hours", "quiet"):
                hours = getattr(route, key)
                if hours is not None and hours[:5] == hours[6:]:
                    self._refuse((*at, key), f"{key} {hours} begins and ends at the same time")
            if route.escalate is not None:
                self._check_escalation(hooks, route, at)

    def _check_escalation(self, hooks: Hooks, route: Route, at: Steps) -> None:
        seen = [route.name]
        while route.escalate is not None:
            to = route.escalate.to
            following = hooks.route(to)
            if following is None:
                hint = nearest(to, [each.name for each in hooks.routes])
                self._refuse((*at, "escalate", "to"), f"there is no route {to}{hint}")
            if to in seen:
                self._refuse(
                    (*at, "escalate", "to"),
                    f"escalation goes in a circle: {' -> '.join([*seen, to])}",
                )
            seen.append(to)
            route = following

    def _convert(self, value: Any, kind: type[T] | Any, at: Steps) -> Any:
        try:
            return msgspec.convert(value, kind, dec_hook=secret_hook)
        except msgspec.ValidationError as wrong:
            what, _, path = str(wrong).partition(" - at `$")
            self._refuse((*at, *_steps(path.rstrip("`"))), what)

    def _refuse(self, at: Steps, what: str) -> NoReturn:
        unknown = what.partition("unknown field `")[2].partition("`")[0]
        if unknown:
            at = (*at, unknown)
            what = f"there is no setting {unknown} here"
        spelled = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in at)
        msg = f"{self._name}, line {self._line(at)}: {spelled.lstrip('.') or 'file'}: {what}"
        raise HooksProblem(msg)

    def _line(self, at: Steps) -> int:
        """The line of a part, or of the nearest part around it that is in the file."""
        node = self._node
        line = 1
        for step in at:
            if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    break
                node = node.value[step]
                line = node.start_mark.line + 1
            elif isinstance(node, yaml.MappingNode):
                found = [pair for pair in node.value if str(pair[0].value) == str(step)]
                if not found:
                    break
                line = found[0][0].start_mark.line + 1
                node = found[0][1]
            else:
                break
        return line


def _steps(path: str) -> Steps:
    """The steps in a path as msgspec spells it: `.digest.over`, `.places[2]`."""
    steps: list[str | int] = []
    for part in path.replace("[", ".[").split("."):
        if part.startswith("["):
            index = part[1:-1]
            if index.isdigit():
                steps.append(int(index))
        elif part:
            steps.append(part)
    return tuple(steps)
