"""Rosters against references: classical and retail instances, shops of 10 to 100 people."""
