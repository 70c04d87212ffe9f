"""The yardstick of the alerts, by examples small enough to be worked out by hand.

Numbers in brackets are the pitfalls of the trade that an example stands for.
"""

from __future__ import annotations

import pytest
from alert_oracle import Alert, Rung, expected_alerts, open_after
from hypothesis import given
from stock_events import NOON, Event, correction, event
from stock_oracle import expect
from stock_strategies import BRIEF, wide_histories

from schemas.chain import AlertRule, AlertRules, Chain, StockConfig, StockRule
from schemas.instants import MINUTE_US

Brief = tuple[str, str, int, float, float | None]


def chain_of(safety_stock: int = 0, floor: int = 0, alerts: AlertRules | None = None) -> Chain:
    rule = StockRule(safety_stock=safety_stock, floor=floor)
    return Chain(stock=StockConfig(rules=(rule,), alerts=alerts or AlertRules()))


def alerts_of(*events: Event, chain: Chain | None = None) -> list[Alert]:
    chain = chain or chain_of()
    return expected_alerts(expect(events, chain), chain)


def briefs(*events: Event, chain: Chain | None = None) -> list[Brief]:
    """Type, status, observed, and the minutes it was opened and cleared at."""
    return [
        (
            alert.alert_type,
            alert.status,
            alert.observed,
            _minute(alert.opened_at),
            None if alert.cleared_at is None else _minute(alert.cleared_at),
        )
        for alert in alerts_of(*events, chain=chain)
    ]


def stock_of(*levels: int) -> list[Event]:
    """One receipt, then adjustments: available goes through the levels, one a minute."""
    events = [event("received", levels[0], 0)]
    for minute in range(1, len(levels)):
        change = levels[minute] - levels[minute - 1]
        if change:
            events.append(event("adjusted", change, minute))
    return events


def _minute(micros: int) -> float:
    return (micros - NOON) / MINUTE_US


class TestStockOut:
    def test_sold_to_the_last(self) -> None:
        assert [
            Alert(
                alert_type="stock_out",
                severity="high",
                sku="TEA",
                place="S1",
                status="raised",
                observed=0,
                level=1,
                clear_level=2,
                opened_at=NOON + MINUTE_US,
                updated_at=NOON + MINUTE_US,
            )
        ] == alerts_of(*stock_of(3, 0))

    def test_needs_the_margin_to_clear(self) -> None:
        assert briefs(*stock_of(3, 0, 1)) == [("stock_out", "updated", 1, 1, None)]
        assert briefs(*stock_of(3, 0, 1, 2)) == [("stock_out", "cleared", 2, 1, 3)]

    def test_never_stocked_is_not_out_of_stock(self) -> None:
        assert briefs(event("returned", 1), event("counted", 0, 1)) == []
        assert briefs(event("counted", 0), chain=chain_of(safety_stock=5)) == []

    def test_oversold_without_ever_being_stocked(self) -> None:
        """Units that were never there can be promised and sold all the same."""
        assert briefs(event("sold", 1)) == [
            ("oversell", "raised", -1, 0, None),
            ("negative_on_hand", "raised", -1, 0, None),
        ]
        assert briefs(event("allocated", 1), event("received", 2, 1)) == [
            ("oversell", "cleared", 1, 0, 1)
        ]

    def test_below_nothing_without_claims(self) -> None:
        """On hand below 0 is a wrong record too: one alert of each family."""
        assert briefs(*stock_of(3, -2)) == [
            ("oversell", "raised", -2, 1, None),
            ("negative_on_hand", "raised", -2, 1, None),
        ]

    def test_one_instant_is_judged_as_one(self) -> None:
        """An export with whole days only books the day's sale before its receipt."""
        sale, receipt = event("sold", 3), event("received", 5)
        assert briefs(sale, receipt) == briefs(receipt, sale) == []
        assert briefs(sale, event("received", 5, 1 / MINUTE_US))[0][:2] == ("oversell", "cleared")

    def test_floor_is_not_available(self) -> None:
        assert briefs(*stock_of(9, 4), chain=chain_of(floor=4)) == [
            ("stock_out", "raised", 0, 1, None)
        ]

    def test_quarantine_and_transit_change_nothing(self) -> None:
        events = [event("returned", 5, 2), event("transfer_out", 5, 3, place="S2", to_place="S1")]
        [alert] = [one for one in alerts_of(*stock_of(3, 0), *events) if one.place == "S1"]
        assert (alert.status, alert.updated_at) == ("raised", NOON + MINUTE_US)


class TestOversell:
    def test_offline_till(self) -> None:
        """[61] a till sells 3 offline, online the same 3 are allocated: known when it syncs."""
        shop = [event("received", 3), event("allocated", 3, 2)]
        sale = event("sold", 3, 1, recorded_at=600)
        assert briefs(*shop) == [("stock_out", "raised", 0, 2, None)]
        assert briefs(*shop, sale) == [
            ("stock_out", "cleared", -3, 1, 2),
            ("oversell", "raised", -3, 2, None),
        ]

    def test_count_below_the_claims(self) -> None:
        """[23] the count is accepted and says whom it leaves short."""
        found = alerts_of(event("received", 5), event("allocated", 3, 1), event("counted", 0, 2))
        assert [
            (alert.alert_type, alert.observed, alert.severity, alert.shortfall) for alert in found
        ] == [("oversell", -3, "critical", 3)]

    def test_stays_until_its_level_though_the_claim_is_gone(self) -> None:
        events = [event("received", 1), event("allocated", 1, 1), event("counted", 0, 2)]
        events += [event("released", 1, 3)]
        assert briefs(*events) == [
            ("stock_out", "cleared", -1, 1, 2),
            ("oversell", "updated", 0, 2, None),
        ]

    def test_cleared_onto_the_milder_one(self) -> None:
        """At 1 the oversell is over, and what is left is below the safety stock."""
        events = [event("received", 9), event("allocated", 10, 1), event("received", 2, 2)]
        assert briefs(*events, chain=chain_of(safety_stock=5)) == [
            ("oversell", "cleared", 1, 1, 2),
            ("below_safety_stock", "raised", 1, 2, None),
        ]


class TestLadder:
    SAFETY = chain_of(safety_stock=5)

    def test_down_and_up(self) -> None:
        assert briefs(*stock_of(9, 5, 4, 0, 3, 8), chain=self.SAFETY) == [
            ("below_safety_stock", "cleared", 0, 2, 3),
            ("stock_out", "cleared", 3, 3, 4),
            ("below_safety_stock", "cleared", 8, 4, 5),
        ]

    def test_from_nothing_to_plenty(self) -> None:
        assert briefs(*stock_of(9, 0, 9), chain=self.SAFETY) == [("stock_out", "cleared", 9, 1, 2)]

    def test_alert_storm(self) -> None:
        """[65] 4-5-4-5 around a level of 5: one alert, cleared once at 6."""
        assert briefs(*stock_of(9, 4, 5, 4, 5), chain=self.SAFETY) == [
            ("below_safety_stock", "updated", 5, 1, None)
        ]
        assert briefs(*stock_of(9, 4, 5, 4, 6, 4), chain=self.SAFETY) == [
            ("below_safety_stock", "cleared", 6, 1, 4),
            ("below_safety_stock", "raised", 4, 5, None),
        ]

    @pytest.mark.parametrize(
        ("rule", "level", "clear_level"),
        [
            (AlertRule(margin=0), 5, 5),
            (AlertRule(margin=3), 5, 8),
            (AlertRule(margin=1, margin_share=0.5), 5, 8),
            (AlertRule(margin=4, margin_share=0.5), 5, 9),
            (AlertRule(margin=1, margin_share=0.1), 30, 33),
        ],
    )
    def test_margin(self, rule: AlertRule, level: int, clear_level: int) -> None:
        """The larger of the units and the share, rounded up."""
        chain = chain_of(level, alerts=AlertRules(below_safety_stock=rule))
        [alert] = alerts_of(*stock_of(99, level - 1, clear_level - 1), chain=chain)
        assert ("below_safety_stock", clear_level) == (alert.alert_type, alert.clear_level)
        assert alert.cleared_at is None
        [alert] = alerts_of(*stock_of(99, level - 1, clear_level), chain=chain)
        assert alert.status == "cleared"

    def test_switched_off(self) -> None:
        """Without the type that would take over, the milder one goes on."""
        alerts = AlertRules(stock_out=AlertRule(enabled=False))
        assert briefs(*stock_of(9, 4, 0), chain=chain_of(5, alerts=alerts)) == [
            ("below_safety_stock", "updated", 0, 1, None)
        ]
        assert briefs(*stock_of(9, 0), chain=chain_of(0, alerts=alerts)) == []

    def test_open_after(self) -> None:
        """The ladder alone: a rung is (type, observed, level, clear level, may be raised)."""
        severe, mild = Rung("a", 2, 1, 3, False), Rung("b", 2, 5, 6, True)
        assert [open_after(it, [severe, mild]) for it in ("a", "b", None)] == ["a", "b", "b"]
        severe = severe._replace(observed=0, raised=True)
        assert [open_after(it, [severe, mild]) for it in ("a", "b", None)] == ["a", "a", "a"]
        severe, mild = severe._replace(observed=7, raised=False), mild._replace(observed=7)
        assert open_after("a", [severe, mild._replace(raised=False)]) is None


class TestRecord:
    def test_negative_on_hand(self) -> None:
        sales = [event("sold", 1, 0), event("sold", 1, 1), event("counted", 0, 2)]
        assert briefs(*sales) == [
            ("oversell", "updated", 0, 0, None),
            ("negative_on_hand", "updated", 0, 0, None),
        ]
        assert briefs(*sales, event("received", 4, 3)) == [
            ("oversell", "cleared", 4, 0, 3),
            ("negative_on_hand", "cleared", 4, 0, 3),
        ]

    def test_unchanged_figure_is_no_update(self) -> None:
        found = alerts_of(event("sold", 1), event("returned", 1, 5))
        assert [(alert.status, alert.updated_at) for alert in found] == [
            ("raised", NOON),
            ("raised", NOON),
        ]


class TestHistory:
    def test_is_that_of_the_final_events(self) -> None:
        """[38] what was taken back never happened; what came late happened in its place."""
        wrong = event("sold", 3, 1)
        assert briefs(event("received", 3), wrong, correction(wrong, 9)) == []
        late = event("received", 2, 0.5)
        assert briefs(event("received", 3), event("sold", 3, 1), late) == []

    def test_each_pair_by_itself(self) -> None:
        events = [event("received", 1, place=place) for place in ("S1", "S2", "S3")]
        events += [event("sold", 1, 1, place=place) for place in ("S3", "S1")]
        assert [(alert.place, alert.alert_type) for alert in alerts_of(*events)] == [
            ("S1", "stock_out"),
            ("S3", "stock_out"),
        ]

    @BRIEF
    @given(wide_histories())
    def test_one_open_alert_a_family(self, events: list[Event]) -> None:
        chain = chain_of(safety_stock=4, floor=1)
        found = alerts_of(*events, chain=chain)
        for alert in found:
            assert (alert.status == "cleared") == (alert.cleared_at is not None)
            assert alert.opened_at <= alert.updated_at
        families = [
            (one.sku, one.place, one.alert_type == "negative_on_hand")
            for one in found
            if one.cleared_at is None
        ]
        assert len(set(families)) == len(families)
