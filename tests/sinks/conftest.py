"""One served warehouse for all modules here: starting one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from warehouse_server import ServedWarehouse


@pytest.fixture(scope="session", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedWarehouse]:
    with ServedWarehouse(tmp_path_factory.mktemp("served")) as server:
        yield server
