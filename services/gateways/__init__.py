"""Gateways: the small interface to each sort of agency, over signed HTTP or to an office of our own."""
