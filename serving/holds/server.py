"""Runs the API in one or several processes that share one socket."""

from __future__ import annotations

import logging
import socket
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from serving.holds.app import MOST_AT_ONCE, create_app
from serving.holds.settings import ApiSettings

BACKLOG = 2048


def serve(settings: ApiSettings, host: str, port: int, processes: int = 1) -> None:
    """Serve until SIGTERM or Ctrl-C; a process that ends is replaced by a new one.

    Raises:
        OSError: the address is taken or is none of this machine.
        KeysError: the file of keys cannot be used.
    """
    create_app(settings)  # what is wrong with the settings is told here, not by each process
    config = uvicorn.Config(
        partial(create_app, settings),
        factory=True,
        workers=processes,
        # The access log would hold ids of holds; the API writes its own lines.
        access_log=False,
        log_level=logging.WARNING,
        server_header=False,
        limit_concurrency=MOST_AT_ONCE,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 * 1024,
    )
    with listening(host, port) as door:
        if processes == 1:
            uvicorn.Server(config).run(sockets=[door])
        else:
            Multiprocess(config, sockets=[door]).run()


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections; several processes may share it.

    Raises:
        OSError: the address is taken or is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: asyncio answers without delay (TCP_NODELAY) only on such sockets, and without
    # that the second packet of an answer waits 40 ms for the client's acknowledgement.
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(BACKLOG)
    except OSError as wrong:
        door.close()
        raise OSError(wrong.errno, wrong.strerror, f"{host}:{port}") from None
    return door
