"""One-time authorisations: who gets them, what they say, what they may cost, and how a loss reaches gates without network."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import citycode
from cards import errors, lifecycle
from cards.authorisations import issuing, listing, trusting
from cards.authorisations.identities import identity, origin
from cards.authorisations.reading import holders
from cards.authorisations.rules import window
from cards.loss import report_loss, take_back_loss
from citycode.hotlist import EMPTY, Hotlist
from core import clock, crypto
from core.actors import Actor
from core.errors import NotFound
from tests.cards.conftest import LINHU, YUNCHUAN, City, on, proved, terminal

READABLE = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
    " AND has_table_privilege(oid, 'SELECT')"
)


@pytest.fixture(autouse=True)
def _keys_of_this_database() -> None:
    crypto.signing.forget()


class Wallet:
    """The part of a phone that holds one-time keys."""

    def __init__(self, city: City, holder: Actor, card: Any, *, count: int = 3, limit_fen: int = 1_000, shown: bool = False) -> None:
        self.keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(count)]
        halves = [citycode.x_and_parity(key.public_key()) for key in self.keys]
        points = [base64.urlsafe_b64encode(bytes([2 + odd]) + x).decode() for x, odd in halves]
        self.given = city.do(
            lambda: issuing.give(holder, lifecycle.held(holder, card.id), keys=points, limit_fen=limit_fen, shows_concession=shown)
        )

    def code(self, nth: int = 0) -> str:
        text = self.given.authorisations[nth]
        return citycode.make(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), self.keys[nth], now=clock.timestamp())

    def ids(self) -> list[bytes]:
        return [citycode.read(self.code(nth)).authorisation.terms.id for nth in range(len(self.keys))]


def verified(city: City, code: str, city_id: int = YUNCHUAN) -> citycode.Verified:
    return citycode.verify(code, city.do(trusting.every_key_ever, city_id), now=int(clock.timestamp()))


def gate_list(city: City, known: Hotlist = EMPTY) -> Hotlist:
    """What a gate has after asking for what is new."""
    found = city.do(listing.changes, YUNCHUAN, known.version)
    before = EMPTY if found.full else known
    return before.after(version=found.version, made_at=int(found.made_at.timestamp()), added=found.added, removed=found.removed)


def test_a_phone_gets_authorisations_that_a_gate_accepts(city: City) -> None:
    holder, card, _ = city.ready()
    phone = Wallet(city, holder, card)
    seen = [verified(city, phone.code(nth)) for nth in range(3)]
    assert {each.limit_fen for each in seen} == {1_000}
    assert len({each.id for each in seen}) == 3
    assert all(each.starts_at % 3600 == 0 and each.expires_at - each.starts_at == 24 * 3600 for each in seen)
    assert {each.concession for each in seen} == {0}


def test_the_class_is_shown_when_the_phone_asks_for_it(city: City) -> None:
    holder, card, _ = city.ready()
    assert verified(city, Wallet(city, holder, card, shown=True).code()).concession == 1


def test_a_code_of_one_city_is_not_taken_in_another(city: City) -> None:
    holder, card, _ = city.ready()
    code = Wallet(city, holder, card).code()
    city.do(trusting.issuer, LINHU)
    with pytest.raises(citycode.Refused) as refusal:
        verified(city, code, LINHU)
    assert refusal.value.reason == "unknown_issuer"


def test_only_the_centre_ties_an_id_to_a_card(city: City) -> None:
    """No table holds an id or anything computed of it without the key, until the hotlist must."""
    holder, card, _ = city.ready()
    found = Wallet(city, holder, card).ids()
    assert {holders_of.card_id for holders_of in city.do(holders, found).values()} == {card.id}
    tables = [name for (name,) in city.rows(READABLE) if name != "hotlist_change"]
    for table in tables:
        for row in city.rows(f"SELECT t::text FROM {table} t"):
            assert not any(each.hex() in str(row) for each in found), table


def test_an_id_is_read_back_and_any_other_means_nothing(city: City) -> None:
    assert origin(identity(7, 199)) == (7, 199)
    assert origin(bytes(16)) is None
    assert city.do(holders, [identity(10**9, 0), bytes(16)]) == {}
    assert len({identity(1, place) for place in range(200)}) == 200


def test_authorisations_need_a_phone_a_good_card_and_whole_keys(city: City) -> None:
    holder, card, _ = city.ready()
    with pytest.raises(errors.DeviceNeeded):
        Wallet(city, on(holder, device_id=None), card)
    with pytest.raises(errors.LimitUnknown):
        Wallet(city, holder, card, limit_fen=999)
    with pytest.raises(NotFound):
        Wallet(city, city.resident(), card)
    for wrong in (["A" * 44], [base64.urlsafe_b64encode(b"\x02" + b"\xff" * 32).decode()], ["Ag" + "A" * 42] * 2):
        with pytest.raises(errors.OneTimeKeyInvalid):
            city.do(
                lambda wrong=wrong: issuing.give(holder, lifecycle.held(holder, card.id), keys=wrong, limit_fen=0, shows_concession=False)
            )
    city.do(report_loss, holder, card.id)
    with pytest.raises(errors.CardLost):
        Wallet(city, holder, card)


def test_a_frozen_card_gets_none(city: City) -> None:
    holder, card, _ = city.ready()
    city.do(lifecycle.take_by_name, city.clerk, card.id, "freeze", reason="test")
    with pytest.raises(errors.CardFrozen):
        Wallet(city, holder, card)


def test_what_is_at_stake_has_a_bound_for_a_card_and_a_day(city: City, at: Callable[[float], None]) -> None:
    holder, card, _ = city.ready()
    Wallet(city, holder, card, count=50)
    with pytest.raises(errors.TooMuchAtStake):
        Wallet(city, holder, card, count=1)
    Wallet(city, holder, card, count=5, limit_fen=0)
    at(24 * 3600)
    Wallet(city, holder, card, count=1)


def test_a_loss_is_listed_in_its_own_transaction_and_taken_back(city: City) -> None:
    holder, card, _ = city.ready()
    phone, other = Wallet(city, holder, card), Wallet(city, *city.ready()[:2])
    before = gate_list(city)
    city.do(report_loss, holder, card.id)
    after = gate_list(city, before)
    assert all(after.lists(each) for each in phone.ids())
    assert not any(after.lists(each) for each in other.ids())
    assert gate_list(city).entries == gate_list(city, after).entries
    city.do(take_back_loss, proved(holder), card.id)
    assert not any(gate_list(city, after).lists(each) for each in phone.ids())


@pytest.mark.parametrize("step", ["freeze", "lock", "mark_bad", "cancel"])
def test_whatever_refuses_a_card_lists_it(city: City, step: str) -> None:
    holder, card, _ = city.ready()
    phone = Wallet(city, holder, card)
    city.do(lifecycle.take_by_name, city.clerk, card.id, step, reason="test")
    assert all(gate_list(city).lists(each) for each in phone.ids())


def test_two_reasons_keep_a_card_listed_until_both_are_gone(city: City) -> None:
    holder, card, _ = city.ready()
    phone = Wallet(city, holder, card)
    city.do(report_loss, holder, card.id)
    city.do(lifecycle.take_by_name, city.clerk, card.id, "freeze", reason="test")
    city.do(take_back_loss, proved(holder), card.id)
    assert all(gate_list(city).lists(each) for each in phone.ids())
    city.do(lifecycle.take_by_name, city.clerk, card.id, "resume", reason="test")
    assert not any(gate_list(city).lists(each) for each in phone.ids())


def test_a_removed_phone_stays_listed_whatever_happens_to_the_card(city: City) -> None:
    holder, card, _ = city.ready()
    phone = Wallet(city, holder, card)
    assert city.do(listing.end_device, holder.device_id) == 1
    city.do(report_loss, holder, card.id)
    city.do(take_back_loss, proved(holder), card.id)
    assert all(gate_list(city).lists(each) for each in phone.ids())


def test_expired_entries_leave_the_snapshot_and_are_swept(city: City, at: Callable[[float], None]) -> None:
    holder, card, _ = city.ready()
    Wallet(city, holder, card)
    city.do(report_loss, holder, card.id)
    assert len(gate_list(city).entries) == 3
    at(25 * 3600)
    assert len(gate_list(city).entries) == 0
    at(25 * 3600)
    assert city.do(listing.sweep) == 3


def test_a_terminal_says_what_it_has(city: City) -> None:
    holder, card, _ = city.ready()
    Wallet(city, holder, card)
    city.do(report_loss, holder, card.id)
    gate = terminal(YUNCHUAN, "offline:accept")
    city.do(listing.acknowledge, gate, 1)
    city.do(listing.acknowledge, gate, 1)
    assert city.rows("SELECT version FROM hotlist_ack WHERE terminal_id = %s", gate.id) == [(1,)]
    with pytest.raises(NotFound):
        city.do(listing.acknowledge, gate, 99)


def test_a_changed_issuer_key_leaves_old_codes_good_until_their_end(city: City, at: Callable[[float], None]) -> None:
    holder, card, _ = city.ready()
    old = Wallet(city, holder, card, limit_fen=0)
    crypto.rotate(trusting.purpose(YUNCHUAN))
    assert len(city.do(trusting.trusted, YUNCHUAN)) == 2
    at(20 * 60)
    new = Wallet(city, holder, card, limit_fen=0)
    first, second = verified(city, old.code()), verified(city, new.code())
    assert first.key_id != second.key_id
    at(25 * 3600)
    assert [key.key_id for key in city.do(trusting.trusted, YUNCHUAN)] == [second.key_id.hex()]


def test_two_reports_at_once_make_two_versions_in_order(city: City) -> None:
    first, second = city.ready(), city.ready()
    for holder, card, _ in (first, second):
        Wallet(city, holder, card)
        city.do(report_loss, holder, card.id)
    assert city.rows("SELECT DISTINCT version FROM hotlist_change ORDER BY 1") == [(1,), (2,)]
    assert city.rows("SELECT version FROM hotlist_version WHERE city_id = %s", YUNCHUAN) == [(2,)]


def test_windows_are_the_same_for_everybody(city: City) -> None:
    holder, card, _ = city.ready()
    given = Wallet(city, holder, card).given
    assert given.starts_at.astimezone(clock.CHINA).timetz().replace(tzinfo=None) == dt.time(4)
    assert given.starts_at <= clock.now() < given.expires_at == given.starts_at + dt.timedelta(hours=24)
    moment = dt.datetime(2026, 3, 2, 3, 59, tzinfo=clock.CHINA)
    assert window(moment)[0].astimezone(clock.CHINA).date() == dt.date(2026, 3, 1)
    assert window(moment, following=True) == window(moment + dt.timedelta(minutes=1))
