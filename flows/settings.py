"""Settings of a flow: the only reader of the environment, where everything begins `TILLFLOW_`."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml

from schemas.chain import Chain
from schemas.movement import MOVEMENT_TYPE
from schemas.reservation import RESERVATION_TYPE
from sinks.warehouse.address import Address, parse_target
from sources.kafka.errors import BrokerError
from sources.kafka.settings import KafkaSettings

PREFIX = "TILLFLOW_"
# Part of the stored state: changing it needs a new recovery folder.
SHARDS = 16
STOCK_TOPICS = (MOVEMENT_TYPE, RESERVATION_TYPE)
STOCK_GROUP = "tillflow-stock"
KAFKA = "KAFKA"
# Settings of other parts of tillflow, which may lie in the same environment.
OTHERS = tuple(PREFIX + part for part in (KAFKA, "HOLDS_", "HOOKS_", "TEST_"))
TOKEN = "WAREHOUSE_TOKEN"  # noqa: S105 (a name, no token)


class SettingsError(Exception):
    """A setting is missing, unknown or wrong; the message says which and what to write."""


class StockSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the stock flow is started with: it reads `source` (files) or `topics` of `kafka`.

    `recovery` is the folder of state and progress; None runs without (nothing is kept, a second
    run starts at the beginning). `epoch_seconds`: how often progress is made durable. Files are
    left at their end unless `follow`; topics never, unless `until_end`. `since` is for the roster
    flow: it plans nothing before that instant. `journeys` is for the members flow: files that say
    what happens to members; `health` is its model of who will buy again. `coupons` is for the
    coupons flow: their file.
    """

    source: str = ""
    kafka: KafkaSettings | None = None
    topics: tuple[str, ...] = STOCK_TOPICS
    group: str = STOCK_GROUP
    create_topics: bool = False
    until_end: bool = False
    warehouse: Path
    warehouse_token_file: Path | None = None
    config: Path | None = None
    recovery: Path | None = None
    follow: bool = False
    epoch_seconds: float = 10.0
    since: str | None = None
    journeys: Path | None = None
    health: Path | None = None
    coupons: Path | None = None
    run: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def live(self) -> bool:
        """Whether the flow goes on with time, rather than over what has been."""
        return self.follow if self.kafka is None else not self.until_end

    @property
    def origin(self) -> str:
        """What is read, as flow_run names it."""
        if self.kafka is None:
            return self.source
        return f"kafka://{self.kafka.brokers}/{','.join(self.topics)}"

    @property
    def target(self) -> Path | Address:
        """The warehouse: a file, or an address with its token (TILLFLOW_WAREHOUSE_TOKEN).

        Raises:
            WarehouseError: the address is none, or the token cannot be read.
        """
        token = os.environ.get(PREFIX + TOKEN)
        return parse_target(self.warehouse, token=token, token_file=self.warehouse_token_file)

    def environment(self) -> dict[str, str]:
        """The settings as environment variables, for processes that are started for this flow."""
        found = {
            "SOURCE": self.source,
            "KAFKA": "",
            "TOPICS": ",".join(self.topics),
            "GROUP": self.group,
            "CREATE_TOPICS": "1" if self.create_topics else "0",
            "UNTIL_END": "1" if self.until_end else "0",
            "WAREHOUSE": str(self.warehouse),
            "FOLLOW": "1" if self.follow else "0",
            "EPOCH_SECONDS": repr(self.epoch_seconds),
            "RUN": self.run,
        }
        if self.kafka is not None:
            found |= {name.upper(): value for name, value in self.kafka.to_mapping().items()}
        paths = (
            "config",
            "recovery",
            "warehouse_token_file",
            "since",
            "journeys",
            "health",
            "coupons",
        )
        for name in paths:
            path = getattr(self, name)
            if path is not None:
                found[name.upper()] = str(path)
        return {PREFIX + name: value for name, value in found.items()}

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> StockSettings:
        """The settings the environment gives.

        Raises:
            SettingsError: one is missing, unknown, or not of its form.
        """
        given: dict[str, Any] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and not name.startswith(OTHERS) and value
        }
        given.pop(TOKEN.lower(), None)
        unknown = sorted(given.keys() - set(cls.__struct_fields__))
        if unknown:
            known = ", ".join(PREFIX + name.upper() for name in cls.__struct_fields__)
            msg = f"{PREFIX}{unknown[0].upper()} is no setting of the stock flow; there are {known}"
            raise SettingsError(msg)
        kafka = kafka_settings(environ=environ)
        if kafka is not None and "source" in given:
            msg = f"{PREFIX}SOURCE and {PREFIX}KAFKA exclude each other: set one of them"
            raise SettingsError(msg)
        missing = [name for name in ("source", "warehouse") if name not in given]
        if kafka is not None and "source" in missing:
            missing.remove("source")
        if missing:
            example = {"source": "events.jsonl", "warehouse": "warehouse.duckdb"}[missing[0]]
            msg = f"{PREFIX}{missing[0].upper()} is not set (for example {example})"
            raise SettingsError(msg)
        if "topics" in given:
            given["topics"] = [name.strip() for name in given["topics"].split(",")]
        try:
            settings = msgspec.convert(given, cls, strict=False, dec_hook=to_path)
        except msgspec.ValidationError as wrong:
            msg = f"a setting of the environment ({PREFIX}…) is wrong: {wrong}"
            raise SettingsError(msg) from None
        return msgspec.structs.replace(settings, kafka=kafka)


def kafka_settings(
    brokers: str | None = None, *, environ: Mapping[str, str] = os.environ
) -> KafkaSettings | None:
    """How to reach the brokers: TILLFLOW_KAFKA unless they are given, and TILLFLOW_KAFKA_*.

    Raises:
        SettingsError: one of these is no setting, or not of its form.
    """
    brokers = brokers or environ.get(PREFIX + KAFKA)
    if not brokers:
        return None
    prefix = f"{PREFIX}{KAFKA}_"
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in environ.items()
        if name.startswith(prefix) and value
    }
    try:
        return KafkaSettings.from_mapping(brokers, given)
    except BrokerError as wrong:
        raise SettingsError(str(wrong)) from None


def to_path(wanted: type, value: object) -> object:
    """What msgspec asks for a type that it does not know: makes paths of texts."""
    if wanted is Path and isinstance(value, str):
        return Path(value)
    # What msgspec asks of a hook that does not know a type: it then words the error itself.
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
