"""How the stack is run elsewhere: containers, Kubernetes, Kafka as jars."""
