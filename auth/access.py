"""Who calls: the edge asks here for every request with an Authorization header."""

from __future__ import annotations

from dataclasses import dataclass

from auth import proofs, terminals
from auth.errors import ProofRefused, SignatureWrong, TokenRefused
from auth.installing import parts
from auth.tokens import Verified
from core import clock
from core.actors import Actor, ActorKind
from core.http_signatures import Request, SignatureRefused, verify_hmac
from core.ports import Call
from core.web.access import Access, require_kind

_BEARER, _DPOP = "bearer", "dpop"


class TokenAuthenticator:
    """Bearer tokens for residents, staff and partners; for terminals also the signature over the request (RFC 9421, HMAC), and for a
    token that is bound to a key the proof of that key (RFC 9449)."""

    def authenticate(self, call: Call) -> Actor:
        """The caller behind a request; raises a kind of Unauthenticated for anything not valid now."""
        scheme, _, token = (call.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() not in (_BEARER, _DPOP):
            raise TokenRefused()
        verified = parts().tokens.verify(token)
        if verified.bound_to or scheme.lower() == _DPOP:
            _check_proof(call, verified, scheme.lower(), token)
        if verified.actor.kind is ActorKind.TERMINAL:
            _check_signature(call, verified)
        return verified.actor


def _check_proof(call: Call, verified: Verified, scheme: str, token: str) -> None:
    """A token that is bound to a key is worth nothing without a fresh proof of that key (RFC 9449 section 7.1)."""
    if scheme != _DPOP or not verified.bound_to:
        raise TokenRefused()
    if proofs.of_call(call, access_token=token).thumbprint != verified.bound_to:
        raise ProofRefused(reason="key")


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
