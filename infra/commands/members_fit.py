"""`tillflow members fit`: the health model, fitted again from purchases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import numpy as np

from infra.answers import console, field, table
from operators.members.health.fitting import FitError
from operators.members.health.history import Log
from operators.members.health.model import HealthModel, to_json
from operators.members.health.training import ORIGINS, train
from sources.columns import ColumnError, read_days

_EPOCH = date(1970, 1, 1)
_KINDS = {
    "full": "the purchase model with trend, cadence, recency, frequency, engagement, returns",
    "purchases": "the purchase model alone, calibrated",
    "recency": "recency alone: nothing else did better on later days",
}


@click.command("fit")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--member", default="member", show_default=True, help="Column of the member.")
@click.option("--at", "at_column", default="time", show_default=True, help="Column of the instant.")
@click.option("--amount", default="amount", show_default=True, help="Column; refunds are below 0.")
@click.option("--refund-of", help="Column: when what a refund takes back was bought.")
@click.option(
    "--engaged",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Messages opened, which is what the flow reads: the same columns, without amounts.",
)
@click.option("--zone", default="UTC", show_default=True, help="Whose days are counted.")
@click.option("--until", help="The day it is fitted for.  [default: after the last in FILE]")
@click.option("--origins", default=ORIGINS, show_default=True, help="Days looked back from.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("health.json"),
    show_default=True,
    help="The model's file.",
)
def fit_command(
    file: Path,
    member: str,
    at_column: str,
    amount: str,
    refund_of: str | None,
    engaged: Path | None,
    zone: str,
    until: str | None,
    origins: int,
    out: Path,
) -> None:
    """Fit the health model from FILE (CSV or Parquet), a purchase or refund a row.

    The weights are learnt on days a month apart and judged on the last of them.
    """
    try:
        ZoneInfo(zone)
        who, amounts, days, of = read_days(file, member, amount, at_column, refund_of, zone)
        end = _day(until) if until else int(days.max(initial=0)) + 1
        names, members = np.unique(who, return_inverse=True)
        log = Log(members.astype(np.int64), days, of, amounts)
        if engaged:
            others, _, when, _ = read_days(engaged, member, None, at_column, None, zone)
            # Who never bought has no health.
            place = np.searchsorted(names, others)
            known = names[np.minimum(place, len(names) - 1)] == others
            log = replace(log, engagements=(place[known].astype(np.int64), when[known]))
        model = train(log, end, str(_EPOCH + timedelta(days=end)), origins)
    except (ColumnError, FitError) as error:
        raise click.ClickException(str(error)) from error
    except (ZoneInfoNotFoundError, ValueError) as error:
        msg = f"{error}: --zone is a name such as Asia/Shanghai, --until a day such as 2026-11-01"
        raise click.UsageError(msg) from error
    out.write_bytes(to_json(model) + b"\n")
    _tell(model, out)


def _day(text: str) -> int:
    return (datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date() - _EPOCH).days


def _tell(model: HealthModel, out: Path) -> None:
    found = model.purchases
    click.echo(f"{model.members:,} members until {model.version}: {_KINDS[model.kind]}")
    click.echo(
        f"modified BG/NBD, in days: r {found.r:.3f}, alpha {found.alpha:.2f}, "
        f"a {found.a:.3f}, b {found.b:.3f}; usual gap {model.gap_days:.1f} days"
    )
    rows = [
        {
            "on later days": kind,
            ">log loss": f"{one.log_loss:.4f}",
            ">Brier": f"{one.brier:.4f}",
            ">AUC": f"{one.auc:.3f}",
            ">members asked": f"{one.n:,}",
        }
        for kind, one in sorted(model.evidence.items(), key=lambda item: item[1].log_loss)
    ]
    console().print(table("", [(head, field(head)) for head in rows[0]], rows))
    low, high = model.bands
    click.echo(f"at risk below {low:.1%}, healthy from {high:.1%}; written to {out}")
