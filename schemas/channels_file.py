"""Reads channels.yaml; what is wrong with it is told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from schemas.channels import (
    COUPONS,
    FIELDS,
    PLACE,
    Channel,
    Channels,
    Offers,
    Sandbox,
    Template,
    WeComEmployee,
)
from schemas.lined_yaml import LinedYaml, Steps, nearest
from schemas.secrets import secret_hook


class ChannelsProblem(Exception):
    """The configuration, contacts or a secret is wrong; the message is for the operator."""


def load_channels(path: Path) -> Channels:
    """The configuration in a file; paths in it are made relative to the file's folder.

    Raises:
        ChannelsProblem: it cannot be read or something in it is wrong; names the line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        msg = f"{path} cannot be read: {getattr(wrong, 'strerror', None) or wrong}"
        raise ChannelsProblem(msg) from None
    made = read_channels(text, path.name)
    beside = {
        name: str(path.parent / value)
        for name in ("chain", "contacts", "sandbox")
        if (value := getattr(made, name)) is not None
    }
    channels = {
        name: msgspec.structs.replace(one, path=str(path.parent / one.path))
        if isinstance(one, Sandbox)
        else one
        for name, one in made.channels.items()
    }
    return msgspec.structs.replace(made, channels=channels, **beside)


def read_channels(text: str, name: str = "channels.yaml") -> Channels:
    """The configuration from its YAML text.

    Raises:
        ChannelsProblem: as for `load_channels`.
    """
    return _File(text, name).channels()


class _File(LinedYaml):
    """channels.yaml."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name, ChannelsProblem)

    def channels(self) -> Channels:
        if not isinstance(self.data, dict):
            msg = f"{self.name}: expected channels and contacts (see docs/channels.md)"
            raise ChannelsProblem(msg)
        data = dict(self.data)
        given = data.pop("channels", None)
        if not isinstance(given, dict) or not given:
            self.refuse(("channels",), "channels is a mapping of a name to a channel, at least 1")
        if COUPONS in given:
            said = "this name is the coupon desk's: give the channel another one"
            self.refuse(("channels", COUPONS), said)
        rest: Channels = self._part({**data, "channels": {}}, Channels, ())
        made = {
            str(key): self._part(value, Channel, ("channels", key)) for key, value in given.items()
        }
        found: Channels = msgspec.structs.replace(rest, channels=made)
        for name, entries in found.templates.items():
            for channel, template in entries.items():
                self._check(found, channel, template, ("templates", name, channel))
        return found

    def _part(self, value: Any, kind: Any, at: Steps) -> Any:
        return self.convert(value, kind, at, hook=secret_hook)

    def _check(self, made: Channels, channel: str, template: Template, at: Steps) -> None:
        if channel not in made.channels:
            self.refuse(at, f"there is no channel {channel}{nearest(channel, made.channels)}")
        codeless = (WeComEmployee, Sandbox, Offers)
        if not template.code and not isinstance(made.channels[channel], codeless):
            self.refuse((*at, "code"), "the provider's code of the template is missing")
        spoken = {("values", key): value for key, value in template.values.items()}
        for where, value in ({("text",): template.text} | spoken).items():
            for place in PLACE.findall(value):
                if place not in FIELDS and not place.startswith("contact."):
                    known = ", ".join([*FIELDS, "contact.COLUMN"])
                    self.refuse((*at, *where), f"there is no {{{place}}}; there are {known}")
