"""Our own refusals in the shapes that the standards prescribe: RFC 6749 section 5.2, RFC 6750 section 3, and a page for people."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from authlib.oauth2 import OAuth2Error

from auth.errors import ProofRefused
from auth.oauth import grammar, pages
from core.errors import CityError, Unauthenticated
from core.web import Answer
from core.web.problems import language


def to_client(refusal: CityError) -> Answer:
    """A refusal at the token endpoint and its neighbours."""
    if isinstance(refusal, ProofRefused):
        return _shaped("invalid_dpop_proof", 400, refusal)
    if isinstance(refusal, Unauthenticated):
        return _shaped("invalid_client", 401, refusal)
    if refusal.status in (429, 503):
        return _shaped("temporarily_unavailable", refusal.status, refusal)
    return _shaped("server_error", 500, refusal) if refusal.status >= 500 else _shaped("invalid_request", 400, refusal)


def to_bearer(refusal: CityError) -> Answer:
    """A refusal of a token (RFC 6750 section 3.1, RFC 9449 section 7.1)."""
    if not isinstance(refusal, Unauthenticated):
        return to_client(refusal)
    error = "invalid_dpop_proof" if isinstance(refusal, ProofRefused) else "invalid_token"
    answer = _shaped(error, 401, refusal)
    scheme = "DPoP" if isinstance(refusal, ProofRefused) else "Bearer"
    answer.headers["WWW-Authenticate"] = f'{scheme} realm="citycard", error="{error}"'
    return answer


def to_person(refusal: CityError) -> Answer:
    """A refusal on a page."""
    return pages.refused(refusal, language())


def in_grammar(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer in the grammar's shape where the grammar refuses; what was written before the refusal stays written."""

    @wraps(view)
    def answered(*arguments: Any, **named: Any) -> Any:
        try:
            return view(*arguments, **named)
        except OAuth2Error as error:
            return grammar.refusal(error)

    return answered


def _shaped(error: str, status: int, refusal: CityError) -> Answer:
    body = {"error": error, "error_description": refusal.text("en").replace('"', "'").replace("\\", "/")}
    return Answer(body, status=status, headers=dict(refusal.headers))
