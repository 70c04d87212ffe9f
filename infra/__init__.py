"""What runs it all: command line, settings, local processes."""
