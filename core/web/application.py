"""Flask without what this program never uses, because each request pays for it: cookie sessions, views that are coroutines, and an address
parsed twice. Everything else is Flask's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class NoSessions(SessionInterface):
    """There are no cookie sessions: whoever calls proves it in each request."""

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return _NOTHING

    def is_null_session(self, obj: object) -> bool:
        return True


_NOTHING = NullSession()


class Application(Flask):
    """The WSGI application."""

    session_interface = NoSessions()

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.lanes: dict[tuple[str, str], Callable[[dict[str, Any]], WSGIApplication]] = {}

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Routes that run thousands of times a second have a lane of their own; everything else goes Flask's way.

        A lane is found by method and path alone and runs the same handler, without the contexts, signals and hooks that it does not use.
        """
        lane = self.lanes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if lane is None:
            return super().wsgi_app(environ, start_response)
        return lane(environ)(environ, start_response)

    def ensure_sync(self, func: Any) -> Any:
        """Every view is an ordinary function."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Match by path and method alone: the program answers under whatever name its proxy gives it."""
        if request is None:
            return None
        environ = request.environ
        return MapAdapter(
            self.url_map,
            environ.get("HTTP_HOST") or "localhost",
            "/",
            "",
            environ["wsgi.url_scheme"],
            request.path,
            environ["REQUEST_METHOD"],
        )
