"""`tillflow coupon lint|publish|issue|show|rebuild`: coupons of a chain, their desk."""

from __future__ import annotations

import json
import uuid
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from flows.settings import SettingsError, kafka_settings
from infra.answers import console, field, table
from infra.keeper_log import KafkaLog
from infra.problems import problems_told
from schemas.coupons import CouponBook
from schemas.coupons_file import CouponsProblem, load_coupons
from schemas.instants import to_datetime, utc_text
from schemas.money import digits, money_words
from serving.keeper.coupon_log import read_coupons_of
from serving.keeper.ports import LogAway, LogLost
from sinks.coupons import calls, erasing, rebuild
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import CouponError, Refused
from sinks.coupons.protocol import digest
from sinks.coupons.settings import DeskSettings
from sinks.coupons.told import Told
from sources.kafka.errors import BrokerError

_file = click.argument("file", type=click.Path(path_type=Path))
_redis = click.option(
    "--redis",
    "url",
    default="redis://localhost:6379/0",
    show_default=True,
    envvar="TILLFLOW_HOLDS_REDIS",
    help="Where the desk is: beside the hold gate.",
)
DESK = click.option(
    "--pool",
    "desk",
    default="all",
    show_default=True,
    envvar="TILLFLOW_HOLDS_POOL",
    help="The desk is named like the pool.",
)
KAFKA = click.option("--kafka", envvar="TILLFLOW_KAFKA", help="Bootstrap servers (host:port,...).")


@click.command()
@_file
def lint(file: Path) -> None:
    """Check the coupons in FILE (YAML) and say in words what they promise and may cost."""
    with told():
        book = load_coupons(file)
    for rule in book.coupons:
        budget = rule.budget
        each = rule.most_off
        uses = min((one for one in (budget.redeemed, budget.issued) if one), default=None)
        most = [budget.money] if budget.money else []
        if uses and each is not None:
            most.append(uses * each)
        click.echo(f"{rule.id}  {rule.name.zh} / {rule.name.en}")
        click.echo(f"    {_promise(book, rule.id)}")
        click.echo(
            f"    issued at most {budget.issued or 'without end'}, redeemed "
            f"{budget.redeemed or 'without end'}; costs at most "
            + (money_words(min(most), book.currency) if most else "what customers buy")
        )
    click.echo(f"{file.name}: {len(book.coupons)} coupons, version {book.version}: nothing wrong")


@click.command()
@_file
@_redis
@DESK
@click.option("--first", is_flag=True, help="Open a desk that has never been open.")
def publish(file: Path, url: str, desk: str, first: bool) -> None:
    """Make the coupons in FILE known to the desk; servers follow within a second."""
    with told(), _opened(url, desk) as found:
        book = load_coupons(file)
        found.publish(book, first=_epoch() if first else None)
        state = found.state()
    click.echo(f"version {book.version} of {file.name} is published; the desk is {state.state}")


@click.command()
@click.argument("campaign")
@click.argument("members", nargs=-1, required=True)
@_redis
@DESK
@click.option("--message", required=True, help="What brings them; makes the coupons' ids.")
def issue(campaign: str, members: tuple[str, ...], url: str, desk: str, message: str) -> None:
    """Give a coupon of CAMPAIGN to MEMBERS; the same call again gives none a second one."""
    failed = False
    with told(), _opened(url, desk) as found:
        for member in members:
            # A coupon outlives its member's erasure, so its id does not name the member.
            name = f"{message}:{digest(member)}"
            try:
                made = found.run(found.issuing(name, campaign, member, message=message))
            except Refused as wrong:
                click.echo(f"{member}: {wrong}", err=True)
                failed = True
                continue
            end = utc_text(to_datetime(made.valid_to * 1000))
            click.echo(f"{name}  until {end}" + ("  (was there)" if made.replayed else ""))
    if failed:
        raise SystemExit(1)


@click.command()
@click.argument("coupon", required=False)
@_redis
@DESK
@click.option("--member", help="The coupons that this member could use.")
def show(coupon: str | None, url: str, desk: str, member: str | None) -> None:
    """What campaigns have used of their budgets; or one COUPON, or a member's, as JSON."""
    with told(), _opened(url, desk) as found:
        if coupon is not None:
            click.echo(_json(found.read(coupon)))
            return
        if member is not None:
            click.echo(_json(found.of_member(member).coupons))
            return
        state = found.state()
        known = found.run(calls.published(found.protocol))
        campaigns = found.run(found.campaigns_now())
    rows = [
        {
            "campaign": each.campaign,
            ">issued": _of(each.issued, known.rule(each.campaign).budget.issued),
            ">redeemed": _of(each.redeemed, known.rule(each.campaign).budget.redeemed),
            ">reserved": str(each.reserved),
            ">money": digits(each.money, known.currency),
            ">of": "" if most is None else digits(most, known.currency),
            "no more because": each.full or each.stopped,
        }
        for each in campaigns
        for most in (known.rule(each.campaign).budget.money,)
    ]
    click.echo(f"desk {desk} is {state.state}, version {state.version}")
    if rows:
        console().print(table("campaigns", [(head, field(head)) for head in rows[0]], rows))


@click.command()
@click.argument("members", nargs=-1, required=True)
@_redis
@DESK
def erase(members: tuple[str, ...], url: str, desk: str) -> None:
    """Forget MEMBERS at the desk; the keeper does it by itself for `member.erased.v1`."""
    with told(), _opened(url, desk) as found:
        count = found.run(erasing.erase(found.protocol, members))
    click.echo(f"{count} coupons name nobody any more")


@click.command("rebuild")
@_file
@_redis
@DESK
@KAFKA
def rebuild_command(file: Path, url: str, desk: str, kafka: str | None) -> None:
    """Write a desk that lost its data anew from the log, with the coupons in FILE, and open it."""
    with told(), _opened(url, desk) as found:
        book = load_coupons(file)
        if found.state().state == "open":
            msg = "the desk is open: it has its data, and the keeper sees to it after a restart"
            raise click.ClickException(msg)
        token = uuid.uuid4().hex
        log = read_log(kafka, desk)
        lives = log.lives.coupons.values()
        unknown = sorted({each.campaign for each in lives if book.rule(each.campaign) is None})
        if unknown:
            msg = f"{file.name} lacks {', '.join(unknown)}: members have coupons of it"
            raise click.ClickException(msg)
        found.publish(book)
        found.run(rebuild.begin(found.protocol, token))
        found.run(rebuild.clear(found.protocol, token))
        written = found.run(rebuild.restore(found.protocol, token, lives))
        found.run(erasing.mark(found.protocol, sorted(log.gone)))
        found.run(rebuild.reopen(found.protocol, token, _epoch()))
    click.echo(f"{written} coupons from {log.events} events; the desk is open{gaps(log)}")


def _promise(book: CouponBook, campaign: str) -> str:
    rule = book.rule(campaign)
    assert rule is not None
    if rule.gift is not None:
        gets = f"{rule.gift.quantity} {rule.gift.sku}"
    elif rule.percent is not None:
        most = f", at most {money_words(rule.most, book.currency)}" if rule.most else ""
        gets = f"{rule.percent}% off{most}"
    else:
        gets = f"{money_words(rule.amount or 0, book.currency)} off"
    over = f" from {money_words(rule.threshold, book.currency)}" if rule.threshold else ""
    valid = rule.valid
    when = f"{valid.days} days" if valid.days else f"{valid.first} to {valid.last}"
    more = [", ".join(rule.weekdays or []), rule.hours or "", ", ".join(rule.stores or [])]
    return "; ".join(part for part in (f"{gets}{over}", when, *more, rule.stacking) if part)


def _of(used: int, cap: int | None) -> str:
    return str(used) if cap is None else f"{used} of {cap}"


def _json(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False)


def gaps(log: Told) -> str:
    """What of the log could not be followed, in words."""
    said = f"; {log.gaps} began without what came before" if log.gaps else ""
    return said + (f"; {log.unreadable} records are no events" if log.unreadable else "")


def _epoch() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S")


def read_log(brokers: str | None, desk: str) -> Told:
    """All that the log says of a desk."""
    settings = kafka_settings(brokers)
    if settings is None:
        msg = "no log is given: say --kafka HOST:PORT or set TILLFLOW_KAFKA"
        raise SettingsError(msg)
    return read_coupons_of(KafkaLog(settings), desk)


def _opened(url: str, desk: str) -> CouponDesk:
    return CouponDesk(DeskSettings(url=url, desk=desk))


def told() -> AbstractContextManager[None]:
    """Problems of the operator's making, in one line."""
    return problems_told(
        CouponError, CouponsProblem, SettingsError, BrokerError, LogAway, LogLost, ValueError
    )
