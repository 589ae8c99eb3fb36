"""Codes a phone shows for a card: how they are made, keyed and read."""
