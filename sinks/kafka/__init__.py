"""Events to a log that speaks the Kafka protocol."""
