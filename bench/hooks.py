"""How long an alert takes to a person's chat: from its line or record to the provider's door.

`python -m bench.hooks [COUNT]`: a real worker, a real HTTP server on the loopback and, with the
extra `stack`, a real broker. Alerts come one at a time, as they do on a quiet day.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from broker import start_broker  # noqa: E402
from hook_alerts import alert, configured, environment, route, writer  # noqa: E402
from hook_server import HookServer, start_hook_server  # noqa: E402

from operators.inbox import Inbox  # noqa: E402
from operators.notify.notice import Notice  # noqa: E402
from operators.notify.routing import Zones  # noqa: E402
from schemas.alert import ALERT_TYPE  # noqa: E402
from sinks.hooks.worker import Worker  # noqa: E402
from sinks.kafka.producer import TopicWriter  # noqa: E402
from sources.alerts import FileInbox, KafkaInbox  # noqa: E402
from sources.kafka.settings import KafkaSettings  # noqa: E402

PAUSE_SECONDS = 0.05


def main() -> None:
    """Print the latencies of each way in."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as name, start_hook_server() as server:
        folder = Path(name)
        events = folder / "alerts.jsonl"
        events.touch()

        def append(number: int) -> None:
            with events.open("ab") as file:
                file.write(alert(number))

        _show("file", _measure(server, FileInbox(events, {}), append, folder / "a.sqlite", count))
        with start_broker(folder / "broker") as broker:
            broker.create(ALERT_TYPE, 4)
            settings = KafkaSettings(broker.address)
            log = TopicWriter(settings, linger_ms=0)

            def produce(number: int) -> None:
                log.write(ALERT_TYPE, b"%d" % number, alert(number), ())
                log.flush()

            inbox = KafkaInbox(settings, "bench", {})
            _show("kafka", _measure(server, inbox, produce, folder / "b.sqlite", count))


def _measure(
    server: HookServer, inbox: Inbox[Notice], write: Callable[[int], None], store: Path, count: int
) -> list[float]:
    """Milliseconds from before the write to the arrival, alert by alert."""
    hooks = configured(server, route("all", "webhook", "digest: null"))
    stop = threading.Event()
    took = []
    before = len(server.received)
    with Worker(hooks, store, Zones("UTC"), writer(), environment(server)) as worker:
        thread = threading.Thread(target=worker.run, args=(inbox, stop))
        thread.start()
        for number in range(count):
            start = time.time()
            write(number)
            received = server.wait_for(before + number + 1)[-1]
            took.append((received.at - start) * 1000)
            time.sleep(PAUSE_SECONDS)
        stop.set()
        thread.join()
    inbox.close()
    return took


def _show(name: str, took: list[float]) -> None:
    cuts = statistics.quantiles(took, n=100)
    print(
        f"{name:6} {len(took)} alerts: median {cuts[49]:.1f} ms, 95% {cuts[94]:.1f} ms, "
        f"worst {max(took):.1f} ms"
    )


if __name__ == "__main__":
    main()
