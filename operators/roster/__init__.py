"""From arrivals to the people a shop needs, and from those to the best legal roster."""
