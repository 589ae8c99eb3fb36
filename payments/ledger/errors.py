"""What posting refuses.

CityError
├── Conflict
│   └── InsufficientFunds  the account would fall below its floor
└── Unavailable
    ├── PostingFull        too many are waiting; nothing was done
    └── OutcomeUnknown     it may or may not have been posted; the same key finds out
"""

from __future__ import annotations

from core.errors import Conflict, Unavailable


class InsufficientFunds(Conflict):
    code = "insufficient_funds"
    zh = "余额不足，请充值后再付款"
    en = "The balance is not enough; please top up and pay again"


class PostingFull(Unavailable):
    code = "posting_full"
    zh = "排队付款的人太多，本次没有扣款；请稍后用同一编号再试"
    en = "Too many payments are waiting. Nothing was charged; repeat with the same key in a moment"

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(retry_after)}


class OutcomeUnknown(Unavailable):
    code = "outcome_unknown"
    zh = "暂时不知道是否扣款成功；请用同一 Idempotency-Key 重试，不会重复扣款"
    en = "It is not known yet whether this was charged; repeat with the same Idempotency-Key, it is never charged twice"

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(retry_after)}
