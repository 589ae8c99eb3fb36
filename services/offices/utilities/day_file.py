"""The company's list of one business day, for reconciliation."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any


def write(company: str, day: dt.date, rows: Sequence[Mapping[str, Any]]) -> str:
    """The day's file in UTF-8. Lines end in LF, members are parted by `|`:

    H|company|day
    P|company's number|city's number|account|bill|amount in fen|day      (one per payment, in the order of acceptance)
    T|payments|sum in fen|SHA-256 of all lines before this one
    """
    lines = [f"H|{company}|{day.isoformat()}"]
    lines += [
        f"P|{row['day']:%Y%m%d}{row['serial']:09d}|{row['number']}|{row['account']}|{row['bill']}|{row['amount_fen']}|{row['day'].isoformat()}"
        for row in rows
    ]
    before = "".join(f"{line}\n" for line in lines)
    digest = hashlib.sha256(before.encode()).hexdigest()
    return f"{before}T|{len(rows)}|{sum(row['amount_fen'] for row in rows)}|{digest}\n"
