"""What the judged rows of an import add up to: the figures of its report."""

from __future__ import annotations

from typing import Any

import duckdb

from schemas.tables import literal
from sources.importing.mapping import Mapping
from sources.importing.report import (
    GAP_LIMIT,
    Duplicates,
    FileRead,
    Gap,
    KindCount,
    Quantities,
    Refused,
    Report,
    Skipped,
    UnknownSkus,
)
from sources.importing.tables import Loaded

_MOST_UNKNOWN = 10
_RFC3339 = "'%Y-%m-%dT%H:%M:%SZ'"


class Findings:
    """Asks the tables `movements` and `events` of one import."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> None:
        self._connection = connection
        self._mapping = mapping

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def report(self, files: list[Loaded], exact_repeats: int, out: str, quarantine: str) -> Report:
        """The report, without its columns' profile, warnings and seconds."""
        fates = dict(self._rows("SELECT fate, count(*) FROM movements GROUP BY fate"))
        (span,) = self._rows(
            f"SELECT strftime(timezone('UTC', min(instant)), {_RFC3339}), "
            f"strftime(timezone('UTC', max(instant)), {_RFC3339}), "
            "count(DISTINCT sku), count(DISTINCT place), count(*) FROM events"
        )
        (counts,) = self._rows(
            "SELECT count(*) FILTER (counted_sign = 0), count(*) FILTER (counted_sign < 0), "
            "count(*) FILTER (repeated AND fate = 'event') FROM movements"
        )
        return Report(
            mapping=self._mapping.name,
            source=self._mapping.source,
            out=out,
            quarantine=quarantine,
            files=[
                FileRead(
                    str(file.path), file.rows, len(file.columns), file.blank_lines, file.encoding
                )
                for file in files
            ],
            rows_in=sum(file.rows for file in files),
            events_out=span[4],
            refused=fates.get("refused", 0),
            duplicates_dropped=fates.get("duplicate", 0),
            skipped=fates.get("skipped", 0),
            refused_by_reason=self._refused(files),
            skipped_by_rule=self._skipped(),
            duplicates=self._duplicates(exact_repeats),
            kinds=[
                KindCount(*row)
                for row in self._rows(
                    "SELECT kind, count(*), coalesce(sum(quantity), 0)::BIGINT FROM events "
                    "GROUP BY kind ORDER BY count(*) DESC, kind"
                )
            ],
            first_time=span[0],
            last_time=span[1],
            skus=span[2],
            places=span[3],
            quantities=Quantities(zero=counts[0], negative=counts[1]),
            impossible_times=dict(
                self._rows(
                    "SELECT time_fault, count(*) FROM movements WHERE time_fault IS NOT NULL "
                    "GROUP BY time_fault ORDER BY time_fault"
                )
            ),
            repeated_hour=counts[2],
            unknown_skus=self._unknown_skus(),
            gaps=self._gaps(),
            columns=[],
            warnings=[note for file in files for note in file.notes],
        )

    def _refused(self, files: list[Loaded]) -> list[Refused]:
        found = self._rows(
            "SELECT code, count(*), "
            'arg_min({file: file, row: "row", line: line_in_file, words: words}, (file, "row")) '
            "FROM movements WHERE fate = 'refused' GROUP BY code ORDER BY count(*) DESC, code"
        )
        reasons = []
        for code, rows, first in found:
            spot = f"line {first['line']}" if first["line"] is not None else f"row {first['row']}"
            example = f"{files[first['file'] - 1].path.name}, {spot}: {first['words']}"
            reasons.append(Refused(code, rows, example))
        return reasons

    def _skipped(self) -> list[Skipped]:
        by_rule = dict(
            self._rows(
                "SELECT skip_rule, count(*) FROM movements WHERE fate = 'skipped' GROUP BY ALL"
            )
        )
        return [
            Skipped(rule.because, by_rule.get(number, 0))
            for number, rule in enumerate(self._mapping.skip, 1)
        ]

    def _duplicates(self, exact_repeats: int) -> Duplicates:
        (counts,) = self._rows(
            "SELECT count(*), count(*) FILTER (first_file <> file) FROM movements "
            "WHERE fate = 'duplicate'"
        )
        return Duplicates(found=exact_repeats, dropped=counts[0], across_files=counts[1])

    def _unknown_skus(self) -> UnknownSkus:
        (counts,) = self._rows(
            "SELECT count(unknown_sku), count(DISTINCT unknown_sku) FROM movements"
        )
        most = self._rows(
            "SELECT unknown_sku, count(*) FROM movements WHERE unknown_sku IS NOT NULL "
            f"GROUP BY unknown_sku ORDER BY count(*) DESC, unknown_sku LIMIT {_MOST_UNKNOWN}"
        )
        return UnknownSkus(counts[0], counts[1], [(code, rows) for code, rows in most])

    def _gaps(self) -> list[Gap]:
        zone = literal(self._mapping.timezone.name)
        return [
            Gap(*row)
            for row in self._rows(
                f"""
                WITH day AS (SELECT DISTINCT place, timezone({zone}, instant)::DATE AS day
                             FROM events),
                silence AS (
                  SELECT place, lag(day) OVER same + 1 AS first_day, day - 1 AS last_day,
                    count(*) OVER whole AS active, max(day) OVER whole - min(day) OVER whole + 1
                    AS span
                  FROM day WINDOW whole AS (PARTITION BY place),
                    same AS (PARTITION BY place ORDER BY day)),
                long AS (SELECT *, last_day - first_day + 1 AS days FROM silence
                         WHERE last_day - first_day >= 1),
                judged AS (SELECT *, (SELECT count(DISTINCT place) FROM day) * (active - 1)
                  * exp(lgamma(span - 1 - days) + lgamma(span - active + 1)
                    - lgamma(span - days - active + 1) - lgamma(span - 1)) AS expected FROM long)
                SELECT place, first_day::VARCHAR, last_day::VARCHAR, days, expected
                FROM judged WHERE expected < {GAP_LIMIT} ORDER BY expected, place, first_day
                """
            )
        ]
