"""Transfers between places: what would do more good elsewhere, and what became of it."""
