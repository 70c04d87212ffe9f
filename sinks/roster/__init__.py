"""Rosters and staffing on their way to the warehouse and the log, and published rosters back."""
