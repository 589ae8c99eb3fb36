"""The played police register, through the client that verification uses."""

from __future__ import annotations

import datetime as dt
import json
import secrets

import pytest

from auth.errors import RegisterUnavailable
from auth.verification.police import FaceResult, IdentityResult
from tests.outside.conftest import LI, WANG, Outside


def nonce() -> str:
    return secrets.token_urlsafe(18)


def capture(outside: Outside, url: str, choice: str) -> str:
    answer = outside.post(url, {"choice": choice})
    assert answer.status == 200
    return str(json.loads(answer.data)["face_token"])


def test_a_right_name_and_number_match(outside: Outside) -> None:
    assert outside.police().check_identity(name=WANG[0], citizen_number=WANG[1]) is IdentityResult.MATCH


def test_a_wrong_name_is_a_mismatch_and_nothing_more_is_told(outside: Outside) -> None:
    assert outside.police().check_identity(name="王小明", citizen_number=WANG[1]) is IdentityResult.MISMATCH


def test_an_unknown_number_has_no_record(outside: Outside) -> None:
    assert outside.police().check_identity(name=WANG[0], citizen_number="990103200001010015") is IdentityResult.NO_RECORD


@pytest.mark.parametrize(
    ("choice", "result"),
    [("approve", FaceResult.SAME_PERSON), ("another", FaceResult.ANOTHER_PERSON), ("not_live", FaceResult.NOT_LIVE)],
)
def test_the_verdict_on_a_face_is_what_the_camera_saw(outside: Outside, choice: str, result: FaceResult) -> None:
    police, number = outside.police(), nonce()
    started = police.start_face_check(nonce=number, name=WANG[0], citizen_number=WANG[1])
    assert started is not None
    assert police.face_result(nonce=number, face_token="none-yet") is FaceResult.PENDING
    token = capture(outside, started.capture_url, choice)
    assert police.face_result(nonce=number, face_token=token) is result


def test_the_page_for_a_camera_can_be_used_by_hand(outside: Outside) -> None:
    started = outside.police().start_face_check(nonce=nonce(), name=WANG[0], citizen_number=WANG[1])
    assert started is not None
    assert "请将手机正对面部" in outside.pool.request("GET", started.capture_url).data.decode()
    answer = outside.post(started.capture_url, {"choice": "approve"}, Accept="text/html")
    assert answer.status == 303
    assert "face_" in outside.get(answer.headers["Location"]).data.decode()
    assert "没有等待中的核验" in outside.pool.request("GET", started.capture_url).data.decode()


def test_the_address_of_the_page_does_not_tell_the_number(outside: Outside) -> None:
    started = outside.police().start_face_check(nonce=nonce(), name=WANG[0], citizen_number=WANG[1])
    assert started is not None
    assert WANG[1] not in started.capture_url


def test_a_token_of_another_check_is_worth_nothing(outside: Outside) -> None:
    police, first, second = outside.police(), nonce(), nonce()
    for number in (first, second):
        police.start_face_check(nonce=number, name=WANG[0], citizen_number=WANG[1])
    url = f"{outside.url}/faces/{outside.world.keys.hide('person', WANG[1])}"
    token = capture(outside, url, "approve")
    assert police.face_result(nonce=second, face_token=token) is FaceResult.SAME_PERSON
    assert police.face_result(nonce=first, face_token=token) is FaceResult.PENDING


def test_a_check_is_over_after_five_minutes(outside: Outside) -> None:
    police, number = outside.police(), nonce()
    started = police.start_face_check(nonce=number, name=WANG[0], citizen_number=WANG[1])
    assert started is not None
    token = capture(outside, started.capture_url, "approve")
    outside.ahead = dt.timedelta(minutes=6)
    assert police.face_result(nonce=number, face_token=token) is FaceResult.EXPIRED


def test_a_name_that_does_not_match_opens_no_check(outside: Outside) -> None:
    assert outside.police().start_face_check(nonce=nonce(), name=LI[0], citizen_number=WANG[1]) is None


def test_a_check_cannot_be_taken_over_by_another_person(outside: Outside) -> None:
    number = nonce()
    outside.police().start_face_check(nonce=number, name=WANG[0], citizen_number=WANG[1])
    assert outside.police().start_face_check(nonce=number, name=LI[0], citizen_number=LI[1]) is None


def test_an_unknown_check_counts_as_expired(outside: Outside) -> None:
    assert outside.police().face_result(nonce=nonce(), face_token="x") is FaceResult.EXPIRED


@pytest.mark.parametrize("kind", ["down", "errors", "bad_signature", "answer_lost"])
def test_a_register_that_is_away_or_forged_is_not_a_verdict(outside: Outside, kind: str) -> None:
    outside.fault("police", kind)
    with pytest.raises(RegisterUnavailable):
        outside.police().check_identity(name=WANG[0], citizen_number=WANG[1])


def test_one_failure_in_a_row_is_asked_away(outside: Outside) -> None:
    outside.fault("police", "errors", times=1)
    assert outside.police().check_identity(name=WANG[0], citizen_number=WANG[1]) is IdentityResult.MATCH
