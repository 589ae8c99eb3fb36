"""Answers that a copy of the database must not tell: kept under the key of the resident who asked, and opened for the same key again."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from core import crypto
from core.idempotency import Kept, Once
from core.web.routing import Route

_PURPOSE = "idempotency"


def veiled(route: Route, once: Once) -> Once:
    """The key as a route keeps it: what was asked of a sealed one stands there under a keyed hash, so that nobody tries contents out."""
    return replace(once, body_hash=crypto.keyring().mac(_PURPOSE, once.body_hash)) if route.sealed else once


def closed(route: Route, once: Once, kept: Kept) -> Kept:
    """The answer as it is kept; the principal of a sealed route is a resident."""
    if not route.sealed:
        return kept
    blob = crypto.seal(once.principal, _column(once), json.dumps(kept.body, ensure_ascii=False))
    return Kept(kept.status, {"sealed": base64.b64encode(blob).decode()})


def opened(route: Route, once: Once, kept: Kept) -> Kept:
    """The answer as it was given; refusals hold nothing of anybody and are kept as they are."""
    if not route.sealed or kept.status >= 400 or kept.body is None:
        return kept
    text = crypto.open_sealed(once.principal, _column(once), base64.b64decode(kept.body["sealed"]))
    return Kept(kept.status, json.loads(text))


def _column(once: Once) -> str:
    return f"idempotency.answer|{once.key}"
