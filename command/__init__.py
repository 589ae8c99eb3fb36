"""The `citycard` command: starts, looks after and examines a city's platform."""
