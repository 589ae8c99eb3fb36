"""The city's risk account: it pays merchants what a wallet cannot or must not, so that a merchant who kept the rules loses nothing."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

from payments import ledger


def risk_account(city_id: int) -> UUID:
    """The account; the same id on every machine. Its balance, below zero, is what offline trading has cost the city."""
    return uuid5(NAMESPACE_URL, f"citycard:offline-risk:{city_id}")


def open_risk_account(city_id: int) -> UUID:
    """The account, opened in the current transaction if it was not."""
    return ledger.open_account(risk_account(city_id), city_id=city_id, kind="suspense")
