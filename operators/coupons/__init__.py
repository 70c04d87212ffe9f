"""Coupons without a clock or a store: what they are worth, when they are valid, what became."""
