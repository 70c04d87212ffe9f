"""Footfall to come: day totals with what is known ahead, times the shape of a day, with bands."""
