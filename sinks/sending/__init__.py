"""What workers that send messages to others share: to people (hooks), to members (channels)."""
