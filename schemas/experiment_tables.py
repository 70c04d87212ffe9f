"""The warehouse's table of what experiments showed, look by look."""

from __future__ import annotations

from schemas.tables import Column, Table

_FIGURE = "share of members, minor money units or the metric's own, see scale"


def _interval(prefix: str, how: str) -> tuple[Column, ...]:
    """A difference with its interval; `how` says which of the two it is."""
    return (
        Column(
            f"{prefix}value",
            "real",
            f"mean of the arm less that of `against`, {how}; empty for the control",
            _FIGURE,
            True,
        ),
        Column(f"{prefix}low", "real", "where its interval begins; empty: too few", _FIGURE, True),
        Column(f"{prefix}high", "real", "where its interval ends; empty: too few", _FIGURE, True),
        Column(f"{prefix}error", "real", "its standard error; empty: too few", _FIGURE, True),
        Column(f"{prefix}clear", "integer", "1: 0 is outside of the interval", "", True),
    )


EXPERIMENT_RESULT = Table(
    name="experiment_result",
    comment=(
        "What an experiment showed at a look: its control, and every arm against the control and "
        "against the arms before it, metric by metric. A look at the same facts writes the same "
        "rows; a later one leaves the earlier."
    ),
    primary_key=(
        "journey", "journey_version", "experiment", "as_of", "metric", "arm", "against",
    ),
    version="version",
    columns=(
        Column("journey", "text", "its name; empty: read from a table of people"),
        Column("journey_version", "text", "the one that was read, or empty"),
        Column("experiment", "text", "its name; empty: a holdout alone"),
        Column("as_of", "instant", "the look: nothing later counts. The newest purchase; of a "
               "table of people the newest exposure"),
        Column("metric", "text", "spent, margin, bought, opted_out, or the table's own"),
        Column("arm", "text", "whose figures these are"),
        Column("against", "text", "the arm that it is compared with; empty for the control"),
        Column("control", "text", "the look's control"),
        Column("goal", "text", "the metric that decides"),
        Column("guardrail", "integer", "1: this metric may stop a roll-out"),
        Column("scale", "text", "rate: share of members; money: minor units; number"),
        Column("members", "integer", "of the arm, whose days are over", "members"),
        Column("mean", "real", "of the arm's members", _FIGURE),
        *_interval("", "as it is"),
        *_interval("reduced_", "with variance reduction; empty without a figure from before"),
        Column("reduced", "real", "of the variance, what its reduction took away", "share", True),
        Column("harm", "text", "of a guardrail: why it stops the arm, or empty"),
        Column("alpha", "real", "of the interval: all pairs of arms keep the experiment's together",
               "probability"),
        Column("once", "integer", "1: interval for one look at a fixed number; 0: for any number "
               "of looks"),
        Column("decided_on", "text", "plain or reduced: the goal's difference that the verdict "
               "rests on"),
        Column("verdict", "text", "of the look: broken, wait, roll_out, harmful, guarded, "
               "no_matter"),
        Column("verdict_arm", "text", "the arm that it is about, or empty"),
        Column("words", "json", "the sentences that say why"),
        Column("split_p", "real", "of a split so far from the plan by chance, at one look",
               "probability"),
        Column("split_p_always", "real", "the same, at any number of looks", "probability"),
        Column("split_alarm", "integer", "1: the split is off, nothing may be read"),
        Column("multiple", "integer", "left out, for they were in several arms", "members"),
        Column("days", "real", "from the first to the last exposure", "days"),
        Column("within", "real", "what counts after an exposure; empty: the table's own", "days",
               True),
        Column("version", "integer", "microseconds since 1970 of `as_of`: late facts of the same "
               "look are written over it"),
    ),
)  # fmt: skip
