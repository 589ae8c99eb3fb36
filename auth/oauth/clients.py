"""A partner as Authlib's grammar sees it: a client with its addresses, its scopes and its one way to prove itself."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin

from auth.partners import registering
from auth.partners.models import Partner
from auth.partners.rules import OWN_SCOPES, PURPOSE_SCOPE, RESIDENT_SCOPES
from core import ids
from core.errors import NotFound

BY_KEY, PUBLIC = "private_key_jwt", "none"
METHODS = [BY_KEY, PUBLIC]


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):
    """A client that is switched on."""

    partner: Partner

    @property
    def id(self) -> UUID:
        """The partner's id."""
        return self.partner.id

    @property
    def public(self) -> bool:
        """Whether it has no key to prove itself by."""
        return self.partner.kind == "public"

    def get_client_id(self) -> str:
        """``partner_…``."""
        return ids.show("partner", self.partner.id)

    def get_default_redirect_uri(self) -> str | None:
        """None: the address is always named, and compared (OpenID Connect Core 3.1.2.1)."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What was asked for, if the partner may ask for all of it and it is a sign-in; None otherwise, which is refused."""
        wanted = list(dict.fromkeys((scope or "").split()))
        return " ".join(wanted) if "openid" in wanted and self.for_residents().issuperset(wanted) else None

    def for_residents(self) -> set[str]:
        """What it may ask a resident for: its registered scopes, and its registered purposes."""
        purposes = {PURPOSE_SCOPE + code for code in registering.purposes(self.partner.id)}
        return {scope for scope in self.partner.scopes if scope in RESIDENT_SCOPES} | purposes

    def for_itself(self) -> set[str]:
        """What it may do in its own name."""
        return {scope for scope in self.partner.scopes if scope in OWN_SCOPES}

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Equal to a registered address, character for character (RFC 9700 section 2.1)."""
        return redirect_uri in self.partner.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """There are no shared secrets here."""
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """A partner with keys proves them everywhere; a public one names itself, and may not introspect."""
        return method == (PUBLIC if self.public else BY_KEY) and not (self.public and endpoint == "introspection")

    def check_response_type(self, response_type: str) -> bool:
        """The code flow and no other (RFC 9700 section 2.1.2)."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """A public client never acts in its own name (RFC 6749 section 4.4)."""
        return grant_type in ("authorization_code", "refresh_token") or (grant_type == "client_credentials" and not self.public)


def find(client_id: str | None) -> Client | None:
    """The client of an id, if it is registered and switched on."""
    try:
        found = registering.living(ids.parse("partner", client_id or ""))
    except NotFound:
        return None
    return Client(found) if found is not None else None
