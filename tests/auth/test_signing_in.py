"""Signing in by phone: the story, its limits, and what it never gives away."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import event

from auth.agreements import texts
from auth.policy import DAY, HOUR
from core import clock, db, limits, pulse
from tests.auth.conftest import LI, LINHU, WANG, YUNCHUAN, House, Phone


def test_a_new_number_becomes_a_resident_at_l1(house: House) -> None:
    tokens = house.sign_in(phone := Phone())
    me = house.call("GET", "/api/me", token=tokens["access_token"])
    assert me.status_code == 200, me.text
    assert (me.json["identity_level"], me.json["strength"]) == (1, 1)
    assert me.json["masked_phone"] == f"199****{phone.number[-4:]}"
    assert [proof["method"] for proof in me.json["evidence"]] == ["phone"]


def test_the_same_number_is_another_resident_in_another_city(house: House) -> None:
    phone = Phone()
    here = house.sign_in(phone)
    there = house.sign_in(Phone(phone.number, phone.key, LINHU))
    assert (
        house.call("GET", "/api/me", token=here["access_token"]).json["id"]
        != house.call("GET", "/api/me", token=there["access_token"]).json["id"]
    )


def test_proving_name_and_number_gives_l2_and_a_second_proof(house: House) -> None:
    _, tokens = house.named()
    me = house.call("GET", "/api/me", token=tokens["access_token"]).json
    assert (me["identity_level"], me["strength"], me["masked_name"], me["age_band"]) == (2, 2, "王*明", "adult")


def test_a_code_works_once(house: House) -> None:
    phone = Phone()
    house.send_code(phone)
    code = house.inbox.code(phone.number)
    assert house.try_code(phone, code).status_code == 201
    assert house.try_code(phone, code).json["code"] == "sign_in_code_wrong"


def test_a_code_is_bound_to_the_key_that_asked(house: House) -> None:
    phone = Phone()
    house.send_code(phone)
    thief = Phone(phone.number)
    assert house.try_code(thief, house.inbox.code(phone.number)).json["code"] == "sign_in_code_wrong"


def test_a_code_dies_after_five_tries_and_after_five_minutes(house: House) -> None:
    phone = Phone()
    house.send_code(phone)
    code = house.inbox.code(phone.number)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert {house.try_code(phone, wrong).json["code"] for _ in range(5)} == {"sign_in_code_wrong"}
    assert house.try_code(phone, code).status_code == 401
    late = Phone()
    house.send_code(late)
    house.later(minutes=5, seconds=1)
    assert house.try_code(late, house.inbox.code(late.number)).status_code == 401


def test_no_path_sets_the_tries_back_without_a_new_code(house: House) -> None:
    phone = Phone()
    house.send_code(phone)
    wrong = f"{(int(house.inbox.code(phone.number)) + 1) % 10**6:06d}"
    for _ in range(3):
        house.try_code(phone, wrong)
    assert house.send_code(phone).status_code == 429
    assert house.rows("SELECT tries FROM sign_in_code")[0][0] == 3


def new_hour(house: House) -> None:
    """Codes are counted by the hour of the clock: begin with a new one, so that no test sees two."""
    house.later(seconds=3601 - clock.timestamp() % 3600)


def test_the_next_code_comes_after_a_minute_and_five_an_hour(house: House) -> None:
    phone = Phone()
    seen = []
    new_hour(house)
    for _ in range(7):
        seen.append(house.send_code(phone).status_code)
        house.later(seconds=61)
    assert seen[:5] == [202] * 5
    assert 429 in seen[5:]


def test_a_known_device_keeps_its_own_allowance_of_codes(house: House) -> None:
    phone = Phone()
    new_hour(house)
    house.sign_in(phone)
    for _ in range(6):
        house.later(seconds=61)
        house.send_code(Phone(phone.number))
    assert house.send_code(Phone(phone.number)).status_code == 429
    assert house.send_code(phone).status_code == 202


@pytest.mark.parametrize("number", ["12345", "21012345678", "1991234567a", "+1 5551234567", "１９９０１２３４５６７"])
def test_only_mainland_mobile_numbers_get_codes(house: House, number: str) -> None:
    answer = house.post("/api/sign-in-codes", {"phone": number, "device_key": Phone().jwk})
    assert (answer.status_code, answer.json["code"]) == (422, "phone_invalid")


def test_no_answer_and_no_statement_tells_a_known_number_from_an_unknown_one(house: House) -> None:
    known = Phone()
    house.named(known)
    house.later(minutes=2)
    stories = [_story(house, Phone(number)) for number in (known.number, Phone().number)]
    assert stories[0] == stories[1]


def _story(house: House, phone: Phone) -> list[object]:
    """The bodies and statements of asking for a code and giving a wrong one."""
    statements: list[str] = []
    seen = db.connection()
    told: list[object] = []

    class Watching:
        def execute(self, query: str, *args: object, **options: object) -> object:
            statements.append(query)
            return seen.execute(query, *args, **options)  # type: ignore[arg-type]

        def __getattr__(self, name: str) -> object:
            return getattr(seen, name)

    def watch(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(db.db.engine, "before_cursor_execute", watch)
    pulse.read_now()
    clear, db._local.held.connection = db._local.held.connection, Watching()
    try:
        sent = house.send_code(phone)
        wrong = f"{(int(house.inbox.code(phone.number)) + 1) % 10**6:06d}"
        refused = house.try_code(phone, wrong)
    finally:
        db._local.held.connection = clear
        event.remove(db.db.engine, "before_cursor_execute", watch)
    for answer in (sent, refused):
        body = dict(answer.json)
        body.pop("request_id", None)
        told.append((answer.status_code, json.dumps(body, sort_keys=True), sorted(name for name, _ in answer.headers)))
    return [*told, [s for s in statements if "clock_offset" not in s and "FROM revocation" not in s]]


def test_text_message_alone_never_enters_an_account_with_a_stronger_factor(house: House) -> None:
    phone, _ = house.named()
    thief = Phone(phone.number)
    house.send_code(thief)
    answer = house.try_code(thief, house.inbox.code(phone.number))
    assert (answer.status_code, answer.json["code"]) == (403, "stronger_factor_required")
    assert answer.json["facts"]["ways"] == ["device", "face", "counter"]
    assert house.rows("SELECT count(*) FROM device WHERE revoked_at IS NULL")[0][0] == 1


def test_a_device_that_came_in_by_text_message_alone_shuts_nobody_out(house: House) -> None:
    thief = Phone()
    house.sign_in(thief)
    owner = Phone(thief.number)
    house.named(owner)
    house.later(minutes=2)
    assert house.sign_in(thief)["strength"] == 1
    assert house.sign_in(owner)["strength"] == 2


def asking(house: House, owner: Phone) -> tuple[Phone, str]:
    """A new phone that asks to enter the owner's account."""
    new = Phone(owner.number)
    house.later(seconds=61)
    house.send_code(new)
    answer = house.try_code(new, house.inbox.code(owner.number))
    return new, answer.json["facts"]["request"]


def test_the_old_device_lets_the_new_one_in(house: House) -> None:
    owner, tokens = house.named()
    new, request = asking(house, owner)
    path = f"/api/sign-in-requests/{request}/session"
    assert house.post(path, None, new).json["code"] == "sign_in_not_approved"
    waiting = house.call("GET", "/api/me/sign-in-requests", token=tokens["access_token"]).json["items"]
    assert [item["id"] for item in waiting] == [request]
    decided = house.post(f"/api/me/sign-in-requests/{request}/decision", {"approve": True}, token=tokens["access_token"])
    assert decided.json == {"state": "approved"}
    assert house.post(path, None, Phone(owner.number)).status_code == 404
    entered = house.post(path, None, new)
    assert (entered.status_code, entered.json["strength"], entered.json["identity_level"]) == (201, 2, 2)
    assert house.post(path, None, new).json["code"] == "sign_in_request_over"


def test_the_old_device_keeps_the_new_one_out(house: House) -> None:
    owner, tokens = house.named()
    new, request = asking(house, owner)
    house.post(f"/api/me/sign-in-requests/{request}/decision", {"approve": False}, token=tokens["access_token"])
    assert house.post(f"/api/sign-in-requests/{request}/session", None, new).json["code"] == "sign_in_request_over"


def test_nobody_decides_over_anothers_new_device(house: House) -> None:
    owner, _ = house.named()
    _, request = asking(house, owner)
    _, other = house.named(person=LI)
    answer = house.post(f"/api/me/sign-in-requests/{request}/decision", {"approve": True}, token=other["access_token"])
    assert answer.status_code == 404


def test_a_live_face_lets_a_new_device_in(house: House) -> None:
    owner, _ = house.named()
    new, request = asking(house, owner)
    agreed = {"agreed": texts.present()[texts.Kind.FACE_DATA].version}
    begun = house.post(f"/api/sign-in-requests/{request}/face-checks", agreed, new)
    assert begun.status_code == 201, begun.text
    path = f"/api/sign-in-requests/{request}/face-checks/{begun.json['id']}/result"
    assert house.post(path, {"face_token": "another_person"}, new).json["code"] == "face_check_failed"
    again = house.post(f"/api/sign-in-requests/{request}/face-checks", agreed, new)
    path = f"/api/sign-in-requests/{request}/face-checks/{again.json['id']}/result"
    assert house.post(path, {"face_token": "same_person"}, new).json == {"state": "approved"}
    entered = house.post(f"/api/sign-in-requests/{request}/session", None, new)
    assert (entered.json["identity_level"], entered.json["strength"]) == (4, 3)


def test_no_face_is_asked_for_at_the_door_without_the_consent_of_its_own(house: House) -> None:
    owner, _ = house.named()
    new, request = asking(house, owner)
    answer = house.post(f"/api/sign-in-requests/{request}/face-checks", {"agreed": "2020-01-01"}, new)
    assert answer.json["code"] == "separate_consent_needed"
    assert answer.json["facts"] == {"kind": "face_data", "version": texts.present()[texts.Kind.FACE_DATA].version}
    unsaid = house.post(f"/api/sign-in-requests/{request}/face-checks", {}, new)
    assert unsaid.json["code"] == "invalid", unsaid.text


def test_a_counter_lets_a_new_device_in_without_a_face(house: House) -> None:
    owner, _ = house.named()
    new, request = asking(house, owner)
    clerk = house.staff("counter_clerk")
    path = f"/api/counter/sign-in-requests/{request}/approval"
    assert house.post(path, {"chip": chip(LI)}, token=clerk).status_code == 404
    assert house.post(path, {"chip": chip(WANG)}, token=house.staff("counter_clerk", city=LINHU)).status_code == 404
    approved = house.post(path, {"chip": chip(WANG)}, token=clerk)
    assert (approved.status_code, approved.json["identity_level"]) == (200, 4), approved.text
    assert house.post(f"/api/sign-in-requests/{request}/session", None, new).json["strength"] == 3


def chip(person: tuple[str, str], valid_until: str | None = "2036-01-01") -> dict[str, object]:
    """What a reader takes from an identity card."""
    return {"name": person[0], "citizen_number": person[1], "valid_until": valid_until, "reader": "window 2"}


def test_spraying_trips_the_breaker_and_known_devices_go_on(house: House) -> None:
    known, _ = house.named()
    for name, per, most in (("hour", HOUR, 1_000), ("day", DAY, 4_000)):
        limits.count(f"sign_in_failures_city_{name}", str(YUNCHUAN), per=per, at_most=10**9, by=most)
    assert house.send_code(Phone()).json["code"] == "new_devices_paused"
    house.later(minutes=2)
    assert house.send_code(known).status_code == 202
    assert house.try_code(known, house.inbox.code(known.number)).status_code == 201


def test_failures_of_a_known_device_do_not_feed_the_breaker(house: House) -> None:
    known, _ = house.named()
    house.later(minutes=2)
    house.send_code(known)
    wrong = f"{(int(house.inbox.code(known.number)) + 1) % 10**6:06d}"
    house.try_code(known, wrong)
    assert house.rows("SELECT count(*) FROM limit_counter WHERE name LIKE 'sign_in_failures_city%%'")[0][0] == 0
