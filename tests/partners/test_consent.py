"""The consent ledger: nothing is read without a consent that holds at that moment, and every read can be seen (threats 26, 27)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import auth
from auth.consents import subjects
from auth.partners import registering
from auth.partners.registering import PurposeText
from core import clock, db, ids
from core.actors import Actor, ActorKind, system
from tests.auth.conftest import LI, WANG, YUNCHUAN, House, citizen_number, phone_number
from tests.partners.conftest import System, claims, public_jwk

Partners = Callable[..., System]


def grant(house: House, token: str, library: System, purpose: str = "lending", version: int = 1) -> Any:
    body = {"partner": library.client_id, "purpose": purpose, "text_version": version}
    return house.post("/api/me/consents", body, token=token)


def read(house: House, token: str, subject: str, purpose: str = "lending") -> Any:
    return house.call("GET", f"/api/partner/residents/{subject}?purpose={purpose}", token=token)


def subject_of(library: System, resident: str) -> str:
    with db.transaction():
        return subjects.subject_for(library.id, ids.parse("resident", resident), YUNCHUAN)


@pytest.fixture
def wang(house: House) -> tuple[str, str]:
    """A named resident's token and id."""
    token = house.named(person=WANG)[1]["access_token"]
    return token, house.call("GET", "/api/me", token=token).json["id"]


def test_a_partner_reads_what_was_consented_and_the_resident_sees_it(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    library, (token, resident) = partner(), wang
    own, subject = library.own_token("resident:read"), subject_of(library, resident)
    assert read(house, own, subject).json["code"] == "consent_missing"
    given = grant(house, token, library)
    assert given.status_code == 201, given.text
    answer = read(house, own, subject)
    assert answer.json["fields"] == {"masked_name": "王*明", "age_band": "adult", "phone": answer.json["fields"]["phone"]}
    assert (answer.json["purpose"], answer.json["text_version"]) == ("lending", 1)
    used = house.call("GET", "/api/me/data-uses", token=token).json["items"]
    assert [(use["by_name"], use["purpose"]) for use in used] == [("云川市图书馆", "lending")]
    assert house.call("DELETE", f"/api/me/consents/{given.json['id']}", token=token).status_code == 204
    assert read(house, own, subject).json["code"] == "consent_missing"
    assert len(house.call("GET", "/api/me/data-uses", token=token).json["items"]) == 1, "a refused read is no use"


def test_a_consent_for_one_purpose_opens_no_other(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    library, (token, resident) = partner(), wang
    grant(house, token, library)
    own, subject = library.own_token(), subject_of(library, resident)
    assert read(house, own, subject, "records").json["code"] == "consent_missing"
    assert read(house, own, subject, "nothing").json["code"] == "purpose_unknown"


def test_a_consent_for_one_partner_opens_nothing_to_another(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    library, other, (token, resident) = partner(), partner("other"), wang
    grant(house, token, library)
    assert read(house, other.own_token(), subject_of(library, resident)).status_code == 404
    assert read(house, other.own_token(), subject_of(other, resident)).json["code"] == "consent_missing"


def test_a_token_without_the_scope_reads_nothing(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    library, (token, resident) = partner(), wang
    grant(house, token, library)
    answer = read(house, library.own_token("presentation:verify"), subject_of(library, resident))
    assert (answer.status_code, answer.json["code"]) == (403, "denied")


def test_a_consent_runs_out(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    library, (token, resident) = partner(), wang
    grant(house, token, library)
    house.later(days=366)
    assert read(house, library.own_token(), subject_of(library, resident)).json["code"] == "consent_missing"


def test_a_newer_text_is_read_before_it_is_agreed_to(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    library, (token, _) = partner(), wang
    with db.transaction():
        found = registering.living(library.id)
        assert found is not None
        text = PurposeText(code="lending", zh="新的文本：也要生日", en="A new text: the birthday too", fields=("masked_name", "birth_date"))
        registering.write_purpose(system("test", YUNCHUAN), found, text)
    assert grant(house, token, library).json["code"] == "consent_text_outdated"
    assert grant(house, token, library, version=2).status_code == 201


def test_an_older_consent_never_opens_what_a_newer_text_names(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    library, (token, resident) = partner(), wang
    grant(house, token, library)
    with db.transaction():
        found = registering.living(library.id)
        assert found is not None
        text = PurposeText(
            code="lending", zh="新的文本：也要号码", en="A new text: the number too", fields=("masked_name", "citizen_number")
        )
        registering.write_purpose(system("test", YUNCHUAN), found, text)
    assert "citizen_number" not in read(house, library.own_token(), subject_of(library, resident)).json["fields"]


def test_sensitive_fields_ask_for_a_fresh_proof(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    library, (token, _) = partner(), wang
    house.later(minutes=6)
    assert grant(house, token, library, "records").json["code"] == "step_up_needed"
    assert grant(house, token, library, "lending").status_code == 201


def test_under_fourteen_a_guardian_has_to_consent(house: House, partner: Partners) -> None:
    child = auth.Newcomer(phone=phone_number(), name="张伟", citizen_number=citizen_number(dt.date(2015, 5, 1), 3), identity_level=2)
    with db.transaction():
        auth.admit_many(YUNCHUAN, [child])
    actor = Actor(kind=ActorKind.RESIDENT, id=child.id, city_id=YUNCHUAN, identity_level=2, strength=2, signed_in_at=clock.now())
    token = auth.parts().tokens.issue(actor).access_token
    assert grant(house, token, partner()).json["code"] == "guardian_must_consent"


def test_somebody_elses_consent_is_not_found(house: House, partner: Partners, wang: tuple[str, str]) -> None:
    given = grant(house, wang[0], partner()).json["id"]
    stranger = house.named(person=LI)[1]["access_token"]
    assert house.call("DELETE", f"/api/me/consents/{given}", token=stranger).status_code == 404
    assert house.call("GET", "/api/me/consents", token=stranger).json["items"] == []


def test_withdrawing_the_sign_in_ends_every_token_of_it(house: House, partner: Partners) -> None:
    from tests.partners.conftest import Desk, Web

    desk = Desk(house, partner(), Web(house.app.test_client()))
    desk.named()
    tokens = desk.tokens(scope="openid offline_access phone")
    consent = house.call("GET", "/api/me/consents", token=desk.token).json["items"][0]
    assert (consent["purpose"], consent["fields"]) == ("sign_in", ["phone"])
    house.call("DELETE", f"/api/me/consents/{consent['id']}", token=desk.token)
    assert desk.library.userinfo(tokens["access_token"]).status_code == 401
    assert desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert claims(tokens["id_token"])["sub"]


def test_staff_register_a_partner_that_can_work_at_once(house: House) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    key, administrator = ec.generate_private_key(ec.SECP256R1()), house.staff("administrator")
    body = {
        "code": "pool",
        "zh": "市游泳馆",
        "en": "City Pool",
        "agency": ids.show("agency", ids.new_id()),
        "scopes": ["resident:read"],
        "keys": [{**public_jwk(key), "kid": "one"}],
        "purposes": [{"code": "entry", "zh": "核验年龄段", "en": "Check the age group", "fields": ["age_band"]}],
    }
    made = house.post("/api/partners", body, token=administrator, Idempotency_Key="one-pool-1")
    assert made.status_code == 201, made.text
    pool = System(house, ids.parse("partner", made.json["id"]), key)
    assert pool.own_token("resident:read")
    off = house.call("PUT", f"/api/partners/{made.json['id']}/state", {"on": False}, token=administrator)
    assert off.json["switched_off_at"]
    assert pool.ask("client_credentials").json["error"] == "invalid_client"
    again = {**body, "keys": []}
    assert house.post("/api/partners", again, token=administrator, Idempotency_Key="one-pool-2").json["code"] == "partner_keys_invalid"
    insecure = {**body, "code": "p2", "redirect_uris": ["http://pool.example/"]}
    assert house.post("/api/partners", insecure, token=administrator, Idempotency_Key="one-pool-3").json["code"] == "redirect_uri_invalid"
    assert house.post("/api/partners", body, token=house.staff("counter_clerk"), Idempotency_Key="one-pool-4").status_code == 403


def test_no_order_of_granting_withdrawing_and_waiting_opens_a_read_without_consent(
    house: House, partner: Partners, wang: tuple[str, str]
) -> None:
    """A model beside the program: whether consent holds is known after every step, and the read agrees."""
    library, (token, resident) = partner(), wang
    with db.transaction():
        actor = system("test", YUNCHUAN)
        subject = subjects.subject_for(library.id, ids.parse("resident", resident), YUNCHUAN)
        assert actor.city_id == YUNCHUAN

    class Ledger(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.own = library.own_token()
            self.held: str | None = None
            for each in house.call("GET", "/api/me/consents?limit=100", token=token).json["items"]:
                house.call("DELETE", f"/api/me/consents/{each['id']}", token=token)

        @rule(purpose=st.sampled_from(["lending", "lending", "records"]))
        def consent(self, purpose: str) -> None:
            given = grant(house, token, library, purpose)
            if purpose == "lending" and given.status_code == 201:
                self.held = given.json["id"]

        @rule()
        def withdraw(self) -> None:
            if self.held is not None:
                house.call("DELETE", f"/api/me/consents/{self.held}", token=token)
                self.held = None

        @invariant()
        def agrees(self) -> None:
            assert (read(house, self.own, subject).status_code == 200) is (self.held is not None)

    chosen = settings(max_examples=8, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Ledger, settings=chosen)
