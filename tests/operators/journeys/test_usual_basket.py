"""`median_basket`: of what was bought and kept, each receipt once."""

from __future__ import annotations

from journey_driver import SEND, journey
from pitfall_shop import shop

FRIDAY = "{schedule: every Friday 12:00}"
FILE = journey("usual", FRIDAY, SEND, who="{median_basket: 200..300}")


def test_what_was_given_back_in_whole_is_no_basket_and_in_part_a_smaller_one() -> None:
    world = shop(FILE)
    world.buy("2026-06-01 12:00", 250)
    for number in range(2):
        world.buy("2026-06-02 12:00", 900, receipt=f"back{number}")
        world.give_back("2026-06-02 13:00", f"back{number}", 900)
    world.until("2026-06-05 13:00")
    assert world.entries() == 1
    world = shop(FILE)
    world.buy("2026-06-01 12:00", 250, receipt="part")
    world.give_back("2026-06-02 12:00", "part", 100)
    world.until("2026-06-05 13:00")
    assert world.entries() == 0


def test_a_receipt_under_two_ids_of_a_person_is_one_basket() -> None:
    world = shop(FILE)
    for member in ("m", "q"):
        world.buy("2026-06-01 12:00", 900, member=member, receipt="shared", id="one")
    world.buy("2026-06-02 12:00", 250)
    world.link("2026-06-03 12:00", "q", "m")
    world.until("2026-06-05 13:00")
    assert world.entries() == 1
