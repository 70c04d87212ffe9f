"""A YAML text whose mistakes are told with the line and the part that they stand in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

import msgspec
import yaml

Steps = tuple[str | int, ...]


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?` when one of the known names is close, else nothing."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


class NoBools(yaml.SafeLoader):
    """For files without truth values: `off`, `on`, `yes` and `no` are words, as keys, too."""

    yaml_implicit_resolvers = {  # noqa: RUF012 as its parent has it
        first: [one for one in resolvers if one[0] != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class LinedYaml:
    """The data of a YAML text, and where its parts stand; `problem` is what it raises."""

    def __init__(
        self,
        text: str,
        name: str,
        problem: type[Exception],
        loader: type[yaml.SafeLoader] = yaml.SafeLoader,
    ) -> None:
        """Read the text.

        Raises:
            Exception: `problem`, when it is no YAML.
        """
        self.name, self._problem = name, problem
        try:
            self._node = yaml.compose(text, Loader=loader)
            self.data: Any = yaml.load(text, Loader=loader)  # noqa: S506 a SafeLoader
        except (yaml.YAMLError, ValueError) as wrong:
            mark = getattr(wrong, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark is not None else ""
            said = getattr(wrong, "problem", None) or str(wrong).partition("\n")[0]
            msg = f"{name}{line}: this is no YAML: {said}"
            raise problem(msg) from None

    def convert(
        self,
        value: Any,
        kind: Any,
        at: Steps,
        *,
        hook: Callable[[type, Any], Any] | None = None,
        known: Iterable[str] = (),
    ) -> Any:
        """A part as a value of `kind`; `known` are the settings that a misspelt one may mean.

        Raises:
            Exception: `problem`, when it is of another form.
        """
        try:
            return msgspec.convert(value, kind, dec_hook=hook)
        except msgspec.ValidationError as wrong:
            what, _, path = str(wrong).partition(" - at `$")
            self.refuse((*at, *_steps(path.rstrip("`"))), what, known)

    def refuse(self, at: Steps, what: str, known: Iterable[str] = ()) -> NoReturn:
        """Raise the problem of the part `at`."""
        unknown = what.partition("unknown field `")[2].partition("`")[0]
        if unknown:
            at = (*at, unknown)
            what = f"there is no setting {unknown} here{nearest(unknown, known)}"
        spelled = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in at)
        msg = f"{self.name}, line {self.line(at)}: {spelled.lstrip('.') or 'file'}: {what}"
        raise self._problem(msg)

    def line(self, at: Steps) -> int:
        """The line of a part, or of the nearest part around it that is in the file."""
        node = self._node
        line = 1
        for step in at:
            if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    break
                node = node.value[step]
                line = node.start_mark.line + 1
            elif isinstance(node, yaml.MappingNode):
                found = [pair for pair in node.value if str(pair[0].value) == str(step)]
                if not found:
                    break
                line = found[0][0].start_mark.line + 1
                node = found[0][1]
            else:
                break
        return line


def _steps(path: str) -> Steps:
    """The steps in a path as msgspec spells it: `.digest.over`, `.places[2]`."""
    steps: list[str | int] = []
    for part in path.replace("[", ".[").split("."):
        if part.startswith("["):
            index = part[1:-1]
            if index.isdigit():
                steps.append(int(index))
        elif part:
            steps.append(part)
    return tuple(steps)
