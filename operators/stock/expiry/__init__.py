"""Lots that will not be sold before they expire."""
