"""The demo cities in the database: everybody there, the books balanced, a second seeding without effect, and keys that open doors."""

from __future__ import annotations

import base64
import dataclasses
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import jwt
import psycopg
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

import payments
from app import create_app
from command import db as db_command
from command import people as people_command
from command.applying import apply_data, office_hours
from command.demo_keys import public_jwk
from command.program import program
from command.seeding import seed
from config.cities import City, load, load_all
from config.cities.people import residents
from config.settings import Settings
from core import clock, db, places, workdays
from core.db import transaction

STEP = 30


@pytest.fixture
def demo(demo_settings: Settings) -> Iterator[Flask]:
    made = create_app(demo_settings)
    db.drop_connection()
    yield made
    with made.app_context():
        db.db.engine.dispose()
    db.drop_connection()


@pytest.fixture(scope="module")
def told(demo_settings: Settings) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(people_command, "current_settings", lambda: demo_settings)
        answer = CliRunner().invoke(people_command.people, ["--all"], catch_exceptions=False)
    db.drop_connection()
    found: dict[str, Any] = json.loads(answer.output)
    return found


def count(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.database_url) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]  # statements of this file


def test_everybody_lives_in_their_city(demo_settings: Settings) -> None:
    lived = dict(count(demo_settings, "SELECT city_id, count(*) FROM resident GROUP BY city_id"))
    assert lived == {990100: 5000, 990200: 200}


def test_the_books_balance_and_every_wallet_holds_what_was_topped_up(demo: Flask) -> None:
    with demo.app_context(), transaction():
        for city in load_all():
            balance = payments.ledger.trial_balance(city.id)
            held = {line.kind: line.balance_fen for line in balance.lines}
            topped_up = sum(each.top_up_fen for each in residents(city))
            assert balance.balanced
            assert (held["wallet"], held["clearing"]) == (topped_up, -topped_up)
            assert topped_up > 0


def test_every_card_holder_has_a_wallet_and_the_card_is_tied_to_it(demo_settings: Settings) -> None:
    untied = count(
        demo_settings,
        "SELECT count(*) FROM card c LEFT JOIN wallet w ON w.resident_id = c.resident_id"
        " WHERE w.account_id IS DISTINCT FROM c.wallet_account_id",
    )
    assert untied == [(0,)]


def test_seeding_again_changes_nothing(demo_settings: Settings) -> None:
    written = (
        "SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM transfer), (SELECT count(*) FROM card), max(applied_at) FROM city_data"
    )
    before = count(demo_settings, written)
    seed(demo_settings)
    assert count(demo_settings, written) == before


def test_changed_city_data_are_applied_and_the_people_stay(demo_settings: Settings) -> None:
    with psycopg.connect(demo_settings.database_url) as connection:
        connection.execute("UPDATE city_data SET fingerprint = 'older' WHERE city_id = 990200 AND part = 'data'")
        connection.execute("UPDATE region SET zh = '旧名' WHERE code = '990201'")
    before = count(demo_settings, "SELECT count(*), max(id::text) FROM card")
    seed(demo_settings)
    assert count(demo_settings, "SELECT zh FROM region WHERE code = '990201'") == [("镜湖区",)]
    assert count(demo_settings, "SELECT count(*), max(id::text) FROM card") == before


def test_one_city_alone_can_be_seeded(settings: Settings) -> None:
    seed(dataclasses.replace(settings, cities=("linhu",), default_city="linhu"))
    assert count(settings, "SELECT DISTINCT city_id FROM resident") == [(990200,)]
    db.drop_connection()


def test_an_upgrade_brings_the_terms_of_a_citys_wallets_along_and_lets_nobody_move_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with program(settings):
        apply_data(load("linhu"), "data")
    with psycopg.connect(settings.owner_database_url or "") as owner:
        owner.execute("UPDATE card_product SET terms = terms - 'wallet'")
        owner.execute("UPDATE city_data SET fingerprint = 'older'")
    monkeypatch.setattr(db_command, "current_settings", lambda: settings)
    upgraded, again = (CliRunner().invoke(db_command.upgrade, catch_exceptions=False) for _ in range(2))
    assert ("linhu" in upgraded.output, "yunchuan" in upgraded.output, again.output) == (True, False, "")
    without = "SELECT count(*) FILTER (WHERE NOT terms ? 'wallet'), (SELECT count(*) FROM resident) FROM card_product"
    assert count(settings, without) == [(0, 0)]


def test_every_resident_lives_in_the_cell_in_which_their_house_stands(demo: Flask) -> None:
    with demo.app_context(), transaction():
        for each in residents(load("yunchuan"))[::97]:
            cell = places.cell_at(each.point, city_id=each.city_id)
            assert cell is not None
            assert cell.code == each.cell


def test_the_calendar_is_that_of_the_country_and_the_city(demo: Flask) -> None:
    with demo.app_context(), transaction():
        founding_day = load("linhu").calendar.days[0].date
        assert workdays.is_working_day(990100, founding_day)
        assert not workdays.is_working_day(990200, founding_day)


@pytest.mark.parametrize(("slug", "spans"), [("yunchuan", 10), ("linhu", 10)])
def test_office_hours_are_read_from_the_line_on_the_door(slug: str, spans: int) -> None:
    assert len(list(office_hours(load(slug)))) == spans


def of(told: dict[str, Any], city: City) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in told["cities"] if each["city_id"] == city.id)
    return found


def test_people_tells_everybody_with_a_card_that_stands_as_the_citys_data_say(told: dict[str, Any]) -> None:
    for city in load_all():
        shown = {each["key"]: each for each in of(told, city)["people"]}
        assert len(shown) == city.facts.residents
        for person in residents(city):
            standing = [card["standing"] for card in shown[person.key]["cards"]]
            assert standing == ([] if person.card == "none" else [person.card])


def test_people_shows_cards_in_every_state(told: dict[str, Any]) -> None:
    states = of(told, load("yunchuan"))["cards_by_state"]
    assert set(states) == {"active", "inactive", "lost", "frozen", "locked", "expired", "cancelled"}


def test_a_clerk_signs_in_with_what_people_tells(demo: Flask, told: dict[str, Any]) -> None:
    for city in told["cities"]:
        for member in city["staff"]:
            key = ec.generate_private_key(ec.SECP256R1())
            path = "/api/staff-sessions"
            claims = {"htm": "POST", "htu": told["address"] + path, "iat": int(clock.timestamp()), "jti": secrets.token_urlsafe(16)}
            proof = jwt.encode(claims, key, algorithm="ES256", headers={"typ": "dpop+jwt", "jwk": public_jwk(key)})
            body = {
                "login": member["login"],
                "password": member["password"],
                "code": one_time(member["totp_secret"]),
                "city": city["city_id"],
            }
            answer = demo.test_client().post(path, json=body, headers={"DPoP": proof})
            assert answer.status_code == 201, answer.get_json()


def one_time(secret: str) -> str:
    """The six digits of RFC 6238, made as an authenticator app makes them."""
    digest = hmac.digest(base64.b32decode(secret), (int(clock.timestamp()) // STEP).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def test_every_terminal_signs_in_with_its_key(demo: Flask, told: dict[str, Any]) -> None:
    for city in told["cities"]:
        for terminal in city["terminals"]:
            key = jwt.PyJWK(terminal["private_jwk"], algorithm="ES256").key
            name = terminal["terminal"]
            claims = {"iss": name, "sub": name, "aud": told["address"], "iat": int(time.time()), "jti": secrets.token_urlsafe(16)}
            assertion = jwt.encode(claims, key, algorithm="ES256", headers={"typ": "terminal+jwt", "kid": name})
            answer = demo.test_client().post("/api/terminal-sessions", json={"assertion": assertion})
            assert answer.status_code == 201, answer.get_json()


def test_production_has_no_demo_people(demo_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_command, "current_settings", lambda: dataclasses.replace(demo_settings, environment="production"))
    answer = CliRunner().invoke(people_command.people)
    assert answer.exit_code == 1
    assert "production" in answer.output
