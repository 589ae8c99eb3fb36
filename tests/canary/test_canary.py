"""Two hundred planted people walk the story; afterwards nothing that names them stands anywhere in the clear.

Searched: the program's log at its most talkative, PostgreSQL's own log, a full dump, every WAL segment and heap file, Valkey's keys
and append-only file, and the folder of files. What leaves the city (a message to a phone, a question to the register) is played here.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import psycopg
import pytest
import redis
from sqlalchemy import text

import auth
import migrations
from app import create_app
from command.embedded import postgres, valkey
from command.embedded.account import account_for
from command.embedded.binaries import postgres_programs
from config import logging as city_logging
from config.settings import Settings
from core import db, jobs, outbox, pulse, sealer
from payments.wiring import configure, wired
from services import notices
from tests.access.whole import Whole, whole
from tests.canary.search import Plants, card_like, luhn
from tests.canary.story import Walk, plant
from tests.conftest import settings_for

COUNT = 200
DATABASE = "citycard"
# Copied programs, and the databases that initdb makes, which nothing of ours enters.
ELSEWHERE = re.compile(r"/programs-|/base/[145]/")


@dataclass
class Ground:
    """An installation of its own: its servers, its folders, and everything it logged."""

    database: postgres.Server
    cache: valkey.Server
    settings: Settings
    log: io.StringIO = field(default_factory=io.StringIO)

    def stores(self) -> Iterator[tuple[str, bytes]]:
        """Everything that is kept anywhere, by where it lies."""
        with self.database.admin() as connection:
            connection.execute("CHECKPOINT")
            connection.execute("SELECT pg_switch_wal()")
        client = redis.Redis.from_url(self.cache.url)
        client.save()
        yield "the program's log", self.log.getvalue().encode()
        yield "PostgreSQL's log", self.database.log.read_bytes()
        yield "dump", self.dump()
        yield "keys of Valkey", b"\n".join(client.keys())
        for folder, where in ((self.database.data, "cluster"), (self.cache.home, "Valkey"), (self.settings.data_dir / "files", "files")):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.is_symlink() and not ELSEWHERE.search(str(path)):
                    yield f"{where}: {path.relative_to(folder)}", path.read_bytes()

    def dump(self) -> bytes:
        """The whole database as SQL."""
        account = account_for(self.database.data)
        program = postgres_programs(account, self.database.home, major=None) / "pg_dump"
        url = self.database.url(postgres.ADMIN, DATABASE)
        return subprocess.run([program, "--inserts", url], capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ground, Whole, Plants]]:
    """The story told two hundred times."""
    home = tmp_path_factory.mktemp("canary")
    keep = {"fsync": "off", "wal_keep_size": "4GB", "checkpoint_timeout": "1h"}
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = list(root.handlers)
    with postgres.running(home / "pg", settings=keep) as database, valkey.running(home / "vk") as cache:
        migrations.upgrade(database.url(postgres.OWNER, DATABASE))
        ground = Ground(database, cache, settings_for(database, cache, DATABASE, home / "data"))
        city_logging.configure("debug", process="web")
        for handler in root.handlers:
            assert isinstance(handler, logging.StreamHandler)
            handler.setStream(ground.log)
        try:
            with whole(ground.settings) as made:
                yield ground, made, walk(made)
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)


def walk(made: Whole) -> Plants:
    """Everybody walks; the worker's loops run behind them."""
    people = plant(COUNT)
    made.police.people |= {person.citizen_number: person.name for person in people}
    played = auth.parts()
    real = create_app(made.settings)  # wires the real register, which nothing answers at this address
    unreachable = auth.parts().police
    auth.install(
        issuer=played.issuer, cities=played.cities, default_city=played.default_city, sms=played.sms, police=played.police,
        above=played.above,
    )  # fmt: skip
    configure(providers={"yunpay": made.provider}, keepers=wired().keepers)
    notices.configure(made.inbox)
    till, clerk = made.till("bun-shop"), made.staff_token(made.staff("counter_clerk"))
    supervisors = [made.staff("supervisor") for _ in range(COUNT // 40)]
    for nth, person in enumerate(people):
        step = Walk(made, person, till)
        step.enter()
        step.prove(unreachable if nth < 3 else None)
        step.live()
        step.err()
        step.be_served(clerk, made.staff_token(supervisors[nth % len(supervisors)]))
    pulse.read_now()
    outbox.drain()
    jobs.run_due()
    sealer.seal_all()
    with real.app_context():  # jobs ran in the application that was made last
        db.db.engine.dispose()
    names = frozenset(person.name for person in people)
    return Plants(frozenset(person.citizen_number for person in people), frozenset(person.phone for person in people), names)


def test_nobody_stands_anywhere_in_the_clear(walked: tuple[Ground, Whole, Plants]) -> None:
    ground, _, plants = walked
    assert len(plants.numbers) == len(plants.phones) == len(plants.names) == COUNT
    looked = {"dump": 0, "cluster": 0, "Valkey": 0, "files": 0}
    hits: dict[str, list[str]] = {}
    for place, data in ground.stores():
        looked[place.partition(":")[0]] = looked.get(place.partition(":")[0], 0) + len(data)
        if found := plants.found(data):
            hits[place] = sorted(found)[:3]
    assert hits == {}
    assert looked["cluster"] > 16 * 2**20, "the WAL was searched"
    assert min(looked.values()) > 0, looked


def test_the_people_were_really_there(walked: tuple[Ground, Whole, Plants]) -> None:
    """A search for people who were never stored would find nothing either."""
    _, made, plants = walked
    with db.transaction() as session:
        resident = session.execute(text("SELECT id FROM resident WHERE identity_level = 4 ORDER BY id LIMIT 1")).scalar_one()
        assert session.execute(text("SELECT count(*) FROM charge")).scalar_one() >= 2 * COUNT
        assert auth.AuthData().export(resident)["citizen_number"] in plants.numbers
    assert made.inbox.messages


def test_no_card_number_stands_in_a_log(walked: tuple[Ground, Whole, Plants]) -> None:
    ground, _, _ = walked
    with psycopg.connect(ground.database.url(postgres.ADMIN, DATABASE)) as connection:
        numbers = [row[0] for row in connection.execute("SELECT number FROM card").fetchall()]
    assert len(numbers) >= COUNT
    logs = ground.log.getvalue() + ground.database.log.read_text()
    assert ground.log.getvalue()
    assert [number for number in numbers if number in logs] == []
    assert card_like(logs.encode()) == set()


def test_the_search_finds_what_is_planted_on_purpose(walked: tuple[Ground, Whole, Plants]) -> None:
    """One number in each store, put there past the program; runs last, for it spoils the ground."""
    ground, _, plants = walked
    number = min(plants.numbers)
    with psycopg.connect(ground.database.url(postgres.ADMIN, DATABASE), autocommit=True) as connection:
        connection.execute("CREATE TABLE careless (note text)")
        connection.execute("INSERT INTO careless VALUES (%s)", (f"citizen {number} asked",))
        connection.execute(f"DO $$ BEGIN RAISE LOG 'careless %', '{number}'; END $$")
    redis.Redis.from_url(ground.cache.url).set("careless", f"quota:{number}")
    (ground.settings.data_dir / "files" / "careless").write_text(f"<{number}>")
    ground.log.write(f'{{"event": "careless", "detail": "{number}"}}\n')
    stores = [(place, data) for place, data in ground.stores() if number.encode() in data]
    places = {place for place, data in stores if number in plants.found(data)}
    assert places == {place for place, _ in stores}
    kinds = {place.partition(":")[0] for place in places}
    assert kinds >= {"the program's log", "PostgreSQL's log", "dump", "cluster", "Valkey", "files"}
    assert any("pg_wal" in place for place in places)


@pytest.mark.parametrize("dress", ["plain", "wide", "hex", "base64", "shifted base64", "escaped", "quoted"])
def test_the_search_sees_through_the_usual_dress(dress: str) -> None:
    number, phone, name = "99010119900315001X", "19912345678", "王龘明"
    plants = Plants(frozenset({number}), frozenset({phone}), frozenset({name}))
    both = f"{number},{phone},{name}"
    dressed = {
        "plain": both.encode(),
        "wide": number.encode("utf-16-le") + b"\x00\x01" + phone.encode("utf-16-le"),
        "hex": number.encode().hex().encode() + b" " + phone.encode().hex().encode() + b" " + name.encode().hex().encode(),
        "base64": base64.b64encode(both.encode()),
        "shifted base64": base64.urlsafe_b64encode(b"?" + both.encode()),
        "escaped": json.dumps([number, phone, name]).encode(),
        "quoted": "".join(f"%{byte:02X}" for byte in both.encode()).encode() + quote(name).encode(),
    }[dress]
    wanted = {number, phone} | (set() if dress == "wide" or "base64" in dress else {name})
    assert plants.found(b"{..." + dressed + b"...}") >= wanted


def test_a_payment_card_is_told_by_its_check_digit() -> None:
    assert luhn("4111111111111111")
    assert card_like(b"paid with 4111111111111111, order 4111111111111112, at 1766400000000") == {"4111111111111111"}
