"""What journeys give, held against the coupons of the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from operators.journeys.compile import Read
from operators.journeys.findings import Path, Said, nearest
from operators.journeys.program import Act, Program
from operators.journeys.units import spoken
from schemas.coupons import CouponBook, CouponRule
from schemas.instants import DAY_US

# Where it stands, its code, what is said of it, and whether it is a warning only.
Told = tuple[Path, str, Said, bool]


def lint_gifts(reads: Sequence[Read], book: CouponBook, name: str, today: date) -> None:
    """Add to each file's findings what does not fit the coupons.

    `name`: of the file of coupons. `today`: by its zone; a gift that were given today is judged.
    """
    for read in reads:
        if read.program is None:
            continue
        for node in read.program.nodes:
            if isinstance(node, Act) and node.gift is not None:
                place = read.places.get(node.step, ("steps",))
                for path, code, said, warning in _gift(read.program, node, book, name, today):
                    read.source.add((*place, *path), code, said, warning=warning)


def _gift(program: Program, act: Act, book: CouponBook, name: str, today: date) -> Iterator[Told]:
    gift = str(act.gift)
    rule = book.rule(gift)
    if rule is None:
        near = nearest(gift, [each.id for each in book.coupons])
        yield (
            ("give",),
            "no_coupon",
            Said(f"{name} has no coupon {gift}{near.en}; nobody would get one, and messages after "
                 "it would not be sent",
                 f"{name} 里没有券 {gift}{near.zh}；会员领不到，其后的消息也不会发送"),
            False,
        )  # fmt: skip
        return
    last = rule.valid.last
    if last is not None and last < today:
        yield (
            ("give",),
            "coupon_over",
            Said(f"{gift} is over since {last}: nobody can use one any more",
                 f"{gift} 已于 {last} 到期，不能再用"),
            False,
        )  # fmt: skip
    elif rule.stopped is not None:
        yield (
            ("give",),
            "coupon_stopped",
            Said(f"{gift} is stopped in {name}: no more are issued, and messages after it are not "
                 "sent",
                 f"{name} 里 {gift} 已停发，其后的消息也不会发送"),
            True,
        )  # fmt: skip
    else:
        yield from _validity(act, rule, today)
    if program.reenter is not None and rule.per_member == 1:
        yield (
            ("give",),
            "coupon_once",
            Said(f"members may come in again, but {gift} is issued once to a member (per_member: "
                 "1): the next time there is no gift, and no message after it",
                 f"会员可重入，但 {gift} 每人限领一张（per_member: 1）：再次进入时没有券，"
                 "其后的消息也不会发送"),
            True,
        )  # fmt: skip


def _validity(act: Act, rule: CouponRule, today: date) -> Iterator[Told]:
    """A coupon ends with the day on which `valid` is over, or with its campaign if that is earlier.

    Days are counted as the coupon does: that of the issue is the first.
    """
    if act.valid is None:
        return
    days = -(-act.valid // DAY_US)
    until = today + timedelta(days=days - 1)
    en, zh = spoken(act.valid), spoken(act.valid, "zh")
    own = rule.valid
    if own.days is not None and own.days < days:
        yield (
            ("valid",),
            "coupon_shorter",
            Said(f"this promises {en}, but {rule.id} is over after {own.days} (the day of the "
                 "issue is the first)",
                 f"这里承诺 {zh}，但 {rule.id} 只有 {own.days} 天（含发放当天）"),
            True,
        )  # fmt: skip
    elif own.last is not None and own.last < until:
        left = (own.last - today).days + 1
        yield (
            ("valid",),
            "coupon_shorter",
            Said(f"this promises {en}, but the last day of {rule.id} is {own.last}: given today it "
                 f"has {left} left",
                 f"这里承诺 {zh}，但 {rule.id} 最后一天是 {own.last}：今天发放只剩 {left} 天"),
            True,
        )  # fmt: skip
    elif own.first is not None and own.first > until:
        yield (
            ("valid",),
            "coupon_later",
            Said(f"given today, {en} are over before {rule.id} begins on {own.first}",
                 f"今天发放，{zh} 过完时 {rule.id} 还没开始（{own.first} 起可用）"),
            True,
        )  # fmt: skip
