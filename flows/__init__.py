"""One file a dataflow: sources to operators to sinks."""
