"""Members: live state, segments, journeys, experiments, health and coupons, as pure rules."""
