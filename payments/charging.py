"""Charging: a terminal takes money from the wallet behind a scanned code (D7, D8, D12).

The story: read the code here, hand the charge to this process's group poster, and ``charge_post`` decides and writes everything a charge
is (code, limits, transfer, receipt, fact, audit line, answer of the key) in one commit with the charges that arrived beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

import cards
from core import audit, clock, db, idempotency, ids
from core.actors import Actor
from core.arrays import pack_rows
from core.errors import Conflict, Invalid
from core.idempotency import Once
from core.poster import Ask, GroupPoster
from core.prepared import Prepared
from payments.charge_errors import REFUSALS, OneOfTwo
from payments.ledger import OutcomeUnknown, PostingFull


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """A posted charge, amounts in fen; the balance after it is for the resident's eyes."""

    id: UUID
    state: str = "posted"
    resident_id: UUID
    card_id: UUID
    merchant_id: UUID
    terminal_id: UUID
    masked_name: str
    amount_fen: int
    balance_after_fen: int
    receipt_number: str
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    replayed: bool = False


class Order(NamedTuple):
    """One charge on its way to ``charge_post``: its fields are that function's arrays, one place each and in their order."""

    principal: UUID
    key: str
    body_hash: bytes
    request_id: UUID | None
    charge_id: UUID
    subject: str
    city_id: int
    terminal_id: UUID
    merchant_id: UUID | None
    account_id: UUID | None
    amount_fen: int
    occurred_at: dt.datetime
    handle: int | None = None
    generation: int | None = None
    step: int | None = None
    tap: int | None = None
    presentation_id: UUID | None = None
    refusal: str | None = None


_TYPES = (
    *("uuid", "text", "bytea", "uuid"),
    *("uuid", "text"),
    *("integer", "uuid", "uuid", "uuid", "bigint", "timestamptz"),
    *("bigint", "integer", "bigint", "smallint", "uuid", "text"),
)
_CALL = f"charge_post({', '.join(f'${place}::{kind}[]' for place, kind in enumerate(_TYPES, start=1))})"
_POST = Prepared("charge_post", f"SELECT array_to_json(codes), array_to_json(answers) FROM {_CALL}", binary=True)  # noqa: S608  # names are ours

# The code of the answer, its facts, and whether it was given before.
Settled = tuple[str, dict[str, Any], bool]


def charge(
    actor: Actor,
    *,
    once: Once,
    amount_fen: int,
    code: str | None = None,
    presentation_id: UUID | None = None,
    occurred_at: dt.datetime | None = None,
) -> Charged:
    """Charge the wallet behind a code, or behind a presentation of this terminal; returns when it is durable.

    The same key gives the first answer again. Raises the precise refusal; PostingFull or OutcomeUnknown ask to repeat with the same key.
    """
    if (code is None) == (presentation_id is None):
        raise OneOfTwo()
    order = _order(actor, once, amount_fen, code, presentation_id, occurred_at)
    settled, answer, replayed = _poster.ask(order)
    if settled == "posted":
        return _charged(answer, replayed)
    refusal = REFUSALS[settled]()
    refusal.replayed = replayed
    raise refusal


def _order(
    actor: Actor, once: Once, amount_fen: int, code: str | None, presentation_id: UUID | None, occurred_at: dt.datetime | None
) -> Order:
    # The rows of one charge (charge, transfer, audit line, fact) carry one id: each table has its own key, and a reader finds them all.
    charge_id = ids.new_id()
    seen = _read(actor, once, code) if code is not None else {"presentation_id": presentation_id}
    return Order(
        principal=once.principal,
        key=once.key,
        body_hash=once.body_hash,
        request_id=audit.request_id.get(),
        charge_id=charge_id,
        subject=ids.show("charge", charge_id),
        city_id=actor.city_id,
        terminal_id=actor.id,
        merchant_id=actor.merchant_id,
        account_id=actor.account_id,
        amount_fen=amount_fen,
        occurred_at=occurred_at or clock.now(),
        **seen,
    )


def _read(actor: Actor, once: Once, code: str) -> dict[str, Any]:
    """What the code claims. A refusal goes on to ``charge_post``: a repetition is answered although its code is old by now."""
    try:
        read = cards.read_code(actor, code, answered=lambda: idempotency.answered(once))
    except (Conflict, Invalid) as refusal:
        return {"refusal": refusal.code}
    return {"handle": read.handle, "generation": read.generation, "step": read.step, "tap": read.tap}


def _charged(answer: dict[str, Any], replayed: bool) -> Charged:
    moment = dt.datetime.fromisoformat
    return Charged(
        id=ids.of_text(answer["charge"]),
        resident_id=ids.of_text(answer["resident"]),
        card_id=ids.of_text(answer["card"]),
        merchant_id=ids.of_text(answer["merchant"]),
        terminal_id=ids.of_text(answer["terminal"]),
        masked_name=answer["masked_name"],
        amount_fen=answer["amount_fen"],
        balance_after_fen=answer["balance_after_fen"],
        receipt_number=answer["receipt_number"],
        occurred_at=moment(answer["occurred_at"]),
        recorded_at=moment(answer["recorded_at"]),
        replayed=replayed,
    )


def post_charges(connection: psycopg.Connection[Any], asks: Sequence[Ask[Order, Settled]]) -> list[Settled | frozenset[Hashable]]:
    """Post charges over a connection: without a transaction of its own they are one commit."""
    ((codes, answers),) = _POST.run(connection, pack_rows(_TYPES, [one.item for one in asks]))
    assert codes is not None  # the function always answers
    assert answers is not None
    return [_settled(*each) for each in zip(asks, msgspec.json.decode(codes), msgspec.json.decode(answers), strict=True)]


def _settled(ask: Ask[Order, Settled], code: str, answer: dict[str, Any]) -> Settled | frozenset[Hashable]:
    if code == "again":
        return frozenset({answer["wallet"]})
    if code == "replay":
        # What this very request may have written before its connection broke is no repetition to its caller. A charge tells by its id
        # which request brought it; a refusal has none.
        brought = str(ask.item.charge_id)
        own = ask.asked_before and answer.get("charge", brought) == brought
        return answer["code"], answer, not own
    return code, answer, False


def keys_of(order: Order) -> tuple[Hashable, ...]:
    """What two charges of one batch may not share: a principal's key, a code."""
    code = order.presentation_id if order.handle is None else (order.handle, order.step, order.tap)
    return (order.principal, order.key), code or order.charge_id


def _connect() -> psycopg.Connection[Any]:
    return db.private_connection(application_name="citycard poster")


_poster: GroupPoster[Order, Settled] = GroupPoster(
    "charges", post_charges, keys_of, connect=_connect, full=PostingFull, unknown=OutcomeUnknown
)
