"""The demo: real transactions to live stock and alerts, on the terminal and as a page."""
