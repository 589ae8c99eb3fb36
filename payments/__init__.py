"""The payments floor: wallets, top-ups, charges and what undoes them. Upper floors use the names below and none of the tables."""

from payments import bill_paying, jobs, ledger
from payments.limits import keep_within_terms
from payments.merchants import merchant_account, open_merchant
from payments.models import Merchant
from payments.offline.covering import collect, cover
from payments.offline.personal import OfflineData
from payments.offline.routes import routes as offline_routes
from payments.personal import PaymentData
from payments.routes import routes
from payments.seeding import credit_opening_top_ups, open_wallets
from payments.wallets import WalletView, holds_money, open_wallet, open_wallet_for, wallet_of
from payments.wiring import Keeper, configure

__all__ = [
    "Keeper",
    "Merchant",
    "OfflineData",
    "PaymentData",
    "WalletView",
    "bill_paying",
    "collect",
    "configure",
    "cover",
    "credit_opening_top_ups",
    "holds_money",
    "jobs",
    "keep_within_terms",
    "ledger",
    "merchant_account",
    "offline_routes",
    "open_merchant",
    "open_wallet",
    "open_wallet_for",
    "open_wallets",
    "routes",
    "wallet_of",
]
