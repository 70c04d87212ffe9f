"""The roster as a model for OR-Tools' CP-SAT."""
