"""The kinds of public services: each written once, with its tables, states and routes."""

from services.kinds import statement

ROUTES = (statement.routes, statement.staff_routes)
DATA_SOURCES = (statement.StatementData(),)

__all__ = ["DATA_SOURCES", "ROUTES"]
