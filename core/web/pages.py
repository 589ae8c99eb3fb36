"""The edge's own addresses: the API document, and whether the program lives and is ready."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import psycopg

from core import clock, db, fields
from core.actors import Actor
from core.errors import Unavailable
from core.web import openapi
from core.web.access import anyone
from core.web.answering import Answer
from core.web.routing import Route, Routes


class HealthOut(fields.Schema):
    """The program is there; ``database`` is true where it was asked and answered."""

    alive = ma.fields.Boolean(required=True)
    database = ma.fields.Boolean(allow_none=True)
    time = fields.Moment(required=True)


class CityOut(fields.Schema):
    """A city served here."""

    id = fields.Count(required=True)
    zh = ma.fields.String(required=True)
    en = ma.fields.String(required=True)


class InstallationOut(fields.Schema):
    """What a page must know before anybody signs in; `sandboxes` names what is only played here, and where to see it."""

    issuer = ma.fields.String(required=True)
    environment = fields.OneOf("demo", "test", "production", required=True)
    default_city = fields.Count(required=True)
    cities = ma.fields.List(ma.fields.Nested(CityOut), required=True)
    sandboxes = ma.fields.List(ma.fields.String(), required=True)
    sandbox_url = ma.fields.String(required=True, allow_none=True)


def system_routes(served: list[Route], *, issuer: str, version: str, installation: dict[str, Any]) -> Routes:
    """The routes that describe the others; made last, so that the document holds them all."""
    routes = Routes("system")
    built: list[dict[str, Any]] = []

    @routes.get(
        "/openapi.json",
        operation="getApiDocument",
        access=anyone(reason="the API is public knowledge"),
        mode="posts",
        status=200,
        etag=True,
    )
    def document(actor: Actor) -> Answer:
        """The OpenAPI 3.1 document of this API."""
        if not built:
            built.append(openapi.document(served, issuer=issuer, version=version))
        return Answer(built[0], headers={"Cache-Control": "public, max-age=60"})

    @routes.get(
        "/api/installation",
        operation="getInstallation",
        access=anyone(reason="a page needs it before anybody signs in"),
        gives=InstallationOut,
        mode="posts",
    )
    def describe_installation(actor: Actor) -> dict[str, Any]:
        """Which cities are served here, under which address, and what is a sandbox."""
        return installation

    @routes.get("/healthz/live", operation="isAlive", access=anyone(reason="for whoever restarts it"), gives=HealthOut, mode="posts")
    def alive(actor: Actor) -> dict[str, Any]:
        """Whether this process answers at all."""
        return {"alive": True, "database": None, "time": clock.now()}

    @routes.get("/healthz/ready", operation="isReady", access=anyone(reason="for whoever sends traffic"), gives=HealthOut, mode="posts")
    def ready(actor: Actor) -> dict[str, Any]:
        """Whether this process can serve: the database answers."""
        try:
            db.connection().execute("SELECT 1")
        except psycopg.Error as fault:
            db.drop_connection()
            raise Unavailable() from fault
        return {"alive": True, "database": True, "time": clock.now()}

    return routes
