"""Identity: levels rise by proof, never fall, belong to one account, and every one is reached without a face."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest

import auth
from auth import residents, rules
from auth.errors import CitizenNumberInvalid, IdentityAlreadyHeld
from auth.rules import AgeBand, Level, Method, Strength
from auth.verification.police import FaceResult
from core import crypto, db
from core.actors import ANONYMOUS, system
from core.errors import StepUpNeeded
from core.web import resident
from tests.auth.conftest import LI, LINHU, WANG, YUNCHUAN, House, Phone, citizen_number
from tests.auth.test_signing_in import chip

DAY = dt.date(2026, 11, 22)


def step(house: House, way: str, phone: Phone, token: str) -> str:
    """Take one way up and give the token afterwards."""
    if way == "name and number":
        return str(house.prove(token).json["access_token"])
    if way == "face":
        begun = house.post("/api/me/face-checks", None, token=token)
        answer = house.post(f"/api/me/face-checks/{begun.json['id']}/result", {"face_token": "same_person"}, token=token)
        return str(answer.json["access_token"])
    clerk = house.staff("counter_clerk")
    house.post("/api/counter/phone-codes", {"phone": phone.number}, token=clerk)
    body = {"phone": phone.number, "code": house.inbox.code(phone.number), "chip": chip(WANG)}
    answer = house.post("/api/counter/identity-checks", body, token=clerk, Idempotency_Key="counter-0001")
    assert answer.status_code == 201, answer.text
    house.later(minutes=2)
    return str(house.sign_in(phone)["access_token"])


@pytest.mark.parametrize(
    ("ways", "level", "strength"),
    [
        ([], 1, 1),
        (["name and number"], 2, 2),
        (["name and number", "face"], 4, 3),
        (["counter"], 4, 1),
        (["name and number", "counter"], 4, 2),
        (["counter", "name and number"], 4, 2),
        (["name and number", "face", "name and number"], 4, 3),
    ],
)
def test_each_way_gives_its_level_and_none_lowers_it(house: House, ways: list[str], level: int, strength: int) -> None:
    phone = Phone()
    token = house.sign_in(phone)["access_token"]
    for way in ways:
        token = step(house, way, phone, token)
    me = house.call("GET", "/api/me", token=token).json
    assert (me["identity_level"], me["strength"]) == (level, strength)
    assert len(me["evidence"]) == 1 + len(ways)


def test_every_method_has_a_level_and_a_strength() -> None:
    assert set(rules.GIVES_LEVEL) == set(rules.GIVES_STRENGTH) == set(Method)
    without_face = [method for method in Method if method is not Method.LIVE_FACE]
    assert max(rules.GIVES_LEVEL[m] for m in without_face) == Level.PERSON
    assert max(rules.GIVES_STRENGTH[m] for m in without_face) == Strength.STRONG


def test_a_route_asks_for_level_strength_and_freshness(house: House) -> None:
    rule = resident(level=2, strength=2, fresh=dt.timedelta(minutes=15))
    phone = Phone()
    tokens = house.sign_in(phone)
    read = auth.parts().tokens.verify
    with pytest.raises(StepUpNeeded):
        rule.check(read(tokens["access_token"]).actor)
    proven = house.prove(tokens["access_token"]).json["access_token"]
    rule.check(read(proven).actor)
    house.later(minutes=16)
    later = house.refresh(phone, tokens["refresh_token"]).json["access_token"]
    with pytest.raises(StepUpNeeded):
        rule.check(read(later).actor)
    rule.check(read(house.prove(later).json["access_token"]).actor)


def test_a_text_message_alone_reaches_nothing_that_asks_for_a_named_person(house: House) -> None:
    person = auth.Newcomer(phone=Phone().number, name=WANG[0], citizen_number=WANG[1], identity_level=4)
    with db.transaction():
        auth.admit_many(YUNCHUAN, [person])
    phone = Phone(person.phone or "")
    token = house.sign_in(phone)["access_token"]
    read = auth.parts().tokens.verify
    assert (read(token).actor.identity_level, read(token).actor.strength) == (4, 1)
    with pytest.raises(StepUpNeeded):
        resident(level=2).check(read(token).actor)
    again = house.prove(token).json["access_token"]
    assert (read(again).actor.identity_level, read(again).actor.strength) == (4, 2)
    resident(level=2).check(read(again).actor)


def test_a_wrong_name_and_an_unknown_number_are_refused_in_the_same_words(house: House) -> None:
    tokens = house.sign_in(Phone())
    unknown = citizen_number(dt.date(1970, 1, 1), 9)
    told = []
    for person in (("王小明", WANG[1]), ("王晓明", unknown)):
        body = dict(house.prove(tokens["access_token"], person).json)
        body.pop("request_id")
        told.append(body)
    assert told[0] == told[1]
    assert told[0]["code"] == "identity_mismatch"


def test_the_register_is_not_asked_more_than_five_times_a_day(house: House) -> None:
    tokens = house.sign_in(Phone())
    answers = [house.prove(tokens["access_token"], ("王小明", WANG[1])).status_code for _ in range(7)]
    assert answers == [422] * 5 + [429] * 2
    assert house.police.asked == 5


def test_a_number_that_cannot_be_is_refused_without_asking(house: House) -> None:
    tokens = house.sign_in(Phone())
    wrong = WANG[1][:17] + ("0" if WANG[1][17] != "0" else "1")
    assert house.prove(tokens["access_token"], (WANG[0], wrong)).json["code"] == "citizen_number_invalid"
    assert house.police.asked == 0


def test_an_identity_held_by_another_account_is_refused_with_what_to_do(house: House) -> None:
    house.named()
    tokens = house.sign_in(Phone())
    answer = house.prove(tokens["access_token"])
    assert (answer.status_code, answer.json["code"]) == (409, "identity_already_held")
    assert "柜台" in answer.json["messages"]["zh-CN"]
    assert house.call("GET", "/api/me", token=tokens["access_token"]).json["identity_level"] == 1


def test_an_account_is_one_person_for_good(house: House) -> None:
    _, tokens = house.named()
    assert house.prove(tokens["access_token"], LI).json["code"] == "identity_already_proven"


def test_under_fourteen_a_guardian_comes_along(house: House) -> None:
    child = ("张小宝", citizen_number(dt.date(2020, 6, 1), 3))
    house.police.people[child[1]] = child[0]
    assert house.prove(house.sign_in(Phone())["access_token"], child).json["code"] == "guardian_required"


def test_a_face_check_is_decided_once(house: House) -> None:
    _, tokens = house.named()
    begun = house.post("/api/me/face-checks", None, token=tokens["access_token"]).json
    path = f"/api/me/face-checks/{begun['id']}/result"
    assert house.post(path, {"face_token": "pending"}, token=tokens["access_token"]).json["facts"] == {"reason": "pending"}
    assert house.post(path, {"face_token": "not_live"}, token=tokens["access_token"]).json["code"] == "face_check_failed"
    assert house.post(path, {"face_token": "same_person"}, token=tokens["access_token"]).json["code"] == "face_check_over"


def test_a_face_check_runs_out(house: House) -> None:
    phone, tokens = house.named()
    begun = house.post("/api/me/face-checks", None, token=tokens["access_token"]).json
    house.later(minutes=11)
    token = house.refresh(phone, tokens["refresh_token"]).json["access_token"]
    answer = house.post(f"/api/me/face-checks/{begun['id']}/result", {"face_token": "same_person"}, token=token)
    assert answer.json["code"] == "face_check_over"


def test_the_face_of_another_account_is_not_found(house: House) -> None:
    _, mine = house.named()
    _, theirs = house.named(person=LI)
    begun = house.post("/api/me/face-checks", None, token=theirs["access_token"]).json
    answer = house.post(
        f"/api/me/face-checks/{begun['id']}/result", {"face_token": str(FaceResult.SAME_PERSON)}, token=mine["access_token"]
    )
    assert answer.status_code == 404


def test_a_counter_refuses_an_expired_card_and_a_code_from_another_window(house: House) -> None:
    clerk, other = house.staff("counter_clerk"), house.staff("counter_clerk")
    phone = Phone()
    house.post("/api/counter/phone-codes", {"phone": phone.number}, token=clerk)
    body = {"phone": phone.number, "code": house.inbox.code(phone.number), "chip": chip(WANG, "2020-01-01")}
    assert house.post("/api/counter/identity-checks", body, token=clerk, Idempotency_Key="k-expired").json["code"] == "document_expired"
    body["chip"] = chip(WANG)
    assert house.post("/api/counter/identity-checks", body, token=other, Idempotency_Key="k-other-1").json["code"] == "sign_in_code_wrong"
    first = house.post("/api/counter/identity-checks", body, token=clerk, Idempotency_Key="k-right-1")
    again = house.post("/api/counter/identity-checks", body, token=clerk, Idempotency_Key="k-right-1")
    assert (first.status_code, again.json, again.headers["Idempotency-Replayed"]) == (201, first.json, "true")


def test_the_database_lets_no_level_fall(house: House) -> None:
    house.named()
    with pytest.raises(psycopg.errors.RestrictViolation):
        db.connection().execute("UPDATE resident SET identity_level = 1 WHERE identity_level = 2")
    with pytest.raises(psycopg.errors.RestrictViolation):
        db.connection().execute("UPDATE resident SET citizen_number_blind = 'x' WHERE identity_level = 2")
    for statement in ("DELETE FROM identity_evidence", "UPDATE identity_evidence SET level = 4", "DELETE FROM resident"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.connection().execute(statement)


def test_no_name_number_or_phone_stands_in_the_clear(house: House) -> None:
    phone, _ = house.named()
    dump = b""
    for (table,) in house.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        if not table.startswith("procrastinate") and house.rows("SELECT has_table_privilege(%s, 'SELECT')", table)[0][0]:
            dump += repr(house.rows(f'SELECT to_jsonb(t)::text FROM "{table}" t')).encode()
    for secret in (phone.number, WANG[0], WANG[1], "1990-03-15", WANG[0].encode().hex(), WANG[1].encode().hex()):
        assert secret.encode() not in dump


def test_five_thousand_are_admitted_at_once_and_can_be_found(house: House) -> None:
    born = dt.date(1980, 1, 1)
    people = [
        auth.Newcomer(
            phone=f"198{n:08d}",
            name="王晓明",
            citizen_number=citizen_number(born + dt.timedelta(days=n // 900), n % 900 + 1),
            identity_level=(n % 3) + 2,
        )
        for n in range(5_000)
    ]
    with db.transaction():
        admitted = auth.admit_many(YUNCHUAN, people)
    assert len(set(admitted)) == 5_000
    tokens = house.sign_in(Phone("19800000007"))
    me = house.call("GET", "/api/me", token=tokens["access_token"]).json
    assert (me["identity_level"], me["strength"], me["masked_name"]) == (3, 1, "王*明")
    with db.transaction():
        assert auth.masked_name(admitted[0]) == "王*明"
        opened = auth.reveal(system("test"), admitted[0], purpose="a letter", fields=("name", "phone"))
        assert (opened.name, opened.phone, opened.citizen_number) == ("王晓明", "19800000000", None)
    assert house.rows("SELECT purpose, fields FROM data_use WHERE purpose = 'a letter'") == [("a letter", ["name", "phone"])]
    assert house.rows("SELECT count(*) FROM audit WHERE event = 'auth:person:reveal'")[0][0] == 1


def test_a_child_without_a_phone_is_admitted_and_nobody_signs_in_as_them(house: House) -> None:
    child = auth.Newcomer(name="张小宝", citizen_number=citizen_number(dt.date(2020, 6, 1), 3), identity_level=3)
    with db.transaction():
        auth.admit_many(LINHU, [child])
        assert auth.age_band(child.id, DAY) is AgeBand.UNDER_14
    with pytest.raises(CitizenNumberInvalid), db.transaction():
        auth.admit_many(LINHU, [auth.Newcomer(name="张小宝", citizen_number="1" * 18, identity_level=3)])


def test_an_erased_resident_is_noise(house: House) -> None:
    phone, tokens = house.named()
    owner = house.rows("SELECT id FROM resident")[0][0]
    data = auth.AuthData()
    with db.transaction():
        assert data.export(owner)["citizen_number"] == WANG[1]
        data.erase(owner)
    crypto.residents.forget()
    with pytest.raises(crypto.residents.ResidentKeyMissing), db.transaction():
        data.export(owner)
    assert house.refresh(phone, tokens["refresh_token"]).status_code == 401
    house.later(minutes=2)
    house.send_code(phone)
    assert house.try_code(phone, house.inbox.code(phone.number)).json["code"] == "account_closed"


def test_two_accounts_racing_for_one_identity_leave_one_holder(house: House) -> None:
    with db.transaction():
        for n in (1, 2):
            made = residents.admit(ANONYMOUS, YUNCHUAN, f"1970000000{n}")
            number = rules.citizen_number(WANG[1], DAY)
            assert number is not None
            if n == 1:
                residents.prove(ANONYMOUS, made, name=WANG[0], number=number, method=Method.TWO_ELEMENTS)
                continue
            with pytest.raises(IdentityAlreadyHeld):
                residents.prove(ANONYMOUS, made, name=WANG[0], number=number, method=Method.TWO_ELEMENTS)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "1" * 18,
        WANG[1][:17],
        WANG[1] + "0",
        "99010119900230001" + rules.check_digit("99010119900230001"),
        "99010119901301001" + rules.check_digit("99010119901301001"),
        "99010120261123001" + rules.check_digit("99010120261123001"),
        "99010118700101001" + rules.check_digit("99010118700101001"),
        "09010119900101001" + rules.check_digit("09010119900101001"),
        "９" + WANG[1][1:],
        "²" * 18,
        WANG[1][:16] + "X" + WANG[1][17],
    ],
)
def test_a_citizen_number_has_form_checksum_and_a_birth_date_that_can_be(number: str) -> None:
    assert rules.citizen_number(number, DAY) is None


def test_a_right_citizen_number_tells_region_birth_and_sex() -> None:
    read = rules.citizen_number(f" {WANG[1].lower()} ", DAY)
    assert read is not None
    assert (read.region, read.born, read.male) == ("990101", dt.date(1990, 3, 15), True)


@pytest.mark.parametrize(("name", "masked"), [("王明", "王*"), ("王晓明", "王*明"), ("欧阳小明", "欧**明"), ("买买提·艾力", "买****力")])
def test_names_are_masked_but_for_their_ends(name: str, masked: str) -> None:
    assert rules.masked_name(name) == masked


def test_names_are_han_characters_and_one_kind_of_dot() -> None:
    assert rules.person_name("买买提•艾力") == "买买提·艾力"
    assert rules.person_name(" 王 晓明 ") == "王晓明"
    for wrong in ("Wang", "王", "王晓明1", "·王明", "王\u200b明", "<王明>"):
        assert rules.person_name(wrong) is None


@pytest.mark.parametrize(
    ("born", "on", "band"),
    [
        (dt.date(2012, 11, 22), DAY, AgeBand.MINOR),
        (dt.date(2012, 11, 23), DAY, AgeBand.UNDER_14),
        (dt.date(2008, 11, 22), DAY, AgeBand.ADULT),
        (dt.date(2008, 11, 23), DAY, AgeBand.MINOR),
        (dt.date(1966, 11, 22), DAY, AgeBand.ELDER),
        (dt.date(2008, 2, 29), dt.date(2026, 2, 28), AgeBand.MINOR),
        (dt.date(2008, 2, 29), dt.date(2026, 3, 1), AgeBand.ADULT),
    ],
)
def test_age_bands_change_on_the_birthday(born: dt.date, on: dt.date, band: AgeBand) -> None:
    assert rules.age_band(born, on) is band
