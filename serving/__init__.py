"""What reads the sinks for people and channels."""
