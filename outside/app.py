"""The Flask application of the outside world."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from flask import Flask

from core.http_signatures import EcdsaPublicKey
from outside import faults, keys, pages, phones, police, utilities
from outside.database import apply_schema, open_pool
from outside.platform_keys import PlatformKeys
from outside.settings import Settings
from outside.world import EXTENSION, World
from outside.yunpay import routes as yunpay
from outside.yunpay.notices import Messenger
from services.offices.utilities import Company, apply_tables

LARGEST_REQUEST = 64 * 1024


def create_app(
    settings: Settings,
    people: Mapping[str, str],
    *,
    companies: Mapping[str, Company] | None = None,
    platform_keys: dict[str, EcdsaPublicKey] | None = None,
    now: Callable[[], dt.datetime] | None = None,
) -> Flask:
    """Build the process; `people` is the register (citizen number to name), `companies` bill there, the rest is for tests."""
    app = Flask("outside")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    pool = open_pool(settings.database_url)
    apply_schema(pool)
    apply_tables(pool)
    world = World(
        settings=settings,
        pool=pool,
        keys=keys.load(settings.data),
        platform_keys=PlatformKeys(settings.platform_url, given=platform_keys),
        people=people,
        companies=companies or {},
    )
    if now is not None:
        world.now = now
    app.extensions[EXTENSION] = world
    pages.guard(app)
    for part in (
        pages.routes,
        faults.routes,
        phones.door,
        phones.pages,
        police.door,
        police.pages,
        yunpay.door,
        yunpay.pages,
        *utilities.DOORS,
    ):
        app.register_blueprint(part)
    return app


def start_messenger(app: Flask) -> Messenger:
    """Begin to send notices; the caller stops it."""
    messenger = Messenger(app)
    app.extensions[EXTENSION].wake = messenger.ring
    messenger.start()
    return messenger
