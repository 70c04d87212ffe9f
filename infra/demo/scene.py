"""All that the demo shows, read once from the warehouse and the events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra.demo.history import Moment, stock_over_time
from serving.overview import Episode, Overview, Shelf
from serving.queries import ALERT_TYPES, SELLING_DAYS, Queries
from sinks.warehouse.client import open_reader
from sources.importing.report import Report
from sources.opening.run import Completed

# What sells less is left out of what is said about cover (units a day).
LEAST_RATE = 0.1
ALERTS_A_TYPE = 7
SHOP_ALERTS = 8
COVER_ROWS = 6

# What a shop manager calls an alert.
ALERT_WORDS = {
    "oversell": "Oversold",
    "negative_on_hand": "Record below zero",
    "stock_out": "Sold out",
    "below_safety_stock": "Running low",
}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the events come from and what was done to them before the flow."""

    title: str
    data: str
    rule: str
    names: dict[str, str]
    zone: str
    imported: Report | None
    completed: Completed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is shown; rows are objects of serving.queries."""

    origin: Origin
    run: Row
    positions: int
    places: int
    skus: int
    newest: datetime
    open_alerts: list[tuple[str, int]]
    alerts: dict[str, list[Row]]
    shop: str | None
    shop_alerts: list[Row]
    worst_cover: list[Row]
    shelf: Shelf | None
    moments: list[Moment]
    episodes: list[Episode]
    shelf_places: list[Row]
    shelf_pools: list[Row]
    cover: list[tuple[str, int]]
    stock_outs: list[tuple[date, int]]
    dead_letters: list[Row]

    def name(self, sku: str) -> str:
        """A SKU as people call it."""
        return self.origin.names.get(sku, "")

    def local(self, instant: datetime) -> datetime:
        """An instant on the clocks of the shops."""
        return instant.astimezone(ZoneInfo(self.origin.zone))

    @property
    def open_total(self) -> int:
        """How many alerts are open."""
        return sum(count for _, count in self.open_alerts)


def read_scene(warehouse: Path, events: Path, origin: Origin) -> Scene:
    """Read what is shown; nothing is left open."""
    connection = open_reader(warehouse)
    try:
        queries, overview = Queries(connection), Overview(connection)
        summary = queries.summary().objects()
        figures = {row["figure"]: row["value"] for row in summary if row["of"] is None}
        shop, shelf = overview.worst_place(), overview.telling_shelf()
        cover = queries.cover(least_rate=LEAST_RATE, limit=COVER_ROWS)
        return Scene(
            origin=origin,
            run=overview.run(),
            positions=figures["positions"],
            places=figures["places"],
            skus=figures["skus"],
            newest=figures["newest_event"],
            open_alerts=[
                (row["of"], row["value"])
                for row in summary
                if row["figure"] == "open_alerts" and row["of"]
            ],
            alerts={
                alert_type: queries.alerts(alert_type=alert_type, limit=ALERTS_A_TYPE).objects()
                for alert_type in ALERT_TYPES
            },
            shop=shop,
            shop_alerts=[]
            if shop is None
            else queries.alerts(place=shop, limit=SHOP_ALERTS).objects(),
            worst_cover=cover.objects(),
            shelf=shelf,
            moments=[]
            if shelf is None
            else stock_over_time(events, shelf.sku, shelf.place, overview.dead_lines(str(events))),
            episodes=[] if shelf is None else overview.episodes(shelf.sku, shelf.place),
            shelf_places=[] if shelf is None else queries.places(shelf.sku).objects(),
            shelf_pools=[] if shelf is None else queries.pools(shelf.sku).objects(),
            cover=overview.cover(LEAST_RATE, SELLING_DAYS),
            stock_outs=overview.stock_outs_by_day(origin.zone),
            dead_letters=queries.dead_letter_reasons().objects(),
        )
    finally:
        connection.close()
