"""The pages that belong to no agency: what this process is, whether it lives, its public keys; and the guard of all pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, jsonify, render_template, request

from outside.world import world

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Under "no-referrer" a browser would send forms with the origin "null", which the guard below refuses.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})

routes = Blueprint("pages", __name__)


@routes.get("/")
def index() -> str:
    """What each thing is, and that all of it is a sandbox."""
    return render_template("index.html", settings=world().settings)


@routes.get("/health")
def health() -> Response:
    """Alive, and its database answers."""
    with world().pool.connection() as connection:
        connection.execute("SELECT 1")
    return jsonify(status="ok", sandbox=True)


@routes.get("/.well-known/jwks.json")
def jwks() -> Response:
    """The public keys of the played agencies."""
    return jsonify(world().keys.jwks())


def guard(app: Flask) -> None:
    """Answer to this machine's own names only, take forms from our own pages only, and let pages load nothing else."""

    @app.before_request
    def only_here() -> None:
        """A foreign host name is a rebound DNS name; a foreign origin is another site's form."""
        names = _HERE | {urlsplit(world().settings.url).hostname}
        if urlsplit(f"//{request.host}").hostname not in names:
            abort(421)
        origin = request.headers.get("Origin")
        if request.method != "GET" and origin is not None and urlsplit(origin).netloc != request.host:
            abort(403)

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
