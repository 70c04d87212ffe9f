"""How results leave and are read back: the DuckDB warehouse and the state journal."""
