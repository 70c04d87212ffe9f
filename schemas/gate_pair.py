"""One SKU at one place as the hold gate has it, with its own sums counted again."""

from __future__ import annotations

import msgspec


class GatePair(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis says of a pair, read in one step.

    `version`, `on_hand`, `allocated`, `floor` and `absorbed` are what the projection wrote, `held`
    and `hold_seq` the counters of the hold calls. Counted anew from the holds themselves: `units`
    of all of them, how many are `confirmed`, and `absorbed_units`, those of confirmed holds that
    the projected position contains already. `listed`: whether the SKU's set of places has it.
    `version` is None where there is no truth, and 0 stands for every other number that is not
    there.
    """

    sku: str
    place: str
    pool: str
    version: int | None
    on_hand: int
    allocated: int
    floor: int
    absorbed: int
    held: int
    hold_seq: int
    units: int
    confirmed: int
    absorbed_units: int
    listed: bool

    @property
    def available(self) -> int:
        """What the gate would promise if no hold had lapsed."""
        return self.on_hand - self.allocated - self.floor - self.held
