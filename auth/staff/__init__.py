"""People who work for the city: accounts with roles, a password and a one-time code."""
