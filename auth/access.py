"""Who calls: the edge asks here for every request with an Authorization header."""

from __future__ import annotations

from dataclasses import dataclass

from auth import terminals
from auth.errors import SignatureWrong, TokenRefused
from auth.installing import parts
from auth.tokens import Verified
from core import clock
from core.actors import Actor, ActorKind
from core.http_signatures import Request, SignatureRefused, verify_hmac
from core.ports import Call
from core.web.access import Access, require_kind

_SCHEME = "Bearer "


class TokenAuthenticator:
    """Bearer tokens for residents and staff; for terminals also the signature over the request (RFC 9421, HMAC)."""

    def authenticate(self, call: Call) -> Actor:
        """The caller behind a request; raises a kind of Unauthenticated for anything not valid now."""
        header = call.headers.get("Authorization") or ""
        if header[: len(_SCHEME)].lower() != _SCHEME.lower():
            raise TokenRefused()
        verified = parts().tokens.verify(header[len(_SCHEME) :])
        if verified.actor.kind is ActorKind.TERMINAL:
            _check_signature(call, verified)
        return verified.actor


def _check_signature(call: Call, verified: Verified) -> None:
    """A terminal's token alone is worth nothing: each request is signed with the key derived from the token's id."""
    request = Request(call.method, call.path, call.query, call.headers, call.body)
    try:
        verify_hmac(request, terminals.session_key(verified.jti), now=clock.timestamp())
    except SignatureRefused as fault:
        raise SignatureWrong(reason=fault.reason) from fault


@dataclass(frozen=True, slots=True)
class _AnyStaff:
    """Any staff member, whatever their roles: for what is about themselves."""

    kinds: frozenset[ActorKind] = frozenset({ActorKind.STAFF})

    def check(self, actor: Actor) -> None:
        require_kind(actor, ActorKind.STAFF)

    def stated(self) -> str:
        return "any staff member"


def any_staff() -> Access:
    """Any signed-in staff member."""
    return _AnyStaff()
