"""Messages to members on their way to a provider: pure."""
