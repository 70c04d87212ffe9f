"""The gate's keeper: one process a pool that carries events between Redis and the log."""
