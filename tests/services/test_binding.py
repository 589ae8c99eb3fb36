"""Binding an account: by number and owner's name, telling nobody whether an account exists, shared by a code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from core import db
from core.actors import Actor
from core.errors import CityError, NotFound, Throttled
from core.gateway import GatewayUnavailable
from services import catalogue
from services.catalogue import ItemOff, offers
from services.kinds.statement import bills, binding, jobs
from services.kinds.statement.errors import AccountNotMatched, NotYoursToShare, ShareUnknown
from tests.services.conftest import Hall


def refusal(hall: Hall, actor: Actor, account: str, name: str) -> CityError:
    with pytest.raises(CityError) as caught:
        hall.bound(actor, account=account, owner_name=name)
    return caught.value


def test_a_bound_account_shows_its_bills_explained(hall: Hall) -> None:
    wang = hall.town.holder()
    found, fresh = bills.bills_of(wang, hall.bound(wang))
    assert fresh
    assert found[0].state == "due"
    assert all(bill.agrees for bill in found)
    assert found[0].lines[0]["text"]["zh_cn"].startswith("第")


def test_binding_again_is_the_same_binding(hall: Hall) -> None:
    wang, account = hall.town.holder(), hall.customer()
    assert hall.bound(wang, account=account) == hall.bound(wang, account=account)


def test_a_wrong_name_a_wrong_number_and_nonsense_are_refused_alike(hall: Hall) -> None:
    account = hall.customer()
    said = [
        refusal(hall, hall.town.resident(), number, name)
        for number, name in ((account, "李秀英"), ("1099999999", "王晓明"), ("9999999999", "王晓明"), ("1-2-3-4", "王晓明"))
    ]
    assert {type(each) for each in said} == {AccountNotMatched}
    assert {each.text("zh-CN") for each in said} == {said[0].text("zh-CN")}
    assert all(each.facts == {} for each in said)


def test_after_five_failures_a_resident_is_asked_no_more_and_may_not_even_be_right(hall: Hall) -> None:
    wang, account = hall.town.resident(), hall.customer()
    for nth in range(binding.FAILURES_OF_A_RESIDENT):
        refusal(hall, wang, account, f"李{nth}")
    assert isinstance(refusal(hall, wang, account, "王晓明"), Throttled)


def test_after_ten_failures_from_anybody_an_account_rests(hall: Hall) -> None:
    account = hall.customer()
    for _ in range(binding.FAILURES_AT_AN_ACCOUNT // 2):
        guesser = hall.town.resident()
        refusal(hall, guesser, account, "李一")
        refusal(hall, guesser, account, "李二")
    assert isinstance(refusal(hall, hall.town.resident(), account, "王晓明"), Throttled)


def test_bills_of_somebody_elses_binding_are_not_found(hall: Hall) -> None:
    wang, li = hall.town.holder(), hall.town.holder()
    bound = hall.bound(wang)
    bill = hall.bill(wang, bound)
    for ask in (lambda: bills.bills_of(li, bound), lambda: hall.town.do(bills.bill_of, li, bill.id), lambda: hall.pay(li, bill)):
        with pytest.raises(NotFound):
            ask()


def test_a_shared_account_is_bound_once_by_its_code_and_ends_with_the_first(hall: Hall) -> None:
    wang, li, zhang = (hall.town.holder() for _ in range(3))
    bound = hall.bound(wang)
    code, _ = hall.town.do(binding.share, wang, bound)
    shared = hall.town.do(lambda: binding.accept(li, code=code.lower(), alias="父母家").id)
    assert hall.bill(li, shared).number == hall.bill(wang, bound).number
    with pytest.raises(ShareUnknown):
        hall.town.do(binding.accept, zhang, code=code, alias="")
    with pytest.raises(NotYoursToShare):
        hall.town.do(binding.share, li, shared)
    hall.town.do(binding.unbind, wang, bound)
    with pytest.raises(NotFound):
        bills.bills_of(li, shared)


def test_a_share_code_lives_for_a_day(hall: Hall, at: Callable[[dt.timedelta], None]) -> None:
    wang, li = hall.town.holder(), hall.town.holder()
    code, _ = hall.town.do(binding.share, wang, hall.bound(wang))
    at(dt.timedelta(days=1, seconds=1))
    with pytest.raises(ShareUnknown):
        hall.town.do(binding.accept, li, code=code, alias="")


def test_an_unbound_account_keeps_nothing_open(hall: Hall) -> None:
    wang = hall.town.holder()
    bound = hall.bound(wang)
    bill = hall.bill(wang, bound)
    hall.town.do(binding.unbind, wang, bound)
    with pytest.raises(NotFound):
        hall.town.do(bills.bill_of, wang, bill.id)


def test_while_the_company_is_away_the_last_bills_stay_and_nothing_new_is_bound(hall: Hall) -> None:
    wang = hall.town.holder()
    bound = hall.bound(wang)
    before, _ = bills.bills_of(wang, bound)
    hall.line.fault = "down"
    after, fresh = bills.bills_of(wang, bound)
    assert (after, fresh) == (before, False)
    with pytest.raises(GatewayUnavailable):
        hall.bound(wang)


def test_a_service_switched_off_takes_nothing_new_and_finishes_what_was_begun(hall: Hall, at: Callable[[dt.timedelta], None]) -> None:
    wang, staff = hall.town.holder(50_000), hall.staff()
    bound = hall.bound(wang)
    bill = hall.bill(wang, bound)
    hall.line.fault = "answer_lost"
    begun = hall.pay(wang, bill)
    hall.line.fault = ""
    hall.town.do(offers.switch, staff, "water", on=False, reason="系统升级")
    for ask in (lambda: hall.bound(wang), lambda: hall.pay(wang, hall.bill(wang, bound, 1)), lambda: bills.bills_of(wang, bound)):
        with pytest.raises(ItemOff):
            ask()
    at(dt.timedelta(minutes=1))
    jobs.ask_about_payments()
    assert hall.seen(wang, begun.id).state == "paid"
    with db.transaction():
        assert not {each.item.code: on for each, on in catalogue.offers_of(wang.city_id)}["water"]
    hall.town.do(offers.switch, staff, "water", on=True, reason="升级完成")
    assert hall.bound(wang, account=hall.customer())
