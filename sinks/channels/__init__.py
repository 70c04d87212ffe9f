"""Messages to members: clients of providers, the outbox, the worker that sends."""
