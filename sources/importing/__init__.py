"""Import with cleaning: exports of a shop become `stock.movement.v1` by a declared mapping."""
