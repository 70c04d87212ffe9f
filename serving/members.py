"""Ready answers on members: the eight segments, and why one member is where it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from schemas.member_tables import MEMBER_STATE, MEMBER_TRANSITION
from schemas.tables import quoted
from serving.queries import NEAREST, Answer, Queries, QueryError, open_queries
from sinks.warehouse.address import Target

# How many changes of segment an answer has, the latest first.
CHANGES = 20


_DECISIONS = """
SELECT m.decided_at, m.journey, m.journey_version, m.step, m.action, m.decision, m.reason,
  m.next_at, m.gift, m.held_out, m.experiment, m.arm, d.became, m.message
FROM message m LEFT JOIN (
  SELECT message, string_agg(channel || ' ' || status, ', ' ORDER BY "at", channel) AS became
  FROM message_delivery GROUP BY message
) d ON d.message = m.message
WHERE m.member = ? ORDER BY m.decided_at DESC, m.journey, m.step LIMIT ?"""


class MemberQueries:
    """The questions on members that can be asked of an open warehouse."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def segments(self) -> Answer:
        """Members by segment, the most valuable first; those who never bought come last."""
        return self._queries.ask(
            """
SELECT segment, segment_zh, segment_en, count(*) AS members,
  count(*) / sum(count(*)) OVER () AS share,
  sum(monetary)::BIGINT AS monetary,
  any_value(currency) AS currency,
  avg(frequency) AS mean_frequency,
  median(date_diff('second', last_at, newest) / 86400.0) AS median_silent_days,
  count(*) FILTER (segment_since >= newest - INTERVAL 7 DAY) AS came_within_7_days
FROM member_state, (SELECT max(as_of) AS newest FROM member_state)
WHERE status = 'active'
GROUP BY segment, segment_zh, segment_en, monetary_high, recency_near, frequency_high
ORDER BY monetary_high DESC NULLS LAST, recency_near DESC, frequency_high DESC""",
            [],
        )

    def changes_by_day(self) -> list[tuple[Any, ...]]:
        """Day (UTC), segment before, segment after, how many changes; the earliest day first."""
        return self._queries.ask(
            "SELECT changed_at::DATE AS day, from_segment, to_segment, count(*) "
            "FROM member_transition GROUP BY ALL ORDER BY ALL",
            [],
        ).rows

    def transitions(self, days: int) -> Answer:
        """Changes of segment in the last days before the newest one, by where and why."""
        return self._queries.ask(
            """
SELECT from_segment, to_segment, cause, count(*) AS changes, count(DISTINCT member) AS members
FROM member_transition, (SELECT max(changed_at) AS newest FROM member_transition)
WHERE changed_at > newest - to_days(?)
GROUP BY ALL ORDER BY changes DESC, from_segment, to_segment, cause""",
            [days],
        )

    def why(self, member: str) -> Answer:
        """One row: the state of a member, `transitions` and what journeys decided, latest first.

        Raises:
            QueryError: nothing is known of them; the message names similar ids.
        """
        state = self._queries.ask(
            f"SELECT {_columns(MEMBER_STATE.names)} FROM member_state WHERE member = ?", [member]
        )
        if not state.rows:
            raise QueryError(self._unknown(member))
        names = MEMBER_TRANSITION.names[1:]
        told = self._queries.ask(
            f"SELECT {_columns(names)} FROM member_transition WHERE member = ? "
            f"ORDER BY number DESC LIMIT {CHANGES}",
            [member],
        )
        decided = self._queries.ask(_DECISIONS, [member, CHANGES])
        rows = [(*state.rows[0], told.objects(), decided.objects())]
        return Answer((*state.columns, "transitions", "decisions"), rows)

    def health(self) -> Answer:
        """Members by the band of their health, the weakest first; without a model none."""
        return self._queries.ask(
            """
SELECT health_band AS band, count(*) AS members, count(*) / sum(count(*)) OVER () AS share,
  avg(health) AS mean_health, sum(monetary)::BIGINT AS monetary,
  count(*) FILTER (health_changes_at < newest + INTERVAL 7 DAY) AS falls_within_7_days,
  any_value(health_model) AS model
FROM member_state, (SELECT max(as_of) AS newest FROM member_state)
WHERE status = 'active' AND health IS NOT NULL
GROUP BY band ORDER BY mean_health""",
            [],
        )

    def weakest(self, band: str, limit: int) -> Answer:
        """Members of a band, those who spend most first, with what drives their health."""
        return self._queries.ask(
            "SELECT member, health, health_band AS band, health_drivers AS drivers, segment_en, "
            "segment_zh, monetary, last_at, health_at, health_changes_at FROM member_state "
            "WHERE status = 'active' AND health_band = ? ORDER BY monetary DESC, member LIMIT ?",
            [band, limit],
        )

    def measured(self) -> list[tuple[Any, ...]]:
        """Days since the last purchase, frequency and monetary of all who ever bought."""
        return self._queries.ask(
            "SELECT date_diff('microsecond', last_at, newest) / 86400e6, frequency, monetary "
            "FROM member_state, (SELECT max(as_of) AS newest FROM member_state) "
            "WHERE status = 'active' AND last_at IS NOT NULL",
            [],
        ).rows

    def newest(self) -> tuple[Any, int]:
        """The newest event of any member, and the largest version of thresholds in use."""
        found = self._queries.ask(
            "SELECT max(as_of), coalesce(max(thresholds), 0) FROM member_state", []
        )
        return found.rows[0][0], found.rows[0][1]

    def _unknown(self, member: str) -> str:
        near = self._queries.ask(
            "SELECT member FROM member_state ORDER BY NOT starts_with(lower(member), lower($1)), "
            f"jaro_winkler_similarity(lower(member), lower($1)) DESC, member LIMIT {NEAREST}",
            [member],
        ).rows
        if not near:
            return f"the warehouse holds no members yet, so none of id {member}"
        return f"no member has the id {member}; near it are {', '.join(row[0] for row in near)}"


def _columns(names: list[str]) -> str:
    return ", ".join(quoted(name) for name in names if name != "version")


@contextmanager
def open_member_queries(path: Target) -> Iterator[MemberQueries]:
    """The warehouse at `path`, open for questions on members.

    Raises:
        QueryError: it is not there, a flow is writing it, or it is no warehouse of tillflow.
    """
    with open_queries(path) as queries:
        yield MemberQueries(queries)
