"""The program: its parts in one visible tuple, put together over one set of settings."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

import auth
import cards
import payments
import wiring
from config.settings import Settings, read
from core import crypto, db, files, jobs, pulse
from core.files.routes import routes as file_routes
from core.limits import Quotas
from core.places.routes import routes as place_routes
from core.web import Application, Edge
from core.web.pages import system_routes
from core.web_serving import BuiltPages, Room
from services import catalogue, exchange, kinds, notices

VERSION = "0.1.0"
WEB = Path(__file__).parent / "web"
ROOMS = (Room("app", WEB / "resident/dist/pages"), Room("desk", WEB / "desk/dist/pages", camera=True, wasm=True))
PARTS = (
    *auth.ROUTES,
    cards.routes,
    cards.partner_routes,
    cards.city_code_routes,
    payments.routes,
    payments.offline_routes,
    catalogue.routes,
    *kinds.ROUTES,
    notices.routes,
    exchange.routes,
    place_routes,
    file_routes,
)
DATA_SOURCES = (
    auth.AuthData(),
    auth.SharingData(),
    cards.CardData(),
    payments.PaymentData(),
    payments.OfflineData(),
    *kinds.DATA_SOURCES,
    notices.NoticeData(),
    files.FileData(),
)


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application; nothing is connected before the first request."""
    settings = settings or read()
    app = Application("citycard", static_folder=None)
    db.init(app, settings.database_url, pool_size=settings.web_threads + 2)
    crypto.install(settings.root_key)
    files.install(settings.data_dir / "files")
    pulse.allow_offset(not settings.production)
    wiring.connect(settings)
    jobs.init(app, settings.database_url)
    edge = Edge(app, authenticator=auth.TokenAuthenticator(), quotas=Quotas(settings.redis_url, processes=settings.web_workers))
    edge.serve(PARTS)
    edge.serve([system_routes(edge.routes, issuer=settings.issuer, version=VERSION, installation=wiring.installation(settings))])
    app.wsgi_app = BuiltPages(app.wsgi_app, ROOMS, start="app", progress=settings.data_dir / "pages.json")  # type: ignore[method-assign]  # Flask says how
    app.extensions["edge"] = edge
    return app
