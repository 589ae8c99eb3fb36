"""Notices: what a resident is told, in the app and, where it protects them, by short message."""

from services.notices.personal import NoticeData
from services.notices.routes import routes
from services.notices.telling import configure

__all__ = ["NoticeData", "configure", "routes"]
