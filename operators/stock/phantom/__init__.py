"""Phantom stock: on record, usually sold, and silent for an improbably long time."""
