"""`tillflow simulate --live`: what it says when it cannot play, and a door that is too fast."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.settings import load_chain
from infra.cli import main
from infra.live_doors import OPEN, REFUSED, UNKNOWN, ApiDoor, DoorError

HELD: dict[str, object] = {"state": "held", "lines": [{"sku": "TEA", "place": "S1", "quantity": 2}]}


def said(*words: str) -> str:
    result = CliRunner().invoke(main, ["simulate", *words])
    assert result.exit_code != 0
    return result.output


def test_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.commands.simulate_live.ANSWER_SECONDS", 0.5)
    assert "--speed goes with --live" in said("--out", str(tmp_path), "--speed", "60")
    assert "--out FOLDER, or --live" in said()
    assert "--data FOLDER of `tillflow up`" in said("--live")
    assert "no stack runs in" in said("--live", "--data", str(tmp_path))
    kafka = ("--live", "--kafka", "127.0.0.1:1")
    assert "TILLFLOW_HOLDS_KEY" in said(*kafka, "--holds", "http://127.0.0.1:2")
    assert "127.0.0.1:1" in said(*kafka)


def test_the_configuration_alone_is_one_pool(tmp_path: Path) -> None:
    file = tmp_path / "chain.yaml"
    done = CliRunner().invoke(main, ["simulate", "--stores", "14", "--write-config", str(file)])
    assert done.exit_code == 0, done.output
    chain = load_chain(file)
    assert {place.pool for place in chain.places.values()} == {chain.default_pool}
    assert len(chain.places) > 14


class Api:
    """A server that gives the answers it was told, and notes what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, object]]] = []
        self.asked: list[str] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.asked.append(self.path)
                status, body = api.answers.pop(0)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Retry-After", "0")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def problem(kind: str, **more: object) -> dict[str, object]:
    return {"type": f"urn:tillflow:problem:{kind}", "title": kind} | more


def test_what_the_api_answers_is_told_apart() -> None:
    api = Api()
    door = ApiDoor(f"http://127.0.0.1:{api.server.server_address[1]}", "key")
    limited = (429, problem("rate-limited"))
    try:
        api.answers = [limited, limited, (201, HELD)]
        told = door.hold("a", "TEA", 2, None, 5.0, "o")
        assert (told.state, told.units) == ("held", (("TEA", "S1", 2),))
        assert len(api.asked) == 3
        paid = HELD | {"state": "confirmed"}
        api.answers = [
            (409, problem("short")),
            (404, problem("unknown-hold")),
            (503, problem("gate-closed")),
            (409, problem("already-confirmed", hold=paid)),
            (409, problem("expired-short", hold=HELD | {"state": "expired_short"})),
            (401, problem("unknown-key")),
        ]
        states = [door.confirm("a b").state for _ in range(5)]
        assert states == [REFUSED, UNKNOWN, OPEN, "confirmed", "expired_short"]
        assert api.asked[-1] == "/v1/holds/a%20b/confirm"
        with pytest.raises(DoorError, match="answered 401: unknown-key"):
            door.release("a")
    finally:
        door.close()
        api.close()
    gone = ApiDoor(f"http://127.0.0.1:{api.server.server_address[1]}", "key")
    assert gone.release("a").state == OPEN
    gone.close()
