"""What shops did to a campaign, from the warehouse; what it lacks is said and not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from operators.members.coupons.diagnosis.shops import (
    Absent,
    Attempt,
    Goods,
    Shelves,
    Tills,
    shelves_of,
    tills_of,
)
from serving import campaign_shops as asked
from serving.queries import Queries

_NO_REFUSALS = Absent(
    "no refusal of any coupon at a till is in the warehouse (coupon_rejection): none happened, or "
    "desk, keeper and `tillflow run coupons` are of an older release"
)
_NO_GOODS = Absent(
    "coupon_campaign does not say its goods yet: `tillflow run coupons --coupons FILE` writes them"
)
_ALL_GOODS = Absent("it is for all goods, so no SKU has to be there")
_NO_STOCK_OUTS = Absent(
    "no stock-out of anything is in stock_alert: none happened, or `tillflow run stock` was told "
    "not to raise them (stock.alerts)"
)


def tills_told(
    queries: Queries, coupons: Sequence[str], begin: datetime, end: datetime
) -> Tills | Absent:
    """Attempts to use these coupons, and how tills answered them."""
    rows = asked.attempts(queries, coupons)
    if rows is None:
        return _NO_REFUSALS
    tried = [
        Attempt(coupon, order, store, (*codes,), used) for coupon, order, store, codes, used in rows
    ]
    return tills_of(tried, asked.left_out(queries, begin, end))


def shelves_told(
    queries: Queries,
    campaign: str,
    visits: Sequence[tuple[str, datetime]],
    begin: datetime,
    end: datetime,
) -> Shelves | Absent:
    """Visits of those who had a coupon, against what was out of stock of its goods."""
    known, said = asked.goods(queries, campaign)
    if not known:
        return _NO_GOODS
    if said is None:
        return _ALL_GOODS
    if said.get("categories"):
        named = ", ".join(said["categories"])
        return Absent(
            f"its goods are named by category ({named}): no table says which SKUs those are"
        )
    goods = Goods(tuple(said.get("skus") or ()), said.get("gift"))
    sold = asked.sold(queries, goods.all)
    there = {sku for sku, _ in sold}
    lacking = [] if there.intersection(goods.skus) else list(goods.skus)
    if goods.gift is not None and goods.gift not in there:
        lacking.append(goods.gift)
    if lacking:
        named = ", ".join(lacking[:5])
        return Absent(
            f"stock_position has no {named}: `tillflow run stock` into this warehouse writes it"
        )
    if not asked.tells_of_stock_outs(queries):
        return _NO_STOCK_OUTS
    # What is not over yet has not been out of stock either.
    end = min(end, datetime.now(UTC))
    return shelves_of(
        goods, sold, asked.out_of_stock(queries, goods.all, begin, end), visits, begin, end
    )
