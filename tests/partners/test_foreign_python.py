"""Clients that nobody here wrote sign a resident in and out, knowing the discovery address alone (Python)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptojwt.jwk.ec import ECKey
from cryptojwt.key_jar import KeyJar
from flask import Flask
from idpyoidc.client.oidc.provider_info_discovery import ProviderInfoDiscovery
from idpyoidc.client.rp_handler import RPHandler
from idpyoidc.message.oidc import ProviderConfigurationResponse
from joserfc.jwk import ECKey as AuthlibKey

from tests.auth.conftest import House
from tests.partners.conftest import System
from tests.partners.living import Person, living

Partners = Callable[..., System]
HERE = "http://localhost:8765"
ADDRESSES = {"redirect_uris": (HERE + "/callback",), "logout_uris": (HERE + "/",)}


def secret(system: System) -> AuthlibKey:
    """The partner's private key as Authlib keeps it."""
    assert system.key is not None
    return AuthlibKey.import_key(system.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class WithoutRs256(ProviderConfigurationResponse):
    """Discovery as FAPI 2.0 has it: RS256 is forbidden there, while idpyoidc insists, as OpenID Connect Discovery did, on it."""

    def verify(self, **kwargs: Any) -> Any:
        listed = self["id_token_signing_alg_values_supported"]
        self["id_token_signing_alg_values_supported"] = [*listed, "RS256"]
        try:
            return super().verify(**kwargs)
        finally:
            self["id_token_signing_alg_values_supported"] = listed


class DiscoveryWithoutRs256(ProviderInfoDiscovery):
    """idpyoidc's own discovery but for that one check."""

    response_cls = WithoutRs256


def relying_party(system: System, issuer: str) -> tuple[Flask, Any]:
    """Authlib's own Flask client: it discovers, builds the request, and checks the answer, the ID token and the nonce."""
    app = Flask("library")
    app.secret_key = "the library's own"
    oauth = OAuth(app)
    proof = PrivateKeyJWT(f"{issuer}/oauth2/token", alg="ES256", headers={"kid": "one"})
    client = oauth.register(
        "city",
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_id=system.client_id,
        client_secret=secret(system),
        token_endpoint_auth_method="private_key_jwt",
        client_auth_methods=[proof],
        client_kwargs={"scope": "openid phone offline_access", "code_challenge_method": "S256"},
    )
    return app, client


def test_authlib_signs_a_resident_in_and_out(house: House, partner: Partners) -> None:
    system = partner(**ADDRESSES)
    person = Person(house)
    with living(house) as issuer:
        app, client = relying_party(system, issuer)
        with app.test_request_context("/login"):
            from flask import session

            to = client.authorize_redirect(HERE + "/callback", prompt="consent").headers["Location"]
            remembered = dict(session)
        came = person.visit(to, HERE)
        with app.test_request_context("/callback?" + urlsplit(came).query):
            session.update(remembered)
            token = client.authorize_access_token()
            info = client.userinfo(token=token)
        assert token["userinfo"]["iss"] == issuer
        assert info["sub"] == token["userinfo"]["sub"]
        assert info["phone_number"] == "+86" + person.phone.number
        metadata = client.load_server_metadata()
        leave = f"{metadata['end_session_endpoint']}?id_token_hint={token['id_token']}&post_logout_redirect_uri={HERE}/"
        assert person.visit(leave, HERE) == HERE + "/"
        # The refresh token was for offline access: it outlives the browser's session, and not its own revocation.
        own = OAuth2Session(system.client_id, secret(system), token=token, token_endpoint_auth_method="private_key_jwt")
        own.register_client_auth_method(PrivateKeyJWT(f"{issuer}/oauth2/token", alg="ES256", headers={"kid": "one"}))
        assert own.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])["access_token"]


def test_authlib_gets_a_partners_own_token(house: House, partner: Partners) -> None:
    system = partner()
    with living(house) as issuer:
        endpoint = requests.get(f"{issuer}/.well-known/oauth-authorization-server", timeout=20).json()["token_endpoint"]
        own = OAuth2Session(system.client_id, secret(system), token_endpoint_auth_method="private_key_jwt")
        own.register_client_auth_method(PrivateKeyJWT(endpoint, alg="ES256", headers={"kid": "one"}))
        token = own.fetch_token(endpoint, grant_type="client_credentials", scope="resident:read")
        assert (token["token_type"], token["scope"]) == ("Bearer", "resident:read")
        answer = own.get(f"{issuer}/api/partner/residents/nobody?purpose=lending")
        assert answer.json()["code"] == "not_found"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_idpyoidc_signs_a_resident_in_and_out(house: House, partner: Partners, tmp_path: Path) -> None:
    system = partner(**ADDRESSES)
    person = Person(house)
    with living(house) as issuer:
        handler = RPHandler(base_url=HERE, client_configs={"city": configuration(system, issuer)}, keyjar=keys(system))
        came = person.visit(handler.begin("city", req_args={"scope": ["openid", "phone"]}), HERE)
        answer = {name: values[0] for name, values in parse_qs(urlsplit(came).query).items()}
        done = handler.finalize(issuer, answer)
        assert "error" not in done, done
        assert done["userinfo"]["phone_number"] == "+86" + person.phone.number
        assert done["userinfo"]["sub"] == done["id_token"]["sub"]
        leave = handler.logout(answer["state"], post_logout_redirect_uri=HERE + "/")["url"]
        assert person.visit(leave, HERE).startswith(HERE + "/")


def keys(system: System) -> KeyJar:
    """The partner's key as idpyoidc keeps it."""
    jar = KeyJar()
    key = ECKey(priv_key=system.key, kid="one", use="sig")
    jar.import_jwks({"keys": [key.serialize(private=True)]}, "")
    jar.import_jwks({"keys": [key.serialize(private=True)]}, system.client_id)
    assert json.dumps(jar.export_jwks())
    return jar


def configuration(system: System, issuer: str) -> dict[str, Any]:
    """What idpyoidc is told: who it is, and the issuer."""
    return {
        "issuer": issuer,
        "client_id": system.client_id,
        "client_type": "oidc",
        "redirect_uris": [HERE + "/callback"],
        "post_logout_redirect_uris": [HERE + "/"],
        "response_types_supported": ["code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg": "ES256",
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "id_token_signed_response_alg": "ES256",
        "id_token_signing_alg_values_supported": ["ES256"],
        "client_authn_methods": ["private_key_jwt", "bearer_header"],
        "services": {
            "discovery": {"class": DiscoveryWithoutRs256},
            "authorization": {"class": "idpyoidc.client.oidc.authorization.Authorization"},
            "accesstoken": {"class": "idpyoidc.client.oidc.access_token.AccessToken"},
            "userinfo": {"class": "idpyoidc.client.oidc.userinfo.UserInfo"},
            "end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"},
        },
        "add_ons": {
            "pkce": {
                "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
            }
        },
    }
