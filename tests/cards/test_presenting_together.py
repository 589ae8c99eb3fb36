"""Codes that arrive in one moment are presented by one call: each is decided as if it had come alone, and none is consumed for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Never

import psycopg
import pytest

import cards
from bench.limits.present_stubbed import Answered
from cards import presenting
from cards.codes.reading import Candidate, read
from cards.presenting import Shown, present_shown
from core import clock, db, ids
from core.poster import Ask, GroupPoster
from core.prepared import Row
from tests.cards.conftest import LINHU, YUNCHUAN, City, Phone

pytestmark = pytest.mark.subset


def shown(city: City, phone: Phone, **changes: Any) -> Shown:
    """A fresh code of the phone on its way from the city's till."""
    found = read(phone.code(), clock.now(), city_id=YUNCHUAN)
    assert isinstance(found, Candidate)
    one = Shown(
        id=ids.new_id(), city_id=YUNCHUAN, actor_kind="terminal", actor_id=city.till.id,
        handle=found.handle, generation=found.generation, step=found.step, tap=found.tap,
        purpose="present", fields="{masked_name,card_tail}",
    )  # fmt: skip
    return one._replace(**changes)


def asked(*items: Shown) -> list[Row]:
    """What one call answers."""
    return present_shown(db.connection(), [Ask(item, frozenset()) for item in items])


def refusals(*items: Shown) -> list[str | None]:
    """The refusals of one call, in order."""
    return [row[0].decode() if row[0] is not None else None for row in asked(*items)]


def uses(city: City) -> list[tuple[Any, ...]]:
    """The lines that residents read, by the presentation's id."""
    return city.rows("SELECT id, resident_id, fields FROM data_use WHERE purpose = 'present' ORDER BY id")


def test_each_of_a_group_is_answered_as_if_it_had_come_alone(city: City) -> None:
    (good, card, phone), (lost, lost_card, lost_phone), (_, _, used_phone), (again, _, again_phone) = (city.ready() for _ in range(4))
    city.do(cards.report_loss, lost, lost_card.id)
    used = shown(city, used_phone)
    assert refusals(used) == [None]
    group = (
        shown(city, lost_phone),
        shown(city, again_phone),
        used._replace(id=ids.new_id()),
        shown(city, phone, generation=2),
        shown(city, phone, city_id=LINHU),
        shown(city, phone, handle=49_999_999),
        shown(city, phone),
    )
    answers = asked(*group)
    told = [row[0].decode() if row[0] else None for row in answers]
    assert told == ["card_lost", None, "code_used", "pay_key_revoked", "code_of_other_city", "pay_key_revoked", None]
    assert [row[2].decode() for row in (answers[0], answers[1], answers[6]) if row[2]] == [str(lost.id), str(again.id), str(good.id)]
    number = answers[6][5]
    assert number is not None
    assert number.decode() == card.number
    assert all(value is None for value in answers[0][4:]), "of a refused card nothing is told"
    assert {row[0] for row in uses(city)} == {used.id, group[1].id, group[6].id}
    assert uses(city)[-1][2] == ["masked_name", "card_tail"]


def test_of_two_in_one_call_the_first_gets_the_code(city: City) -> None:
    _, _, phone = city.ready()
    first = shown(city, phone)
    second = first._replace(id=ids.new_id(), actor_id=ids.new_id())
    assert refusals(first, second) == [None, "code_used"]
    assert city.rows("SELECT id, terminal_id FROM presented WHERE handle >= 0") == [(first.id, city.till.id)]
    assert [row[0] for row in uses(city)] == [first.id]


def test_who_asks_again_under_the_same_id_is_answered_the_same_and_seen_once(city: City) -> None:
    _, _, phone = city.ready()
    one = shown(city, phone)
    first = asked(one)
    assert asked(one) == first
    assert len(uses(city)) == 1
    assert refusals(one._replace(id=ids.new_id())) == ["code_used"]


@pytest.mark.parametrize("done", [False, True], ids=["before the work", "after the work"])
def test_a_terminal_whose_line_to_the_database_breaks_still_hears_whom_it_may_serve(city: City, done: bool) -> None:
    _, _, phone = city.ready()
    cuts = [1]

    def post(connection: psycopg.Connection[Any], asks: Sequence[Ask[Shown, Row]]) -> list[Row]:
        answers = present_shown(connection, asks) if done or not cuts else []
        if cuts:
            cut(connection)
        return answers

    def cut(connection: psycopg.Connection[Any]) -> Never:
        cuts.clear()
        connection.close()
        raise psycopg.OperationalError("the connection is gone")

    poster: GroupPoster[Shown, Row] = GroupPoster("cut", post, lambda item: (item.id,), connect=db.private_connection)
    one = shown(city, phone)
    assert poster.ask(one)[0] is None
    assert [row[0] for row in uses(city)] == [one.id]


def test_the_limit_of_the_bench_stands_where_the_database_is_asked(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """T5 is measured against the same program with this one part replaced; a part that no longer fits would measure nothing."""
    _, _, phone = city.ready()
    monkeypatch.setattr(presenting, "_poster", Answered())
    given = cards.present(city.till, phone.code())
    assert (given.masked_name, given.form) == ("王*明", "virtual")
    assert uses(city) == []
