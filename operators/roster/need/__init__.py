"""Arrivals and service times to heads for every quarter of an hour."""
