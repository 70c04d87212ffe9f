"""Events from a log that speaks the Kafka protocol."""
