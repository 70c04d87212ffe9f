"""A worker that is killed at every step and started again: each state is told once."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hook_alerts import alert
from hook_crash import STEPS, run_worker
from hook_server import HookServer

from sinks.hooks.database import connect
from sinks.hooks.listing import counts, listed


def states(store: Path) -> dict[str, int]:
    with closing(connect(store)) as connection:
        return counts(connection)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"".join(alert(number) for number in range(3)))
    return path


@pytest.mark.parametrize("step", STEPS)
def test_an_idempotent_receiver_has_every_state_once(
    server: HookServer, events: Path, tmp_path: Path, step: str
) -> None:
    store = tmp_path / "hooks.sqlite"
    assert run_worker(server.address, events, store, "webhook", step) == -9
    assert run_worker(server.address, events, store, "webhook") == 0
    keys = [request.headers["idempotency-key"] for request in server.taken]
    assert len(set(keys)) == 3
    # Only what was answered and not recorded is sent twice, under the same key.
    assert len(keys) == (4 if step == "answered" else 3)
    assert states(store) == {"sent": 3}


@pytest.mark.parametrize("step", STEPS)
def test_a_chat_never_shows_a_state_twice(
    server: HookServer, events: Path, tmp_path: Path, step: str
) -> None:
    """What may or may not have arrived is not sent again, but shown."""
    store = tmp_path / "hooks.sqlite"
    assert run_worker(server.address, events, store, "wecom", step) == -9
    assert run_worker(server.address, events, store, "wecom") == 0
    texts = [request.text for request in server.taken]
    assert len(set(texts)) == len(texts)
    in_doubt = step in ("intended", "answered")
    assert len(texts) == (2 if step == "intended" else 3)
    assert states(store) == ({"sent": 2, "unknown": 1} if in_doubt else {"sent": 3})


def test_a_replay_of_the_whole_topic_sends_nothing(
    server: HookServer, events: Path, tmp_path: Path
) -> None:
    store = tmp_path / "hooks.sqlite"
    assert run_worker(server.address, events, store, "webhook") == 0
    again = tmp_path / "again.jsonl"
    again.write_bytes(events.read_bytes() * 2)
    assert run_worker(server.address, again, store, "webhook") == 0
    assert len(server.received) == 3
    with closing(connect(store)) as connection:
        assert all(each.attempts == 1 for each in listed(connection, ["sent"]))
