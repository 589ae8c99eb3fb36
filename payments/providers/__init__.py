"""Payment providers: where a resident's money comes from and goes back to, behind one small interface."""

from payments.providers.provider import (
    CallbackRefused,
    Notice,
    NoticeKind,
    Order,
    OrderState,
    OrderView,
    PaymentProvider,
    ProviderRefused,
    Refund,
    RefundState,
    RefundView,
)
from payments.providers.yunpay import YunPay

__all__ = [
    "CallbackRefused",
    "Notice",
    "NoticeKind",
    "Order",
    "OrderState",
    "OrderView",
    "PaymentProvider",
    "ProviderRefused",
    "Refund",
    "RefundState",
    "RefundView",
    "YunPay",
]
