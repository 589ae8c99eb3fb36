"""Browsers on our own page: a cookie that names a row, renewed at each sign-in, and the resident's session behind it (D5)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from uuid import UUID

from sqlalchemy import select

from auth.installing import parts
from auth.models import Resident, SignIn
from auth.oauth.models import Browser
from core import audit, clock, crypto, ids
from core.actors import Actor, ActorKind
from core.db import session
from core.ports import Call
from core.vocabulary import AuditEvent

COOKIE = "citycard_browser"


def of_call(call: Call) -> Browser | None:
    """The browser whose cookie came with a request, if we gave it one and it has not run out."""
    try:
        morsel = SimpleCookie(call.headers.get("Cookie") or "").get(COOKIE)
    except CookieError:
        return None
    if morsel is None:
        return None
    found = session().scalar(select(Browser).where(Browser.digest == _digest(morsel.value)))
    return found if found is not None and found.expires_at > clock.now() else None


def begin(city_id: int) -> tuple[Browser, str]:
    """A browser that was not here before, and its cookie."""
    token, now = secrets.token_urlsafe(32), clock.now()
    made = Browser(
        id=ids.new_id(),
        city_id=city_id,
        digest=_digest(token),
        methods=[],
        created_at=now,
        expires_at=now + parts().policy.browser_lifetime,
    )
    session().add(made)
    session().flush()
    return made, cookie(token)


def sign_in(browser: Browser, resident: Resident, *, strength: int, methods: Sequence[str]) -> str:
    """Let a resident in, and give the browser another cookie: one that was planted before the sign-in is worth nothing after it."""
    now, lifetime = clock.now(), parts().policy.browser_lifetime
    made = SignIn(
        id=ids.new_id(),
        city_id=resident.city_id,
        resident_id=resident.id,
        thumbprint=binding(browser),
        strength=strength,
        proved_at=now,
        started_at=now,
        used_at=now,
        idle_until=now + lifetime,
        expires_at=now + lifetime,
        rotated_at=now,
        rotations=0,
        # A browser has no refresh token: the digest of a text that nobody ever had.
        current_digest=_digest(secrets.token_urlsafe(32)),
    )
    session().add(made)
    session().flush()
    token = secrets.token_urlsafe(32)
    browser.resident_id, browser.session_id, browser.city_id = resident.id, made.id, resident.city_id
    browser.methods, browser.digest, browser.expires_at = list(methods), _digest(token), made.expires_at
    session().flush()
    shown = ids.show("session", made.id)
    detail = {"strength": strength, "browser": True}
    actor = actor_of(made, resident)
    audit.record(actor, AuditEvent.SIGNED_IN, city_id=resident.city_id, subject=shown, resident_id=resident.id, detail=detail)
    return cookie(token)


def raise_strength(browser: Browser, held: SignIn, *, strength: int, methods: Sequence[str]) -> None:
    """Note a stronger or fresher proof in the browser's session."""
    held.strength, held.proved_at = max(held.strength, strength), clock.now()
    browser.methods = sorted({*browser.methods, *methods})
    session().flush()


def session_of(browser: Browser, city_id: int) -> SignIn | None:
    """The living session behind a browser, of a resident of this city."""
    held = session().get(SignIn, browser.session_id) if browser.session_id else None
    now = clock.now()
    if held is None or held.ended_at is not None or now >= min(held.idle_until, held.expires_at) or held.city_id != city_id:
        return None
    owner = session().get(Resident, held.resident_id)
    return held if owner is not None and owner.state == "active" else None


def leave(browser: Browser) -> None:
    """Forget who is signed in here."""
    browser.resident_id = browser.session_id = None
    browser.methods = []
    session().flush()


def actor_of(held: SignIn, resident: Resident) -> Actor:
    """The resident behind a browser's session, as an actor."""
    return Actor(
        kind=ActorKind.RESIDENT,
        id=resident.id,
        city_id=resident.city_id,
        identity_level=resident.identity_level,
        strength=held.strength,
        signed_in_at=held.proved_at,
        session_id=held.id,
    )


def binding(browser: Browser) -> str:
    """What a one-time code and a request for approval are bound to."""
    return f"browser:{browser.id}"


def form_token(browser: Browser, request_id: UUID) -> str:
    """What a form of this browser for this request carries, so that no other page can send it (CSRF)."""
    return crypto.keyring().mac("oauth-form", browser.digest + request_id.bytes).hex()[:32]


def form_token_fits(browser: Browser, request_id: UUID, given: str) -> bool:
    """Whether a form came from a page that we gave this browser."""
    return hmac.compare_digest(form_token(browser, request_id).encode(), given.encode())


def cookie(token: str) -> str:
    """The Set-Cookie line (D5): unreadable for scripts, sent by links from elsewhere but never by their forms."""
    secure = "; Secure" if parts().issuer.startswith("https:") else ""
    seconds = int(parts().policy.browser_lifetime.total_seconds())
    return f"{COOKIE}={token}; Path=/oauth2; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _digest(token: str) -> bytes:
    # 256 random bits: nothing to guess, so a plain hash is enough.
    return hashlib.sha256(token.encode()).digest()
