"""The funnel of a coupon, from issue to redemption, and the stage that loses most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from operators.members.coupons.diagnosis.facts import Campaign, Receiver, share

_STAGES = ("issued", "delivered", "opened", "visited", "eligible", "over the threshold", "redeemed")


@dataclass(frozen=True, slots=True)
class Stage:
    """Members who came so far, of those who came to the stage before."""

    name: str
    members: int
    kept: float


@dataclass(frozen=True, slots=True)
class Funnel:
    """Stages in order; `redemption` is of the delivered, `still_valid` are no failures yet."""

    stages: tuple[Stage, ...]
    redemption: float
    still_valid: int

    def stage(self, name: str) -> Stage | None:
        """A stage by its name; None where nothing is known of it."""
        return next((one for one in self.stages if one.name == name), None)


def funnel(campaign: Campaign, receivers: Sequence[Receiver]) -> Funnel:
    """Count who came how far; opens are a stage only where a channel tells of them."""
    told = any(one.opened is not None for one in receivers)
    passes: dict[str, Callable[[Receiver], bool]] = {
        "issued": lambda _: True,
        "delivered": lambda one: one.delivered,
        "opened": lambda one: one.opened is not False or one.redeemed,
        "visited": lambda one: one.visits > 0,
        "eligible": lambda one: bool(one.during),
        "over the threshold": lambda one: max(one.during, default=0) >= campaign.threshold,
        "redeemed": lambda one: one.redeemed,
    }
    left, stages = list(receivers), []
    for name in _STAGES:
        if name == "opened" and not told:
            continue
        before = len(left)
        left = [one for one in left if passes[name](one)]
        stages.append(Stage(name, len(left), share(len(left), before)))
    delivered = [one for one in receivers if one.delivered]
    redeemed = sum(one.redeemed for one in delivered)
    open_ones = len(delivered) - redeemed if campaign.open else 0
    return Funnel(tuple(stages), share(redeemed, len(delivered)), open_ones)


def worst_stage(found: Funnel, reference: Funnel | None = None) -> Stage:
    """The stage that keeps least, or least of what it keeps in another campaign."""

    def kept(one: Stage) -> float:
        usual = reference.stage(one.name) if reference else None
        if usual is None or usual.kept == 0:
            return one.kept
        return one.kept / usual.kept

    return min(found.stages[1:], key=kept)
