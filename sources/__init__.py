"""How facts come in: files, imports with cleaning, the simulator."""
