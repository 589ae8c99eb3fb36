"""The faulty line does what it says to a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from command.embedded import postgres
from crash.line import Fault, FaultyLine


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    with postgres.running(tmp_path_factory.mktemp("line") / "postgres") as running:
        yield running


@pytest.fixture
def line(server: postgres.Server, tmp_path: Path) -> Iterator[FaultyLine]:
    line = FaultyLine(tmp_path, server.socket, seed=1)
    line.start()
    yield line
    line.stop()


def _connect(line: FaultyLine) -> psycopg.Connection:
    url = f"postgresql://{postgres.OWNER}@/{postgres.CITYCARD}?host={quote(str(line.folder))}"
    return psycopg.connect(url, autocommit=True)


def test_an_undisturbed_line_passes_everything(line: FaultyLine) -> None:
    with _connect(line) as connection:
        assert connection.execute("SELECT repeat('x', 200000)").fetchone() == ("x" * 200000,)


def test_a_lost_acknowledgement_leaves_the_work_done(line: FaultyLine) -> None:
    with _connect(line) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS lost (n int)")
        line.suffer(Fault.ACKLOSS, 1.0)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("INSERT INTO lost VALUES (1)")
    line.heal()
    with _connect(line) as connection:
        assert connection.execute("SELECT count(*) FROM lost").fetchone() == (1,)


def test_a_reset_request_is_never_done(line: FaultyLine) -> None:
    with _connect(line) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS reset_before (n int)")
        line.suffer(Fault.RESET, 1.0)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("INSERT INTO reset_before VALUES (1)")
    line.heal()
    with _connect(line) as connection:
        assert connection.execute("SELECT count(*) FROM reset_before").fetchone() == (0,)


@pytest.mark.parametrize("fault", [Fault.ACKLOSS, Fault.RESET, Fault.DOWN])
def test_a_fault_that_was_felt_is_counted(line: FaultyLine, fault: Fault) -> None:
    with _connect(line) as connection:
        connection.execute("SELECT 1")
        assert line.struck == 0
        line.suffer(fault, 1.0)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        assert line.struck > 0


def test_a_fault_that_nobody_felt_is_not_counted(line: FaultyLine) -> None:
    with _connect(line) as connection:
        line.suffer(Fault.LATENCY, 0.01)
        assert line.struck == 0
        connection.execute("SELECT 1")
        assert line.struck > 0


def test_a_line_that_is_down_takes_nobody(line: FaultyLine) -> None:
    with _connect(line) as connection:
        connection.execute("SELECT 1")
        line.suffer(Fault.DOWN)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        _connect(line)
