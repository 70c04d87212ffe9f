"""Several files of events read side by side, in the order of time."""
