"""How deep tests go: `make test` tries some cases of everything, `make test-deep` many more."""

from __future__ import annotations

import os

DEEP = bool(os.environ.get("TILLFLOW_TEST_DEEP"))


def cases(quick: int, deep: int) -> int:
    """How many examples, or how large a history: the first by default, the second in the deep run.

    A file that says this takes part in `make test-deep` by hypothesis' mark, or by the mark `deep`.
    """
    return deep if DEEP else quick
