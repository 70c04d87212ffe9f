"""The journeys in force, and older versions that members are still in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from operators.journeys.compile import read_journey
from operators.journeys.program import Program
from schemas.chain import Chain


class BookError(ValueError):
    """Files that cannot run together; the text says which, and what to change."""


class Book:
    """Programs by journey and version; made from the files' texts alone, so it can be stored."""

    def __init__(self, chain: Chain, programs: Sequence[Program] = ()) -> None:
        self._chain = chain
        self._all: dict[tuple[str, str], Program] = {}
        self.current: tuple[Program, ...] = ()
        self.publish(programs)

    def publish(self, programs: Sequence[Program]) -> None:
        """Put these in force; members in others go on with the versions that they have."""
        names = [one.name for one in programs]
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice:
            msg = f"two files are journey {twice[0]}: give one of them another name"
            raise BookError(msg)
        self._all.update({(one.name, one.version): one for one in programs})
        # Who goes first where there is room for one.
        self.current = tuple(sorted(programs, key=lambda one: (-one.priority, one.name)))

    def program(self, journey: str, version: str) -> Program | None:
        """One version of a journey."""
        return self._all.get((journey, version))

    def versions(self) -> dict[str, str]:
        """The versions in force, by journey."""
        return {one.name: one.version for one in self.current}

    def texts(self, used: set[tuple[str, str]]) -> dict[str, str]:
        """The files of what is in force and of what is used, by journey and version."""
        kept = used | {(one.name, one.version) for one in self.current}
        return {"\n".join(key): self._all[key].text for key in sorted(kept) if key in self._all}

    def restore(self, current: Mapping[str, str], texts: Mapping[str, str]) -> None:
        """Take up what `versions` and `texts` gave; what this tillflow cannot read is left out."""
        self._all, self.current = {}, ()
        self.learn(texts)
        self.publish([self._all[key] for key in current.items() if key in self._all])

    def learn(self, texts: Mapping[str, str]) -> None:
        """Know these versions, too, without putting them in force."""
        for key, text in texts.items():
            journey, _, version = key.partition("\n")
            if (journey, version) not in self._all:
                program = read_journey(text, journey, self._chain).program
                if program is not None:
                    self._all[journey, version] = program
