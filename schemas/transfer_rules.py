"""The section `transfers:` of a chain's configuration: what may move where, and when it pays.

Money is minor units (fen, cents) of the chain's currency, whole numbers.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Money = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Days = Annotated[float, msgspec.Meta(ge=0, le=365)]
MoreDays = Annotated[float, msgspec.Meta(gt=0, le=365)]
MoreHours = Annotated[float, msgspec.Meta(gt=0, le=8760)]
Units = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
PlaceKind = Literal["store", "forward_warehouse", "central_warehouse"]
Mode = Literal["reactive", "proactive", "hybrid"]


class TransferTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What applies to the SKUs that match a shell pattern; the first that matches counts.

    `unit_margin` is what one unit more sold earns: positions carry no price, so it is said here.
    A transfer is whole multiples of `pack` and `min_quantity` units or more.
    """

    sku: str = "*"
    unit_margin: Money = 1_000
    pack: Units = 1
    min_quantity: Units = 1


class TransferRoute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a transfer between the places that match costs; the first that matches counts.

    A transfer costs `fixed_cost`, `km_cost` for each kilometre and `unit_cost` for each unit. It
    takes `lead_time_hours` from the request to the shelf, and where `km_per_hour` is given the
    road on top. `km` is the distance; without it, that of the places' `coordinates`, and unknown
    without those. A pair further apart than `max_km` is not connected.
    """

    from_place: str = "*"
    to_place: str = "*"
    allowed: bool = True
    fixed_cost: Money = 500
    unit_cost: Money = 20
    km_cost: Money = 0
    lead_time_hours: MoreHours = 24.0
    km: Annotated[float, msgspec.Meta(ge=0)] | None = None
    km_per_hour: Annotated[float, msgspec.Meta(gt=0)] | None = None
    max_km: Annotated[float, msgspec.Meta(ge=0)] | None = None


class TransferConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When transfers between places are suggested.

    Who takes: with mode `reactive` a place that has promised more than it has, with `proactive`
    one whose cover is below its safety stock or `trigger_days`, with `hybrid` both. It is filled up
    to `target_days`, and never with more than it sells in `burn_out_days`.
    Who gives: places of the kinds in `donors`, what is above their safety stock and
    `protected_days` of their own demand. `within` `pool` keeps transfers inside a pool.
    What it is worth: lost sales are counted over `horizon_days`, until the next regular delivery
    puts things right; a suggestion is worth `min_net_benefit` or more, all costs off.
    Peace: nothing goes back between two places, and a taker gives nothing on, within
    `cool_down_days`; the same way is not gone again within `repeat_days`, nor within
    `quiet_hours` after a refusal or an unanswered suggestion.
    An answer is expected within `valid_hours`, what was accepted on its way within `ship_hours`.
    A SKU is planned anew at most every `replan_minutes`, and not before its positions have come in
    for `settle_seconds` (promises at risk: at once); open suggestions are only replaced where that
    is better by `material_share`.
    What is missing `grace_hours` after it should be there raises an alert.
    `stale_days`: a place with nothing to sell and no event for so long does not sell it any more.
    """

    mode: Mode = "hybrid"
    within: Literal["chain", "pool"] = "chain"
    donors: tuple[PlaceKind, ...] = ("store", "forward_warehouse")
    takers: tuple[PlaceKind, ...] = ("store", "forward_warehouse")
    trigger_days: Days = 2.0
    target_days: MoreDays = 5.0
    protected_days: Days = 7.0
    burn_out_days: MoreDays = 30.0
    horizon_days: MoreDays = 7.0
    min_net_benefit: Money = 500
    cool_down_days: Days = 7.0
    repeat_days: Days = 1.0
    quiet_hours: MoreHours = 48.0
    valid_hours: MoreHours = 24.0
    ship_hours: MoreHours = 48.0
    replan_minutes: Annotated[float, msgspec.Meta(gt=0, le=10_080)] = 15.0
    settle_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 10.0
    material_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.25
    grace_hours: MoreHours = 24.0
    stale_days: MoreDays = 28.0
    terms: tuple[TransferTerms, ...] = ()
    routes: tuple[TransferRoute, ...] = ()
    coordinates: dict[str, tuple[Latitude, Longitude]] = {}
