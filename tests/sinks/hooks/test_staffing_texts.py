"""Alerts about rosters as people read them, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from hook_alerts import writer

from operators.notify.case import Item, Message
from operators.notify.notice import Notice, notice_of
from schemas.staffing import STAFFING_ALERT_TYPE, Proposal, StaffingAlert

NOON = datetime(2026, 11, 19, 4, tzinfo=UTC)


def proposal(move: str, employee: str, starts: str, ends: str, *, together: bool) -> Proposal:
    return Proposal(
        move=move,  # type: ignore[arg-type]
        employee=employee,
        starts=starts,
        ends=ends,
        minutes=120,
        task="till",
        pay_change=5_600,
        waiting_change=-6_250,
        covers=8,
        together=together,
        words="",
    )


def notice(
    status: str = "raised", proposals: tuple[Proposal, ...] = (), off: float = 0.24
) -> Notice:
    alert = StaffingAlert(
        alert="short_staffed/S01/till/2026-11-19T17:00/2026-11-19T04:00:00Z",
        alert_type="short_staffed",
        status=status,  # type: ignore[arg-type]
        severity="high",
        store="S01",
        task="till",
        day="2026-11-19",
        starts="17:00",
        ends="19:00",
        heads=2,
        amount=16,
        level=4,
        clear_level=2,
        measure="entries",
        off=off,
        since="10:00",
        reason="entries 24 % above forecast since 10:00; 2 heads short at till 17:00-19:00",
        proposals=list(proposals),
        opened_at=NOON,
        updated_at=NOON,
        cleared_at=NOON if status == "cleared" else None,
    )
    found = notice_of(STAFFING_ALERT_TYPE, msgspec.json.encode(alert))
    assert found is not None
    return found


def text(notice: Notice, language: str, kind: str = "raised") -> tuple[str, str]:
    at = notice.updated_at
    message = Message("all", kind, (Item(kind, notice),), at)  # type: ignore[arg-type]
    sent = writer().write(message, language, "plain", 4_000)  # type: ignore[arg-type]
    return sent.title, sent.body


TWO = (
    proposal("stay", "bo", "09:00", "19:00", together=True),
    proposal("call", "emil", "16:00", "20:00", together=True),
)


def test_in_english() -> None:
    title, body = text(notice(proposals=TWO), "en")
    assert title == "🟠 new too few people: till at 南京东路店, 2026-11-19 17:00-19:00"
    assert "entries 24 % above forecast since 10:00; 2 short at till 2026-11-19 17:00-19:00" in body
    enough = "← these together are enough"
    assert f"- bo stays until 19:00 (pay +56.00, waiting -62.50) {enough}" in body
    assert f"- emil comes in from 16:00 to 20:00 (pay +56.00, waiting -62.50) {enough}" in body


def test_in_chinese() -> None:
    title, body = text(notice(proposals=TWO), "zh")
    assert title == "🟠新人手不足：南京东路店 till 2026-11-19 17:00-19:00"  # noqa: RUF001
    assert "进店人数自 10:00 起比预测高 24%; till 2026-11-19 17:00-19:00 缺 2 人" in body
    assert "- emil 16:00-20:00 到岗 (工资 +56.00，等待成本 -62.50)" in body  # noqa: RUF001


def test_nobody_can_help_and_it_is_over() -> None:
    _, body = text(notice(off=0.01), "en")
    assert "entries as forecast since 10:00" in body
    assert "What could be done: nobody can stay, come or go by the rules" in body
    title, body = text(notice("cleared"), "en", "cleared")
    assert title == "✅ cleared: too few people, till at 南京东路店"
    assert "The roster fits the need again" in body


def test_names_cannot_be_fields() -> None:
    """Who is called {ends} stays so."""
    odd = proposal("stay", "{ends}", "09:00", "19:00", together=False)
    _, body = text(notice(proposals=(odd,)), "en")
    assert "- {ends} stays until 19:00 (" in body
