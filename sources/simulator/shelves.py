"""What is really there: units of every SKU at every place, and where they went."""

from __future__ import annotations

from dataclasses import dataclass, field

# Where units come from and go to, per SKU over the chain. See `Shelves.balance`.
FLOWS = (
    "opening",
    "received",
    "sold",
    "shipped",
    "returned",
    "written_off",
    "shrunk",
    "damaged",
    "lost_in_transit",
)


@dataclass(slots=True)
class Shelves:
    """The physical truth. Each method is one happening; none may take what is not there.

    `claimed` are units promised to placed orders that are still open; they stand on the shelf like
    all others, and a customer in the shop may well take them.
    """

    places: int
    skus: int
    on_hand: list[list[int]] = field(init=False)
    quarantined: list[list[int]] = field(init=False)
    in_transit: list[list[int]] = field(init=False)
    claimed: list[list[int]] = field(init=False)
    flows: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        """All shelves start empty."""
        self.on_hand, self.quarantined, self.in_transit, self.claimed = (
            [[0] * self.skus for _ in range(self.places)] for _ in range(4)
        )
        self.flows = {name: [0] * self.skus for name in FLOWS}

    def open(self, place: int, sku: int, units: int) -> None:
        """What stands there at the start."""
        self.on_hand[place][sku] += units
        self.flows["opening"][sku] += units

    def receive(self, place: int, sku: int, units: int) -> None:
        """A supplier's delivery."""
        self.on_hand[place][sku] += units
        self.flows["received"][sku] += units

    def take(self, place: int, sku: int, wanted: int, flow: str) -> int:
        """As many as are there, for a flow (`sold`, `shipped`, `shrunk`, `damaged`)."""
        row = self.on_hand[place]
        units = wanted if wanted < row[sku] else row[sku]
        row[sku] -= units
        self.flows[flow][sku] += units
        return units

    def bring_back(self, place: int, sku: int, units: int) -> None:
        """A customer brings units back; they are looked at before anything else."""
        self.quarantined[place][sku] += units
        self.flows["returned"][sku] += units

    def judge(self, place: int, sku: int, units: int, *, good: bool) -> None:
        """Returned units go back on the shelf or are thrown away."""
        self.quarantined[place][sku] -= units
        if good:
            self.on_hand[place][sku] += units
        else:
            self.flows["written_off"][sku] += units

    def send(self, here: int, there: int, sku: int, wanted: int) -> int:
        """As many as are here start on the road to `there`."""
        units = min(wanted, self.on_hand[here][sku])
        self.on_hand[here][sku] -= units
        self.in_transit[there][sku] += units
        return units

    def arrive(self, place: int, sku: int, units: int) -> None:
        """Units from the road stand on the shelf."""
        self.in_transit[place][sku] -= units
        self.on_hand[place][sku] += units

    def lose(self, place: int, sku: int, units: int) -> None:
        """Units on the road to a place will never arrive."""
        self.in_transit[place][sku] -= units
        self.flows["lost_in_transit"][sku] += units

    def balance(self, sku: int) -> int:
        """0, always: what came in less what is there and what went out."""
        flow = {name: units[sku] for name, units in self.flows.items()}
        came = flow["opening"] + flow["received"] + flow["returned"]
        there = sum(
            row[sku] for table in (self.on_hand, self.quarantined, self.in_transit) for row in table
        )
        gone = ("sold", "shipped", "written_off", "shrunk", "damaged", "lost_in_transit")
        return came - there - sum(flow[name] for name in gone)
