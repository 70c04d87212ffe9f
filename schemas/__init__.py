"""What crosses a boundary: events, tables, topics and chain configuration. No I/O, no logic."""
