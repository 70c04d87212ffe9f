"""What takes longest starts first, so that no worker is left alone with it at the end."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import active_children

import pytest
from depth import cases
from hypothesis import settings

# No deadline: on a busy machine an example may take long for no reason of its own.
settings.register_profile("tillflow", max_examples=cases(100, 300), deadline=None)
settings.load_profile("tillflow")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order below; pytest-xdist would start the files of most tests first."""
    if config.pluginmanager.has_plugin("xdist"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that have a test marked `slow` come first, whole, as `--dist loadfile` deals them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """What a failed test leaves running would burden all that follow, and Python waits for it."""
    before = set(active_children())
    try:
        return (yield)
    finally:
        for left in set(active_children()) - before:
            left.kill()
            left.join()
