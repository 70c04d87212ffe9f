"""Coupons of members."""
