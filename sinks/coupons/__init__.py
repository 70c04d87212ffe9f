"""The coupon desk in Redis: coupons and their budgets in atomic calls, and the way to it."""
