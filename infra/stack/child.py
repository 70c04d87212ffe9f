"""A command of tillflow as a service: its log has times, and it ends when its supervisor is gone.

python -m infra.stack.child warehouse serve FILE
"""

from __future__ import annotations

import logging
import os
import signal
import stat
import sys
import threading

from infra.cli import main

STDIN = 0


def _end_with_supervisor() -> None:
    """Wait until the other end of standard input is gone, then end as on SIGTERM."""
    # Raw, for a thread that holds a buffered standard input would be in the way of a normal end.
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    # Its lines are one a request.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if stat.S_ISFIFO(os.fstat(STDIN).st_mode):
        threading.Thread(target=_end_with_supervisor, daemon=True).start()
    main(prog_name="tillflow")
