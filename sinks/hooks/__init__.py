"""Alerts to people: chat robots, e-mail and webhooks, with an outbox that survives crashes."""
