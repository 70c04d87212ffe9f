"""The roster flow: windows -> forecast -> heads needed -> alerts about the running day."""
