"""The worker as a whole: reads a file that grows, tells people, keeps what failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest
from hook_alerts import alert, configured, environment, route, writer
from hook_server import HookServer, errcode

from operators.notify.routing import Zones
from schemas.hooks import Hooks
from sinks.hooks.database import connect
from sinks.hooks.listing import Listed, counts, listed, resend
from sinks.hooks.worker import Worker
from sinks.loop import wall_clock
from sinks.sending.store import refused
from sinks.sqlite import StoreError
from sources.alerts import FileInbox


class Running:
    """A worker that follows a file, with the store beside it."""

    def __init__(self, server: HookServer, hooks: Hooks, folder: Path) -> None:
        self.events = folder / "alerts.jsonl"
        self.events.touch()
        self.path = folder / "hooks.sqlite"
        self._stop = threading.Event()
        zones = Zones("Asia/Shanghai")
        self.worker = Worker(hooks, self.path, zones, writer(), environment(server))
        self._inbox = FileInbox(self.events, self.worker.store.positions())
        self._thread = threading.Thread(target=self.worker.run, args=(self._inbox, self._stop))
        self._thread.start()

    def tell(self, *lines: bytes) -> None:
        with self.events.open("ab") as file:
            file.write(b"".join(lines))

    def messages(self, *states: str) -> list[Listed]:
        with closing(connect(self.path)) as connection:
            return listed(connection, states)

    def wait(self, count: int, *states: str) -> list[Listed]:
        deadline = time.monotonic() + 10
        while len(found := self.messages(*states)) < count:
            assert time.monotonic() < deadline, f"{found} are {states}"
            time.sleep(0.01)
        return found

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.worker.close()
        self._inbox.close()


@contextmanager
def running(server: HookServer, hooks: Hooks, folder: Path) -> Iterator[Running]:
    made = Running(server, hooks, folder)
    try:
        yield made
    finally:
        made.close()


def test_one_message_when_raised_and_one_when_cleared(server: HookServer, tmp_path: Path) -> None:
    hooks = configured(server, route("all", "wecom"))
    with running(server, hooks, tmp_path) as worker:
        worker.tell(alert(1), b"\n", b'{"type": "store.visit.v1", "data": {}}\n')
        server.wait_for(1)
        # Worse within the quarter of an hour: folded into whatever is said next.
        worker.tell(alert(1, "updated", -2), alert(1, "updated", -3, later=1))
        worker.tell(alert(1, "cleared", 4, later=2))
        texts = [request.text for request in server.wait_for(2)]
        worker.wait(2, "sent")
    assert "超卖" in texts[0]
    assert "已解除" in texts[1]
    assert len(server.received) == 2


def test_a_failing_body_is_tried_again_and_at_last_kept(server: HookServer, tmp_path: Path) -> None:
    server.plans = [errcode(99999, "something new")] * 4
    with running(server, configured(server, route("all", "wecom")), tmp_path) as worker:
        worker.tell(alert(1))
        (failed,) = worker.wait(1, "undeliverable")
        assert failed.attempts == 4
        assert "99999" in failed.answer
        assert len(server.received) == 4
        assert server.taken == []
        with closing(connect(worker.path)) as connection:
            assert resend(connection, [failed.id], wall_clock()) == [failed.id]
        server.wait_for(1)
        worker.wait(1, "sent")


def test_a_lost_answer_is_shown_and_not_sent_again(server: HookServer, tmp_path: Path) -> None:
    server.plans = ["drop"]
    with running(server, configured(server, route("all", "wecom")), tmp_path) as worker:
        worker.tell(alert(1))
        (lost,) = worker.wait(1, "unknown")
        assert "no answer" in lost.answer
        worker.tell(alert(2))
        server.wait_for(2)
        worker.wait(1, "sent")
    assert len(server.received) == 2


def test_a_lost_answer_of_a_webhook_is_asked_for_again(server: HookServer, tmp_path: Path) -> None:
    server.plans = ["drop"]
    with running(server, configured(server, route("all", "webhook")), tmp_path) as worker:
        worker.tell(alert(1))
        worker.wait(1, "sent")
    first, second = server.received
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.raw == second.raw


def test_the_closing_message_never_overtakes_the_first(server: HookServer, tmp_path: Path) -> None:
    server.plans = [errcode(88888, "no"), errcode(88888, "no")]
    with running(server, configured(server, route("all", "wecom")), tmp_path) as worker:
        worker.tell(alert(1))
        worker.wait(1, "ready", "sending", "sent")
        worker.tell(alert(1, "cleared", 5), alert(2))
        worker.wait(3, "sent")
    about = ["已解除" in request.text for request in server.taken if "TEA-1" in request.text]
    assert about == [False, True]


def test_what_could_not_be_delivered_is_escalated_at_once(
    server: HookServer, tmp_path: Path
) -> None:
    routes = route("shop", "wecom", "escalate: {to: boss}")
    routes += route("boss", "feishu", "only_escalated: true")
    server.plans = [errcode(93000, "invalid webhook url")]
    with running(server, configured(server, routes), tmp_path) as worker:
        worker.tell(alert(1))
        (told,) = server.wait_for(1)
        (failed,) = worker.wait(1, "undeliverable")
    assert told.path.startswith("/open-apis")
    assert "已升级" in told.text
    assert failed.route == "shop"


def test_a_storm_becomes_a_digest(server: HookServer, tmp_path: Path) -> None:
    routes = route("all", "wecom", "digest: {over: 3, critical_seconds: 0.2}")
    with running(server, configured(server, routes), tmp_path) as worker:
        worker.tell(*(alert(number) for number in range(30)))
        texts = [request.text for request in server.wait_for(4)]
        worker.wait(4, "sent")
    assert len(texts) == 4
    assert "27" in texts[-1]


def test_a_capped_channel_waits(server: HookServer, tmp_path: Path) -> None:
    hooks = configured(server, route("all", "wecom", "digest: null"))
    capped = msgspec.structs.replace(hooks.channels["wecom"], per_minute=2)
    hooks = msgspec.structs.replace(hooks, channels={**hooks.channels, "wecom": capped})
    with running(server, hooks, tmp_path) as worker:
        worker.tell(*(alert(number) for number in range(5)))
        worker.wait(2, "sent")
        time.sleep(0.1)
        assert len(worker.messages("ready")) == 3
    assert len(server.received) == 2


def test_old_alerts_of_a_backfill_are_not_told(server: HookServer, tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    with running(server, configured(server, route("all", "wecom")), tmp_path) as worker:
        worker.tell(alert(1, opened_at=datetime.now(UTC) - timedelta(days=3)), alert(2))
        (told,) = server.wait_for(1)
        worker.wait(1, "sent")
    assert "TEA-2" in told.text


def test_what_cannot_be_read_is_kept_with_a_reason(server: HookServer, tmp_path: Path) -> None:
    bad = b'{"type": "stock.alert.v1", "data": {"alert": "x"}}\n'
    with running(server, configured(server, route("all", "wecom")), tmp_path) as worker:
        worker.tell(b"no json\n", bad, alert(1))
        worker.wait(1, "sent")
        with closing(connect(worker.path)) as connection:
            kept = refused(connection)
            assert counts(connection) == {"sent": 1}
    assert len(kept) == 2
    assert any("missing required field" in reason for _, reason in kept)


def test_a_store_has_one_worker(server: HookServer, tmp_path: Path) -> None:
    hooks = configured(server, route("all", "wecom"))
    zones = Zones("UTC")
    with running(server, hooks, tmp_path) as first, pytest.raises(StoreError, match="another"):
        Worker(hooks, first.path, zones, writer(), environment(server))
    with Worker(hooks, first.path, zones, writer(), environment(server)):
        pass


def test_another_file_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "hooks.sqlite"
    path.write_text("some notes of mine, long enough to be read as a header of a database\n" * 20)
    with pytest.raises(StoreError, match="no store"):
        connect(path)


def test_a_run_to_the_end_does_not_wait_for_a_channel_in_trouble(
    server: HookServer, tmp_path: Path
) -> None:
    server.limit = 0
    events, path = tmp_path / "alerts.jsonl", tmp_path / "hooks.sqlite"
    events.write_bytes(alert(1) + alert(2))
    hooks = configured(server, route("all", "wecom") + route("erp", "webhook"))
    with Worker(hooks, path, Zones("UTC"), writer(), environment(server)) as worker:
        inbox = FileInbox(events, {})
        worker.run(inbox, threading.Event(), once=True)
        inbox.close()
    with closing(connect(path)) as connection:
        assert counts(connection) == {"ready": 2, "sent": 2}


def test_the_end_of_a_run_does_not_wait_for_a_sender_that_failed(
    server: HookServer, tmp_path: Path
) -> None:
    """Its message would never leave, and the run would go on for ever."""
    events = tmp_path / "alerts.jsonl"
    events.write_bytes(alert(1))
    hooks = configured(server, route("all", "wecom"))
    where, zones = tmp_path / "hooks.sqlite", Zones("Asia/Shanghai")
    with Worker(hooks, where, zones, writer(), environment(server)) as worker:
        inbox = FileInbox(events, worker.store.positions())
        assert worker.step(inbox.read(1.0)) == 1
        inbox.close()
        worker.senders["wecom"].failure = OSError("the disk is full")
        with pytest.raises(OSError, match="the disk is full"):
            worker.drain(threading.Event())
