"""The server itself: its socket, and several processes behind one address."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from click.testing import CliRunner
from hold_stack import Api
from redis_server import RedisServer

from infra.cli import main
from serving.holds.server import listening
from sinks.redis.client import HoldGate


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """An answer leaves in two writes: delayed, each would take 40 ms longer."""

    async def taken() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            here = writer.get_extra_info("socket")
            found.set_result(here.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listening("127.0.0.1", 0) as door:
            async with await asyncio.start_server(serve, sock=door):
                _, writer = await asyncio.open_connection(*door.getsockname())
                no_delay = await found
                writer.close()
                await writer.wait_closed()
        return no_delay

    assert asyncio.run(taken()) != 0


def test_several_processes_and_a_taken_address(
    gate: HoldGate, redis_server: RedisServer, tmp_path: Path
) -> None:
    api = Api(tmp_path, redis_server.url, gate.settings.pool, "--processes", 2)
    try:
        for _ in range(8):
            with api.client_of(api.client.headers["authorization"].split()[1]) as client:
                assert client.get("/v1/availability", params={"sku": "none"}).status_code == 200
        port = api.url.rpartition(":")[2]
        keys = ["--keys", str(api.keys)]
        second = CliRunner().invoke(main, ["holds", "serve", "--port", port, *keys])
        assert second.exit_code == 1
        assert f"127.0.0.1:{port}" in second.output
        assert "in use" in second.output, second.output
    finally:
        api.stop()
