"""A simulated chain with its hidden truth, and a plain fast generator for benchmarks."""
