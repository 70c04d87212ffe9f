"""The live stack on one machine: its servers and flows as processes that are looked after."""
