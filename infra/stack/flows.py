"""The flows of the stack: those that it always has, and those that run when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from flows.settings import STOCK_TOPICS
from infra.stack.channels import NAME as CHANNELS
from infra.stack.health import reads_health
from infra.stack.record import StackError
from infra.stack.reports import flow_report, transfers_report
from infra.stack.services import Service, Where, tillflow
from operators.members.lines import TYPES
from schemas.coupon_events import COUPON_TOPIC
from schemas.coupons_file import CouponsProblem, load_coupons
from schemas.footfall import FOOTFALL_WINDOW_TYPE
from schemas.member_events import ERASED_TYPE, REFUND_TYPE
from schemas.message_events import MESSAGE_OPENED_TYPE
from schemas.shop_events import ORDER_TYPE, VISIT_TYPE

# What a flow counts in one of its runs, for status: columns of flow_run by their words.
_ALERTS = {"alerts_raised": "alerts", "dead_letters": "dead letters"}
_LETTERS = {"dead_letters": "dead letters"}
# What each reads, to say how far it is behind; a test holds them against the flows.
TOPICS_READ: Mapping[str, Sequence[str]] = {
    "stock": STOCK_TOPICS,
    "footfall": (VISIT_TYPE, ORDER_TYPE),
    "roster": (FOOTFALL_WINDOW_TYPE,),
    "members": TYPES,
    "coupons": (COUPON_TOPIC, ORDER_TYPE, REFUND_TYPE, ERASED_TYPE, MESSAGE_OPENED_TYPE),
}


class Make(Protocol):
    """Makes the service of a flow."""

    def __call__(self, where: Where, *, with_lag: bool) -> Service:
        """The service; `with_lag`: whether the broker can say how far it is behind."""
        ...


def group_of(name: str) -> str:
    """The consumer group by which a flow shows how far it is."""
    return f"tillflow-{name}"


def stock(where: Where, *, with_lag: bool) -> Service:
    """`tillflow run stock`."""
    return _run(where, "stock", _ALERTS, with_lag=with_lag)


def transfers(where: Where) -> Service:
    """`tillflow transfers run`."""
    return Service(
        name="transfers",
        command=tillflow("transfers", "run", *_options(where, "transfers")),
        probe=reads_health(where.data / "state" / "transfers" / "engine"),
        report=transfers_report(where.reader, where.token("dashboards")),
        needs=where.needs("broker", "warehouse"),
    )


def _footfall(where: Where, *, with_lag: bool) -> Service:
    return _run(where, "footfall", _LETTERS, with_lag=with_lag)


def _roster(where: Where, *, with_lag: bool) -> Service:
    # After footfall, whose windows it reads: a fresh broker has none before.
    return _run(where, "roster", _ALERTS, with_lag=with_lag, after=("footfall",))


def _members(where: Where, *, with_lag: bool) -> Service:
    more: list[object] = []
    for name in ("journeys", "health"):
        path = getattr(where.settings, name)
        if path is not None:
            more += [f"--{name}", path]
    return _run(where, "members", _LETTERS, with_lag=with_lag, more=more)


def _coupons(where: Where, *, with_lag: bool) -> Service:
    """Funnels; with a file of coupons also their thresholds and shops.

    Raises:
        StackError: that file is wrong.
    """
    more: list[object] = []
    file = where.settings.coupons
    if file is not None:
        try:
            load_coupons(file)
        except CouponsProblem as wrong:
            raise StackError(str(wrong)) from None
        more += ["--coupons", file]
    return _run(where, "coupons", _LETTERS, with_lag=with_lag, more=more)


# In the order of their start.
MORE_FLOWS: Mapping[str, Make] = {
    "footfall": _footfall,
    "roster": _roster,
    "members": _members,
    "coupons": _coupons,
}


def wanted_flows(asked: Sequence[str]) -> tuple[str, ...]:
    """Those asked for, with the flow that another one reads from."""
    wanted = {*asked, "footfall"} if "roster" in asked else {*asked}
    if CHANNELS in wanted:
        wanted.add("members")
    return tuple(name for name in (*MORE_FLOWS, CHANNELS) if name in wanted)


def _run(
    where: Where,
    name: str,
    counted: Mapping[str, str],
    *,
    with_lag: bool,
    after: tuple[str, ...] = (),
    more: Sequence[object] = (),
) -> Service:
    group, token = group_of(name), where.token("dashboards")
    log = (where.kafka, group, TOPICS_READ[name])
    return Service(
        name=name,
        command=tillflow("run", name, "--group", group, *_options(where, name), *more),
        probe=reads_health(where.data / "state" / name / "engine"),
        report=flow_report(name, counted, (where.reader, token), log, with_lag=with_lag),
        needs=(*where.needs("broker", "warehouse"), *after),
    )


def _options(where: Where, state: str) -> list[object]:
    options: list[object] = ["--kafka", where.kafka.brokers, "--create-topics"]
    options += ["--warehouse", where.warehouse, "--token-file", where.token("flows")]
    options += ["--recovery", where.data / "state" / state]
    if where.settings.config is not None:
        options += ["--config", where.settings.config]
    return options
