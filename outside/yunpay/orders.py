"""Orders and refunds: what may become of them, said once in SQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection

from outside.database import Row
from outside.reading import Refusal
from outside.world import new_number, world
from outside.yunpay import notices

ORDER = """SELECT *, CASE WHEN state = 'waiting' AND expires_at <= %(now)s THEN 'expired' ELSE state END AS shown_state
           FROM pay_order WHERE """


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An order as the merchant wants it."""

    merchant: str
    merchant_order: str
    amount_fen: int
    subject: str
    notify_url: str
    valid_seconds: int


def place(wanted: Wanted) -> Row:
    """Place an order; the same number with the same content is the same order, with other content a refusal."""
    now = world().now()
    fresh = {
        **asdict(wanted),
        "provider_order": new_number("yo"),
        "pay_token": new_number("pay"),
        "now": now,
        "expires_at": now + dt.timedelta(seconds=wanted.valid_seconds),
    }
    with world().pool.connection() as connection:
        connection.execute(
            """INSERT INTO pay_order (provider_order, merchant, merchant_order, amount_fen, subject, notify_url, pay_token,
                                      state, created_at, expires_at)
               VALUES (%(provider_order)s, %(merchant)s, %(merchant_order)s, %(amount_fen)s, %(subject)s, %(notify_url)s,
                       %(pay_token)s, 'waiting', %(now)s, %(expires_at)s)
               ON CONFLICT (merchant, merchant_order) DO NOTHING""",
            fresh,
        )
        found = _one(connection, wanted.merchant, wanted.merchant_order)
    if any(found[name] != getattr(wanted, name) for name in ("amount_fen", "subject", "notify_url")):
        raise Refusal("order_differs", 409)
    return found


def find(merchant: str, merchant_order: str) -> Row:
    """An order of a merchant."""
    with world().pool.connection() as connection:
        return _one(connection, merchant, merchant_order)


def by_pay_token(token: str) -> Row | None:
    """The order whose page was opened."""
    with world().pool.connection() as connection:
        return connection.execute(f"{ORDER} pay_token = %(token)s", {"now": world().now(), "token": token}).fetchone()


def decide(token: str, state: str) -> Row | None:
    """The payer's decision, `paid` or `refused`; None when there is nothing to decide any more."""
    now = world().now()
    with world().pool.connection() as connection:
        row = connection.execute(
            """UPDATE pay_order SET state = %(state)s, paid_at = CASE WHEN %(state)s = 'paid' THEN %(now)s END
               WHERE pay_token = %(token)s AND state = 'waiting' AND expires_at > %(now)s RETURNING *, state AS shown_state""",
            {"state": state, "now": now, "token": token},
        ).fetchone()
        if row is not None:
            notices.write(connection, "order", row, state)
    world().wake()
    return row


def close(merchant: str, merchant_order: str) -> Row:
    """Make sure that an unpaid order is never paid; a decided one stays as it is."""
    with world().pool.connection() as connection:
        connection.execute(
            "UPDATE pay_order SET state = 'closed' WHERE merchant = %s AND merchant_order = %s AND state = 'waiting'",
            (merchant, merchant_order),
        )
        return _one(connection, merchant, merchant_order)


def refund(wanted: dict[str, Any], *, pending: dt.timedelta) -> Row:
    """Give money back, never more than was paid; the same number with the same content is the same refund."""
    now = world().now()
    number = {"merchant": wanted["merchant"], "refund": wanted["merchant_refund"], "order": wanted["merchant_order"]}
    with world().pool.connection() as connection:
        # The order's lock makes refunds of one order happen one after the other, a repetition among them.
        order = connection.execute(
            "SELECT * FROM pay_order WHERE merchant = %(merchant)s AND merchant_order = %(order)s FOR UPDATE", number
        ).fetchone()
        earlier = connection.execute(
            "SELECT * FROM pay_refund WHERE merchant = %(merchant)s AND merchant_refund = %(refund)s", number
        ).fetchone()
        if earlier is not None:
            if (earlier["merchant_order"], earlier["amount_fen"]) != (wanted["merchant_order"], wanted["amount_fen"]):
                raise Refusal("refund_differs", 409)
            return earlier
        if order is None:
            raise Refusal("order_unknown", 404)
        if order["state"] != "paid":
            raise Refusal("order_not_paid", 409)
        if order["refunded_fen"] + wanted["amount_fen"] > order["amount_fen"]:
            raise Refusal("refund_exceeds_payment", 409)
        made = _book_refund(connection, wanted, now + pending)
        notices.write(connection, "refund", {**made, "notify_url": order["notify_url"]}, "done", after=pending)
    world().wake()
    return made


def _book_refund(connection: Connection[Row], wanted: dict[str, Any], done_at: dt.datetime) -> Row:
    connection.execute(
        """UPDATE pay_order SET refunded_fen = refunded_fen + %(amount_fen)s
           WHERE merchant = %(merchant)s AND merchant_order = %(merchant_order)s""",
        wanted,
    )
    made = connection.execute(
        """INSERT INTO pay_refund (provider_refund, merchant, merchant_refund, merchant_order, amount_fen, reason, done_at)
           VALUES (%(provider_refund)s, %(merchant)s, %(merchant_refund)s, %(merchant_order)s, %(amount_fen)s, %(reason)s, %(done_at)s)
           RETURNING *""",
        {**wanted, "provider_refund": new_number("yr"), "done_at": done_at},
    ).fetchone()
    if made is None:
        raise RuntimeError("an INSERT ... RETURNING gives its row")
    return made


def find_refund(merchant: str, merchant_refund: str) -> Row:
    """A refund of a merchant."""
    with world().pool.connection() as connection:
        row = connection.execute(
            "SELECT * FROM pay_refund WHERE merchant = %s AND merchant_refund = %s", (merchant, merchant_refund)
        ).fetchone()
    if row is None:
        raise Refusal("refund_unknown", 404)
    return row


def _one(connection: Connection[Row], merchant: str, merchant_order: str) -> Row:
    row = connection.execute(
        f"{ORDER} merchant = %(merchant)s AND merchant_order = %(order)s",
        {"now": world().now(), "merchant": merchant, "order": merchant_order},
    ).fetchone()
    if row is None:
        raise Refusal("order_unknown", 404)
    return row
