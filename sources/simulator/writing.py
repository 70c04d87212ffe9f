"""Writes a simulated chain to a folder: events, chain configuration, truth and a manifest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from schemas.chain import Chain
from schemas.instants import format_instant
from schemas.movement import MOVEMENT_TYPE
from schemas.shop_events import ORDER_TYPE, VISIT_TYPE
from sources.simulator.settings import Settings
from sources.simulator.simulation import Simulation
from sources.simulator.truth import TABLES, Truth

MANIFEST = "manifest.json"
# Rows of truth are written away in groups of about this many: some ten megabytes of memory.
ROWS_A_GROUP = 65_536
# How many deliveries pass between two looks at how many rows have piled up.
LOOK_EVERY = 4_096

# What a chain's own systems send; holds come from a gate that runs beside it.
WRITTEN = (MOVEMENT_TYPE, VISIT_TYPE, ORDER_TYPE)


class FileFact(msgspec.Struct, frozen=True):
    """One file: size, SHA-256 in hex, and lines or rows where it has them."""

    bytes: int
    sha256: str
    rows: int | None = None


class Manifest(msgspec.Struct, frozen=True):
    """What was written and from what; nothing in it depends on when or where."""

    seed: int
    starts: str
    ends: str
    last_arrival: str
    events: dict[str, int]
    movements: dict[str, int]
    imperfections: dict[str, int]
    files: dict[str, FileFact]
    settings: Settings


def write(settings: Settings, out: Path) -> Manifest:
    """Plays a chain and writes it to `out`; the manifest comes last, so a run cut short has none.

    Files of an earlier run in the same folder are written over.

    Raises:
        OSError: the folder cannot be written.
    """
    (out / "truth").mkdir(parents=True, exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)
    simulation = Simulation(settings)
    events: Counter[str] = Counter()
    movements: Counter[str] = Counter()
    encoder = msgspec.json.Encoder()
    last_ms = simulation.world.start_ms
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {
            kind: stack.enter_context((out / f"{kind}.jsonl").open("wb")) for kind in WRITTEN
        }
        tables = _Tables(out / "truth", simulation.truth, stack)
        until_look = LOOK_EVERY
        for delivery in simulation:
            event = delivery.event
            files[event.type].write(encoder.encode(event) + b"\n")
            events[event.type] += 1
            if event.type == "stock.movement.v1":
                movements[event.data.kind] += 1
            last_ms = delivery.arrival_ms
            until_look -= 1
            if not until_look:
                until_look = LOOK_EVERY
                tables.write(ROWS_A_GROUP)
        tables.write(0)
    _write_json(out / "truth" / "parameters.json", parameters(simulation))
    write_chain(simulation, out / "chain.yaml")
    rows: dict[str, int] = {f"{kind}.jsonl": events[kind] for kind in WRITTEN}
    rows |= {f"truth/{name}.parquet": count for name, count in tables.rows.items()}
    names = [*rows, "truth/parameters.json", "chain.yaml"]
    manifest = Manifest(
        seed=settings.seed,
        starts=format_instant(simulation.world.start_ms * 1_000),
        ends=format_instant(simulation.world.end_ms * 1_000),
        last_arrival=format_instant(last_ms * 1_000),
        events={kind: events[kind] for kind in WRITTEN},
        movements=dict(sorted(movements.items())),
        imperfections=dict(sorted(simulation.truth.imperfections.items())),
        files={name: _fact(out / name, rows.get(name)) for name in sorted(names)},
        settings=settings,
    )
    _write_json(out / MANIFEST, manifest)
    return manifest


def write_truth(simulation: Simulation, out: Path) -> dict[str, int]:
    """Writes the hidden truth of a chain that was played elsewhere; rows by table.

    Raises:
        OSError: the folder cannot be written.
    """
    (out / "truth").mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        tables = _Tables(out / "truth", simulation.truth, stack)
        tables.write(0)
    _write_json(out / "truth" / "parameters.json", parameters(simulation))
    return dict(tables.rows)


def write_chain(simulation: Simulation, path: Path, *, one_pool: bool = False) -> None:
    """Writes the chain's configuration as YAML; with `one_pool` all places share their stock."""
    chain = msgspec.to_builtins(simulation.chain())
    if one_pool:
        for place in chain["places"].values():
            place["pool"] = Chain().default_pool
    text = yaml.safe_dump(chain, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8", newline="\n")


class _Tables:
    """The Parquet files of the truth, written group by group."""

    def __init__(self, folder: Path, truth: Truth, stack: ExitStack) -> None:
        self._truth = truth
        self._schemas = {name: table.arrow() for name, table in TABLES.items()}
        self._writers = {
            name: stack.enter_context(
                pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            )
            for name, schema in self._schemas.items()
        }
        self.rows: Counter[str] = Counter(dict.fromkeys(TABLES, 0))

    def write(self, at_least: int) -> None:
        """Writes away every table that has more than so many rows."""
        for name, waiting in self._truth.rows.items():
            if len(waiting) <= at_least:
                continue
            rows = self._truth.take(name)
            schema = self._schemas[name]
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)
            ]
            self._writers[name].write_table(pa.Table.from_arrays(arrays, schema=schema))
            self.rows[name] += len(rows)


def parameters(simulation: Simulation) -> Mapping[str, Any]:
    """The hidden parameters that are no table: places, range, days."""
    world = simulation.world
    seasons = world.seasons
    return {
        "settings": simulation.settings,
        "cities": [
            {"name": city.name, "x_km": city.x_km, "y_km": city.y_km, "zone": str(city.zone)}
            for city in world.cities
        ],
        "places": [
            {
                "name": site.name,
                "kind": site.kind,
                "city": site.city.name,
                "x_km": site.x_km,
                "y_km": site.y_km,
                "shop": None if site.shop is None else asdict(site.shop),
            }
            for site in world.sites
        ],
        "skus": [asdict(sku) for sku in world.goods.skus],
        "special_days": {
            day.isoformat(): seasons.special[day] for day in seasons.days if day in seasons.special
        },
        "campaigns": [asdict(campaign) for campaign in seasons.campaigns],
        "flash_sales": [
            {
                "city": world.cities[flash.city].name,
                "day": flash.day,
                "hour": flash.hour,
                "sku": world.goods.skus[flash.sku].name,
            }
            for flash in seasons.flashes
        ],
        "weather": {
            city.name: {
                day.isoformat(): asdict(weather)
                for day, weather in seasons.weather[city.index].items()
            }
            for city in world.cities
        },
    }


def _write_json(path: Path, value: object) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")


def _fact(path: Path, rows: int | None) -> FileFact:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileFact(path.stat().st_size, digest, rows)
