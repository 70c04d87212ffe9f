"""Servers that answer as the providers do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hook_server import HookServer, start_hook_server


@pytest.fixture
def server() -> Iterator[HookServer]:
    with start_hook_server() as hooks:
        yield hooks
