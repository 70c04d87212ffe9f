"""`tillflow channels`: messages of journeys to members."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import AbstractContextManager, closing
from pathlib import Path

import click
import msgspec

from flows.settings import SettingsError, kafka_settings, load_chain
from infra.options import create_topics_option, token_file_option
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
    summary,
)
from infra.signals import stopped_by_signals
from operators.channels.filling import fill
from operators.channels.heard import TOPICS, Asked, Heard
from operators.inbox import Inbox
from schemas.channels import Channels, Template, WeComEmployee
from schemas.channels_file import ChannelsProblem, load_channels
from schemas.instants import DAY_US, to_datetime
from schemas.journey_rules import JourneysConfig
from schemas.secrets import secrets_of
from sinks.channels.clients import client_of
from sinks.channels.contacts import Contacts
from sinks.channels.coupons import CouponClient
from sinks.channels.database import connect
from sinks.channels.listing import STATES, TROUBLED, Listed, counts, listed
from sinks.channels.telling import (
    TOPICS_WRITTEN,
    FileTeller,
    KafkaTeller,
    Teller,
    Tellers,
    WarehouseTeller,
)
from sinks.channels.worker import Worker
from sinks.coupons.errors import CouponError
from sinks.loop import wall_clock
from sinks.sending.sender import HIDDEN
from sinks.sending.store import refused
from sinks.sqlite import StoreError
from sinks.warehouse.address import Address, WarehouseError, parse_target
from sources.decisions import FileInbox, KafkaInbox, WarehouseInbox
from sources.inboxes import Positions
from sources.kafka.errors import BrokerError
from sources.kafka.topics import check_topics

_config = config_option("channels", "Channels, templates, contacts (YAML).")
_store = store_option("channels", "What was sent and what is to be sent (SQLite).")
_sandbox = click.option("--sandbox", type=PATH, help="Send nothing, write to this file instead.")


@click.group()
def channels() -> None:
    """Messages to members: SMS, WeChat, WeCom; and coupons that journeys give. Once each."""


@channels.command()
@_config
@_store
@_sandbox
@click.option("--kafka", envvar="TILLFLOW_KAFKA", help="Bootstrap servers (host:port,...).")
@create_topics_option
@events_option
@click.option("--warehouse", help="Instead: a DuckDB file. With the others: results go there.")
@token_file_option
@click.option("--report", type=PATH, help="Also write results to this file (JSON Lines).")
@once_option
def run(
    config: Path,
    store: Path,
    sandbox: Path | None,
    kafka: str | None,
    create_topics: bool,
    events: Path | None,
    warehouse: str | None,
    token_file: Path | None,
    report: Path | None,
    once: bool,
) -> None:
    """Send what journeys decided, until stopped; it goes on where it was."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    with _told(), stopped_by_signals() as stop:
        made, rules = _prepared(config, sandbox)
        if events is not None:
            kafka = None
        brokers = kafka_settings(kafka) if kafka is not None and create_topics else None
        if brokers is not None:
            check_topics(brokers, (*TOPICS, *TOPICS_WRITTEN), create=True)
        teller = _teller(kafka, warehouse, token_file, report)
        try:
            with Worker(made, rules, store, os.environ, teller) as worker:
                inbox = _inbox(kafka, events, warehouse, worker.store.positions())
                try:
                    worker.run(inbox, stop, once=once)
                finally:
                    inbox.close()
        finally:
            teller.close()
        with closing(connect(store)) as connection:
            found = counts(connection)
        click.echo(summary(found) or "no messages")


@channels.command()
@_config
@_sandbox
def check(config: Path, sandbox: Path | None) -> None:
    """Check configuration, contacts, templates and secrets; sends nothing."""
    with _told():
        made, _ = _prepared(config, sandbox)
        contacts = Contacts(Path(made.contacts))
        for name, channel in made.channels.items():
            client = client_of(name, channel, os.environ, made.sandbox)
            client.close()
            columns = [channel.column] if channel.column not in ("", "member") else []
            if isinstance(channel, WeComEmployee):
                columns.append(channel.employee)
            for column in columns:
                if column not in contacts.columns:
                    msg = f"channel {name}: the contacts have no column {column}"
                    raise ChannelsProblem(msg)
            templates = [each for each, ways in made.templates.items() if name in ways]
            shown = ", ".join(templates) or "no templates"
            click.echo(f"channel {name} ({client.provider}): {shown}")
        if made.coupons is not None and made.sandbox is None:
            with closing(CouponClient(made.coupons, os.environ)) as desk:
                click.echo(f"coupon desk {made.coupons.pool}: {desk.state()}")
    click.echo(f"{config}: fine, {len(contacts):,} contacts")


@channels.command()
@_config
@_sandbox
@click.option("--channel", "name", required=True, help="The channel to try.")
@click.option("--member", required=True, help="A member of the contacts: yourself.")
@click.option("--template", default="text", show_default=True, help="The template to try.")
@click.option("--text", default="tillflow", show_default=True, help="What is said.")
def test(
    config: Path, sandbox: Path | None, name: str, member: str, template: str, text: str
) -> None:
    """Send one message to one member, and say what the provider answered."""
    with _told():
        made, _ = _prepared(config, sandbox)
        channel = made.channels.get(name)
        if channel is None:
            msg = f"there is no channel {name}; there are {', '.join(made.channels)}"
            raise ChannelsProblem(msg)
        contact = Contacts(Path(made.contacts)).of(member)
        address = member if channel.column == "member" else contact.get(channel.column, "")
        if channel.column and not address:
            msg = f"the contacts have no {channel.column} of {member}"
            raise ChannelsProblem(msg)
        employee = contact.get(channel.employee, "") if isinstance(channel, WeComEmployee) else ""
        now = wall_clock()
        asked = Asked(
            id=f"test-{now}",
            member=member,
            journey="test",
            decided_at=now,
            not_after=now + DAY_US,
            marketing=False,
            channels=(name,),
            zone="Asia/Shanghai",
            text=text,
        )
        ways = made.templates.get(template, {}).get(name, Template())
        written = fill(asked, ways, contact, address, employee)
        with closing(client_of(name, channel, os.environ, made.sandbox)) as client:
            verdict = client.send(written, now)
    answer = verdict.answer
    for secret in (*secrets_of(channel, os.environ), address, employee):
        answer = answer.replace(secret, HIDDEN) if secret else answer
    click.echo(f"{name}: {verdict.outcome}: {answer}")
    if verdict.outcome != "sent":
        sys.exit(1)


@channels.command("list")
@_store
@states_option(STATES)
@limit_option
def list_(store: Path, states: tuple[str, ...], limit: int) -> None:
    """Messages that reached nobody or may not have; with --state any others, newest first."""
    with _told(), closing(existing("channels", store, connect)) as connection:
        found = listed(connection, states or TROUBLED, limit)
        unread, total = refused(connection), counts(connection)
    header = ("message", "changed (UTC)", "member", "channel", "state", "tries", "answer")
    print_messages(header, map(_row, found), unread, total)


def _row(one: Listed) -> tuple[str, ...]:
    changed = f"{to_datetime(one.changed_at):%m-%d %H:%M:%S}"
    tries = str(one.attempts)
    return (one.id, changed, one.member, one.channel, one.state, tries, one.answer)


def _prepared(config: Path, sandbox: Path | None) -> tuple[Channels, JourneysConfig]:
    made = load_channels(config)
    if sandbox is not None:
        made = msgspec.structs.replace(made, sandbox=str(sandbox))
    chain = load_chain(Path(made.chain)) if made.chain is not None else None
    return made, chain.journeys if chain is not None else JourneysConfig()


def _inbox(
    kafka: str | None, events: Path | None, warehouse: str | None, positions: Positions
) -> Inbox[Heard]:
    if events is not None:
        return FileInbox(events, positions)
    settings = kafka_settings(kafka) if kafka is not None else None
    if settings is not None:
        return KafkaInbox(settings, positions)
    if warehouse is None:
        msg = "say where decisions come from: --kafka, --events or --warehouse"
        raise click.UsageError(msg)
    where = parse_target(warehouse)
    if isinstance(where, Address):
        msg = "decisions are read from a warehouse file, or with --kafka beside a served warehouse"
        raise click.UsageError(msg)
    return WarehouseInbox(where)


def _teller(
    kafka: str | None, warehouse: str | None, token_file: Path | None, report: Path | None
) -> Teller:
    tellers: list[Teller] = []
    settings = kafka_settings(kafka) if kafka is not None else None
    if settings is not None:
        tellers.append(KafkaTeller(settings))
    if warehouse is not None:
        token = os.environ.get("TILLFLOW_WAREHOUSE_TOKEN")
        tellers.append(WarehouseTeller(parse_target(warehouse, token=token, token_file=token_file)))
    if report is not None:
        tellers.append(FileTeller(report))
    return Tellers(tellers)


def _told() -> AbstractContextManager[None]:
    return problems_told(
        BrokerError,
        ChannelsProblem,
        CouponError,
        LookupError,
        SettingsError,
        StoreError,
        ValueError,
        WarehouseError,
    )
