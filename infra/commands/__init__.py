"""One file a command of `tillflow`; each only parses, calls and prints."""
