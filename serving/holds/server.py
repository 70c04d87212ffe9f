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
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        door = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as wrong:
        raise OSError(wrong.errno, wrong.strerror, f"{host}:{port}") from None
    with door:
        if processes == 1:
            uvicorn.Server(config).run(sockets=[door])
        else:
            Multiprocess(config, sockets=[door]).run()
