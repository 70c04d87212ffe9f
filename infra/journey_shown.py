"""Summaries of journeys as tables for people."""

from __future__ import annotations

from collections.abc import Mapping

from infra.answers import Column, console, field, table
from operators.journeys.summary import Summary

_SUMMARY: tuple[Column, ...] = (
    ("journey", field("journey")),
    (">entered", field("entered")),
    (">sent", field("sent")),
    (">given", field("given")),
    ("held back", field("held")),
    ("put off", field("deferred")),
    ("left", field("exited")),
    (">still in it", field("waiting")),
    (">too old", field("stale")),
    (">not for them", field("not_for")),
)
_DAYS: tuple[Column, ...] = (
    ("day", field("day")),
    ("journey", field("journey")),
    (">entered", field("entered")),
    (">sent", field("sent")),
    (">given", field("given")),
    (">held back", field("held")),
)


def print_summaries(found: list[Summary]) -> None:
    """One line a journey."""
    rows = [
        {
            "journey": one.journey,
            "entered": one.entered,
            "sent": one.sent,
            "given": one.given,
            "held": _counts(one.held),
            "deferred": _counts(one.deferred),
            "exited": _counts(one.exited),
            "waiting": one.waiting,
            "stale": one.stale,
            "not_for": one.not_for,
        }
        for one in found
    ]
    console().print(table("What would have been done", _SUMMARY, rows))


def print_days(found: list[Summary]) -> None:
    """One line a day and journey."""
    rows = [
        {
            "day": day,
            "journey": one.journey,
            "entered": of.entered,
            "sent": of.sent,
            "given": of.given,
            "held": of.held,
        }
        for one in found
        for day, of in one.days.items()
    ]
    rows.sort(key=lambda row: (str(row["day"]), str(row["journey"])))
    console().print(table("Day by day", _DAYS, rows))


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {number:,}" for reason, number in sorted(counts.items()))
