"""The answer that is kept for a repeated fetch of authorisations: the same for the phone, and nothing for whoever reads the database."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import citycode
import migrations
from config.settings import Settings
from core import crypto, db
from core.web import Routes, resident
from tests.cards.conftest import City
from tests.cards.test_authorisations import READABLE
from tests.cards.test_routes import Client, http, issued

__all__ = ["http"]

pytestmark = pytest.mark.subset

KEY = "a-fetch-of-three"


@pytest.fixture(autouse=True)
def _keys_of_this_database() -> None:
    crypto.signing.forget()


def keys(count: int) -> list[str]:
    """One-time public keys as a phone sends them."""
    halves = [citycode.x_and_parity(ec.generate_private_key(ec.SECP256R1()).public_key()) for _ in range(count)]
    return [base64.urlsafe_b64encode(bytes([2 + odd]) + x).decode() for x, odd in halves]


def read(authorisation: str) -> bytes:
    """The id in an authorisation, which everybody sees who scans its code."""
    return citycode.read_authorisation(base64.urlsafe_b64decode(authorisation + "=" * (-len(authorisation) % 4))).terms.id


def everything(city: City) -> str:
    """What a copy of the database says, but for the hotlist, which is public."""
    tables = [name for (name,) in city.rows(READABLE) if name != "hotlist_change"]
    return "\n".join(str(row) for table in tables for row in city.rows(f"SELECT t::text FROM {table} t"))


def test_a_repetition_gets_the_same_authorisations_and_a_copy_of_the_database_none(http: Client) -> None:
    holder = http.city.resident()
    path = f"/api/cards/{issued(http, holder)['id']}/authorisations"
    body = {"keys": keys(3), "limit_fen": 0}
    first: Any = http.send(holder, "POST", path, body, **{"Idempotency-Key": KEY})
    assert first.status_code == 201, first.text
    again: Any = http.send(holder, "POST", path, body, **{"Idempotency-Key": KEY})
    assert (again.status_code, again.json, again.headers["Idempotency-Replayed"]) == (201, first.json, "true")
    assert http.city.rows("SELECT size FROM authorisation_batch") == [(3,)]
    copy = everything(http.city)
    for authorisation, point in zip(first.json["authorisations"], body["keys"], strict=True):
        assert not [said for said in (authorisation, read(authorisation).hex(), point) if said in copy]


def test_what_was_asked_is_not_found_by_trying_contents_out_and_still_cannot_change(http: Client) -> None:
    holder = http.city.resident()
    path = f"/api/cards/{issued(http, holder)['id']}/authorisations"
    body = {"keys": keys(1), "limit_fen": 0}
    assert http.send(holder, "POST", path, body, **{"Idempotency-Key": KEY}).status_code == 201
    sent = b"\n".join((b"POST", path.encode(), json.dumps(body, separators=(",", ":")).encode()))
    spaced = b"\n".join((b"POST", path.encode(), json.dumps(body).encode()))
    ((kept,),) = http.city.rows("SELECT body_hash FROM idempotency WHERE key = %s", KEY)
    assert bytes(kept) not in {hashlib.sha256(each).digest() for each in (sent, spaced)}
    other: Any = http.send(holder, "POST", path, {"keys": keys(1), "limit_fen": 0}, **{"Idempotency-Key": KEY})
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_a_refusal_is_repeated_too(http: Client) -> None:
    holder = http.city.resident()
    path = f"/api/cards/{issued(http, holder)['id']}/authorisations"
    body = {"keys": ["A" * 44], "limit_fen": 0}
    first, again = (http.send(holder, "POST", path, body, **{"Idempotency-Key": KEY}) for _ in range(2))
    assert (first.status_code, first.json["code"]) == (again.status_code, again.json["code"])  # type: ignore[index]  # JSON
    assert again.headers["Idempotency-Replayed"] == "true"


def test_whoever_is_erased_takes_the_kept_answer_along(http: Client) -> None:
    holder = http.city.resident()
    path = f"/api/cards/{issued(http, holder)['id']}/authorisations"
    body = {"keys": keys(1), "limit_fen": 0}
    assert http.send(holder, "POST", path, body, **{"Idempotency-Key": KEY}).status_code == 201
    with db.transaction():
        crypto.shred(holder.id)
    assert http.send(holder, "POST", path, body, **{"Idempotency-Key": KEY}).status_code == 404


def test_an_answer_is_sealed_in_the_transaction_of_its_work_alone() -> None:
    with pytest.raises(TypeError, match="sealed"):
        Routes("x").post("/api/x", operation="x", access=resident(), idempotent="sealed", mode="calls")(lambda actor: None)


def test_answers_from_before_are_forgotten_when_the_program_is_brought_up_to_date(settings: Settings) -> None:
    assert settings.owner_database_url is not None
    with psycopg.connect(settings.owner_database_url, autocommit=True) as connection:
        migrations.downgrade(settings.owner_database_url, "0018")
        answers = {"clear": {"authorisations": ["one"], "limit_fen": 0}, "other": {"id": "card_1"}}
        for key, answer in answers.items():
            put = "INSERT INTO idempotency (principal, key, body_hash, status, answer) VALUES (gen_random_uuid(), %s, '', 201, %s::jsonb)"
            connection.execute(put, (key, json.dumps(answer)))
        migrations.upgrade(settings.owner_database_url)
        assert connection.execute("SELECT key FROM idempotency").fetchall() == [("other",)]
