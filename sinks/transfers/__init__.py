"""Suggested transfers on their way out: the log, the warehouse, and back for those who answer."""
