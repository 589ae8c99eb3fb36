"""The provider's list of one day: one line per payment and refund, and control totals, for reconciliation."""

from __future__ import annotations

import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

from outside.database import Row
from outside.world import world

CHINA = ZoneInfo("Asia/Shanghai")


def write(merchant: str, day: dt.date) -> str:
    """The day's file. Lines end in LF, members are parted by `|`:

    H|YUNPAY|merchant|day|open or closed
    P|provider order|merchant order|amount|fee|paid at       (one per payment, by time)
    R|provider refund|merchant refund|merchant order|amount|done at
    T|payments|sum of payments|refunds|sum of refunds|SHA-256 of all lines before this one
    """
    start = dt.datetime.combine(day, dt.time(), CHINA)
    end, now = start + dt.timedelta(days=1), world().now()
    paid, refunded = _rows(merchant, start, min(end, now))
    lines = [f"H|YUNPAY|{merchant}|{day.isoformat()}|{'closed' if end <= now else 'open'}"]
    lines += [f"P|{row['provider_order']}|{row['merchant_order']}|{row['amount_fen']}|0|{row['paid_at'].isoformat()}" for row in paid]
    lines += [
        f"R|{row['provider_refund']}|{row['merchant_refund']}|{row['merchant_order']}|{row['amount_fen']}|{row['done_at'].isoformat()}"
        for row in refunded
    ]
    before = "".join(f"{line}\n" for line in lines)
    totals = [len(paid), _sum(paid), len(refunded), _sum(refunded)]
    return f"{before}T|{'|'.join(map(str, totals))}|{hashlib.sha256(before.encode()).hexdigest()}\n"


def _rows(merchant: str, start: dt.datetime, end: dt.datetime) -> tuple[list[Row], list[Row]]:
    with world().pool.connection() as connection:
        paid = connection.execute(
            "SELECT * FROM pay_order WHERE merchant = %s AND paid_at >= %s AND paid_at < %s ORDER BY paid_at, provider_order",
            (merchant, start, end),
        ).fetchall()
        refunded = connection.execute(
            "SELECT * FROM pay_refund WHERE merchant = %s AND done_at >= %s AND done_at < %s ORDER BY done_at, provider_refund",
            (merchant, start, end),
        ).fetchall()
    return paid, refunded


def _sum(rows: list[Row]) -> int:
    return sum(row["amount_fen"] for row in rows)
