"""Journeys of members: read, checked, explained, compiled, and lived through."""
