"""The hold gate in Redis: live availability and timed claims, every call one atomic step."""
