"""Cuts the lock of an image out of requirements/dev.lock: what some packages need, with hashes.

    python image_lock.py requirements/dev.lock --project pyproject.toml NAME... > image.lock

Needs nothing but Python: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

_NAME = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?")
_PARENT = re.compile(r"^    #(?: via)? +([A-Za-z0-9._-]+)(?:\[[^\]]*\])?$")


class LockError(Exception):
    """The lock does not hold what is asked for."""


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    """The name in a requirement such as `redis[hiredis]>=6.4`."""
    found = _NAME.match(requirement)
    if found is None:
        msg = f"{requirement} is no requirement"
        raise LockError(msg)
    return plain(found[1])


def blocks(lock: str) -> Iterator[tuple[str, str]]:
    """The packages of a lock: name, and its lines."""
    for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]:
        yield name_of(block), block


def cut(lock: str, wanted: Iterable[str]) -> str:
    """The packages that are wanted and all that these need.

    Raises:
        LockError: one of them is not in the lock.
    """
    there = list(blocks(lock))  # a package may be there in several versions, by Python's
    parents: dict[str, set[str]] = {name: set() for name, _ in there}
    for name, block in there:
        parents[name] |= {
            plain(found[1]) for line in block.splitlines() if (found := _PARENT.match(line))
        }
    needed = set(map(plain, wanted))
    missing = sorted(needed - parents.keys())
    if missing:
        msg = f"the lock has no {', '.join(missing)}: renew it with make lock"
        raise LockError(msg)
    while more := {name for name in parents if name not in needed and parents[name] & needed}:
        needed |= more
    return "".join(block for name, block in there if name in needed)


def project_requirements(project: str) -> list[str]:
    """The names of what a pyproject.toml depends on, without its extras."""
    found: list[str] = tomllib.loads(project)["project"]["dependencies"]
    return [name_of(requirement) for requirement in found]


def main() -> None:
    """Print the lock that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path)
    parser.add_argument("names", nargs="*", help="packages")
    parser.add_argument("--project", type=Path, help="pyproject.toml whose dependencies are wanted")
    given = parser.parse_intermixed_args()
    wanted = list(given.names)
    if given.project is not None:
        wanted += project_requirements(given.project.read_text("utf-8"))
    try:
        sys.stdout.write(cut(given.lock.read_text("utf-8"), wanted))
    except LockError as wrong:
        sys.exit(f"Error: {wrong}")


if __name__ == "__main__":
    main()
