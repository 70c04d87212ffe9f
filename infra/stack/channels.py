"""Messages to members in the live stack: to a file, unless all keys of the providers are there.

Without a configuration of one's own but with a file of coupons, what journeys give is issued at the
coupon desk of the stack.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import yaml

from flows.settings import SettingsError, load_chain
from infra.stack.health import reads_health
from infra.stack.record import StackError
from infra.stack.reports import Report
from infra.stack.services import Service, Where, tillflow
from schemas.channels_file import ChannelsProblem, load_channels
from schemas.secrets import Secret

NAME = "channels"
_REAL = "channels.sqlite"
_REDIS = "TILLFLOW_HOLDS_REDIS"
# Screens that fetch what they show.
_SCREENS = ("mini_program", "pos")


def channels(where: Where, env: Mapping[str, str] = os.environ) -> tuple[Service, str]:
    """`tillflow channels run`, and what a person should know about it.

    Without a configuration every channel of the chain is a sandbox; with one it is, too, as long as
    a key is missing.

    Raises:
        StackError: the configuration is wrong.
    """
    folder, given = where.data / NAME, where.settings.channels
    config = given or folder / "channels.yaml"
    lacking = "no --channels FILE names providers" if given is None else _missing(given, env)
    sandbox = folder / "sent.jsonl" if lacking else None
    gives = given is None and where.settings.coupons is not None
    # A store of the sandbox says of nothing that it was really sent; coupons are really issued.
    store = folder / ("gifts.sqlite" if gives else "sandbox.sqlite" if sandbox else _REAL)
    options: list[object] = ["--config", config, "--store", store]
    options += ["--kafka", where.kafka.brokers]
    options += ["--warehouse", where.warehouse, "--token-file", where.token("flows")]
    if sandbox and not gives:
        options += ["--sandbox", sandbox]

    def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if given is None:
            _write_own(where, config, gives=gives)

    service = Service(
        name=NAME,
        command=tillflow("channels", "run", *options),
        probe=reads_health(),
        report=_report(store, sandbox),
        needs=where.needs("broker", "warehouse", "redis"),
        # As the example names it: the desk of this stack.
        environ={_REDIS: where.redis},
        prepare=prepare,
    )
    if gives:
        words = f"messages go to {sandbox}, gifts are issued at the desk of this stack"
        return service, f"channels: {words} (its coupons are published as docs/live.md says)"
    if sandbox:
        return service, f"channels: nothing is sent, for {lacking}; messages go to {sandbox}"
    return service, "channels: messages are really sent, with the keys of the environment"


def _missing(config: Path, env: Mapping[str, str]) -> str:
    """Which key is not there; empty where all are."""
    try:
        made = load_channels(config)
    except ChannelsProblem as wrong:
        raise StackError(str(wrong)) from None
    if made.sandbox is not None:
        return f"{config.name} says sandbox"
    for name, channel in made.channels.items():
        for part in channel.__struct_fields__:
            value = getattr(channel, part)
            if isinstance(value, Secret):
                try:
                    value.read(env)
                except LookupError as wrong:
                    return f"channel {name} lacks a key ({wrong})"
    return ""


def _write_own(where: Where, path: Path, *, gives: bool) -> None:
    """A configuration that sends nothing, for all channels that the chain's journeys may name.

    `gives`: gifts are issued at the stack's desk.
    """
    try:
        names = load_chain(where.settings.config).journeys.channels
    except SettingsError as wrong:
        raise StackError(str(wrong)) from None
    ways = {
        name: {"type": "offers"}
        if name in _SCREENS
        else {"type": "sandbox", "path": "sent.jsonl", "column": "member"}
        for name in names
    }
    made: dict[str, object] = {"channels": ways, "contacts": "contacts.csv"}
    if where.settings.config is not None:
        made["chain"] = str(where.settings.config)
    if gives:
        made["coupons"] = {"redis": f"env:{_REDIS}", "pool": where.pool}
    path.write_text(yaml.safe_dump(made, allow_unicode=True), encoding="utf-8")
    contacts = path.with_name("contacts.csv")
    if not contacts.exists():
        contacts.write_text("member\n", encoding="utf-8")


def _report(store: Path, sandbox: Path | None) -> Report:
    """How many messages are in which state."""

    def report() -> str:
        from sinks.channels.database import connect  # noqa: PLC0415 (loads when asked)
        from sinks.channels.listing import counts  # noqa: PLC0415
        from sinks.sqlite import StoreError  # noqa: PLC0415

        where = "sandbox: " if sandbox else ""
        if not store.exists():
            return f"{where}no messages yet"
        try:
            with closing(connect(store)) as connection:
                found = counts(connection)
        except StoreError as wrong:
            return str(wrong)
        said = ", ".join(f"{many:,} {state}" for state, many in found.items() if many)
        return where + (said or "no messages yet")

    return report
