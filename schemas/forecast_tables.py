"""The warehouse's tables of forecasts: quarters of an hour, hours and days to come."""

from __future__ import annotations

from schemas.tables import Column, Table

_BANDS = (
    Column("mean", "real", "expected", "people or orders"),
    Column("low_80", "integer", "low end of what is inside with 80%", "people or orders"),
    Column("high_80", "integer", "high end of the same", "people or orders"),
    Column("low_95", "integer", "low end of what is inside with 95%", "people or orders"),
    Column("high_95", "integer", "high end of the same", "people or orders"),
)
_ORIGIN = (
    Column("model", "text", "the model that said it"),
    Column("why", "text", "why this model: its accuracy in the backtest beside the others'"),
    Column("update", "text", "what of the day itself has changed it; empty: nothing", "", True),
    Column("known_until", "instant", "end of the last final window it rests on"),
    Column("updated_at", "instant", "when it was made; a newer one replaces it"),
)

FORECAST_15M = Table(
    name="forecast_15m",
    comment=(
        "What is to be expected in a quarter of an hour of a store. Closed quarters have no row. "
        "Bands are calibrated for quarters; those of hours and days are in forecast_span."
    ),
    primary_key=("store", "measure", "start"),
    version="updated_at",
    columns=(
        Column("store", "text", "shop"),
        Column("measure", "text", "entries or orders"),
        Column("start", "instant", "begin of the 15 minutes of real time"),
        Column("local_start", "text", "the same in the store's own time, with its offset"),
        Column("day", "text", "the store's local day (YYYY-MM-DD)"),
        *_BANDS,
        *_ORIGIN,
    ),
)

FORECAST_SPAN = Table(
    name="forecast_span",
    comment=(
        "What is to be expected in an hour or a day of a store, with bands of its own: sums of "
        "the bands of quarters would be far too wide."
    ),
    primary_key=("store", "measure", "span", "start"),
    version="updated_at",
    columns=(
        Column("store", "text", "shop"),
        Column("measure", "text", "entries or orders"),
        Column("span", "text", "hour or day"),
        Column("start", "instant", "begin of its first open quarter"),
        Column("local_start", "text", "the same in the store's own time, with its offset"),
        Column("day", "text", "the store's local day (YYYY-MM-DD)"),
        *_BANDS,
        *_ORIGIN,
    ),
)
