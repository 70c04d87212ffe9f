"""Ports of the stack: those that were asked for, those of last time, or free ones."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on it."""
    with socket.socket() as probe:
        # As servers do: what a client left behind a moment ago is in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_ports(
    names: Iterable[str], wanted: Mapping[str, int], before: Mapping[str, int]
) -> dict[str, int]:
    """A port for each name: the wanted one, else that of last time if it is free, else any."""
    chosen: dict[str, int] = {}
    probes: list[socket.socket] = []
    try:
        for name in names:
            port = wanted.get(name) or before.get(name)
            if name not in wanted and (port in wanted.values() or port in chosen.values()):
                port = None
            if port is None or (name not in wanted and not is_free(port)):
                # Kept open until all are chosen, so that none is given out twice.
                probe = socket.socket()
                probes.append(probe)
                probe.bind((HOST, 0))
                port = probe.getsockname()[1]
                assert isinstance(port, int)
            chosen[name] = port
    finally:
        for probe in probes:
            probe.close()
    return chosen
