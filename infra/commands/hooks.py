"""`tillflow hooks`: alerts to people."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import click

from flows.settings import SettingsError, kafka_settings, load_chain
from infra.problems import problems_told
from infra.sending_options import (
    PATH,
    config_option,
    events_option,
    existing,
    limit_option,
    once_option,
    print_messages,
    states_option,
    store_option,
)
from infra.signals import stopped_by_signals
from operators.inbox import Inbox
from operators.notify.notice import Notice
from operators.notify.routing import Zones
from schemas.hooks import Hooks
from schemas.hooks_file import HooksProblem, load_hooks
from schemas.instants import to_datetime
from schemas.secrets import secrets_of
from sinks.hooks import listing
from sinks.hooks.channels import client_of
from sinks.hooks.database import connect
from sinks.hooks.links import LinkSigner
from sinks.hooks.listing import STATES, TROUBLED, Listed, counts, listed, resend
from sinks.hooks.outbox import orphaned
from sinks.hooks.wording import Writer
from sinks.hooks.worker import Worker
from sinks.loop import wall_clock
from sinks.sending.sender import HIDDEN
from sinks.sending.store import refused
from sinks.sqlite import StoreError
from sources.alerts import FileInbox, KafkaInbox, WarehouseInbox
from sources.inboxes import Positions
from sources.kafka.errors import BrokerError

_config = config_option("hooks", "Channels and routes (YAML).")
_store = store_option("hooks", "What was told and what is to be sent (SQLite).")


@click.group()
def hooks() -> None:
    """Alerts to people: WeCom, DingTalk, Feishu, Slack, e-mail, webhooks."""


@hooks.command()
@_config
@_store
@click.option("--kafka", envvar="TILLFLOW_KAFKA", help="Bootstrap servers (host:port,...).")
@events_option
@click.option("--warehouse", type=PATH, help="Instead: a DuckDB warehouse.")
@click.option("--listen", metavar="HOST:PORT", help="Serve the acknowledgement links here.")
@once_option
@click.option("--forget-positions", is_flag=True, help="Read again from the beginning.")
def run(
    config: Path,
    store: Path,
    kafka: str | None,
    events: Path | None,
    warehouse: Path | None,
    listen: str | None,
    once: bool,
    forget_positions: bool,
) -> None:
    """Read alerts and tell people, until stopped; it goes on where it was."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    with _told(), stopped_by_signals() as stop:
        made, zones, writer, signer = _prepared(config)
        if listen is not None and signer is None:
            msg = "--listen serves links, and the configuration has no links: see docs/hooks.md"
            raise HooksProblem(msg)
        if forget_positions:
            with closing(connect(store)) as connection:
                listing.forget_positions(connection)
        with Worker(made, store, zones, writer, os.environ) as worker:
            waiting = orphaned(store, list(made.channels))
            if waiting:
                click.echo(f"{waiting} messages wait for channels that are gone", err=True)
            inbox = _inbox(kafka, events, warehouse, worker.store.positions())
            try:
                with _served(listen, store, signer, writer):
                    worker.run(inbox, stop, once=once)
            finally:
                inbox.close()


@hooks.command()
@_config
@click.option("--route", required=True, help="The route to try.")
def test(config: Path, route: str) -> None:
    """Send a test message over a route and say what the provider answered."""
    with _told():
        made, _, writer, _ = _prepared(config)
        found = made.route(route)
        if found is None:
            names = ", ".join(each.name for each in made.routes)
            msg = f"there is no route {route}; there are {names}"
            raise HooksProblem(msg)
        channel = made.channels[found.channel]
        now = wall_clock()
        with closing(client_of(channel, os.environ)) as client:
            language = found.language or made.language
            message = writer.write_test(route, found.channel, language, client.markup, now)
            verdict = client.send(message, now)
        answer = verdict.answer
        for secret in secrets_of(channel, os.environ):
            answer = answer.replace(secret, HIDDEN)
    click.echo(f"{route} over {found.channel}: {verdict.outcome}: {answer}")
    if verdict.outcome != "sent":
        sys.exit(1)


@hooks.command("list")
@_store
@states_option(STATES)
@limit_option
def list_(store: Path, states: tuple[str, ...], limit: int) -> None:
    """Messages that may have reached nobody; with --state any others, newest first."""
    with _told(), closing(existing("hooks", store, connect)) as connection:
        found = listed(connection, states or TROUBLED, limit)
        unread, total = refused(connection), counts(connection)
    header = ("message", "made (UTC)", "route", "kind", "state", "tries", "alert", "answer")
    print_messages(header, map(_row, found), unread, total)


def _row(one: Listed) -> tuple[str, ...]:
    more = f" and {len(one.alerts) - 1} more" if len(one.alerts) > 1 else ""
    made = f"{to_datetime(one.made_at):%m-%d %H:%M:%S}"
    about = (one.id, made, one.route, one.kind, one.state, str(one.attempts))
    return (*about, one.alerts[0] + more, one.answer)


@hooks.command("resend")
@_store
@click.argument("messages", nargs=-1)
@click.option("--state", type=click.Choice(TROUBLED), help="All in that state.")
def resend_(store: Path, messages: tuple[str, ...], state: str | None) -> None:
    """Send MESSAGES again that are unknown or undeliverable."""
    if bool(messages) == (state is not None):
        msg = "name messages, or --state"
        raise click.UsageError(msg)
    with _told(), closing(existing("hooks", store, connect)) as connection:
        wanted = [each.id for each in listed(connection, [state], -1)] if state else list(messages)
        done = resend(connection, wanted, wall_clock())
    for name in sorted(set(wanted) - set(done)):
        click.echo(f"{name}: neither unknown nor undeliverable", err=True)
    click.echo(f"{len(done)} messages are ready again")
    if len(done) < len(set(wanted)):
        sys.exit(1)


@hooks.command()
@_config
def check(config: Path) -> None:
    """Check configuration, templates and secrets; sends nothing."""
    with _told():
        made, _, _, _ = _prepared(config)
        for name, channel in made.channels.items():
            client_of(channel, os.environ).close()
            used = [route.name for route in made.routes if route.channel == name]
            kind = type(channel).__name__
            click.echo(f"channel {name} ({kind}): {', '.join(used) or 'no route uses it'}")
        open_to_all = [
            route
            for route in made.routes
            if {"*"} <= set(route.places)
            and {"*"} <= set(route.skus)
            and not (route.types or route.hours or route.days or route.only_escalated)
        ]
        heard = {severity for route in open_to_all for severity in route.severities}
        for severity in ("critical", "high", "warning"):
            if severity not in heard:
                click.echo(f"note: no route takes {severity} alerts of all places at all hours")
    click.echo(f"{config}: fine")


def _prepared(config: Path) -> tuple[Hooks, Zones, Writer, LinkSigner | None]:
    made = load_hooks(config)
    chain = load_chain(Path(made.chain)) if made.chain is not None else None
    places = chain.places if chain is not None else {}
    zones = Zones(
        chain.timezone if chain is not None else made.timezone,
        {name: place.timezone for name, place in places.items() if place.timezone},
    )
    names = {name: place.name for name, place in places.items() if place.name}
    signer = None
    if made.links is not None:
        links = made.links
        signer = LinkSigner(links.base, links.secret.read(os.environ), links.valid_hours)
    own = Path(made.templates) if made.templates is not None else None
    return made, zones, Writer(zones, names, signer, own), signer


def _inbox(
    kafka: str | None, events: Path | None, warehouse: Path | None, positions: Positions
) -> Inbox[Notice]:
    if events is not None and warehouse is None:
        return FileInbox(events, positions)
    if warehouse is not None and events is None:
        return WarehouseInbox(warehouse)
    if kafka is None or events is not None:
        msg = "say where alerts come from: --kafka, --events or --warehouse"
        raise click.UsageError(msg)
    settings = kafka_settings(kafka)
    assert settings is not None
    return KafkaInbox(settings, "tillflow-hooks", positions)


@contextmanager
def _served(
    listen: str | None, store: Path, signer: LinkSigner | None, writer: Writer
) -> Iterator[None]:
    """The acknowledgement page, in a thread of its own."""
    if listen is None or signer is None:
        yield
        return
    from serving.acknowledge import create_app, served  # noqa: PLC0415 (only where links are served)

    host, _, port = listen.rpartition(":")
    if not port.isdigit():
        msg = f"--listen {listen}: expected HOST:PORT"
        raise click.UsageError(msg)
    app = create_app(store, signer, writer, wall_clock)
    with served(app, host or "127.0.0.1", int(port)):
        yield


def _told() -> AbstractContextManager[None]:
    return problems_told(
        HooksProblem, StoreError, SettingsError, BrokerError, LookupError, ValueError
    )
