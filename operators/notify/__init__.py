"""Who is told of an alert, when, and in how many messages: rules without clocks or sockets."""
