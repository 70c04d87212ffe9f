"""The running day: where the published roster is off the need, and what could be done."""
