"""The rules of the trade as pure state machines; engine.py alone dresses them for Bytewax."""
