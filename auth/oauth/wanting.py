"""What an authorization request wants, read once and judged: OpenID Connect Core 3.1.2.1 and 5.5 beyond the grammar of RFC 6749."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError

from auth.oauth import tokens
from auth.oauth.clients import Client
from auth.partners import registering
from auth.partners.rules import FIELDS_OF_SCOPE, PURPOSE_SCOPE, SIGN_IN
from auth.scopes import PartnerScope

CLAIM_OF_FIELD = {
    "name": "name",
    "birth_date": "birthdate",
    "phone": "phone_number",
    "masked_name": "masked_name",
    "age_band": "age_band",
    "citizen_number": "citizen_number",
    "identity_level": "identity_level",
}
_FIELD_OF_CLAIM = {claim: field for field, claim in CLAIM_OF_FIELD.items()}
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_ACR = re.compile(r"L([0-4])\.S([1-3])")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


class NotSupported(OAuth2Error):
    """A parameter of the standard that we do not take (OpenID Connect Core 3.1.2.6)."""


class Unmet(OAuth2Error):
    """The partner insists on a level that this resident does not have."""

    error = "unmet_authentication_requirements"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A valid request."""

    redirect_uri: str
    state: str | None
    scopes: tuple[str, ...]
    nonce: str | None
    code_challenge: str
    thumbprint: str | None
    prompt: frozenset[str]
    max_age: int | None
    fields: tuple[str, ...]
    purposes: tuple[str, ...]
    acr: tuple[str, ...]
    acr_essential: bool
    subject: str | None

    @property
    def asks_offline(self) -> bool:
        """Whether the resident is to be asked for offline access: only with ``prompt=consent`` (OpenID Connect Core 11)."""
        return PartnerScope.OFFLINE in self.scopes and "consent" in self.prompt

    def least(self) -> tuple[int, int]:
        """The lowest identity level and strength that satisfies one of the wanted classes; (0, 0) when none is wanted."""
        pairs = [(int(found[1]), int(found[2])) for each in self.acr if (found := _ACR.fullmatch(each))]
        return min(pairs, key=lambda pair: (pair[1], pair[0])) if pairs else (0, 0)

    def class_given(self, level: int, strength: int) -> str | None:
        """The class to state for somebody at this level and strength: the highest wanted one they reach where the partner insists,
        otherwise simply what is so; None when they reach none of those it insists on."""
        if not (self.acr_essential and self.acr):
            return f"L{level}.S{strength}"
        reached = [each for each in self.acr if (found := _ACR.fullmatch(each)) and int(found[1]) <= level and int(found[2]) <= strength]
        return max(reached, default=None)


def read(client: Client, parameters: Mapping[str, str]) -> Wanted:
    """Read the parameters of a request that the grammar found valid; errors are told at the partner's address."""
    scopes = tuple(dict.fromkeys(parameters["scope"].split()))
    if "request" in parameters:
        raise NotSupported(error="request_not_supported")
    if "registration" in parameters:
        raise NotSupported(error="registration_not_supported")
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("response_mode is query and no other")
    claims = _claims(parameters.get("claims"))
    acr, essential = _classes(parameters, claims)
    return Wanted(
        redirect_uri=parameters["redirect_uri"],
        state=parameters.get("state"),
        scopes=scopes,
        nonce=parameters.get("nonce"),
        code_challenge=parameters["code_challenge"],
        thumbprint=_thumbprint(parameters.get("dpop_jkt")),
        prompt=_prompt(parameters.get("prompt")),
        max_age=_max_age(parameters.get("max_age")),
        fields=_fields(client, scopes, claims),
        purposes=tuple(scope.removeprefix(PURPOSE_SCOPE) for scope in scopes if scope.startswith(PURPOSE_SCOPE)),
        acr=acr,
        acr_essential=essential,
        subject=_subject(client, parameters.get("id_token_hint"), claims),
    )


def _prompt(text: str | None) -> frozenset[str]:
    wanted = frozenset((text or "").split())
    if not wanted <= _PROMPTS or ("none" in wanted and len(wanted) > 1):
        raise InvalidRequestError("prompt is not known, or none stands beside another")
    return wanted


def _thumbprint(text: str | None) -> str | None:
    """The key that alone may redeem the code (RFC 9449 section 10)."""
    if text is not None and not _THUMBPRINT.fullmatch(text):
        raise InvalidRequestError("dpop_jkt is no thumbprint of a key (RFC 7638, SHA-256)")
    return text


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidRequestError("max_age is a whole number of seconds")
    return int(text)


def _claims(text: str | None) -> dict[str, dict[str, Any]]:
    """The ``claims`` parameter (OpenID Connect Core 5.5); what we do not know of is left out, as the standard says."""
    try:
        given = json.loads(text) if text else {}
    except (ValueError, RecursionError) as fault:
        raise InvalidRequestError("claims is no JSON") from fault
    if not isinstance(given, dict):
        raise InvalidRequestError("claims is no object")
    found: dict[str, dict[str, Any]] = {}
    for name in ("userinfo", "id_token"):
        part = {} if given.get(name) is None else given[name]
        if not isinstance(part, dict) or not all(value is None or isinstance(value, dict) for value in part.values()):
            raise InvalidRequestError("claims is no object of objects")
        found[name] = part
    return found


def _classes(parameters: Mapping[str, str], claims: dict[str, dict[str, Any]]) -> tuple[tuple[str, ...], bool]:
    asked = claims["id_token"].get("acr") or {}
    values = asked.get("values", [asked["value"]] if "value" in asked else [])
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise InvalidRequestError("the values of acr are texts")
    essential = asked.get("essential") is True and bool(values)
    wanted = values or (parameters.get("acr_values") or "").split()
    return tuple(wanted), essential


def _fields(client: Client, scopes: tuple[str, ...], claims: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """The fields that scopes and claims ask for together, as far as the partner's purpose of signing in names them."""
    wanted = {field for scope in scopes if scope in FIELDS_OF_SCOPE for field in FIELDS_OF_SCOPE[PartnerScope(scope)]}
    wanted |= {_FIELD_OF_CLAIM[name] for part in claims.values() for name in part if name in _FIELD_OF_CLAIM}
    purpose = registering.purposes(client.id).get(SIGN_IN)
    return tuple(field for field in purpose.fields if field in wanted) if purpose else ()


def _subject(client: Client, hint: str | None, claims: dict[str, dict[str, Any]]) -> str | None:
    if hint is not None:
        known = tokens.read_hint(hint, client.id)
        if known is None:
            raise InvalidRequestError("id_token_hint is no ID token of this client")
        return str(known["sub"])
    asked = claims["id_token"].get("sub") or {}
    return asked["value"] if isinstance(asked.get("value"), str) else None
