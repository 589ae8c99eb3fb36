"""A gate over power failures, and the hotlist as it is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycode import Refused, signatures
from citycode.gate import Gate, GateRules
from citycode.hotlist import EMPTY, Hotlist, entry, false_refusals, pack, split, unpack
from citycode.journal import MOST_IN_BATCH, Journal, batch_to_sign, sign_batch
from citycode.vectors.building import DEVICE, END, NOW, OTHER, Parts
from citycode.vectors.flipping import TRUST

LIST = Hotlist(1, NOW, frozenset())


def gate_of(journal: Journal, rules: GateRules | None = None) -> Gate:
    return Gate(TRUST, LIST, keep=journal.keep, kept=journal.trades, uploaded=journal.uploaded, rules=rules or GateRules())


def other(number: int) -> str:
    """The code of another authorisation."""
    return Parts().but(identity=number.to_bytes(16, "big"), device=OTHER).made()


def test_a_gate_that_was_started_again_remembers_what_it_took(tmp_path: Path) -> None:
    gate_of(Journal(tmp_path / "j")).offer(Parts().made(), 200, now=NOW)
    again = Journal(tmp_path / "j")
    with pytest.raises(Refused, match="replayed"):
        gate_of(again).offer(Parts().made(), 200, now=NOW)
    assert [(trade.serial, trade.amount_fen) for trade in again.waiting()] == [(1, 200)]


@pytest.mark.parametrize("cut", [1, 5, 100, 400])
def test_a_line_that_was_cut_off_is_forgotten_and_its_serial_given_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    gate = gate_of(Journal(path))
    gate.offer(Parts().made(), 200, now=NOW)
    whole = path.stat().st_size
    gate.offer(other(2), 300, now=NOW)
    data = path.read_bytes()
    path.write_bytes(data[: max(whole, len(data) - cut)])
    again = Journal(path)
    assert [trade.serial for trade in again.trades] == [1]
    gate_of(again).offer(other(3), 100, now=NOW)
    assert [(trade.serial, trade.amount_fen) for trade in Journal(path).trades] == [(1, 200), (2, 100)]


def test_what_cannot_be_kept_does_not_open_the_gate() -> None:
    def full(_: object) -> None:
        raise OSError("no space left")

    gate = Gate(TRUST, LIST, keep=full)
    for _ in range(2):
        with pytest.raises(OSError, match="space"):
            gate.offer(Parts().made(), 200, now=NOW)


def test_uploading_makes_room(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    gate = gate_of(journal, GateRules(most_fen=500))
    gate.offer(Parts().made(), 400, now=NOW)
    with pytest.raises(Refused, match="gate_full"):
        gate.offer(other(2), 200, now=NOW)
    journal.taken(1)
    gate.uploaded(400)
    gate.offer(other(2), 200, now=NOW)
    assert [trade.serial for trade in Journal(tmp_path / "j").waiting()] == [2]
    gate_of(Journal(tmp_path / "j"), GateRules(most_fen=500)).offer(other(3), 300, now=NOW)


def test_a_gate_forgets_what_can_no_longer_be_shown(tmp_path: Path) -> None:
    gate = gate_of(Journal(tmp_path / "j"))
    gate.offer(Parts().made(), 200, now=NOW)
    assert (gate.forget(now=END - 1), gate.forget(now=END)) == (0, 1)


def test_a_batch_has_an_end_and_a_signature_over_everything_in_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    gate = gate_of(journal)
    gate.offer(Parts().made(), 200, now=NOW)
    (trade,) = journal.waiting()
    journal.trades += [trade._replace(serial=serial) for serial in range(2, 150)]
    assert len(journal.waiting()) == MOST_IN_BATCH
    signature = sign_batch("terminal_1", [trade], lambda message: signatures.sign(DEVICE, message))
    assert signatures.verify(DEVICE.public_key(), signature, batch_to_sign("terminal_1", [trade]))
    for changed in (
        trade._replace(serial=2),
        trade._replace(amount_fen=201),
        trade._replace(occurred_at=NOW + 1),
        trade._replace(code="CC1:"),
    ):
        assert not signatures.verify(DEVICE.public_key(), signature, batch_to_sign("terminal_1", [changed]))
    assert not signatures.verify(DEVICE.public_key(), signature, batch_to_sign("terminal_2", [trade]))


@given(st.sets(st.binary(min_size=16, max_size=16), max_size=50), st.integers(0, 2**63), st.integers(0, 2**32 - 1))
def test_a_snapshot_is_read_as_it_was_written(listed: set[bytes], version: int, made_at: int) -> None:
    hotlist = Hotlist(version, made_at, frozenset(map(entry, listed)))
    assert unpack(pack(hotlist)) == hotlist
    assert all(hotlist.lists(each) for each in listed)
    assert len(pack(hotlist)) == 20 + 5 * len(hotlist.entries)


@given(st.binary(max_size=60))
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    try:
        found = unpack(data)
    except ValueError:
        return
    assert pack(found) == data


def test_a_delta_moves_forward_only() -> None:
    first, second = entry(b"1" * 16), entry(b"2" * 16)
    one = EMPTY.after(version=1, made_at=NOW, added=[first], removed=[])
    two = one.after(version=2, made_at=NOW, added=[second], removed=[first])
    assert (two.entries, two.version) == (frozenset({second}), 2)
    with pytest.raises(ValueError, match="older"):
        two.after(version=1, made_at=NOW, added=[], removed=[])
    with pytest.raises(ValueError, match="cut off"):
        split(b"1234")


def test_false_refusals_are_as_rare_as_it_is_written() -> None:
    assert false_refusals(100_000) < 1e-7
    assert len({entry(number.to_bytes(16, "big")) for number in range(100_000)}) == 100_000
