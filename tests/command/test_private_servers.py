"""A private PostgreSQL and Valkey come up, recover and go, whatever was done to them."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from command.embedded import postgres, valkey
from command.embedded.account import LONGEST_SOCKET_FOLDER, account_for, socket_folder
from command.embedded.errors import CannotStart
from command.embedded.processes import living_in

pytestmark = pytest.mark.subset

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="citycard-test-") as made:
        Path(made).chmod(0o755)  # as root the server's account passes through
        yield Path(made) / "servers"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[postgres.Server]:
    with postgres.running(folder / "postgres") as running:
        yield running


def test_each_role_enters_its_own_database_alone(server: postgres.Server) -> None:
    for role, database in (
        (postgres.OWNER, postgres.CITYCARD),
        (postgres.APP, postgres.CITYCARD),
        (postgres.OUTSIDE, postgres.OUTSIDE_DATABASE),
    ):
        with psycopg.connect(server.url(role, database)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (role,)
    for role, database in ((postgres.OUTSIDE, postgres.CITYCARD), (postgres.APP, postgres.OUTSIDE_DATABASE)):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(server.url(role, database))


def test_the_application_cannot_make_tables(server: postgres.Server) -> None:
    with psycopg.connect(server.url()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE anything (id int)")


def test_what_is_acknowledged_is_on_disk(server: postgres.Server) -> None:
    with psycopg.connect(server.url()) as connection:
        shown = {name: connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit", "full_page_writes")}
    assert set(shown.values()) == {("on",)}


def test_only_its_owner_reaches_the_socket_and_nobody_the_network(server: postgres.Server) -> None:
    assert server.socket.stat().st_mode & 0o077 == 0
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_database_is_copied_from_a_template(server: postgres.Server) -> None:
    server.create_database("first")
    with psycopg.connect(server.url(postgres.OWNER, "first"), autocommit=True) as connection:
        connection.execute("CREATE TABLE thing (id int); INSERT INTO thing VALUES (7); GRANT SELECT ON thing TO citycard_app")
    server.create_database("second", template="first")
    with psycopg.connect(server.url(postgres.APP, "second")) as connection:
        assert connection.execute("SELECT id FROM thing").fetchone() == (7,)
    for name in ("first", "second"):
        server.drop_database(name)


def test_no_row_reaches_the_servers_log(server: postgres.Server) -> None:
    with psycopg.connect(server.url(postgres.OWNER), autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE person (number text UNIQUE)")
        connection.execute("INSERT INTO person VALUES (%s)", ("990101199003078811",))
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES ('990101199003078811')")
    assert "duplicate key" in server.log.read_text()
    assert "990101199003078811" not in server.log.read_text()


def test_a_second_start_joins_the_first(server: postgres.Server, folder: Path) -> None:
    assert postgres.start(folder / "postgres") == server
    assert len([pid for pid in living_in(server.data) if _parent(pid) == os.getpid()]) == 1


def test_starts_at_once_on_a_fresh_folder_make_one_server(folder: Path) -> None:
    code = f"from command.embedded import postgres; print(postgres.start({str(folder / 'many')!r}).url())"
    starts = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(3)]
    try:
        assert len({start.communicate(timeout=60)[0] for start in starts}) == 1
        assert [start.returncode for start in starts] == [0, 0, 0]
    finally:
        postgres.stop(folder / "many")


def test_after_kill_9_nothing_acknowledged_is_lost(folder: Path) -> None:
    home = folder / "killed"
    server = postgres.start(home)
    try:
        with psycopg.connect(server.url(postgres.OWNER), autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS told (id int)")
            connection.execute("INSERT INTO told VALUES (1)")
        for pid in living_in(server.data):
            with contextlib.suppress(ProcessLookupError):  # a background process may end by itself, or because the first one is gone
                os.kill(pid, signal.SIGKILL)
        with psycopg.connect(postgres.start(home).url(postgres.OWNER)) as connection:
            assert connection.execute("SELECT count(*) FROM told").fetchone() == (1,)
    finally:
        postgres.stop(home)


def test_the_pid_of_a_dead_server_may_belong_to_anybody(folder: Path) -> None:
    home = folder / "stale"
    server = postgres.start(home)
    before = (server.data / "postmaster.pid").read_text()
    postgres.stop(home, mode="immediate")
    (server.data / "postmaster.pid").write_text(before.replace(before.split()[0], str(os.getpid()), 1))
    try:
        assert postgres.start(home).answers()
    finally:
        postgres.stop(home)


def test_a_half_made_cluster_is_made_again(folder: Path) -> None:
    half = folder / "half" / "data.half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with postgres.running(folder / "half") as server:
        assert server.answers()


def test_a_tied_server_ends_with_whoever_started_it(folder: Path) -> None:
    home = folder / "tied"
    code = f"from command.embedded import postgres; import os; postgres.start({str(home)!r}, tied=True); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False)
    with postgres.running(home) as server:  # waits for the end of the other, then starts its own
        assert server.process is not None
    assert living_in(server.data) == []


def test_a_deep_folder_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    short = socket_folder(deep, account_for(deep))
    assert len(str(short)) <= LONGEST_SOCKET_FOLDER
    short.rmdir()


def test_data_of_an_absent_version_are_not_touched(folder: Path) -> None:
    old = folder / "old" / "data"
    old.mkdir(parents=True)
    (old / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match="No PostgreSQL 9 found"):
        postgres.start(folder / "old")
    assert [path.name for path in old.iterdir()] == ["PG_VERSION"]


def test_valkey_keeps_what_it_was_told_through_a_kill(folder: Path) -> None:
    server = valkey.start(folder / "valkey")
    try:
        client = redis.Redis.from_url(server.url)
        client.set("told", "1")
        client.execute_command("WAITAOF", 1, 0, 3000)
        client.close()
        assert server.socket.stat().st_mode & 0o077 == 0
        for pid in living_in(server.data):
            with contextlib.suppress(ProcessLookupError):  # a background process may end by itself, or because the first one is gone
                os.kill(pid, signal.SIGKILL)
        client = redis.Redis.from_url(valkey.start(folder / "valkey").url)
        assert client.get("told") == b"1"
        client.close()
    finally:
        valkey.stop(folder / "valkey")


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
