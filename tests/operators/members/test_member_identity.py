"""The study's pitfalls of identity and privacy (I1-I8, X1-X5) that apply here, by their names.

Not here: I3, I4, I7 and I9 are of journeys and experiments; X4 and X6 of what is sent and offered.
"""

from __future__ import annotations

import json
from typing import Any

from member_driver import PlainMembers, at, figures, members
from member_events import event, order, pair, refund

MERGED, UNMERGED = "member.merged.v1", "member.unmerged.v1"


def consent(member: str, status: str, time: int, **more: Any) -> dict[str, Any]:
    """What a member says about messages."""
    data = {"member": member, "purpose": "marketing", "channel": "sms", "status": status, **more}
    return event("member.consent.v1", f"{member}-{status}-{time}", time, "crm", **data)


def consents(plain: PlainMembers, member: str) -> Any:
    """The consents in a member's row."""
    return json.loads(plain.state(member)["consents"])


def bought() -> list[dict[str, Any]]:
    """A: 2 visits, 300; B: 1 visit, 250."""
    return [
        order("A", "1", at(0), 10_000),
        order("A", "2", at(1), 20_000),
        order("B", "3", at(2), 25_000),
    ]


def test_i1_merge_folds_events_together() -> None:
    """Visits and money of both, one change into high value, caused by the merge."""
    plain = members()
    plain.feed([*bought(), pair(MERGED, "A", "B", at(3))])
    assert figures(plain, "B") == (3, 55_000, at(2), "high_value")
    assert [one["cause"] for one in plain.told("B")] == ["purchase", "merge"]
    row = plain.state("A")
    assert (row["status"], row["survivor"], row["monetary"]) == ("merged", "B", 0)
    assert plain.told("A")[-1]["to_segment"] is None
    plain.tick(at(33))
    assert figures(plain, "B")[3] == "high_value_leaving"


def test_i2_shared_receipt() -> None:
    """The same receipt under two ids is one, and so is a refund of it."""
    plain = members()
    plain.feed([order("A", "1", at(0), 10_000), order("B", "1", at(0), 10_000, id="other")])
    plain.feed([pair(MERGED, "A", "B", at(1)), refund("A", "1", at(2), 4_000, "a")])
    assert figures(plain, "B")[:2] == (1, 6_000)


def test_i5_consent_conflict() -> None:
    """No, until somebody allows it after the merge."""
    plain = members()
    plain.feed([consent("A", "denied", at(0)), consent("B", "granted", at(1))])
    plain.feed([pair(MERGED, "A", "B", at(2))])
    assert consents(plain, "B")["marketing/sms"]["status"] == "denied"
    plain.feed([consent("A", "granted", at(3))])
    assert consents(plain, "B")["marketing/sms"]["status"] == "granted"


def test_i6_late_event_for_the_losing_id() -> None:
    """It counts for the survivor, also in the second step of a chain."""
    plain = members()
    plain.feed([*bought(), pair(MERGED, "A", "B", at(3)), pair(MERGED, "B", "C", at(4))])
    plain.feed([order("A", "9", at(2), 500)])
    assert figures(plain, "C")[:2] == (4, 55_500)
    assert plain.state("A")["survivor"] == "C"


def test_i8_unmerge_is_as_if_never_merged() -> None:
    """Both are what their own events make of them, in either order of the two statements."""
    apart = members()
    apart.feed(bought())
    statements = [pair(MERGED, "A", "B", at(3)), pair(UNMERGED, "A", "B", at(4))]
    for said in (statements, statements[::-1]):
        plain = members()
        plain.feed([*bought(), *said])
        for member in ("A", "B"):
            assert figures(plain, member) == figures(apart, member)
            assert plain.told(member)[-1]["to_segment"] == figures(apart, member)[3]


def test_merged_in_a_circle_is_still_one_person() -> None:
    """Two systems that disagree on who survives: one of both ids does."""
    plain = members()
    plain.feed([*bought(), pair(MERGED, "A", "B", at(3)), pair(MERGED, "B", "A", at(4))])
    assert figures(plain, "A")[:2] == (3, 55_000)
    assert plain.state("B")["survivor"] == "A"
    plain.feed([pair(MERGED, "A", "A", at(5), "self")])
    assert plain.refusals == ["merges_itself"]


def erased(time: int, *names: str) -> dict[str, Any]:
    """A person asks to be forgotten."""
    return event("member.erased.v1", "x1", time, "crm", members=list(names))


def test_x1_erase() -> None:
    """State, row, timer and history are gone."""
    plain = members()
    plain.feed([order("m", "1", at(0), 10_000), consent("m", "granted", at(0))])
    plain.feed([erased(at(1), "m")])
    row = plain.state("m")
    kept = {name for name, value in row.items() if value not in (None, 0, "{}")}
    assert kept == {"member", "status", "currency", "thresholds"}
    assert (row["status"], plain.told("m"), plain.due()) == ("erased", [], None)
    assert not any(shard.members for shard in plain.shards.values())


def test_x2_x3_stays_erased_under_late_events_and_replay() -> None:
    """Nothing of them comes back, in any order, over a restart."""
    plain = members()
    lines = [order("m", "1", at(0), 10_000), erased(at(1), "m"), order("m", "2", at(2), 500)]
    plain.feed(lines)
    plain.reopen()
    plain.feed(lines)
    assert plain.state("m")["status"] == "erased"
    assert (plain.told("m"), plain.erased) == ([], 3)
    before = members()
    before.feed(lines[1::-1])
    assert before.state("m")["status"] == "erased"


def test_erasing_the_survivor_erases_the_person() -> None:
    """What the ids brought together is shown under none of them."""
    plain = members()
    plain.feed([*bought(), pair(MERGED, "A", "B", at(3)), erased(at(4), "B")])
    for member in ("A", "B"):
        assert plain.state(member)["status"] == "erased"
        assert plain.told(member) == []
    other = members()
    other.feed([*bought(), pair(MERGED, "A", "B", at(3)), erased(at(4), "A")])
    assert figures(other, "B")[:2] == (1, 25_000)


def test_x5_consent_evidence() -> None:
    """Who said what when, to which text, and where the proof lies."""
    plain = members()
    plain.feed([consent("m", "granted", at(0), text_version="v3", evidence="scan/7")])
    assert consents(plain, "m")["marketing/sms"] == {
        "status": "granted",
        "at": "2026-01-05T02:00:00Z",
        "text_version": "v3",
        "evidence": "scan/7",
    }


def test_of_two_statements_at_one_instant_the_stricter_counts() -> None:
    """In any order; the last one by time counts otherwise."""
    said = [consent("m", "granted", at(0)), consent("m", "withdrawn", at(0))]
    for arrived in (said, said[::-1]):
        plain = members()
        plain.feed([*arrived, consent("m", "granted", at(-1))])
        assert consents(plain, "m")["marketing/sms"]["status"] == "withdrawn"
