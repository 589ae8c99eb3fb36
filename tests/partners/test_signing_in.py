"""A resident signs in to a partner on our page: by phone, by the app, once for several partners, and never more than consented."""

from __future__ import annotations

from collections.abc import Callable

from auth import AuthData, SharingData, oauth_jobs
from core import db
from tests.auth.conftest import ISSUER, House, Phone
from tests.partners.conftest import GOODBYE, Desk, System, Web, claims, landed


def test_a_resident_signs_in_by_phone_and_the_partner_learns_a_name_of_its_own(desk: Desk) -> None:
    request = desk.library.request()
    page = desk.web.authorize(request)
    assert page.status_code == 200
    assert "云川市图书馆" in page.text
    desk.sign_in()
    got = landed(desk.web.send("consent"))
    assert got["state"] == request["state"]
    assert got["iss"] == ISSUER
    tokens = desk.library.redeem(got["code"])
    assert tokens.status_code == 200, tokens.text
    assert tokens.headers["Cache-Control"] == "no-store"
    said = claims(tokens.json["id_token"])
    assert said["iss"] == ISSUER
    assert said["aud"] == desk.library.client_id
    assert said["nonce"] == request["nonce"]
    assert said["acr"] == "L1.S1"
    assert said["amr"] == ["sms"]
    info = desk.library.userinfo(tokens.json["access_token"])
    assert info.json == {"sub": said["sub"]}


def test_a_named_resident_approves_in_the_app_and_shows_what_they_agreed_to(desk: Desk) -> None:
    desk.named()
    tokens = desk.tokens(scope="openid profile phone")
    assert claims(tokens["id_token"])["acr"] == "L2.S2"
    info = desk.library.userinfo(tokens["access_token"]).json
    assert info["name"] == "王晓明"
    assert info["birthdate"] == "1990-03-15"
    assert info["phone_number"] == "+86" + desk.phone.number
    uses = desk.house.call("GET", "/api/me/data-uses", token=desk.token).json["items"]
    assert [(use["by"], use["by_name"], use["purpose"], use["fields"]) for use in uses] == [
        ("partner", "云川市图书馆", "sign_in", ["birth_date", "name", "phone"])
    ]


def test_who_is_signed_in_and_has_consented_is_not_asked_again(desk: Desk) -> None:
    desk.all_the_way()
    assert "code" in landed(desk.web.authorize(desk.library.request()))
    assert "code" in landed(desk.web.authorize(desk.library.request(prompt="none")))


def test_two_partners_know_a_resident_by_two_names(desk: Desk, partner: Callable[..., System]) -> None:
    first = claims(desk.tokens()["id_token"])["sub"]
    other = Desk(desk.house, partner("hospital"), desk.web, desk.phone)
    assert claims(other.tokens()["id_token"])["sub"] != first


def test_a_wider_wish_asks_for_consent_again_and_for_a_second_proof(desk: Desk) -> None:
    desk.named()
    desk.all_the_way()
    desk.house.later(minutes=6)
    desk.web.authorize(desk.library.request(scope="openid purpose:records"))
    assert "prove" in desk.web.steps()
    desk.web.send("prove")
    desk.approve()
    assert "公民身份号码" in (desk.web.last.text if desk.web.last else "")
    assert "code" in landed(desk.web.send("consent"))


def test_the_resident_may_say_no(desk: Desk) -> None:
    desk.web.authorize(desk.library.request())
    desk.sign_in()
    assert landed(desk.web.send("refuse"))["error"] == "access_denied"


def test_the_page_speaks_english_to_who_reads_english(desk: Desk) -> None:
    desk.web.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert "Mobile number" in desk.web.authorize(desk.library.request()).text


def test_signing_out_ends_the_session_and_leads_back(desk: Desk) -> None:
    tokens = desk.tokens()
    answer = desk.web.open(f"/oauth2/logout?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={GOODBYE}&state=bye")
    assert answer.location == f"{GOODBYE}?state=bye"
    assert landed(desk.web.authorize(desk.library.request(prompt="none")))["error"] == "login_required"
    assert desk.library.userinfo(tokens["access_token"]).status_code == 401


def test_a_public_client_turns_its_refresh_token(desk: Desk, partner: Callable[..., System]) -> None:
    desk.library = partner("app", public=True)
    tokens = desk.tokens(scope="openid offline_access")
    turned = desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"])
    assert turned.status_code == 200, turned.text
    assert turned.json["refresh_token"] != tokens["refresh_token"]
    assert "nonce" not in claims(turned.json["id_token"])


def test_a_partner_with_a_key_keeps_its_refresh_token(desk: Desk) -> None:
    tokens = desk.tokens(scope="openid offline_access")
    for _ in range(2):
        again = desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"])
        assert again.status_code == 200, again.text
        assert "refresh_token" not in again.json


def test_a_resident_of_another_browser_cannot_take_over_the_page(house: House, desk: Desk) -> None:
    desk.web.authorize(desk.library.request())
    assert desk.web.last is not None
    path = desk.web.last.request.path
    stranger = Web(house.app.test_client())
    assert stranger.open(path).status_code == 409
    assert Phone().number


def test_what_a_sign_in_leaves_behind_is_forgotten(desk: Desk) -> None:
    tokens = desk.tokens(scope="openid offline_access")

    def left() -> list[int]:
        return [desk.house.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("oauth_request", "oauth_browser", "oauth_grant")]

    desk.house.later(days=2)
    oauth_jobs.forget_sign_ins_at_partners()
    assert left() == [0, 0, 1]
    assert desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"]).status_code == 200
    desk.house.later(days=220)
    oauth_jobs.forget_sign_ins_at_partners()
    assert left() == [0, 0, 0]


def test_closing_the_account_ends_every_sign_in_and_keeps_the_proof_of_consent(desk: Desk) -> None:
    tokens = desk.tokens(scope="openid offline_access")
    owner = desk.house.rows("SELECT resident_id FROM consent")[0][0]
    with db.transaction():
        assert SharingData().export(owner)["consents"][0]["purpose"] == "sign_in"
        SharingData().erase(owner)
        AuthData().erase(owner)
    assert desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert desk.house.rows("SELECT withdrawn_because FROM consent") == [("account_closed",)]
    assert desk.house.rows("SELECT count(*) FROM oauth_browser") == [(0,)]
