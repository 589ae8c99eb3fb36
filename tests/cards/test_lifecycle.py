"""The life of a card: loss above all, the flags beside the state, and a history nobody can bend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import psycopg.errors
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError, ProgrammingError

import cards
from cards.errors import CardFrozen, CardStepForbidden, LossIsFormal, LossNotReported, NotTheHolder, PayKeyRevoked
from cards.loss import lapse_losses, take_back_at_counter
from core import clock, db, ids, workdays
from core.actors import Actor, system
from core.errors import Conflict, NotFound, StepUpNeeded
from tests.cards.conftest import LINHU, PREFIXES, YUNCHUAN, City, lasting, on, products, proved, staff

pytestmark = pytest.mark.subset


def events(city: City, card: cards.CardView) -> list[str]:
    """The steps of a card, in order."""
    return [row[0] for row in city.rows("SELECT event FROM card_event WHERE card_id = %s ORDER BY ordinal", card.id)]


def test_a_loss_is_in_force_with_its_commit_and_taken_back_by_the_holder(city: City) -> None:
    holder = city.resident()
    card = city.card(holder)
    lost = city.do(cards.report_loss, holder, card.id)
    assert (lost.refused, lost.state, lost.loss_kind) == ("card_lost", "active", "temporary")
    assert lost.flags == {"lost": True, "frozen": False, "locked": False, "bad": False, "expired": False}
    assert lost.loss_lapses_at is not None
    assert abs(lost.loss_lapses_at - clock.now() - dt.timedelta(days=15)) < dt.timedelta(minutes=1)
    found = city.do(cards.take_back_loss, proved(holder), card.id)
    assert (found.refused, found.lost_at, found.loss_lapses_at) == (None, None, None)
    assert events(city, card) == ["cards:card:issue", "cards:loss:report", "cards:loss:take_back"]
    told = city.rows("SELECT event FROM outbox WHERE subject = %s ORDER BY seq", ids.show("card", card.id))
    assert [row[0] for row in told] == events(city, card)


def test_reporting_again_changes_nothing_and_a_formal_report_confirms(city: City) -> None:
    holder = city.resident()
    card = city.card(holder)
    first = city.do(cards.report_loss, holder, card.id)
    assert city.do(cards.report_loss, holder, card.id).version == first.version
    formal = city.do(cards.report_loss, city.clerk, card.id, kind="formal", reason="在柜台补办书面挂失")
    assert (formal.loss_kind, formal.loss_lapses_at, formal.lost_at) == ("formal", None, first.lost_at)
    assert city.do(cards.report_loss, holder, card.id).loss_kind == "formal"
    assert len(events(city, card)) == 3


def test_only_the_holder_takes_a_loss_back(city: City) -> None:
    holder = city.resident()
    card = city.card(holder)
    with pytest.raises(LossNotReported):
        city.do(cards.take_back_loss, proved(holder), card.id)
    city.do(cards.report_loss, city.clerk, card.id, kind="temporary", reason="电话")
    with pytest.raises(NotTheHolder):
        city.do(cards.take_back_loss, city.clerk, card.id)
    with pytest.raises(NotFound):
        city.do(cards.take_back_loss, city.resident(), card.id)
    assert city.do(cards.take_back_loss, proved(holder), card.id).refused is None


def test_a_phone_and_its_messages_take_no_loss_back_and_replace_no_lost_card(city: City) -> None:
    holder = city.resident()
    card = city.card(holder)
    city.do(cards.report_loss, holder, card.id)
    old = dt.timedelta(minutes=5, seconds=1)
    for weak in (on(proved(holder), strength=2), on(holder, strength=3), on(proved(holder), signed_in_at=clock.now() - old)):
        with pytest.raises(StepUpNeeded) as asked:
            city.do(cards.take_back_loss, weak, card.id)
        assert asked.value.facts == {"level": 2, "strength": 3, "max_age_seconds": 300}
        with pytest.raises(StepUpNeeded):
            city.do(cards.replace_card, weak, card.id, reason="lost")
        with pytest.raises(StepUpNeeded):
            city.do(cards.issue_card, weak, "resident")
    assert city.do(cards.card_of, holder, card.id).refused == "card_lost"
    assert city.do(cards.take_back_loss, proved(holder), card.id).refused is None


def test_a_formal_loss_is_taken_back_at_a_counter_alone(city: City) -> None:
    holder, other = city.resident(), city.resident()
    card = city.card(holder)
    city.do(cards.report_loss, city.clerk, card.id, kind="formal", reason="手机被盗")
    with pytest.raises(LossIsFormal):
        city.do(cards.take_back_loss, proved(holder), card.id)
    with pytest.raises(NotTheHolder):
        city.do(take_back_at_counter, city.clerk, card.id, other.id, reader="R1")
    with pytest.raises(NotFound):
        city.do(take_back_at_counter, staff(LINHU), card.id, holder.id, reader="R1")
    assert city.do(take_back_at_counter, city.clerk, card.id, holder.id, reader="R1").refused is None
    assert city.rows("SELECT facts FROM card_event WHERE card_id = %s AND ordinal = 3", card.id) == [({"chip_reader": "R1"},)]
    with pytest.raises(LossNotReported):
        city.do(take_back_at_counter, city.clerk, card.id, holder.id, reader="R1")


def test_a_temporary_loss_lapses_after_fifteen_days_and_not_before(city: City, at: Callable[[float], None]) -> None:
    holder = city.resident()
    card = city.card(holder)
    city.do(cards.report_loss, holder, card.id)
    at(15 * 86400 - 60)
    assert city.do(lapse_losses, system("cards.losses")) == 0
    at(120)
    assert city.do(cards.card_of, holder, card.id).refused == "card_lost"
    assert city.do(lapse_losses, system("cards.losses")) == 1
    assert city.do(cards.card_of, holder, card.id).refused is None
    assert events(city, card)[-1] == "cards:loss:lapse"
    assert city.rows("SELECT event FROM outbox WHERE payload->>'card_id' = %s ORDER BY seq DESC LIMIT 1", str(card.id)) == [
        ("cards:loss:lapse",)
    ]


def test_a_formal_loss_never_lapses(city: City, at: Callable[[float], None]) -> None:
    holder = city.resident()
    card = city.card(holder)
    city.do(cards.report_loss, holder, card.id, kind="formal")
    at(10 * 365 * 86400)
    assert city.do(lapse_losses, system("cards.losses")) == 0


def test_where_the_city_says_so_a_loss_lapses_into_cancellation(city: City, at: Callable[[float], None]) -> None:
    rule = lasting(products("yunchuan")[0], temporary_days=10, when_lapsed="cancel")
    city.do(cards.apply_products, YUNCHUAN, [rule])
    holder = city.resident()
    card = city.card(holder)
    city.do(cards.report_loss, holder, card.id)
    at(10 * 86400 + 60)
    with pytest.raises(CardStepForbidden):
        city.do(cards.take_back_loss, proved(holder), card.id)
    assert city.do(lapse_losses, system("cards.losses")) == 1
    assert city.do(cards.card_of, holder, card.id).refused == "card_cancelled"
    assert city.card(holder).refused is None


def test_a_loss_may_lapse_in_working_days(city: City) -> None:
    rule = lasting(products("yunchuan")[0], temporary_working_days=3, when_lapsed="release")
    city.do(cards.apply_products, YUNCHUAN, [rule])
    city.do(workdays.add_hours, YUNCHUAN, [(weekday, dt.time(9), dt.time(17)) for weekday in range(5)])
    holder = city.resident()
    lost = city.do(cards.report_loss, holder, city.card(holder).id)
    assert lost.loss_lapses_at is not None
    last = lost.loss_lapses_at.astimezone(clock.CHINA) - dt.timedelta(seconds=1)
    assert last.date() == city.do(workdays.add_working_days, YUNCHUAN, clock.today(), 3)
    assert last.time() == dt.time(23, 59, 59)


def test_flags_stand_beside_each_other(city: City) -> None:
    holder = city.resident()
    card = city.card(holder)
    supervisor = staff(YUNCHUAN, "cards:card:freeze", "cards:card:cancel")
    city.do(cards.take_by_name, supervisor, card.id, "freeze", reason="法院冻结通知")
    city.do(cards.report_loss, holder, card.id)
    assert city.do(cards.card_of, holder, card.id).refused == "card_lost"
    found = city.do(cards.take_back_loss, proved(holder), card.id)
    assert found.refused == "card_frozen"
    assert found.flags["frozen"]
    assert city.do(cards.take_by_name, supervisor, card.id, "resume", reason="解除冻结").refused is None
    with pytest.raises(CardStepForbidden):
        city.do(cards.take_by_name, supervisor, card.id, "resume", reason="又一次")


def test_a_frozen_card_is_not_replaced_by_its_holder(city: City) -> None:
    holder = city.resident()
    card = city.card(holder)
    supervisor = staff(YUNCHUAN, "cards:card:freeze")
    city.do(cards.take_by_name, supervisor, card.id, "freeze", reason="法院冻结通知")
    with pytest.raises(CardFrozen):
        city.do(cards.replace_card, holder, card.id, reason="lost")
    city.do(cards.take_by_name, supervisor, card.id, "resume", reason="解除冻结")
    assert city.do(cards.replace_card, holder, card.id, reason="lost").state == "active"


def test_a_replacement_has_a_new_number_the_old_wallet_and_ends_the_old_codes(city: City) -> None:
    account = ids.new_id()

    def link(actor: Actor, card: cards.CardView) -> None:
        cards.link_wallet(card.id, account)

    cards.configure(prefixes=PREFIXES, after_issue=(link,))
    holder, old, phone = city.ready()
    city.do(cards.report_loss, holder, old.id)
    new = city.do(cards.replace_card, proved(holder), old.id, reason="lost")
    assert new.number != old.number
    assert (new.wallet_account_id, new.refused, new.version) == (account, None, 1)
    ended = city.do(cards.card_of, holder, old.id)
    assert (ended.state, ended.replaced_by, ended.refused) == ("replaced", new.id, "card_replaced")
    with pytest.raises(CardStepForbidden):
        city.do(cards.take_back_loss, proved(holder), old.id)
    with pytest.raises(PayKeyRevoked):
        cards.present(city.till, phone.code())


def test_an_upper_floor_may_refuse_to_end_a_card(city: City) -> None:
    class MoneyLeft(Conflict):
        code = "money_left"

    def refuse(actor: Actor, card: cards.CardView) -> None:
        raise MoneyLeft()

    holder = city.resident()
    card = city.card(holder)
    cards.configure(prefixes=PREFIXES, before_cancel=(refuse,), before_replace=(refuse,))
    for step in (
        lambda: cards.take_by_name(city.clerk, card.id, "cancel", reason="本人申请"),
        lambda: cards.replace_card(holder, card.id, reason="other"),
    ):
        with pytest.raises(MoneyLeft):
            city.do(step)
    cards.configure(prefixes=PREFIXES)
    ended = city.do(cards.take_by_name, city.clerk, card.id, "cancel", reason="本人申请")
    assert ended.refused == "card_cancelled"
    with pytest.raises(CardStepForbidden):
        city.do(cards.report_loss, holder, card.id)


def test_with_the_account_every_living_card_ends_and_none_of_another(city: City) -> None:
    holder, card, phone = city.ready()
    theirs = city.card(city.resident())
    city.do(cards.report_loss, holder, card.id)
    city.do(cards.cancel_all, city.clerk, holder.id)
    assert city.do(cards.card_of, holder, card.id).refused == "card_cancelled"
    assert city.do(cards.card_of, city.clerk, theirs.id).refused is None
    with pytest.raises(PayKeyRevoked):
        cards.present(city.till, phone.code())
    assert city.rows("SELECT reason FROM card_event WHERE card_id = %s ORDER BY ordinal DESC LIMIT 1", card.id) == [("account_closed",)]
    city.do(cards.cancel_all, city.clerk, holder.id)


def test_another_resident_or_another_citys_clerk_finds_no_card(city: City) -> None:
    card = city.card(city.resident())
    for stranger in (city.resident(), city.resident(city_id=LINHU), staff(LINHU), city.till):
        with pytest.raises(NotFound):
            city.do(cards.card_of, stranger, card.id)


@pytest.mark.parametrize(
    "attack", ["UPDATE card_event SET reason = 'x'", "DELETE FROM card_event", "TRUNCATE card_event CASCADE", "DELETE FROM card"]
)
def test_the_application_cannot_touch_history(city: City, attack: str) -> None:
    city.card(city.resident())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.connection().execute(attack)  # type: ignore[call-overload]  # a literal of this table


def test_no_change_without_a_step_and_no_step_without_its_event(city: City) -> None:
    card = city.card(city.resident())
    attacks = (
        (InternalError, "UPDATE card SET frozen_at = now() WHERE id = :id"),
        (InternalError, "UPDATE card SET frozen_at = now(), version = version + 2 WHERE id = :id"),
        (IntegrityError, "UPDATE card SET frozen_at = now(), version = version + 1 WHERE id = :id"),
        (ProgrammingError, "UPDATE card SET resident_id = gen_random_uuid() WHERE id = :id"),
    )
    for refusal, attack in attacks:
        with pytest.raises((refusal, IntegrityError)), db.transaction() as session:
            session.execute(text(attack), {"id": card.id})


def test_history_has_no_gap_and_no_second_beginning(city: City) -> None:
    card = city.card(city.resident())
    for ordinal in (1, 3, 0):
        with pytest.raises(IntegrityError), db.transaction() as session:
            session.execute(
                text(
                    "INSERT INTO card_event (card_id, ordinal, id, city_id, resident_id, event, state_after, actor_kind, actor_id, facts,"
                    " occurred_at) SELECT card_id, :n, gen_random_uuid(), city_id, resident_id, event, state_after, actor_kind, actor_id,"
                    " facts, occurred_at FROM card_event WHERE card_id = :card AND ordinal = 1"
                ),
                {"n": ordinal, "card": card.id},
            )


def test_what_the_floor_holds_of_a_resident_can_be_taken_along_and_forgotten(city: City) -> None:
    holder, card, _ = city.ready()
    data = cards.CardData()
    taken = city.do(data.export, holder.id)
    assert taken["cards"][0]["number_tail"] == card.number[-4:]
    assert [step["event"] for step in taken["cards"][0]["history"]] == ["cards:card:issue"]
    assert len(taken["pay_keys"]) == 1
    city.do(data.erase, holder.id)
    assert city.do(cards.card_of, holder, card.id).masked_name == "***"
    assert city.rows("SELECT count(*) FROM pay_handle WHERE resident_id = %s AND revoked_at IS NULL", holder.id) == [(0,)]
