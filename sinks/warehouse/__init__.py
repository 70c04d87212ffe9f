"""The DuckDB warehouse: one process owns the file; rows are upserted by key."""
