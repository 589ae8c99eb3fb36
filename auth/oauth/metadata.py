"""How foreign software finds everything by one address: OpenID Connect Discovery and RFC 8414, one document for both."""

from __future__ import annotations

from typing import Any

from auth.installing import parts
from auth.oauth import clients
from auth.oauth.wanting import CLAIM_OF_FIELD
from auth.scopes import PartnerScope

ALGORITHM = "ES256"


def document() -> dict[str, Any]:
    """What the provider can do; everything in it is tested, and what is not in it is refused."""
    issuer = parts().issuer
    oauth = issuer + "/oauth2"
    proofs = {
        f"{endpoint}_endpoint_auth_signing_alg_values_supported": [ALGORITHM] for endpoint in ("token", "revocation", "introspection")
    }
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{oauth}/authorize",
        "token_endpoint": f"{oauth}/token",
        "userinfo_endpoint": f"{oauth}/userinfo",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "introspection_endpoint": f"{oauth}/introspect",
        "revocation_endpoint": f"{oauth}/revoke",
        "end_session_endpoint": f"{oauth}/logout",
        "pushed_authorization_request_endpoint": f"{oauth}/par",
        "require_pushed_authorization_requests": False,
        "scopes_supported": [str(scope) for scope in PartnerScope],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": clients.METHODS,
        "revocation_endpoint_auth_methods_supported": clients.METHODS,
        "introspection_endpoint_auth_methods_supported": [clients.BY_KEY],
        **proofs,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": [ALGORITHM],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        "claim_types_supported": ["normal"],
        "claims_supported": ["sub", "acr", "amr", "auth_time", "nonce", "phone_number_verified", *CLAIM_OF_FIELD.values()],
        "acr_values_supported": [f"L{level}.S{strength}" for level in range(1, 5) for strength in range(1, 4)],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["zh-CN", "en"],
        "service_documentation": f"{issuer}/openapi.json",
    }
