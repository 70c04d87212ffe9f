"""The fault drill: a live stack under load is broken on purpose, and then all is counted."""
