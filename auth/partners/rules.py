"""Pure decisions about partners: their scopes, their addresses, and the fields of a resident that a purpose can name."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from auth.scopes import PartnerScope

FIELDS = ("masked_name", "name", "birth_date", "age_band", "phone", "citizen_number", "identity_level")
# What a text message alone may open: the number it just proved, and nothing that names the person.
FIELDS_BY_SMS = frozenset({"phone", "identity_level"})
# PIPL article 29: sensitive data need a separate consent; here also a proof not older than five minutes.
SENSITIVE = frozenset({"citizen_number"})
SIGN_IN = "sign_in"
PURPOSE_SCOPE = "purpose:"

OWN_SCOPES = frozenset({PartnerScope.VERIFY, PartnerScope.SEE_CONCESSION, PartnerScope.READ_RESIDENT, PartnerScope.WEBHOOKS})
RESIDENT_SCOPES = frozenset({PartnerScope.OPENID, PartnerScope.PROFILE, PartnerScope.PHONE, PartnerScope.OFFLINE})
FIELDS_OF_SCOPE = {PartnerScope.PROFILE: ("name", "birth_date"), PartnerScope.PHONE: ("phone",)}


def scopes_allowed(scopes: Iterable[str], *, public: bool) -> bool:
    """Whether a partner may hold these: a public client has no key and acts for a resident only (RFC 6749 section 4.4)."""
    return set(scopes) <= {str(scope) for scope in (RESIDENT_SCOPES if public else OWN_SCOPES | RESIDENT_SCOPES)}


def address_allowed(uri: str) -> bool:
    """Whether residents may be sent to this address (RFC 9700 section 2.1): https, or http on this machine; nothing hidden in it."""
    try:
        parts = urlsplit(uri)
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = uri.isascii() and uri.isprintable() and not set(" \\\"'<>") & set(uri)
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    named = bool(parts.hostname) and not parts.username and not parts.password
    return plain and named and port_is_a_number and not parts.fragment and "#" not in uri and (parts.scheme == "https" or local)
