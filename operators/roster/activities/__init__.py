"""Rosters of shifts at 15 minutes in which people change from one task to another."""
