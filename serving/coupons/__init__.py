"""Coupons over HTTP, beside the holds: what a till, a mini-program and a campaign call."""
