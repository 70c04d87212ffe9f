"""Rosters with fixed kinds of shifts, one a day: wards, desks, lines."""
