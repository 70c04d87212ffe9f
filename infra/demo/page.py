"""The page: one HTML file without anything from outside, for a shop manager."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from string import Template
from typing import Any

import msgspec

from infra.demo.charts import SHOWN_DAYS, cover_chart, days_chart, stock_chart
from infra.demo.scene import ALERT_WORDS, LEAST_RATE, Row, Scene
from infra.demo.style import STYLE

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
<header>
<h1>$title</h1>
<p>$lead</p>
</header>
<section class="tiles">$tiles</section>
<section>
<h2>What needs somebody now</h2>
<p class="why">Open alerts, the worst of each kind. There is at most one for a kind, product and
shop; it closes by itself when the stock is back.</p>
$alerts
</section>
$shelf
<section class="pair">
<div>
<h2>How long the stock lasts</h2>
<p class="why">Shelves that sell $least or more a day, by days of cover at today's demand.</p>
$cover
</div>
<div>
<h2>Days on which shelves ran out</h2>
<p class="why">$days_why</p>
$days
</div>
</section>
<section>
<h2>Where these figures come from</h2>
$origin
</section>
</main>
</body>
</html>
""")


def page(scene: Scene) -> str:
    """The page as HTML."""
    return _PAGE.substitute(
        title=escape(scene.origin.title),
        style=STYLE,
        lead=_lead(scene),
        tiles=_tiles(scene),
        alerts=_alerts(scene),
        shelf=_shelf(scene),
        least=f"{LEAST_RATE:g}",
        cover=cover_chart(scene.cover),
        days_why=_days_why(scene),
        days=days_chart(scene.stock_outs) if scene.stock_outs else "<p>None did.</p>",
        origin=_origin(scene),
    )


def _lead(scene: Scene) -> str:
    newest = scene.local(scene.newest)
    return (
        f"As of {_time(newest)}, local time. Every movement of goods of {scene.places:,} shops has "
        f"been put into one position for each of {scene.positions:,} shelves."
    )


def _tiles(scene: Scene) -> str:
    run = scene.run
    counts = dict(scene.open_alerts)
    tiles = [
        (
            "shelves watched",
            f"{scene.positions:,}",
            f"{scene.skus:,} products in {scene.places:,} shops",
        ),
        ("movements", f"{run['events']:,}", f"{run['events'] / run['seconds']:,.0f} a second"),
        ("open alerts", f"{scene.open_total:,}", f"{counts.get('oversell', 0):,} oversold"),
        ("below zero on record", f"{counts.get('negative_on_hand', 0):,}", "shelves to count"),
        (
            "could not be used",
            f"{run['dead_letters']:,}",
            f"kept with a reason; {run['duplicates']:,} more known already",
        ),
    ]
    return "".join(
        f'<div class="tile"><b>{escape(figure)}</b><span>{escape(what)}</span>'
        f"<small>{escape(more)}</small></div>"
        for what, figure, more in tiles
    )


def _alerts(scene: Scene) -> str:
    if not scene.open_total:
        return "<p>Nothing is open: every shelf is as it should be.</p>"
    rows = []
    counts = dict(scene.open_alerts)
    for alert_type, found in scene.alerts.items():
        if not found:
            continue
        count = counts[alert_type]
        more = f", the worst {len(found)} shown" if count > len(found) else ""
        severity, action = found[0]["severity"], found[0]["suggested_action"]
        rows.append(
            f'<tr class="kind"><th colspan="6"><span class="pill p-{severity}">{severity}</span> '
            f"{ALERT_WORDS[alert_type]} <small>{count:,} open{more}. "
            f"<b>{escape(action[0].upper() + action[1:])}.</b></small></th></tr>"
        )
        rows += [_alert(scene, alert) for alert in found]
    head = "".join(
        f"<th{style}>{text}</th>"
        for text, style in (
            ("product", ""),
            ("shop", ""),
            ("since", ""),
            ("has", ' class="n"'),
            ("closes at", ' class="n"'),
            ("what broke the floor", ""),
        )
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _alert(scene: Scene, alert: Row) -> str:
    least = alert["clear_level"]
    return (
        f"<tr><td>{_product(scene, alert['sku'])}</td><td>{escape(alert['place'])}</td>"
        f'<td class="t">{_time(scene.local(alert["opened_at"]))}</td>'
        f'<td class="n">{alert["observed"]:,}</td><td class="n">{least:,}</td>'
        f"<td>{_happened(scene, alert)}</td></tr>"
    )


def _happened(scene: Scene, alert: Row) -> str:
    breaker = alert["broke_floor"]
    said = "" if breaker is None else _claim(breaker)
    said = said[:1].upper() + said[1:]
    claims = alert["claims"]
    if len(claims) < 2:
        return said
    items = "".join(
        f"<li>{_time(_instant(scene, claim))}: {_claim(claim)}"
        f"{' <strong>(broke the floor)</strong>' if claim['broke_floor'] else ''}</li>"
        for claim in claims
    )
    return (
        f"{said}<details><summary>{len(claims)} claims compete, newest first</summary>"
        f"<ul>{items}</ul></details>"
    )


_DEEDS = {
    "sale": "a sale",
    "allocation": "a placed order",
    "sold": "a sale",
    "received": "a delivery",
    "counted": "a count",
    "adjusted": "an adjustment",
    "transfer_out": "a transfer out",
    "business_day_closed": "the end of the day",
}


def _claim(claim: Row) -> str:
    what = str(claim.get("claim") or claim.get("kind"))
    units = claim.get("quantity")
    order = claim.get("order")
    text = _DEEDS.get(what, what.replace("_", " "))
    text += f" of {units:,}" if units is not None else ""
    return escape(text + (f" (order {order})" if order else ""))


def _shelf(scene: Scene) -> str:
    shelf = scene.shelf
    if shelf is None or not scene.moments:
        return ""
    now = scene.moments[-1]
    chart = stock_chart(scene.moments, scene.episodes, scene.newest, scene.origin.zone)
    pool = scene.shelf_pools[0]
    shown = min(SHOWN_DAYS, (scene.newest - scene.moments[0].time).days)
    return (
        f"<section><h2>One shelf over time: {_product(scene, shelf.sku)} in shop "
        f"{escape(shelf.place)}</h2>"
        f'<p class="why">What could be promised over the last {shown} days; a triangle is a '
        f"delivery. Below the line when each kind of alert was open ({len(scene.episodes):,} over "
        f"the whole time). Now: {now.available:,}. All {pool['places']:,} shops together can "
        f"promise {pool['available']:,} of it, {_cover(pool['days_of_cover'])}.</p>"
        f"{chart}</section>"
    )


def _cover(days: float | None) -> str:
    return "and nobody buys it" if days is None else f"enough for {days:,.0f} days"


def _days_why(scene: Scene) -> str:
    total = sum(count for _, count in scene.stock_outs)
    worst = sorted(scene.stock_outs, key=lambda each: (-each[1], each[0]))[:5]
    named = ", ".join(f"{day.day} {day:%b} ({count:,})" for day, count in worst)
    return f"{total:,} shelves that sell ran out; most on {named}."


def _origin(scene: Scene) -> str:
    origin = scene.origin
    parts = [f"<p>{escape(origin.data)}</p>"]
    report = origin.imported
    if report is not None:
        rows = [(each.code, f"{each.rows:,}", each.example) for each in report.refused_by_reason]
        parts.append(f"<p>Import: {escape(report.balance)}.</p>")
        parts.append(_small_table(("refused because", "rows", "for example"), rows))
    done = origin.completed
    if done is not None:
        parts.append(
            "<p>Added by a stated rule, for the data has sales only: opening stock on "
            f"{done.shelves:,} shelves, {done.deliveries:,} deliveries "
            f"({done.late_deliveries:,} late, {done.short_deliveries:,} short), {done.counts:,} "
            f"counts, {done.web_orders:,} web orders of the last week. {escape(origin.rule)}. Also "
            f"put in: {done.resent:,} sales sent twice, {done.late:,} sent late, "
            f"{done.too_late:,} four days late, {done.cut:,} lines cut off.</p>"
        )
    if scene.dead_letters:
        rows = [
            (letter["reason_code"], f"{letter['letters']:,}", letter["example_reason"])
            for letter in scene.dead_letters
        ]
        parts.append("<p>What the flow could not use is kept with its line and a reason:</p>")
        parts.append(_small_table(("dead letters", "count", "for example"), rows))
    return "".join(parts)


def _small_table(names: tuple[str, str, str], rows: Sequence[tuple[str, str, str]]) -> str:
    head = "".join(f"<th{_right(at)}>{escape(name)}</th>" for at, name in enumerate(names))
    body = "".join(
        "<tr>"
        + "".join(f"<td{_right(at)}>{escape(cell)}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="scroll"><table class="small">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _right(at: int) -> str:
    return ' class="n"' if at == 1 else ""


def _product(scene: Scene, sku: str) -> str:
    name = scene.name(sku)
    return f"{escape(name)} <code>{escape(sku)}</code>" if name else f"<code>{escape(sku)}</code>"


def _instant(scene: Scene, found: dict[str, Any]) -> datetime:
    return scene.local(msgspec.convert(found["time"], datetime))


def _time(local: datetime) -> str:
    return f"{local.day} {local:%b %Y, %H:%M}"
