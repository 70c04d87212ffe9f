"""Health of members: the calibrated chance of a purchase in 30 days, and what drives it."""
