"""Reads hooks.yaml; what is wrong with it is told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from schemas.hooks import Channel, Hooks, Route
from schemas.lined_yaml import LinedYaml, Steps, nearest
from schemas.secrets import secret_hook

T = TypeVar("T")


class HooksProblem(Exception):
    """The configuration, a template or a secret is wrong; the message is for the operator."""


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


class _File(LinedYaml):
    """The configuration in a YAML text."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name, HooksProblem)

    def hooks(self) -> Hooks:
        if not isinstance(self.data, dict):
            msg = f"{self.name}: expected channels and routes (see docs/hooks.md for an example)"
            raise HooksProblem(msg)
        data = dict(self.data)
        channels, routes = data.pop("channels", None), data.pop("routes", None)
        if not isinstance(channels, dict) or not channels:
            self.refuse(("channels",), "channels is a mapping of a name to a channel, at least 1")
        if not isinstance(routes, list) or not routes:
            self.refuse(("routes",), "routes is a list of routes, at least 1")
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
            self.refuse(("timezone",), f"there is no time zone {hooks.timezone!r}")
        names = [route.name for route in hooks.routes]
        for number, route in enumerate(hooks.routes):
            at: Steps = ("routes", number)
            if names.index(route.name) != number:
                self.refuse((*at, "name"), f"there are two routes named {route.name}")
            if route.channel not in hooks.channels:
                hint = nearest(route.channel, hooks.channels)
                self.refuse((*at, "channel"), f"there is no channel {route.channel}{hint}")
            for key in ("hours", "quiet"):
                hours = getattr(route, key)
                if hours is not None and hours[:5] == hours[6:]:
                    self.refuse((*at, key), f"{key} {hours} begins and ends at the same time")
            if route.escalate is not None:
                self._check_escalation(hooks, route, at)

    def _check_escalation(self, hooks: Hooks, route: Route, at: Steps) -> None:
        seen = [route.name]
        while route.escalate is not None:
            to = route.escalate.to
            following = hooks.route(to)
            if following is None:
                hint = nearest(to, [each.name for each in hooks.routes])
                self.refuse((*at, "escalate", "to"), f"there is no route {to}{hint}")
            if to in seen:
                self.refuse(
                    (*at, "escalate", "to"),
                    f"escalation goes in a circle: {' -> '.join([*seen, to])}",
                )
            seen.append(to)
            route = following

    def _convert(self, value: Any, kind: type[T] | Any, at: Steps) -> Any:
        return self.convert(value, kind, at, hook=secret_hook)
