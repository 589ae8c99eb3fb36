"""How the program hands out the built pages: /app for residents, /desk for counters."""

from core.web_serving.built_pages import BuiltPages, Room

__all__ = ["BuiltPages", "Room"]
