"""The kind `statement`: records and bills that an agency holds; paying them hands over to payments."""

from services.kinds.statement import jobs as jobs
from services.kinds.statement.personal import StatementData
from services.kinds.statement.routes import routes
from services.kinds.statement.staff_routes import routes as staff_routes

__all__ = ["StatementData", "routes", "staff_routes"]
