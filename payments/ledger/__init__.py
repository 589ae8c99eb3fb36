"""The ledger: accounts, transfers, the books and their seal."""

from core import sealer
from payments.ledger import models as models  # the tables, to which wallets and merchants refer
from payments.ledger.accounts import AccountKind, Entry, Recorded, balance, balance_at, open_account, statement, transfer
from payments.ledger.books import PATIENCE, JournalForm, TrialBalance, TrialLine, journal, trial_balance
from payments.ledger.errors import InsufficientFunds, OutcomeUnknown, PostingFull
from payments.ledger.months import add_months, keep_months
from payments.ledger.posting import Posted, Refused, Transfer, Why, post, post_on
from payments.ledger.sealing import CHAIN, Examined, Fault, examine, verify

sealer.add(CHAIN)

__all__ = [
    "CHAIN",
    "PATIENCE",
    "AccountKind",
    "Entry",
    "Examined",
    "Fault",
    "InsufficientFunds",
    "JournalForm",
    "OutcomeUnknown",
    "Posted",
    "PostingFull",
    "Recorded",
    "Refused",
    "Transfer",
    "TrialBalance",
    "TrialLine",
    "Why",
    "add_months",
    "balance",
    "balance_at",
    "examine",
    "journal",
    "keep_months",
    "open_account",
    "post",
    "post_on",
    "statement",
    "transfer",
    "trial_balance",
    "verify",
]
