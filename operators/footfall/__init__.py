"""Footfall: reports of doors and tills to quarters of an hour of a store."""
