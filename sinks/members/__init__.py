"""Members on their way out: the warehouse and the log."""
