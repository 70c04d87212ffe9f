"""Rosters put together from patterns: all shifts of a person, priced beside those of the others."""
