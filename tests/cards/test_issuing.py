"""Issue: numbers, one live card, the holder's name, what runs with it, and thousands at once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import psycopg.errors
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

import cards
from cards.errors import CardIssuedAlready, CardNumberWrong, NumbersExhausted, ProductUnknown, RangeChanged
from cards.numbers import is_valid
from cards.products import draw_numbers, product_of
from core import clock, db, ids
from core.actors import Actor, system
from core.errors import StepUpNeeded
from tests.cards.conftest import LINHU, PREFIXES, YUNCHUAN, City, on, products

pytestmark = pytest.mark.subset


def test_a_card_is_issued_at_once_with_number_name_and_validity(city: City) -> None:
    card = city.card(city.resident())
    assert (card.state, card.form, card.refused, card.version) == ("active", "virtual", None, 1)
    assert card.number.startswith("9901")
    assert is_valid(card.number)
    assert card.masked_name.startswith("王")
    assert "晓" not in card.masked_name
    assert card.expires_on.year == clock.today().year + 10
    assert city.rows("SELECT event FROM outbox WHERE subject = %s", ids.show("card", card.id)) == [("cards:card:issue",)]
    assert city.rows("SELECT event, outcome FROM audit WHERE subject = %s", ids.show("card", card.id)) == [("cards:card:issue", "done")]


def test_below_level_two_nothing_is_issued(city: City) -> None:
    with pytest.raises(StepUpNeeded):
        city.card(on(city.resident(), identity_level=1))
    assert city.rows("SELECT count(*) FROM card") == [(0,)]


def test_a_product_the_city_does_not_have_is_unknown(city: City) -> None:
    with pytest.raises(ProductUnknown):
        city.do(cards.issue_card, city.resident(), "gold")


def test_a_second_live_card_of_the_product_is_refused(city: City) -> None:
    holder = city.resident()
    city.card(holder)
    with pytest.raises(CardIssuedAlready):
        city.card(holder)


def test_of_twenty_requests_at_once_one_gets_the_card(city: City) -> None:
    holder = city.resident()

    def ask(_: int) -> str:
        with city.app.app_context():
            try:
                return city.card(holder).state
            except CardIssuedAlready:
                return "refused"

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(ask, range(20)))
    assert sorted(answers) == ["active"] + ["refused"] * 19


def test_numbers_drawn_by_many_threads_never_meet(city: City) -> None:
    def draw(_: int) -> list[str]:
        with city.app.app_context(), db.transaction():
            return draw_numbers(product_of(YUNCHUAN, "resident"), 50)

    with ThreadPoolExecutor(10) as threads:
        drawn = [number for numbers in threads.map(draw, range(40)) for number in numbers]
    assert len(set(drawn)) == 2_000
    assert all(is_valid(number) for number in drawn)


def test_a_range_that_is_used_up_refuses(city: City) -> None:
    small = {**products("yunchuan")[0], "code": "small", "issuer": "99010009", "number_prefix": "77", "first_number": 1, "last_number": 3}
    city.do(cards.apply_products, YUNCHUAN, [*products("yunchuan"), small])
    assert len(city.do(lambda: draw_numbers(product_of(YUNCHUAN, "small"), 3))) == 3
    with pytest.raises(NumbersExhausted):
        city.do(lambda: draw_numbers(product_of(YUNCHUAN, "small"), 1))


def test_products_applied_again_change_nothing_and_a_missing_one_is_withdrawn(city: City) -> None:
    before = city.rows("SELECT * FROM card_product ORDER BY city_id, code"), city.rows("SELECT * FROM card_range ORDER BY id")
    city.do(cards.apply_products, YUNCHUAN, products("yunchuan"))
    assert (city.rows("SELECT * FROM card_product ORDER BY city_id, code"), city.rows("SELECT * FROM card_range ORDER BY id")) == before
    city.do(cards.apply_products, YUNCHUAN, [])
    assert city.do(lambda: cards.products_of(YUNCHUAN)) == []
    assert len(city.do(lambda: cards.products_of(LINHU))) == 1


@pytest.mark.parametrize("change", [{"first_number": 5}, {"last_number": 10000000001}, {"number_prefix": "99011"}])
def test_a_range_in_use_neither_moves_nor_shrinks_nor_overlaps(city: City, change: dict[str, object]) -> None:
    with pytest.raises(RangeChanged):
        city.do(cards.apply_products, YUNCHUAN, [{**products("yunchuan")[0], **change}])


def test_a_range_grows_at_its_end(city: City) -> None:
    city.do(cards.apply_products, YUNCHUAN, [{**products("yunchuan")[0], "last_number": 29999999999}])
    assert city.rows("SELECT last_number FROM card_range WHERE issuer = '99010001'") == [(29999999999,)]


def test_issuer_and_number_are_one_key_over_all_cities(city: City) -> None:
    first, second = city.card(city.resident()), city.card(city.resident())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.connection().execute("UPDATE card SET number = %s WHERE id = %s", (first.number, second.id))
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.execute(
            text(
                "INSERT INTO card (id, city_id, resident_id, product, issuer, number, form, state, expires_on, masked_name, issued_at,"
                " version) SELECT gen_random_uuid(), city_id, gen_random_uuid(), product, issuer, number, 'physical', state, expires_on,"
                " masked_name, issued_at, 1 FROM card WHERE id = :id"
            ),
            {"id": first.id},
        )


def test_a_card_of_another_issuer_is_bound_by_number_and_proof(city: City) -> None:
    foreign = {"code": "social_security", "zh": "社保卡", "en": "Social security card", "issuer": "MOHRSS", "wallet_mode": "bank"}
    city.do(cards.apply_products, YUNCHUAN, [*products("yunchuan"), foreign])
    holder, number = city.resident(), "A12345678"
    card = city.do(
        cards.bind_card, holder, "social_security", number=number, expires_on=dt.date(2035, 1, 1), bound_by="issuer_register:2026-11"
    )
    assert (card.issuer, card.number, card.bound_by, card.refused) == ("MOHRSS", number, "issuer_register:2026-11", None)
    assert city.do(cards.mirror, system("issuer"), card.id, "lost").refused == "card_refused_by_issuer"
    assert city.do(cards.mirror, system("issuer"), card.id, "active").refused is None
    with pytest.raises(CardNumberWrong):
        city.do(
            cards.bind_card, city.resident(), "social_security", number=number, expires_on=dt.date(2035, 1, 1), bound_by="issuer_register:2"
        )


def test_what_upper_floors_do_with_a_new_card_is_one_transaction_with_it(city: City) -> None:
    account = ids.new_id()

    def open_wallet(actor: Actor, card: cards.CardView) -> None:
        assert card.product == "resident"
        cards.link_wallet(card.id, account)

    def fail(actor: Actor, card: cards.CardView) -> None:
        raise RuntimeError("no wallet")

    holder = city.resident()
    cards.configure(prefixes=PREFIXES, after_issue=(fail,))
    with pytest.raises(RuntimeError, match="no wallet"):
        city.card(holder)
    assert city.rows("SELECT count(*) FROM card") == [(0,)]
    cards.configure(prefixes=PREFIXES, after_issue=(open_wallet,))
    assert city.card(holder).wallet_account_id == account


def test_five_thousand_cards_in_every_state_have_their_history(city: City) -> None:
    now = clock.now()
    wanted = [cards.NewCard(resident_id=ids.new_id(), masked_name="李*英") for _ in range(4_990)]
    wanted += [
        cards.NewCard(resident_id=ids.new_id(), masked_name="刘*", lost_at=now, loss_lapses_at=now + dt.timedelta(days=15)),
        cards.NewCard(resident_id=ids.new_id(), masked_name="刘*", lost_at=now),
        cards.NewCard(resident_id=ids.new_id(), masked_name="赵*", expires_on=dt.date(2024, 1, 1)),
        cards.NewCard(resident_id=ids.new_id(), masked_name="张*", state="cancelled"),
        cards.NewCard(resident_id=ids.new_id(), masked_name="张*", state="inactive", frozen_at=now, locked_at=now, bad_at=now),
    ]
    made = city.do(cards.issue_many, system("seed"), YUNCHUAN, "resident", wanted)
    city.do(cards.link_wallets, [(card.id, ids.new_id()) for card in made])
    assert len({card.number for card in made}) == 4_995
    assert city.rows("SELECT count(*) FROM card WHERE wallet_account_id IS NOT NULL") == [(4_995,)]
    assert city.rows("SELECT count(*) FROM card c WHERE version <> (SELECT count(*) FROM card_event e WHERE e.card_id = c.id)") == [(0,)]
