"""A grocery chain in the form of the demo's data: small, seeded, with the same kinds of dirt."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

SHOPS = tuple(range(301, 308))
PRODUCTS = tuple(range(1001, 1031))
FUEL, UNKNOWN = 2001, 9999
DAYS = 70
FIRST = datetime(2017, 3, 1, 14)  # noqa: DTZ001 (the data has UTC without saying so)


def write_grocery(folder: Path, seed: int = 5, days: int = DAYS) -> int:
    """Write transactions.parquet and products.parquet; how many lines there are."""
    luck = Random(seed)
    lines: list[tuple[int, int, int, int, datetime]] = []
    basket = 5000
    for day in range(days):
        for number, shop in enumerate(SHOPS):
            # The first shops sell most, and so do the first products.
            for _ in range(luck.randint(8, 14) - number):
                basket += 1
                time = FIRST + timedelta(days=day, seconds=luck.randrange(36_000))
                picked = {
                    PRODUCTS[int(len(PRODUCTS) * luck.random() ** 2.5)]
                    for _ in range(luck.randint(1, 4))
                }
                picked |= {FUEL} if luck.random() < 0.03 else set()
                picked |= {UNKNOWN} if luck.random() < 0.01 else set()
                for product in sorted(picked):
                    units = luck.choices((0, 1, 2, 3, 9), (1, 70, 20, 8, 1))[0]
                    lines.append((shop, basket, product, units, time))
    lines.sort(key=lambda line: (line[4], line[1], line[2]))
    shops, baskets, products, quantities, times = zip(*lines, strict=True)
    nothing = [0.0] * len(lines)
    pq.write_table(
        pa.table(
            {
                "household_id": pa.array([1] * len(lines), pa.int64()),
                "store_id": pa.array(shops, pa.int64()),
                "basket_id": pa.array(baskets, pa.int64()),
                "product_id": pa.array(products, pa.int64()),
                "quantity": pa.array(quantities, pa.int64()),
                "sales_value": pa.array(nothing),
                "retail_disc": pa.array(nothing),
                "coupon_disc": pa.array(nothing),
                "coupon_match_disc": pa.array(nothing),
                "week": pa.array([1] * len(lines), pa.int64()),
                "transaction_timestamp": pa.array(times, pa.timestamp("us")),
            }
        ),
        folder / "transactions.parquet",
    )
    kinds = [f"TEA & <BISCUITS> {product}" for product in PRODUCTS]
    pq.write_table(
        pa.table(
            {
                "product_id": pa.array([*PRODUCTS, FUEL], pa.int64()),
                "manufacturer_id": pa.array([1] * (len(PRODUCTS) + 1), pa.int64()),
                "department": ["GROCERY"] * len(PRODUCTS) + ["FUEL"],
                "brand": ["National"] * (len(PRODUCTS) + 1),
                "product_category": ["TEA"] * len(PRODUCTS) + ["FUEL"],
                "product_type": [*kinds, "GASOLINE-REG UNLEADED"],
                "package_size": ["4 OZ"] * len(PRODUCTS) + [None],
            }
        ),
        folder / "products.parquet",
    )
    return len(lines)
