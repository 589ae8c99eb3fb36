"""Utility companies: owner checks, bills, payments told once, day files; over HTTP or to an office in this process."""

from services.gateways.utilities.company import (
    Accepted,
    BillView,
    LineView,
    OrderToPay,
    OwnerView,
    Paid,
    PaymentState,
    Refusal,
    Told,
    Unknown,
    UtilityCompany,
)
from services.gateways.utilities.http import HttpUtility
from services.gateways.utilities.in_process import OfficeUtility

__all__ = [
    "Accepted",
    "BillView",
    "HttpUtility",
    "LineView",
    "OfficeUtility",
    "OrderToPay",
    "OwnerView",
    "Paid",
    "PaymentState",
    "Refusal",
    "Told",
    "Unknown",
    "UtilityCompany",
]
