"""Reads coupons.yaml; what is wrong with it is told with its line."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from schemas import coupons as parts
from schemas.coupons import WEEKDAYS, CouponBook, CouponRule
from schemas.lined_yaml import LinedYaml, Steps
from schemas.money import money_words

_FIELDS = sorted(
    {
        field
        for part in vars(parts).values()
        if isinstance(part, type) and issubclass(part, msgspec.Struct)
        for field in part.__struct_fields__
    }
)
# What a kind must have, and what it may have.
_NEEDS = {"amount_off": ("amount", ()), "percent_off": ("percent", ("most",)), "gift": ("gift", ())}


class CouponsProblem(Exception):
    """The file cannot be used; the message says where and what to do."""


def load_coupons(path: Path) -> CouponBook:
    """The coupons in a file.

    Raises:
        CouponsProblem: it cannot be read or something in it is wrong; names the line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        msg = f"{path} cannot be read: {getattr(wrong, 'strerror', None) or wrong}"
        raise CouponsProblem(msg) from None
    return read_coupons(text, path.name)


def read_coupons(text: str, name: str = "coupons.yaml") -> CouponBook:
    """The coupons from their YAML text.

    Raises:
        CouponsProblem: as for `load_coupons`.
    """
    return _File(text, name).book()


class _File(LinedYaml):
    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name, CouponsProblem)

    def book(self) -> CouponBook:
        if not isinstance(self.data, dict):
            msg = f"{self.name}: expected version and coupons (docs/coupons.md has an example)"
            raise CouponsProblem(msg)
        data = dict(self.data)
        listed = data.pop("coupons", None)
        if not isinstance(listed, list) or not listed:
            self.refuse(("coupons",), "coupons is a list of coupons, at least 1")
        whole: CouponBook = self.convert({**data, "coupons": []}, CouponBook, (), known=_FIELDS)
        rules: list[CouponRule] = []
        for number, value in enumerate(listed):
            at: Steps = ("coupons", number)
            rule: CouponRule = self.convert(value, CouponRule, at, known=_FIELDS)
            if any(rule.id == other.id for other in rules):
                self.refuse((*at, "id"), f"there are two coupons with the id {rule.id}")
            self._check(rule, at, whole.currency)
            rules.append(rule)
        try:
            ZoneInfo(whole.timezone)
        except (KeyError, OSError, ValueError):
            self.refuse(("timezone",), f"there is no time zone {whole.timezone!r}")
        return msgspec.structs.replace(whole, coupons=tuple(rules))

    def _check(self, rule: CouponRule, at: Steps, currency: str) -> None:
        self._check_kind(rule, at)
        self._check_money(rule, at, currency)
        self._check_times(rule, at)
        if rule.only and rule.without:
            both = {*rule.only.skus} & {*rule.without.skus}
            both |= {*rule.only.categories} & {*rule.without.categories}
            if both:
                told = f"{min(both)} is in `only` and in `without`: leave it out of one"
                self.refuse((*at, "without"), told)
        for name in ("stores", "weekdays"):
            if getattr(rule, name) == []:
                self.refuse((*at, name), f"{name} is empty: it would be valid nowhere and never")

    def _check_kind(self, rule: CouponRule, at: Steps) -> None:
        needed, more = _NEEDS[rule.kind]
        if getattr(rule, needed) is None:
            self.refuse((*at, "kind"), f"a coupon of kind {rule.kind} needs `{needed}`")
        for name in ("amount", "percent", "most", "gift"):
            if name != needed and name not in more and getattr(rule, name) is not None:
                self.refuse((*at, name), f"a coupon of kind {rule.kind} has no `{name}`")

    def _check_money(self, rule: CouponRule, at: Steps, currency: str) -> None:
        budget, off = rule.budget, rule.most_off
        if rule.amount is not None and 0 < rule.threshold < rule.amount:
            off_words = money_words(rule.amount, currency)
            over = money_words(rule.threshold, currency)
            told = f"{off_words} off is more than the basket of {over} that it takes"
            self.refuse((*at, "amount"), told)
        if (budget.issued, budget.redeemed, budget.money) == (None, None, None):
            told = "say at least one of issued, redeemed and money: a coupon without end is a risk"
            self.refuse((*at, "budget"), told)
        if budget.money is not None and off is not None and off > budget.money:
            told = (
                f"{money_words(budget.money, currency)} do not pay for one coupon of "
                f"{money_words(off, currency)}"
            )
            self.refuse((*at, "budget", "money"), told)
        if budget.money is not None and off is None:
            told = "with a budget of money, say by `most` what one coupon may cost"
            self.refuse((*at, "percent"), told)

    def _check_times(self, rule: CouponRule, at: Steps) -> None:
        valid = rule.valid
        dated = valid.first is not None and valid.last is not None
        if dated == (valid.days is not None) or (valid.first is None) != (valid.last is None):
            told = "say either first and last (dates), or days (after the issue)"
            self.refuse((*at, "valid"), told)
        if valid.first is not None and valid.last is not None:
            if valid.last < valid.first:
                self.refuse((*at, "valid", "last"), f"{valid.last} is before {valid.first}")
            if rule.weekdays and not _has(valid.first, valid.last, rule.weekdays):
                told = f"no {', '.join(rule.weekdays)} lies between {valid.first} and {valid.last}"
                self.refuse((*at, "weekdays"), told)
        if rule.hours is not None and rule.hours[:5] == rule.hours[6:]:
            self.refuse((*at, "hours"), f"hours {rule.hours} begin and end at the same time")


def _has(first: date, last: date, weekdays: list[parts.Weekday]) -> bool:
    days = min((last - first).days, 6) + 1
    return any(
        WEEKDAYS[(first + timedelta(days=number)).weekday()] in weekdays for number in range(days)
    )
