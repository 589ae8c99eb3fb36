"""Fills a migrated database with residents, cards, phones, wallets and tills for load.

Written as the owner, in bulk, because a bench wants twenty thousand phones in seconds; money comes only through ledger_post.
"""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric import ec

from bench.settings import CITY
from bench.terminals import Terminal
from config import cities
from core import ids
from core.crypto import install

FUNCTIONS = ["presentation:create", "charge:create", "charge:reverse", "charge:refund"]
MASTER = "pay-code"
FUNDS_FEN = 100_000


@dataclass(frozen=True, slots=True)
class People:
    """What a load client must hold: the handles of phones and their master key, the tills, the accounts."""

    city_id: int
    prefix: str
    master: bytes
    handles: range
    poor: range  # handles whose wallets are empty
    terminals: list[Terminal]  # of several merchants in turn
    hot: list[Terminal]  # of one merchant
    bank: UUID
    wallets: list[UUID]
    residents: list[UUID]  # in the order of the handles


def settle(url: str, root_key: bytes, *, handles: int, poor: int, terminals: int, merchants: int, hot: int = 1) -> People:
    """Fills the database of the owner's `url`: `handles` phones with money, `poor` more without, tills of many and of one merchant."""
    city = cities.load(CITY)
    with psycopg.connect(url, autocommit=True) as connection:
        city_id, total = city.facts.id, handles + poor
        _product(connection, city_id)
        residents, wallets = _residents(connection, city_id, total)
        bank = ids.new_id()
        connection.execute("SELECT ledger_open(%s, %s, 'bank')", (bank, city_id))
        _fund(connection, city_id, bank, wallets[:handles])
        tills, busy = _tills(connection, city_id, terminals, merchants), _tills(connection, city_id, hot, 1)
        connection.execute("VACUUM ANALYZE account, card, pay_handle, wallet, terminal, transfer")
    master = install(root_key).derive(MASTER)
    rich, poorer = range(handles), range(handles, total)
    return People(city_id, city.facts.pay_code_prefix, master, rich, poorer, tills, busy, bank, wallets[:handles], residents[:handles])


def _product(connection: psycopg.Connection[Any], city_id: int) -> None:
    """One product, with the wallet terms of the city's own."""
    listed = tomllib.loads((Path(cities.__file__).parent / CITY / "products.toml").read_text(encoding="utf-8"))["product"]
    terms = {"wallet": next(product["wallet"] for product in listed if product["wallet_mode"] == "platform")}
    connection.execute(
        "INSERT INTO card_product (city_id, code, zh, en, issuer, wallet_mode, terms)"
        " VALUES (%s, 'bench', '压测', 'Bench', '99999999', 'platform', %s) ON CONFLICT DO NOTHING",
        (city_id, json.dumps(terms, default=str)),
    )


def _residents(connection: psycopg.Connection[Any], city_id: int, total: int) -> tuple[list[UUID], list[UUID]]:
    """One card, phone and wallet each; returns residents and accounts in the order of the handles 0, 1, 2 ..."""
    residents, cards, events, devices, accounts, wallets = ([ids.new_id() for _ in range(total)] for _ in range(6))
    numbers = [f"{number:016d}" for number in range(total)]
    connection.execute("SELECT count(ledger_open(a, %s, 'wallet', r)) FROM unnest(%s::uuid[], %s::uuid[]) AS x(a, r)",
                       (city_id, accounts, residents))  # fmt: skip
    connection.execute(
        "INSERT INTO wallet (id, city_id, resident_id, mode, account_id, state, single_limit_fen, daily_limit_fen, monthly_limit_fen)"
        " SELECT w, %s, r, 'platform', a, 'open', 500000, 500000, 5000000 FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS x(w, r, a)",
        (city_id, wallets, residents, accounts),
    )
    with connection.transaction():
        connection.execute(
            "INSERT INTO card (id, city_id, resident_id, product, issuer, number, form, state, expires_on, masked_name,"
            " wallet_account_id, issued_at, version)"
            " SELECT c, %s, r, 'bench', '99999999', n, 'virtual', 'active', '2099-12-31', '王*明', a, city_now(), 1"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::uuid[]) AS x(c, r, n, a)",
            (city_id, cards, residents, numbers, accounts),
        )
        connection.execute(
            "INSERT INTO card_event (card_id, ordinal, id, city_id, resident_id, event, state_after, actor_kind, actor_id, facts,"
            " occurred_at)"
            " SELECT c, 1, e, %s, r, 'cards:card:issue', 'active', 'system', e, '{}', city_now()"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS x(c, e, r)",
            (city_id, cards, events, residents),
        )
    connection.execute(
        "INSERT INTO pay_handle (handle, city_id, device_id, card_id, resident_id, generation, given_at)"
        " SELECT h, %s, d, c, r, 1, city_now() FROM unnest(%s::bigint[], %s::uuid[], %s::uuid[], %s::uuid[]) AS x(h, d, c, r)",
        (city_id, list(range(total)), devices, cards, residents),
    )
    connection.execute("SELECT setval('pay_handle_number', %s)", (total,))
    return residents, accounts


def _fund(connection: psycopg.Connection[Any], city_id: int, bank: UUID, accounts: Sequence[UUID]) -> None:
    for start in range(0, len(accounts), 1000):
        part = list(accounts[start : start + 1000])
        given = connection.execute(
            "SELECT statuses FROM ledger_post(%s::uuid[], array_fill(%s, ARRAY[%s]), array_fill('top_up'::text, ARRAY[%s]),"
            " array_fill(%s::uuid, ARRAY[%s]), %s::uuid[], array_fill(%s::bigint, ARRAY[%s]), array_fill(NULL::uuid, ARRAY[%s]),"
            " array_fill(NULL::uuid, ARRAY[%s]), array_fill(city_now(), ARRAY[%s]))",
            ([ids.new_id() for _ in part], city_id, len(part), len(part), bank, len(part), part, FUNDS_FEN, *[len(part)] * 4),
        ).fetchone()
        if given is None or set(given[0]) != {0}:
            raise RuntimeError(f"ledger_post refused to fund wallets: {given}")


def _tills(connection: psycopg.Connection[Any], city_id: int, terminals: int, merchants: int) -> list[Terminal]:
    owners = [(ids.new_id(), ids.new_id()) for _ in range(merchants)]
    for merchant, account in owners:
        connection.execute("SELECT ledger_open(%s, %s, 'merchant', %s)", (account, city_id, merchant))
    made = []
    for number in range(terminals):
        merchant, account = owners[number % merchants]
        till = Terminal(ids.new_id(), ec.generate_private_key(ec.SECP256R1()), account)
        connection.execute(
            "INSERT INTO terminal (id, city_id, merchant_id, account_id, name, functions, state, public_jwk, thumbprint,"
            " created_at, enrolled_at) VALUES (%s, %s, %s, %s, %s, %s, 'active', %s, %s, city_now(), city_now())",
            (till.id, city_id, merchant, account, f"till {number}", FUNCTIONS, json.dumps(till.jwk), till.thumbprint),
        )
        made.append(till)
    return made
