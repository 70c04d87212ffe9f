"""What a keeper's process runs. By itself, for each process imports this file anew."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from infra.cli import main


def keep(log: Path, arguments: Sequence[str]) -> None:
    """`tillflow holds keep`, with all it says in a file."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    main(["holds", "keep", *arguments])
