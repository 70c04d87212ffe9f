"""DuckDB's extensions from the wheels that are installed: nothing is ever fetched."""

from __future__ import annotations

import importlib.resources
from importlib.util import find_spec

import duckdb

from schemas.tables import literal
from sinks.warehouse.address import WarehouseError

# The protocol itself, and what it speaks HTTP and makes its random numbers with.
PROTOCOL = ("httpfs", "quack")


def load_protocol(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the connection able to serve a warehouse and to ask one.

    Raises:
        WarehouseError: a wheel is missing, or is made for another DuckDB.
    """
    # Without this a missing part would be looked for on the internet.
    connection.execute("SET autoinstall_known_extensions = false")
    for name in PROTOCOL:
        connection.execute(f"LOAD {literal(_binary(name))}")


def _binary(name: str) -> str:
    package = f"duckdb_extension_{name}"
    wanted = f"{package.replace('_', '-')}=={duckdb.__version__}"
    if find_spec(package) is None:
        msg = f"a served warehouse needs the package {wanted}: pip install {wanted}"
        raise WarehouseError(msg)
    folder = importlib.resources.files(package) / "extensions" / f"v{duckdb.__version__}"
    binary = folder / f"{name}.duckdb_extension"
    if not binary.is_file():
        msg = f"{package} is installed for another DuckDB than this one: pip install {wanted}"
        raise WarehouseError(msg)
    return str(binary)
