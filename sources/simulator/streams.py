"""Random streams, one a subject, all from one seed.

The stream of a subject is `random.Random("<seed>/<name>/<name>…")`. Python turns that text into a
state by SHA-512, so a stream depends on the seed and on its own names alone: not on the order in
which streams are made, not on how much another one has drawn, not on PYTHONHASHSEED. Add a shop and
no other shop's draws change; switch an imperfection off and no sale moves.
"""

from __future__ import annotations

import random


def stream(seed: int, *names: object) -> random.Random:
    """The stream of a subject; the names go from the large to the small (`footfall`, `S001`)."""
    return random.Random("/".join(str(part) for part in (seed, *names)))  # noqa: S311 - not secret
