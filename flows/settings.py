"""Settings of a flow: the only reader of the environment, where everything begins `TILLFLOW_`."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import yaml

from schemas.chain import Chain

PREFIX = "TILLFLOW_"
# Part of the stored state: changing it needs a new recovery folder.
SHARDS = 16


class SettingsError(Exception):
    """A setting is missing, unknown or wrong; the message says which and what to write."""


class StockSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the stock flow is started with.

    `recovery` is the folder of state and progress; None runs without (nothing is kept, a second
    run starts at the beginning). `epoch_seconds`: how often progress is made durable.
    """

    source: str
    warehouse: Path
    config: Path | None = None
    recovery: Path | None = None
    follow: bool = False
    epoch_seconds: float = 10.0
    run: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex)

    def environment(self) -> dict[str, str]:
        """The settings as environment variables, for processes that are started for this flow."""
        found = {
            "SOURCE": self.source,
            "WAREHOUSE": str(self.warehouse),
            "FOLLOW": "1" if self.follow else "0",
            "EPOCH_SECONDS": repr(self.epoch_seconds),
            "RUN": self.run,
        }
        if self.config is not None:
            found["CONFIG"] = str(self.config)
        if self.recovery is not None:
            found["RECOVERY"] = str(self.recovery)
        return {PREFIX + name: value for name, value in found.items()}

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> StockSettings:
        """The settings the environment gives.

        Raises:
            SettingsError: one is missing, unknown, or not of its form.
        """
        given = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and value
        }
        unknown = sorted(given.keys() - set(cls.__struct_fields__))
        if unknown:
            known = ", ".join(PREFIX + name.upper() for name in cls.__struct_fields__)
            msg = f"{PREFIX}{unknown[0].upper()} is no setting of the stock flow; there are {known}"
            raise SettingsError(msg)
        for needed, example in (("source", "events.jsonl"), ("warehouse", "warehouse.duckdb")):
            if needed not in given:
                msg = f"{PREFIX}{needed.upper()} is not set (for example {example})"
                raise SettingsError(msg)
        try:
            return msgspec.convert(given, cls, strict=False, dec_hook=_path)
        except msgspec.ValidationError as wrong:
            msg = f"a setting of the environment ({PREFIX}…) is wrong: {wrong}"
            raise SettingsError(msg) from None


def _path(wanted: type, value: object) -> object:
    if wanted is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError


def load_chain(path: Path | None) -> Chain:
    """The chain's configuration; without a file the defaults.

    Raises:
        SettingsError: the file is not there, no YAML, not of the schema, or names a time zone
            that does not exist.
    """
    if path is None:
        return Chain()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as wrong:
        msg = f"cannot read the chain's configuration {path}: {wrong.strerror}"
        raise SettingsError(msg) from None
    except UnicodeDecodeError:
        msg = f"{path} is not readable as UTF-8 text: save it as UTF-8"
        raise SettingsError(msg) from None
    try:
        chain = msgspec.convert(yaml.safe_load(text) or {}, Chain)
    except yaml.YAMLError as wrong:
        msg = f"{path} is no YAML: {_first_problem(wrong)}"
        raise SettingsError(msg) from None
    except msgspec.ValidationError as wrong:
        msg = f"{path}: {wrong}"
        raise SettingsError(msg) from None
    for zone in {chain.timezone, *(place.timezone for place in chain.places.values())} - {None}:
        _check_zone(path, zone)
    return chain


def _first_problem(wrong: yaml.YAMLError) -> str:
    if isinstance(wrong, yaml.MarkedYAMLError) and wrong.problem_mark is not None:
        return f"line {wrong.problem_mark.line + 1}: {wrong.problem}"
    return " ".join(str(wrong).split())


def _check_zone(path: Path, zone: str | None) -> None:
    try:
        ZoneInfo(zone or "UTC")
    except (KeyError, ValueError, OSError):
        msg = f"{path}: time zone {zone!r} is not known; names are like Asia/Shanghai"
        raise SettingsError(msg) from None
