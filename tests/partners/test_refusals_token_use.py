"""What a token is not good for, where it is asked about, and how it ends, each named after its clause."""

from __future__ import annotations

from collections.abc import Callable

from auth.partners import registering
from core import db
from core.actors import system
from tests.auth.conftest import ISSUER, LINHU, YUNCHUAN
from tests.partners.conftest import Desk, System, claims, landed
from tests.partners.refusals import refused

Partners = Callable[..., System]


def test_rfc8725_3_11_an_id_token_is_no_access_token(desk: Desk) -> None:
    tokens = desk.tokens()
    assert desk.library.userinfo(tokens["id_token"]).status_code == 401


def test_rfc9068_4_a_token_for_userinfo_opens_nothing_else(desk: Desk) -> None:
    token = desk.tokens()["access_token"]
    assert desk.house.call("GET", "/api/me", token=token).status_code == 401
    assert desk.house.call("GET", "/api/partner/residents/x?purpose=lending", token=token).status_code == 401


def test_rfc9068_4_a_partners_own_token_opens_no_userinfo(partner: Partners) -> None:
    library = partner()
    answer = library.userinfo(library.own_token())
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_rfc8707_2_a_resource_that_is_not_here_is_refused(partner: Partners) -> None:
    refused(partner().ask("client_credentials", resource="https://elsewhere.example"), "invalid_target")


def test_rfc7662_2_1_introspection_asks_who_asks(partner: Partners) -> None:
    library = partner()
    refused(library.post("/oauth2/introspect", {"token": "x"}), "invalid_client", 401)
    app = partner("app", public=True)
    refused(app.post("/oauth2/introspect", {"token": "x", **app.proof()}), "invalid_client", 401)


def test_rfc7662_4_a_partner_learns_nothing_of_anothers_token(desk: Desk, partner: Partners) -> None:
    tokens, other = desk.tokens(scope="openid offline_access"), partner("other")
    for token in (tokens["access_token"], tokens["refresh_token"], desk.library.own_token(), "nonsense"):
        mine = desk.library.post("/oauth2/introspect", {"token": token, **desk.library.proof()})
        theirs = other.post("/oauth2/introspect", {"token": token, **other.proof()})
        assert mine.json["active"] is (token != "nonsense")
        assert theirs.json == {"active": False}


def test_rfc7009_2_1_a_partner_cannot_revoke_anothers_token(desk: Desk, partner: Partners) -> None:
    tokens, other = desk.tokens(scope="openid offline_access"), partner("other")
    assert other.post("/oauth2/revoke", {"token": tokens["refresh_token"], **other.proof()}).status_code == 200
    assert desk.library.userinfo(tokens["access_token"]).status_code == 200


def test_rfc7009_2_1_a_revoked_refresh_token_takes_its_access_tokens_along(desk: Desk) -> None:
    tokens = desk.tokens(scope="openid offline_access")
    assert desk.library.post("/oauth2/revoke", {"token": tokens["refresh_token"], **desk.library.proof()}).status_code == 200
    assert desk.library.userinfo(tokens["access_token"]).status_code == 401
    refused(desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"]), "invalid_grant")


def test_rfc7009_2_2_an_unknown_token_is_as_good_as_revoked(partner: Partners) -> None:
    library = partner()
    assert library.post("/oauth2/revoke", {"token": "nonsense", **library.proof()}).status_code == 200


def test_a_partner_that_is_switched_off_is_refused_everywhere(desk: Desk) -> None:
    tokens, own_token = desk.tokens(scope="openid offline_access"), desk.library.own_token()
    with db.transaction():
        registering.switch(system("test", YUNCHUAN), desk.library.id, on=False)
    desk.house.later(seconds=1)
    assert desk.library.userinfo(tokens["access_token"]).status_code == 401
    assert desk.house.call("GET", "/api/partner/residents/x?purpose=lending", token=own_token).status_code == 401
    refused(desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"]), "invalid_client", 401)
    assert desk.web.authorize(desk.library.request()).status_code == 400


def test_an_access_token_says_for_whom_it_is(desk: Desk) -> None:
    said = claims(desk.tokens()["access_token"])
    assert said["aud"] == ISSUER + "/oauth2/userinfo"
    assert said["client_id"] == desk.library.client_id
    mine = claims(desk.library.own_token("resident:read"))
    assert (mine["aud"], mine["sub"], mine["client_id"]) == (ISSUER, desk.library.client_id, desk.library.client_id)
    assert mine["scope"] == "resident:read"
    assert mine["city"] != LINHU
    assert landed(desk.web.authorize(desk.library.request()))["iss"] == ISSUER
