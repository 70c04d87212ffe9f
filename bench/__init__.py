"""Benchmarks: ours beside named peers on the same work in one run, medians and ratios."""
