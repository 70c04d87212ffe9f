"""Why a coupon campaign went as it did: its losses, their reasons, and what it paid."""
