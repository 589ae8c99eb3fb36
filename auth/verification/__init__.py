"""Proving who somebody is: name and number, live face, or in person at a counter."""
