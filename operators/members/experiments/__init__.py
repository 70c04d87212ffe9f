"""Experiments on members: sticky arms, one gate, intervals that bear being looked at."""
