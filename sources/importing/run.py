"""One import from files to events: read, profile, judge, settle repeats, balance, write."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from sources.importing.codes import make_code_tables
from sources.importing.events import make_events_table, write_events
from sources.importing.expressions import Expression, bind, expressions, failing, missing_column
from sources.importing.fields import ALL_COLUMNS
from sources.importing.findings import Findings
from sources.importing.identity import settle_repeats
from sources.importing.mapping import Mapping
from sources.importing.notation import number_macro
from sources.importing.plan import movements_ddl, movements_sql, rows_sql
from sources.importing.problems import InputError, first_line
from sources.importing.profile import profile
from sources.importing.quarantine import write_quarantine
from sources.importing.report import Report
from sources.importing.tables import Loaded, load_file
from sources.importing.times import needs_formats

# The engine beside us needs the other cores; more threads gain little on the sizes of a chain.
_THREADS = 2


def _nobody(_: str) -> None:
    """Say nothing."""


def import_files(
    mapping: Mapping,
    files: Sequence[Path],
    out: Path,
    quarantine: Path | None = None,
    *,
    say: Callable[[str], None] = _nobody,
    now: datetime | None = None,
) -> Report:
    """Turn files into events as the mapping says; `out` and `quarantine` are replaced at the end.

    Events are CloudEvents JSON lines of `stock.movement.v1`, sorted by time and then by their
    order in the files. Rows that cannot be events go to `quarantine`, by default beside `out` with
    the ending `.quarantine.csv`. `say` is told of each step; rows later than `now` are refused.

    Raises:
        MappingError: the mapping does not fit the files, or one of its expressions fails.
        InputError: a file cannot be read, or would be overwritten by what is written.
    """
    began = time.monotonic()
    quarantine = quarantine or out.with_suffix(".quarantine.csv")
    require_writable((out, quarantine), files)
    with _connection(out) as connection:
        run = _Run(connection, mapping, say, now or datetime.now(UTC))
        loaded = run.read(files)
        columns = profile(connection, loaded, run.shown)
        run.judge(loaded)
        repeats = settle_repeats(connection, mapping, loaded)
        events = make_events_table(connection, mapping)
        report = Findings(connection, mapping).report(loaded, repeats, str(out), str(quarantine))
        report.columns = columns
        report.warnings += _warnings(mapping, report)
        if not report.balanced:
            msg = f"the account of rows is not even: {report.balance}; this is a bug of tillflow"
            raise AssertionError(msg)
        say(f"writing {events:,} events")
        with replacing(out) as part, replacing(quarantine) as quarantine_part:
            write_events(connection, mapping, part)
            write_quarantine(connection, loaded, quarantine_part)
    report.seconds = round(time.monotonic() - began, 2)
    return report


class _Run:
    """The steps of one import that share a connection."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        mapping: Mapping,
        say: Callable[[str], None],
        now: datetime,
    ) -> None:
        self._connection = connection
        self._mapping = mapping
        self._say = say
        self._now = now.astimezone(UTC)
        connection.execute(number_macro(mapping.numbers))
        connection.execute(movements_ddl())
        self._expressions = expressions(connection, mapping)

    @property
    def shown(self) -> set[str]:
        """Lower-case names of the columns whose values go into events."""
        values = [each for each in self._expressions if not each.condition]
        return {name[0].lower() for each in values for name in each.names}

    def read(self, files: Sequence[Path]) -> list[Loaded]:
        """Make the files and the codes readable."""
        make_code_tables(self._connection, self._mapping, self._expressions, files[0].parent)
        loaded = []
        for number, path in enumerate(files, 1):
            self._say(f"reading {path}")
            loaded.append(load_file(self._connection, path, self._mapping.file, f"file_{number}"))
        return loaded

    def judge(self, files: list[Loaded]) -> None:
        """Fill the table `movements`: one row for each row of the files."""
        for number, file in enumerate(files, 1):
            self._refuse_broken(number, file)
            if not file.columns:
                continue
            self._say(f"cleaning {file.rows:,} rows of {file.path}")
            self._require_columns(file)
            rows = f"rows_{number}"
            self._connection.execute(f"CREATE VIEW {rows} AS {rows_sql(self._mapping, file)}")
            bound = bind(self._connection, self._mapping, self._expressions, file, rows)
            self._require_formats(bound)
            sql = movements_sql(self._mapping, bound, number, rows, self._now)
            try:
                self._connection.execute(sql)
            except duckdb.Error as wrong:
                problem = failing(self._connection, self._mapping, bound, rows)
                if problem is None:
                    problem = self._mapping.error(0, f"{file.path}: {first_line(wrong)}")
                raise problem from None

    def _require_columns(self, file: Loaded) -> None:
        for column in self._mapping.event.id.content:
            if column != ALL_COLUMNS and file.column(column) is None:
                raise self._mapping.error(self._mapping.event.id.at, missing_column(column, file))
        for name, lookup in self._mapping.lookups.items():
            column = lookup.on or lookup.key
            if file.column(column) is None:
                raise self._mapping.error(lookup.at, missing_column(column, file))
            if file.column(name) is not None:
                message = f'a lookup cannot be called "{name}": {file.path} has such a column'
                raise self._mapping.error(lookup.at, message)

    def _require_formats(self, bound: dict[str, Expression]) -> None:
        event = self._mapping.event
        for slot, part in (("time", event.time), ("expires_on", event.expires_on)):
            if part is not None and not part.formats and needs_formats(bound[slot].type):
                message = f"{slot} is text here: say how it is written, formats: ['%Y-%m-%d %H:%M']"
                raise self._mapping.error(part.at, message)

    def _refuse_broken(self, number: int, file: Loaded) -> None:
        if not file.broken:
            return
        rows, broken = zip(*file.broken, strict=True)
        table = pa.table(
            {
                "file": pa.array([number] * len(rows), pa.int32()),
                "row": pa.array(rows, pa.int64()),
                "line_in_file": pa.array([each.line for each in broken], pa.int64()),
                "fate": pa.array(["refused"] * len(rows), pa.string()),
                "code": pa.array([each.code for each in broken], pa.string()),
                "words": pa.array([each.words for each in broken], pa.string()),
            }
        )
        self._connection.register("importing_broken", table)
        self._connection.execute("INSERT INTO movements BY NAME SELECT * FROM importing_broken")
        self._connection.unregister("importing_broken")


def _warnings(mapping: Mapping, report: Report) -> list[str]:
    found = []
    kept = report.duplicates.found
    if kept and not mapping.drops_duplicates and mapping.duplicates is None:
        found.append(
            f"{kept:,} rows are the same in all columns as one before them and were kept as events "
            "of their own; if the export repeats rows, declare duplicates: drop"
        )
    if report.refused > report.rows_in // 2:
        found.append("more than half of the rows were refused: does the mapping fit these files?")
    if report.repeated_hour:
        which = mapping.event.time.repeated_hour
        found.append(
            f"{report.repeated_hour:,} events fall into an hour that was twice, for clocks went "
            f"back; they were read as the {which} (time: repeated_hour)"
        )
    return found


def require_writable(written: Sequence[Path], files: Sequence[Path]) -> None:
    """Make sure that each output has a folder and a name of its own.

    Raises:
        InputError: an output has no folder, is a folder, or would be written over another file of
            this import.
    """
    taken = {path.resolve() for path in files}
    for path in written:
        if path.resolve() in taken:
            msg = (
                f"{path} is used twice in this import and would be overwritten: choose another name"
            )
            raise InputError(msg)
        taken.add(path.resolve())
        if not path.parent.is_dir():
            msg = f"{path} cannot be written: there is no folder {path.parent}"
            raise InputError(msg)
        if path.is_dir():
            msg = f"{path} cannot be written: it is a folder"
            raise InputError(msg)


@contextmanager
def _connection(out: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    # What doesn't fit into memory goes beside the output, which needs the room anyway.
    with tempfile.TemporaryDirectory(prefix=".importing-", dir=out.parent) as spill:
        connection = duckdb.connect(
            config={
                "threads": _THREADS,
                "temp_directory": spill,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        try:
            # Writing takes the texts out of plain Arrow strings with 32-bit offsets.
            connection.execute(
                "SET TimeZone = 'UTC'; SET produce_arrow_string_view = false; "
                "SET arrow_large_buffer_size = false; SET preserve_insertion_order = true"
            )
            yield connection
        finally:
            connection.close()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` that takes its place when the block ends well, and is gone if not."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        yield part
        os.fsync(handle)
        # mkstemp makes files for their owner alone; the output is as readable as any other file.
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(path)
    finally:
        os.close(handle)
        part.unlink(missing_ok=True)
