"""`tillflow run coupons`: what became of coupons, for funnels and diagnoses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.coupons import GROUP, TOPICS
from flows.coupons_runner import run_coupons
from flows.steps import CouponsStep
from infra.run_flow import came_to, print_counts, run_flow
from infra.run_options import run_options

_HELD = (
    "SELECT count(DISTINCT coupon), count(DISTINCT campaign), "
    "count(DISTINCT coupon) FILTER (what = 'redeemed'), "
    "(SELECT count(*) FROM coupon_rejection), "
    "(SELECT count(*) FROM purchase WHERE part = '') FROM coupon_event"
)


@click.command()
@run_options(TOPICS, GROUP, "WAREHOUSE.coupons.recovery")
@click.option(
    "--coupons",
    type=click.Path(path_type=Path),
    envvar="TILLFLOW_COUPONS",
    show_envvar=True,
    help="File of coupons, for their thresholds and shops; see docs/coupons.md.",
)
def coupons(**given: Any) -> None:
    """Coupons and purchases to funnels: run again at any time, it goes on where it was."""
    settings = run_flow(CouponsStep.FLOW, given, run_coupons)
    done, (held, campaigns, redeemed, refused, purchases) = came_to(settings, _HELD)
    shown = f"{held:,} of {campaigns:,} campaigns in {settings.target}, {redeemed:,} ever redeemed"
    if done is None:
        click.echo(f"nothing new to read; coupons: {shown}")
        return
    print_counts(done, "other flows' and of nobody")
    click.echo(f"  coupons      {shown}")
    click.echo(f"  refusals     {refused:,} at tills, by order and code")
    click.echo(f"  purchases    {purchases:,}")
