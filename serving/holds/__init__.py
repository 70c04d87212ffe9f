"""The HTTP API of holds: a thin, authenticated door in front of the gate in Redis."""
