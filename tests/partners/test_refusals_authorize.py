"""Every MUST NOT of the authorization endpoint, each named after its clause."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.auth.conftest import LI, House
from tests.partners.conftest import Desk, System, Web, claims, landed

Partners = Callable[..., System]


def told(desk: Desk, error: str, **changed: str | None) -> dict[str, str]:
    """The partner's address is told this, with the state and our name."""
    request = desk.library.request(**changed)
    got = landed(desk.web.authorize(request))
    assert got["error"] == error, got
    assert got["state"] == request["state"]
    assert got["iss"] == "http://localhost:8080"
    assert "code" not in got
    return got


def told_the_person(desk: Desk, **changed: str | None) -> None:
    """A page, and no redirect to anywhere."""
    answer = desk.web.authorize(desk.library.request(**changed))
    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert "Location" not in answer.headers


def test_rfc6749_4_1_2_1_an_unknown_client_gets_no_redirect(desk: Desk) -> None:
    told_the_person(desk, client_id="partner_00000000000000000000000000")
    told_the_person(desk, client_id=None)


@pytest.mark.parametrize(
    "address",
    [
        "https://library.example/callback/",
        "https://library.example/callback?x=1",
        "https://library.example/callback#x",
        "https://library.example/CALLBACK",
        "https://library.example/callback/../callback",
        "https://library.example.evil.example/callback",
        "http://library.example/callback",
        "https://library.example@evil.example/callback",
        'https://library.example/callback"\\é',
        "javascript:alert(1)",
        None,
    ],
)
def test_rfc9700_2_1_a_redirect_uri_matches_exactly_or_gets_no_redirect(desk: Desk, address: str | None) -> None:
    told_the_person(desk, redirect_uri=address)


def test_rfc6749_3_1_a_parameter_twice_is_refused(desk: Desk) -> None:
    answer = desk.web.open("/oauth2/authorize?" + urlencode(desk.library.request()) + "&scope=profile")
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["token", "id_token", "code id_token", "code token", 'x"y', None])
def test_rfc9700_2_1_2_there_is_no_flow_but_the_code_flow(desk: Desk, kind: str | None) -> None:
    told(desk, "unsupported_response_type", response_type=kind)


def test_rfc6749_3_3_a_scope_that_is_not_registered_is_refused(desk: Desk) -> None:
    told(desk, "invalid_scope", scope="openid admin")
    told(desk, "invalid_scope", scope="openid purpose:none")
    told(desk, "invalid_scope", scope="openid resident:read")


def test_oidc_core_3_1_2_1_openid_is_asked_for(desk: Desk) -> None:
    told(desk, "invalid_scope", scope="profile")


def test_rfc7636_4_4_1_pkce_is_for_everybody(desk: Desk) -> None:
    told(desk, "invalid_request", code_challenge=None, code_challenge_method=None)


def test_rfc7636_4_2_plain_is_refused(desk: Desk) -> None:
    told(desk, "invalid_request", code_challenge_method="plain")


def test_rfc7636_4_3_an_absent_method_means_plain_and_is_refused(desk: Desk) -> None:
    told(desk, "invalid_request", code_challenge_method=None)


@pytest.mark.parametrize("challenge", ["short", "x" * 44, "é" * 43, "x" * 42 + "="])
def test_rfc7636_4_2_a_challenge_is_a_sha256(desk: Desk, challenge: str) -> None:
    told(desk, "invalid_request", code_challenge=challenge)


def test_oidc_core_3_1_2_1_prompt_none_shows_no_page(desk: Desk) -> None:
    told(desk, "login_required", prompt="none")


def test_oidc_core_3_1_2_6_prompt_none_without_consent_is_refused(desk: Desk) -> None:
    desk.web.authorize(desk.library.request())
    desk.sign_in()
    told(desk, "consent_required", prompt="none")


def test_oidc_core_3_1_2_1_prompt_none_stands_alone(desk: Desk) -> None:
    told(desk, "invalid_request", prompt="none login")
    told(desk, "invalid_request", prompt="shout")


def test_oidc_core_3_1_2_1_prompt_login_asks_again(desk: Desk) -> None:
    before = claims(desk.tokens()["id_token"])["auth_time"]
    desk.web.authorize(desk.library.request(prompt="login"))
    assert "phone" in desk.web.steps()
    answer = desk.sign_in()
    after = claims(desk.library.redeem(landed(answer)["code"]).json["id_token"])["auth_time"]
    assert after > before


def test_oidc_core_3_1_2_1_prompt_consent_asks_again(desk: Desk) -> None:
    desk.all_the_way()
    desk.web.authorize(desk.library.request(prompt="consent"))
    assert "consent" in desk.web.steps()
    assert "code" in landed(desk.web.send("consent"))


def test_oidc_core_3_1_2_1_max_age_asks_again_when_it_is_over(desk: Desk) -> None:
    desk.all_the_way()
    desk.house.later(minutes=10)
    assert "code" in landed(desk.web.authorize(desk.library.request(max_age="3600")))
    told(desk, "login_required", prompt="none", max_age="60")
    told(desk, "invalid_request", max_age="-1")
    desk.web.authorize(desk.library.request(max_age="0"))
    assert "phone" in desk.web.steps()


def test_oidc_core_3_1_2_1_a_login_hint_is_not_believed(desk: Desk) -> None:
    page = desk.web.authorize(desk.library.request(login_hint=desk.phone.number + "<b>"))
    assert desk.phone.number not in page.text


def test_oidc_core_5_5_1_1_an_essential_level_that_cannot_be_met_is_a_refusal(desk: Desk) -> None:
    desk.all_the_way()
    asked = {"id_token": {"acr": {"essential": True, "values": ["L4.S3"]}}}
    told(desk, "unmet_authentication_requirements", claims=json.dumps(asked))


def test_oidc_core_5_5_1_1_a_voluntary_level_is_stated_as_it_is(desk: Desk) -> None:
    assert claims(desk.tokens(acr_values="L4.S3")["id_token"])["acr"] == "L1.S1"


def test_oidc_core_5_5_1_1_an_essential_level_asks_for_the_proof_that_reaches_it(desk: Desk) -> None:
    desk.named()
    asked = {"id_token": {"acr": {"essential": True, "values": ["L2.S2", "L2.S3"]}}}
    assert claims(desk.tokens(claims=json.dumps(asked))["id_token"])["acr"] == "L2.S2"


@pytest.mark.parametrize("text", ["{", "[]", '{"id_token": []}', '{"id_token": {"acr": "x"}}'])
def test_oidc_core_5_5_claims_that_are_none_are_refused(desk: Desk, text: str) -> None:
    told(desk, "invalid_request", claims=text)


def test_oidc_core_6_request_objects_are_refused_by_name(desk: Desk) -> None:
    told(desk, "request_not_supported", request="eyJhbGciOiJub25lIn0.e30.")


def test_oidc_core_3_1_2_1_a_hint_of_somebody_else_signs_nobody_in(desk: Desk, house: House, partner: Partners) -> None:
    hint = desk.tokens()["id_token"]
    other = Desk(house, desk.library, Web(house.app.test_client()))
    other.all_the_way()
    told(other, "login_required", prompt="none", id_token_hint=hint)
    told(desk, "invalid_request", id_token_hint="nonsense")
    assert partner("hospital").client_id != desk.library.client_id
    assert LI[0] == "李秀英"


LINE = "您离开后仍保持登录"


def offline(desk: Desk, prompt: str | None) -> bool:
    """Whether a complete sign-in that asks for offline access with this prompt gets it."""
    tokens = desk.tokens(scope="openid offline_access", prompt=prompt)
    assert ("offline_access" in tokens["scope"].split()) is ("refresh_token" in tokens)
    return "refresh_token" in tokens


@pytest.mark.parametrize("prompt", [None, "login", "select_account"])
def test_oidc_core_11_without_prompt_consent_offline_access_is_ignored(desk: Desk, prompt: str | None) -> None:
    desk.web.authorize(desk.library.request(scope="openid offline_access", prompt=prompt))
    page = desk.sign_in()
    assert "consent" in desk.web.steps()
    assert LINE not in page.text
    tokens = desk.library.redeem(landed(desk.web.send("consent"))["code"]).json
    assert tokens["scope"] == "openid"
    assert "refresh_token" not in tokens
    desk.web.open(f"/oauth2/logout?id_token_hint={tokens['id_token']}")
    assert desk.library.userinfo(tokens["access_token"]).status_code == 401, "it ends with the resident's session"


def test_oidc_core_11_prompt_none_gets_no_offline_access_that_nobody_consented_to(desk: Desk) -> None:
    desk.all_the_way()
    assert not offline(desk, "none")


def test_oidc_core_11_the_page_says_that_the_partner_stays_signed_in(desk: Desk) -> None:
    desk.named()
    desk.web.authorize(desk.library.request(scope="openid offline_access", prompt="consent"))
    assert LINE in desk.sign_in().text
    assert landed(desk.web.send("refuse"))["error"] == "access_denied"
    assert desk.house.call("GET", "/api/me/consents", token=desk.token).json["items"] == []
    assert offline(desk, "consent")
    (consent,) = desk.house.call("GET", "/api/me/consents", token=desk.token).json["items"]
    assert consent["offline"] is True


def test_oidc_core_11_a_consent_to_offline_access_holds_until_it_is_withdrawn(desk: Desk) -> None:
    desk.named()
    assert offline(desk, "consent")
    assert offline(desk, None)
    assert offline(desk, "none")
    assert "code" in desk.all_the_way(scope="openid phone", prompt=None), "a newer consent, which says nothing of it"
    assert offline(desk, "none")
    standing = desk.house.call("GET", "/api/me/consents", token=desk.token).json["items"][0]
    desk.house.call("DELETE", f"/api/me/consents/{standing['id']}", token=desk.token)
    assert not offline(desk, None)


def test_oidc_core_11_a_consent_to_one_partner_is_none_to_another(desk: Desk, partner: Partners) -> None:
    assert offline(desk, "consent")
    other = Desk(desk.house, partner("hospital"), desk.web, desk.phone)
    assert not offline(other, None)


def test_oauth_form_post_is_refused(desk: Desk) -> None:
    told(desk, "invalid_request", response_mode="form_post")


def test_rfc9126_2_1_a_pushed_request_is_authenticated_and_judged(partner: Partners) -> None:
    library = partner()
    assert library.post("/oauth2/par", library.request()).status_code == 401
    wrong = library.post("/oauth2/par", {**library.request(code_challenge_method="plain"), **library.proof()})
    assert (wrong.status_code, wrong.json["error"]) == (400, "invalid_request")
    nested = library.post("/oauth2/par", {**library.request(request_uri="urn:x"), **library.proof()})
    assert (nested.status_code, nested.json["error"]) == (400, "invalid_request")


def test_rfc9126_4_a_pushed_request_is_used_once_within_a_minute(desk: Desk) -> None:
    pushed = desk.library.post("/oauth2/par", {**desk.library.request(), **desk.library.proof()})
    assert pushed.status_code == 201, pushed.text
    wanted = {"client_id": desk.library.client_id, "request_uri": pushed.json["request_uri"]}
    assert desk.web.authorize(wanted).status_code == 200
    assert desk.web.authorize(wanted).status_code == 400
    late = desk.library.post("/oauth2/par", {**desk.library.request(), **desk.library.proof()}).json["request_uri"]
    desk.house.later(seconds=61)
    assert desk.web.authorize({"client_id": desk.library.client_id, "request_uri": late}).status_code == 400


def test_rfc9126_4_a_pushed_request_is_bound_to_its_client(desk: Desk, partner: Partners) -> None:
    other = partner("other")
    pushed = other.post("/oauth2/par", {**other.request(), **other.proof()}).json["request_uri"]
    assert desk.web.authorize({"client_id": desk.library.client_id, "request_uri": pushed}).status_code == 400


def test_rfc9126_5_a_partner_that_pushes_is_not_taken_otherwise(desk: Desk, partner: Partners) -> None:
    desk.library = partner("strict", push_required=True)
    told_the_person(desk)
