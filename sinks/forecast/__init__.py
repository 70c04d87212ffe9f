"""Forecasts in the warehouse, and the windows that they are made from."""
