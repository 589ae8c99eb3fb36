"""Every MUST NOT of our pages and of logout, each named after its clause."""

from __future__ import annotations

import re

from tests.partners.conftest import GOODBYE, Desk, Web, landed


def test_rfc9700_4_16_no_other_page_frames_ours_or_runs_in_it(desk: Desk) -> None:
    page = desk.web.authorize(desk.library.request())
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "<script" not in page.text
    assert not re.search(r'(?:src|href)="', page.text)
    assert page.headers["Cache-Control"] == "no-store"


def test_rfc9700_4_7_a_form_of_another_page_is_refused(desk: Desk) -> None:
    desk.web.authorize(desk.library.request())
    assert desk.web.last is not None
    path = desk.web.last.request.path
    answer = desk.web.client.post(path, data={"token": "0" * 32, "step": "phone", "phone": desk.phone.number})
    assert answer.status_code == 400
    assert not desk.house.inbox.messages


def test_a_cookie_that_was_planted_before_the_sign_in_is_worth_nothing_after_it(desk: Desk) -> None:
    desk.web.authorize(desk.library.request())
    planted = desk.web.client.get_cookie("citycard_browser", path="/oauth2")
    assert planted is not None
    assert planted.http_only
    assert planted.same_site == "Lax"
    desk.sign_in()
    attacker = Web(desk.house.app.test_client())
    attacker.client.set_cookie("citycard_browser", planted.value, path="/oauth2")
    assert landed(attacker.authorize(desk.library.request(prompt="none")))["error"] == "login_required"


def test_a_wrong_code_by_text_message_says_so_and_lets_nobody_in(desk: Desk) -> None:
    desk.web.authorize(desk.library.request())
    desk.web.send("phone", phone=desk.phone.number)
    right = desk.house.inbox.code(desk.phone.number)
    desk.web.send("code", code=f"{(int(right) + 1) % 10**6:06d}")
    assert desk.web.last is not None
    assert 'role="alert"' in desk.web.last.text
    assert "consent" not in desk.web.steps()


def test_a_text_message_alone_never_enters_an_account_that_has_more(desk: Desk) -> None:
    desk.named()
    desk.web.authorize(desk.library.request())
    desk.house.later(seconds=61)
    desk.web.send("phone", phone=desk.phone.number)
    desk.web.send("code", code=desk.house.inbox.code(desk.phone.number))
    assert "look" in desk.web.steps()
    desk.web.send("look")
    assert "look" in desk.web.steps()


def test_rp_initiated_logout_2_an_address_that_is_not_registered_gets_no_redirect(desk: Desk) -> None:
    tokens = desk.tokens()
    answer = desk.web.open(f"/oauth2/logout?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={GOODBYE}/x")
    assert answer.status_code == 200
    assert "Location" not in answer.headers


def test_rp_initiated_logout_2_without_a_hint_the_person_is_asked(desk: Desk) -> None:
    desk.tokens()
    answer = desk.web.open(f"/oauth2/logout?client_id={desk.library.client_id}&post_logout_redirect_uri={GOODBYE}")
    assert answer.status_code == 200
    assert "code" in landed(desk.web.authorize(desk.library.request(prompt="none")))
