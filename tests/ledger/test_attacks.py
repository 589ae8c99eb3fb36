"""What the database refuses the application's role and the owner, and what the chain finds of a superuser's doing (D14)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

import core.crypto
from core import ids, sealer
from payments import ledger
from payments.ledger import sealing
from tests.ledger.conftest import CITY, City, move

pytestmark = pytest.mark.subset

PRIVILEGE = psycopg.errors.InsufficientPrivilege
# Everything an application that was broken into might try: not one may pass.
FORBIDDEN = {
    "forge a balance after": "UPDATE transfer SET debit_balance_after = 0",
    "back-date a transfer": "UPDATE transfer SET recorded_at = recorded_at - interval '1 day'",
    "change an amount": "UPDATE transfer SET amount_fen = amount_fen * 10",
    "delete a transfer": "DELETE FROM transfer",
    "truncate the transfers": "TRUNCATE transfer",
    "change a partition": "UPDATE {part} SET amount_fen = 1",
    "delete from a partition": "DELETE FROM {part}",
    "truncate a partition": "TRUNCATE {part}",
    "insert around the function": "INSERT INTO transfer SELECT * FROM transfer LIMIT 1",
    "insert into a partition": "INSERT INTO {part} SELECT * FROM transfer LIMIT 1",
    "change a floor": "UPDATE account SET floor = -1000000",
    "change a balance": "UPDATE account SET balance = balance + 1",
    "open an account with money": "INSERT INTO account SELECT gen_random_uuid(), 1, 'wallet', NULL, 100, 0, 0, now()",
    "delete an account": "DELETE FROM account",
    "truncate the accounts": "TRUNCATE account",
    "forget a reversal": "DELETE FROM reversed_transfer",
    "note a reversal": "INSERT INTO reversed_transfer SELECT id, id FROM transfer LIMIT 1",
    "switch a trigger off": "ALTER TABLE transfer DISABLE TRIGGER ALL",
    "drop a trigger": "DROP TRIGGER transfer_grows ON transfer",
    "take a month away": "ALTER TABLE transfer DETACH PARTITION {part}",
    "drop a month": "DROP TABLE {part}",
    "replace the function": "CREATE OR REPLACE FUNCTION city_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
    "become a replica": "SET session_replication_role = replica",
    "become the owner": "SET ROLE citycard_owner",
    "note a reversal through the inner function": "SELECT ledger_reverse(gen_random_uuid(), 'reversal', NULL, NULL, 1, gen_random_uuid())",
    "take a seal away": "DELETE FROM seal",
    "change a seal": "UPDATE seal SET hash = ''",
    "move the city's clock": "UPDATE clock_offset SET \"offset\" = '1 day'",
}
# What even the owner's own stray statement must not do.
FORBIDDEN_TO_THE_OWNER = (
    "UPDATE transfer SET amount_fen = amount_fen * 10",
    "DELETE FROM transfer",
    "TRUNCATE transfer",
    "UPDATE {part} SET amount_fen = 1",
    "TRUNCATE {part}",
    "UPDATE account SET floor = NULL",
    "UPDATE account SET balance = balance + 1",
    "UPDATE account SET kind = 'bank'",
    "DELETE FROM account",
    "TRUNCATE account CASCADE",
    "INSERT INTO account SELECT gen_random_uuid(), 1, 'wallet', NULL, 100, 0, 0, now()",
    "DELETE FROM reversed_transfer",
    "TRUNCATE reversed_transfer",
)


@pytest.fixture
def busy(city: City) -> City:
    """A city with some movement in its books."""
    city.give(10_000)
    with city.as_app() as app:
        paid = [move(wallet, city.merchant, 100 + at) for at, wallet in enumerate(city.wallets * 4)]
        ledger.post_on(app, paid)
        ledger.post_on(app, [move(city.merchant, paid[0].debit, 100, kind="reversal", reverses=paid[0].id)])
    return city


def part(connection: psycopg.Connection[Any]) -> str:
    """The partition in which transfers lie now."""
    row = connection.execute("SELECT tableoid::regclass::text FROM transfer LIMIT 1").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("attack", FORBIDDEN)
def test_the_application_may_not(busy: City, attack: str) -> None:
    with busy.as_app() as app, pytest.raises(PRIVILEGE):
        app.execute(FORBIDDEN[attack].format(part=part(app)))


@pytest.mark.parametrize("statement", FORBIDDEN_TO_THE_OWNER)
def test_not_even_the_owner_may(busy: City, statement: str) -> None:
    owner = busy.superuser_url.replace("postgres@", "citycard_owner@")
    with psycopg.connect(owner, autocommit=True) as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute(statement.format(part=part(connection)))


def test_the_function_is_not_misled_by_a_search_path(busy: City) -> None:
    with busy.as_app() as app:
        app.execute(
            "CREATE TEMP TABLE account AS SELECT id, city_id, 10^9::bigint AS balance, NULL::bigint AS floor, 0 AS entries FROM account"
        )
        app.execute("SET search_path = pg_temp, public")
        refused = ledger.post_on(app, [move(busy.wallets[0], busy.merchant, 999_999)])[0]
    assert isinstance(refused, ledger.Refused)


def test_time_and_transaction_of_a_transfer_are_the_databases_own(busy: City) -> None:
    with busy.as_app() as app:
        row = app.execute("SELECT max(city_now() - recorded_at) < interval '1 minute', count(DISTINCT txid) FROM transfer").fetchone()
    assert row is not None
    assert row[0]
    assert row[1] > 1


@pytest.fixture
def sealed(busy: City) -> City:
    """The same books, sealed."""
    core.crypto.install(bytes(range(32)))
    sealer.seal_all()
    assert ledger.verify() == []
    return busy


def _row(superuser: psycopg.Connection[Any]) -> str:
    rows = superuser.execute("SELECT id FROM transfer").fetchall()
    return str(random.choice(rows)[0])


def _change_amount(superuser: psycopg.Connection[Any]) -> None:
    superuser.execute("UPDATE transfer SET amount_fen = amount_fen + 1 WHERE id = %s", (_row(superuser),))


REHASH = " row_hash = " + ledger.CHAIN.true.replace("t.", "")


def _change_amount_with_its_hash(superuser: psycopg.Connection[Any]) -> None:
    row = _row(superuser)
    superuser.execute("UPDATE transfer SET amount_fen = amount_fen + 1 WHERE id = %s", (row,))
    superuser.execute("UPDATE transfer SET" + REHASH + " WHERE id = %s", (row,))


def _change_time_with_its_hash(superuser: psycopg.Connection[Any]) -> None:
    row = _row(superuser)
    superuser.execute("UPDATE transfer SET recorded_at = recorded_at - interval '1 day' WHERE id = %s", (row,))
    superuser.execute("UPDATE transfer SET" + REHASH + " WHERE id = %s", (row,))


def _delete(superuser: psycopg.Connection[Any]) -> None:
    superuser.execute("DELETE FROM transfer WHERE id = %s", (_row(superuser),))


def _insert(superuser: psycopg.Connection[Any]) -> None:
    made = str(ids.new_id())
    superuser.execute(
        "INSERT INTO transfer SELECT %s, city_id, kind, debit_account, credit_account, amount_fen, debit_balance_after,"
        " credit_balance_after, debit_entry + 100, credit_entry + 100, NULL, NULL, occurred_at, recorded_at, txid, ''"
        " FROM transfer WHERE reverses IS NULL LIMIT 1",
        (made,),
    )
    superuser.execute("UPDATE transfer SET" + REHASH + " WHERE id = %s", (made,))


def _change_balance(superuser: psycopg.Connection[Any]) -> None:
    superuser.execute(
        "UPDATE account SET balance = balance + 1 WHERE id = (SELECT id FROM account WHERE kind = 'bank' AND entries > 0 LIMIT 1)"
    )


def _forget_reversal(superuser: psycopg.Connection[Any]) -> None:
    superuser.execute("DELETE FROM reversed_transfer WHERE transfer_id = (SELECT transfer_id FROM reversed_transfer LIMIT 1)")


EDITS: tuple[Callable[[psycopg.Connection[Any]], None], ...] = (
    _change_amount,
    _change_amount_with_its_hash,
    _change_time_with_its_hash,
    _delete,
    _insert,
    _change_balance,
    _forget_reversal,
)


@pytest.mark.parametrize("at_once", ["at once", "piece by piece"])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__.strip("_"))
def test_what_a_superuser_edits_with_triggers_off_is_found(
    sealed: City, monkeypatch: pytest.MonkeyPatch, edit: Callable[[psycopg.Connection[Any]], None], at_once: str
) -> None:
    if at_once == "piece by piece":
        for place, name in ((sealing, "ACCOUNTS"), (sealing, "ENTRIES"), (sealer, "LINKS"), (sealer, "ROWS")):
            monkeypatch.setattr(place, name, 2)
    with sealed.as_superuser() as superuser:
        kept = {
            name: superuser.execute(f"SELECT * FROM {name}").fetchall() for name in ("transfer", "account", "reversed_transfer")
        }  # own names
        edit(superuser)
        found = ledger.verify()
        for name, rows in kept.items():
            superuser.execute(f"DELETE FROM {name}")  # own names
            with superuser.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)  # own names
    assert found
    assert ledger.verify() == []


@pytest.mark.parametrize("pieces", [1, 3, 1_000_000])
def test_the_books_are_looked_through_whole_whatever_a_piece_holds(sealed: City, monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    for place, name in ((sealing, "ACCOUNTS"), (sealing, "ENTRIES"), (sealer, "LINKS"), (sealer, "ROWS")):
        monkeypatch.setattr(place, name, pieces)
    with sealed.as_app() as app:
        row = app.execute(
            "SELECT (SELECT count(*) FROM transfer), (SELECT count(*) FROM account), (SELECT sum(entries) FROM account),"
            " (SELECT count(*) FROM reversed_transfer), (SELECT count(*) FROM seal WHERE chain = 'transfer')"
        ).fetchone()
    assert row is not None
    seen, chain = ledger.examine(), sealer.check("transfer")
    assert (seen.transfers, seen.accounts, seen.entries, seen.reversals, chain.links) == row
    assert (chain.rows, chain.unsealed) == (seen.transfers, 0)
    with sealed.as_app() as app:
        ledger.post_on(app, [move(sealed.wallets[0], sealed.merchant, 1)])
    assert sealer.check("transfer").unsealed == 1


def test_an_entry_of_an_account_that_is_gone_is_found(sealed: City) -> None:
    with sealed.as_superuser() as superuser:
        kept = superuser.execute("SELECT * FROM account WHERE id = %s", (sealed.merchant,)).fetchall()
        superuser.execute("DELETE FROM account WHERE id = %s", (sealed.merchant,))
        found = ledger.verify()
        superuser.execute("INSERT INTO account VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", kept[0])
    assert found == [ledger.Fault("an account's balance is not that of its last entry", str(sealed.merchant))]


def test_a_row_too_many_is_told_of_its_own_link_alone(city: City) -> None:
    core.crypto.install(bytes(range(32)))
    while sealer.seal_all():
        pass
    links = []
    for _ in range(3):
        with city.as_app() as app:
            moved = move(city.bank, city.wallets[0], 5, kind="top_up")
            ledger.post_on(app, [moved])
        sealer.seal_all()
        links.append(sealer.check("transfer").links)
    with city.as_superuser() as superuser:
        superuser.execute(
            "INSERT INTO transfer SELECT %s, city_id, kind, debit_account, credit_account, amount_fen, debit_balance_after,"
            " credit_balance_after, debit_entry, credit_entry, NULL, NULL, occurred_at, recorded_at,"
            " (SELECT to_txid FROM seal WHERE chain = 'transfer' AND number = %s), '' FROM transfer WHERE id = %s",
            (made := ids.new_id(), links[1], moved.id),
        )
        superuser.execute("UPDATE transfer SET" + REHASH + " WHERE id = %s", (made,))
        found = sealer.verify("transfer")
        superuser.execute("DELETE FROM transfer WHERE id = %s", (made,))
    assert [(broken.number, broken.why) for broken in found] == [(links[1], "rows")]
    assert sealer.verify("transfer") == []


def test_the_opened_account_is_empty_and_the_same_again_is_no_error(city: City) -> None:
    account = ids.new_id()
    with city.as_app() as app:
        for _ in range(2):
            app.execute("SELECT ledger_open(%s, %s, 'wallet')", (account, CITY))
        with pytest.raises(psycopg.errors.UniqueViolation):
            app.execute("SELECT ledger_open(%s, %s, 'bank')", (account, CITY))
        for kind, line in (("wallet", 1), ("merchant", 10_000_001), ("merchant", -1)):
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                app.execute("SELECT ledger_open(%s, %s, %s, NULL, %s)", (ids.new_id(), CITY, kind, line))
        with pytest.raises(psycopg.errors.CheckViolation):
            app.execute("SELECT ledger_open(%s, %s, 'treasure')", (ids.new_id(), CITY))
    assert city.balance(account) == 0
