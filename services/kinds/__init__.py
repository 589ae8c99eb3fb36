"""The kinds of public services: each written once, with its tables, states and routes."""
