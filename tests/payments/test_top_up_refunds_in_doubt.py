"""A refund of a top-up whose provider is away, switched off, or refuses no more than the attempt: taken once, given back once."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy.exc import DBAPIError

import migrations
import payments
from config.settings import Settings
from core import db, ids
from core.actors import Actor
from core.gateway.transport import Incoming, MaybeDone, Outgoing, Patience
from payments import jobs, top_up_refunds, topping_up
from payments.errors import ProviderUnknown, WalletFull
from payments.ledger import balance
from payments.providers import Refund, RefundState
from payments.wiring import wired
from tests.outside.conftest import Outside
from tests.outside.conftest import _outside as _outside
from tests.outside.conftest import outside as outside
from tests.payments.conftest import YUNCHUAN, Town


def credited(town: Town, holder: Actor) -> topping_up.TopUpView:
    """A top-up that was paid at the provider in this process."""
    view = town.top_up(holder)
    town.provider.paid(town.order_of(view))
    topping_up.find_out(view.id)
    return view


def on_their_way() -> int:
    with db.transaction():
        return balance(top_up_refunds.waiting_account(YUNCHUAN))


def test_a_repetition_while_the_provider_is_away_takes_nothing_twice(town: Town, at: Callable[[dt.timedelta], None]) -> None:
    wang = town.holder()
    path = f"/api/top-ups/{ids.show('top_up', credited(town, wang).id)}/refunds"
    town.provider.away = True
    first, again = (town.call(wang, "POST", path, key="refund-1", json={"amount_fen": 4_000}) for _ in range(2))
    assert (first.status_code, first.json["state"], again.json) == (201, "pending", first.json)
    assert (town.balance(wang), on_their_way()) == (6_000, 4_000)
    town.provider.away = False
    at(dt.timedelta(seconds=11))
    jobs.ask_about_refunds()
    assert (list(town.provider.refunds), town.balance(wang), on_their_way()) == ([first.json["id"]], 6_000, 0)


def test_nothing_is_taken_while_the_provider_is_switched_off(town: Town) -> None:
    wang = town.holder()
    paid = credited(town, wang)
    payments.configure(providers={}, keepers=wired().keepers)
    with pytest.raises(ProviderUnknown):
        top_up_refunds.refund_top_up(wang, paid.id, amount_fen=4_000, refund_id=ids.new_id())
    assert (town.balance(wang), town.rows("SELECT id FROM top_up_refund")) == (10_000, [])


def test_what_is_on_its_way_back_still_has_its_room_in_the_wallet(town: Town) -> None:
    wang = town.holder(490_000)
    paid = credited(town, wang)
    town.provider.loses_answers = True
    back = top_up_refunds.refund_top_up(wang, paid.id, amount_fen=4_000, refund_id=ids.new_id())
    assert (back.state, town.balance(wang)) == ("pending", 496_000)
    with pytest.raises(WalletFull):
        town.top_up(wang, 1_000)


def test_the_database_does_not_go_back_behind_money_on_its_way(town: Town, settings: Settings) -> None:
    wang = town.holder()
    paid = credited(town, wang)
    town.provider.loses_answers = True
    top_up_refunds.refund_top_up(wang, paid.id, amount_fen=4_000, refund_id=ids.new_id())
    with pytest.raises(DBAPIError, match="on their way"):
        migrations.downgrade(settings.owner_database_url or "", "0015")
    assert town.rows("SELECT state FROM top_up_refund") == [("reserved",)]


@dataclass(frozen=True)
class Refusing:
    """A provider's door that answers everything with one refusal, after as many answers as are lost."""

    status: int
    code: str
    lost: int = 0
    heard: list[Outgoing] = field(default_factory=list)

    def send(self, request: Outgoing, patience: Patience) -> Incoming:
        self.heard.append(request)
        if len(self.heard) <= self.lost:
            raise MaybeDone("ReadTimeoutError")
        return Incoming(self.status, {"content-type": "application/json"}, json.dumps({"code": self.code}).encode())


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (409, "refund_exceeds_payment", RefundState.REFUSED),
        (409, "request_in_progress", RefundState.UNKNOWN),
        (409, "refund_differs", RefundState.UNKNOWN),
        (429, "too_many_requests", RefundState.UNKNOWN),
        (401, "refused", RefundState.UNKNOWN),
    ],
)
def test_a_refusal_of_the_attempt_is_none_of_the_refund(outside: Outside, status: int, code: str, state: RefundState) -> None:
    shipped = outside.yunpay()
    door = replace(shipped.gateway, transport=Refusing(status, code), peer_keys=None)
    seen = replace(shipped, gateway=door).refund(Refund(number="back-1", order_number="topup-1", amount_fen=100))
    assert seen.state is state


def test_a_refusal_after_a_lost_answer_leaves_the_refund_unknown(outside: Outside) -> None:
    shipped = outside.yunpay()
    transport = Refusing(409, "refund_exceeds_payment", lost=1)
    door = replace(shipped.gateway, transport=transport, peer_keys=None, sleep=lambda _seconds: None)
    seen = replace(shipped, gateway=door).refund(Refund(number="back-1", order_number="topup-1", amount_fen=100))
    assert seen.state is RefundState.UNKNOWN
