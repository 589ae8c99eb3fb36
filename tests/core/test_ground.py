"""Ids, clock, limits, outbox, jobs, audit and seals: what the floors above stand on."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core import audit, clock, db, ids, limits, paging, pulse, revocation, sealer
from core.actors import system
from core.errors import Conflict, NotFound, Throttled, Unavailable
from core.money import yuan
from core.vocabulary import AuditEvent
from tests.core.conftest import CITY, WANG

pytestmark = pytest.mark.subset


@given(st.uuids(), st.sampled_from(["card", "top_up"]))
def test_a_shown_id_reads_back_and_another_prefix_does_not(identity: UUID, prefix: str) -> None:
    shown = ids.show(prefix, identity)
    assert ids.parse(prefix, shown) == identity
    with pytest.raises(NotFound):
        ids.parse("other", shown)


@given(st.text(max_size=40))
def test_nonsense_is_no_id(text: str) -> None:
    with pytest.raises(NotFound):
        ids.parse("card", text)


def test_ids_rise_and_carry_their_time() -> None:
    made = [ids.new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {i.version for i in made} == {7}
    assert abs((ids.at(ids.new_id()) - clock.now()).total_seconds()) < 10
    moment = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    assert ids.at(ids.floor_id(moment)) == moment


def test_fen_are_shown_as_yuan() -> None:
    assert [yuan(f) for f in (0, 5, 1230, -1)] == ["0.00", "0.05", "12.30", "-0.01"]


@given(st.one_of(st.uuids(), st.integers(0, 2**60), st.text(st.characters(codec="utf-8"), max_size=30)))
def test_a_cursor_reads_back(key: UUID | int | str) -> None:
    assert paging.decode(paging.encode(key)) == key


@given(st.text(max_size=30))
def test_a_forged_cursor_is_refused_or_harmless(text: str) -> None:
    with contextlib.suppress(paging.CursorUnknown):
        assert isinstance(paging.decode(text), (UUID, int, str))


def test_a_protecting_limit_counts_and_refuses_whatever_the_transaction_does(small: Flask) -> None:
    for _ in range(3):
        limits.count("tries", "x", per=dt.timedelta(hours=1), at_most=3)
    with pytest.raises(Throttled) as refused:
        limits.count("tries", "x", per=dt.timedelta(hours=1), at_most=3)
    assert 1 <= refused.value.facts["retry_after"] <= 3601
    limits.forgive("tries", "x")
    limits.check("tries", "x", at_most=1)


def test_a_window_of_an_hour_begins_with_its_first_attempt_and_one_of_a_day_at_midnight(small: Flask) -> None:
    before_the_turn = dt.datetime(2026, 6, 30, 23, 59, 50, tzinfo=clock.CHINA)
    hour, day = dt.timedelta(hours=1), dt.timedelta(days=1)

    def at(moment: dt.datetime) -> None:
        clock.learn(clock.offset() + (moment - clock.now()))

    at(before_the_turn)
    for per, name in ((hour, "hour"), (day, "day")):
        limits.count(name, "x", per=per, at_most=9, by=9)
    at(before_the_turn + dt.timedelta(seconds=20))
    with pytest.raises(Throttled) as refused:
        limits.count("hour", "x", per=hour, at_most=9)
    assert 3570 <= refused.value.facts["retry_after"] <= 3590
    assert limits.count("day", "x", per=day, at_most=9) == 1
    at(before_the_turn + dt.timedelta(minutes=61))
    assert limits.used("hour", "x") == 0
    assert limits.count("hour", "x", per=hour, at_most=9) == 1
    assert limits.used("day", "x") == 1
    at(before_the_turn + dt.timedelta(minutes=60, seconds=30))
    assert limits.count("hour", "x", per=hour, at_most=9) == 2, "read a moment before the first attempt, counted after it"
    at(before_the_turn)
    assert limits.used("hour", "x") == 0, "a window in the future is one that a clock set back has left"


def test_first_attempts_at_the_same_moment_are_all_counted(small: Flask) -> None:
    def one(nth: int) -> int:
        return limits.count("tries", f"x{nth % 20}", per=dt.timedelta(hours=1), at_most=99)

    with ThreadPoolExecutor(8) as pool:
        counted = sorted(pool.map(one, range(160)))
    assert counted == sorted(list(range(1, 9)) * 20)


def test_a_protecting_limit_fails_closed_when_the_database_is_away(small: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_url", "postgresql://citycard_app@/x?host=/nowhere")
    db.drop_connection()
    with pytest.raises(Unavailable):
        limits.count("tries", "x", per=dt.timedelta(hours=1), at_most=3)


def test_a_request_quota_falls_back_to_the_process_when_redis_is_away() -> None:
    quotas = limits.Quotas("redis://127.0.0.1:9/0")
    for _ in range(5):
        quotas.take("x", per_minute=5)
    with pytest.raises(Throttled):
        quotas.take("x", per_minute=5)


def test_what_is_revoked_is_known_at_once_here_and_forgotten_by_nobody(small: Flask) -> None:
    issued = clock.now()
    assert not revocation.is_revoked(["session:1"], issued)
    with db.transaction():
        revocation.revoke("session:1")
    pulse.read_now()
    assert revocation.is_revoked(["resident:9", "session:1"], issued)
    assert not revocation.is_revoked(["session:1"], clock.now())
    revocation.forget()
    pulse.forget()
    assert revocation.is_revoked(["session:1"], issued)


def test_an_audit_line_cannot_be_back_dated_changed_or_removed(small: Flask) -> None:
    with db.transaction():
        audit.record(WANG, AuditEvent.CARD_LOST, city_id=CITY, subject="card_x", resident_id=WANG.id, detail={"why": "test"})
    columns = "id, city_id, actor_kind, actor_id, event, subject, outcome, at, row_hash"
    forged = f"INSERT INTO audit ({columns}) VALUES (%s, 1, 'x', %s, 'x', 'x', 'x', '2001-01-01', '')"
    db.connection().execute(forged, (ids.new_id(), ids.new_id()))
    oldest, kept = db.connection().execute("SELECT min(at), bool_and(row_hash = audit_row_hash(a)) FROM audit a").fetchone() or ()
    assert oldest > clock.now() - dt.timedelta(minutes=1)
    assert kept
    for attack in ("UPDATE audit SET outcome = 'x'", "DELETE FROM audit", "TRUNCATE audit", "ALTER TABLE audit DISABLE TRIGGER ALL"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.connection().execute(attack)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE audit SET outcome = 'forged' WHERE subject = 's7'",
        "DELETE FROM audit WHERE subject = 's7'",
        "UPDATE audit SET outcome = 'forged', row_hash = audit_row_hash(row(id, city_id, at, actor_kind, actor_id, event, subject,"
        " resident_id, 'forged', detail, request_id, txid, row_hash)::audit) WHERE subject = 's7'",
        "INSERT INTO audit SELECT gen_random_uuid(), city_id, at, actor_kind, actor_id, event, 'new', resident_id, outcome, detail,"
        " request_id, txid, row_hash FROM audit WHERE subject = 's7'",
        "UPDATE seal SET hash = sha256('x') WHERE number = 1",
    ],
    ids=["changed", "deleted", "changed with its hash", "added", "another head"],
)
def test_the_chain_finds_what_a_superuser_does_with_triggers_off(small: Flask, ground: tuple[object, ...], edit: str) -> None:
    for link in range(3):
        with db.transaction():
            for row in range(5):
                audit.record(WANG, AuditEvent.CARD_LOST, city_id=CITY, subject=f"s{link * 5 + row}")
        sealer.seal_all()
    assert sealer.verify("audit") == []
    name = db.connection().info.dbname
    with psycopg.connect(ground[0].url("postgres", name), autocommit=True) as superuser:  # type: ignore[attr-defined]  # a Server
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(edit)
    assert [b.chain for b in sealer.verify("audit")][:1] == ["audit"]


def test_a_row_of_a_transaction_that_commits_late_is_sealed_all_the_same(small: Flask) -> None:
    line = "INSERT INTO audit (id, city_id, actor_kind, actor_id, event, subject, outcome) VALUES (%s, 1, 'x', %s, 'x', 'late', 'x')"
    with db.private_connection() as slow:
        slow.execute("BEGIN")
        slow.execute(line, (ids.new_id(), ids.new_id()))
        with db.transaction():
            audit.record(WANG, AuditEvent.CARD_LOST, city_id=CITY, subject="early")
        sealer.seal_all()
        slow.execute("COMMIT")
    sealer.seal_all()
    assert db.connection().execute("SELECT sum(rows) FROM seal").fetchone() == (2,)
    assert sealer.verify("audit") == []


def test_a_systems_actor_is_the_same_in_every_run() -> None:
    assert system("sealer") == system("sealer") != system("other")
    assert json.dumps({"kind": system("x").kind}) == '{"kind": "system"}'


class Short(Conflict):
    code = "short"
    zh, en = "还可退 {left_yuan} 元（{number}）", "at most CNY {left_yuan} ({number}, {missing_yuan})"


def test_a_refusal_reads_its_fen_as_yuan_and_keeps_them_as_facts() -> None:
    refusal = Short(left_fen=1230, number=3)
    assert refusal.text("zh-CN") == "还可退 12.30 元（3）"
    assert refusal.text("en") == "at most CNY 12.30 (3, {missing_yuan})"
    assert refusal.facts == {"left_fen": 1230, "number": 3}
