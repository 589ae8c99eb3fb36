"""What differs from one installation to the next: settings, logging and the cities as data."""
