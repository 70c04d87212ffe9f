"""Servers that answer as the providers do, and a worker at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from channel_desk import World
from channel_server import ChannelServer, start_channel_server


@pytest.fixture
def server() -> Iterator[ChannelServer]:
    with start_channel_server() as providers:
        yield providers


@pytest.fixture
def world(server: ChannelServer, tmp_path: Path) -> Iterator[World]:
    made = World(server, tmp_path)
    yield made
    made.worker.close()
