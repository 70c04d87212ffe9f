"""Tables of flows whose outcomes are few enough to be written beside the engine."""
