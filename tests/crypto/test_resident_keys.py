"""A resident's own key: what it opens, what its destruction destroys."""

from __future__ import annotations

import time
import uuid

import pytest
from flask import Flask
from sqlalchemy import text

from core import clock, db
from core.crypto import (
    make_resident_key,
    make_resident_keys,
    open_sealed,
    residents,
    rewrap,
    root_keys,
    seal,
    seal_many,
    shred,
    shredded_since,
)
from core.crypto.errors import ResidentKeyMissing, Unreadable
from core.crypto.national import NATIONAL
from core.ids import new_id

YUNCHUAN = 990100
NAME = "王晓明"

pytestmark = pytest.mark.usefixtures("rollback")


@pytest.fixture
def resident() -> uuid.UUID:
    residents.forget()
    made = new_id()
    make_resident_key(made, YUNCHUAN)
    return made


def test_what_is_sealed_opens_again(resident: uuid.UUID) -> None:
    sealed = seal(resident, "name", NAME)
    assert NAME.encode() not in sealed
    assert open_sealed(resident, "name", sealed) == NAME
    assert seal(resident, "name", NAME) != sealed


def test_a_sealed_value_opens_only_for_its_resident_and_column(resident: uuid.UUID) -> None:
    other = new_id()
    make_resident_key(other, YUNCHUAN)
    sealed = seal(resident, "name", NAME)
    with pytest.raises(Unreadable):
        open_sealed(resident, "phone", sealed)
    with pytest.raises(Unreadable):
        open_sealed(other, "name", sealed)


def test_nothing_is_sealed_for_a_resident_without_a_key() -> None:
    with pytest.raises(ResidentKeyMissing):
        seal(new_id(), "name", NAME)


def test_shredding_destroys_every_sealed_value(resident: uuid.UUID) -> None:
    began = clock.now()
    sealed = seal(resident, "name", NAME)
    assert open_sealed(resident, "name", sealed) == NAME
    shred(resident)
    for _ in range(2):
        with pytest.raises(ResidentKeyMissing):
            open_sealed(resident, "name", sealed)
    with pytest.raises(ResidentKeyMissing):
        seal(resident, "name", NAME)
    assert shredded_since(began) == [resident]


def test_a_key_of_a_transaction_that_was_rolled_back_seals_nothing(rollback: Flask) -> None:
    resident = new_id()
    with db.session().begin_nested() as inner:
        make_resident_key(resident, YUNCHUAN)
        seal(resident, "name", NAME)
        inner.rollback()
    with pytest.raises(ResidentKeyMissing):
        seal(resident, "name", NAME)
    make_resident_key(resident, YUNCHUAN)
    assert open_sealed(resident, "name", seal(resident, "name", NAME)) == NAME


def test_a_remembered_key_is_forgotten_after_five_minutes(resident: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal(resident, "name", NAME)
    db.session().execute(text("UPDATE resident_key SET wrapped = NULL WHERE resident_id = :r"), {"r": resident})
    assert open_sealed(resident, "name", sealed) == NAME
    later = time.monotonic() + residents.KEPT_SECONDS + 1
    monkeypatch.setattr(residents.time, "monotonic", lambda: later)
    with pytest.raises(ResidentKeyMissing):
        open_sealed(resident, "name", sealed)


def test_few_keys_are_remembered(monkeypatch: pytest.MonkeyPatch, resident: uuid.UUID) -> None:
    monkeypatch.setattr(residents, "KEPT_AT_MOST", 3)
    many = [new_id() for _ in range(10)]
    make_resident_keys(YUNCHUAN, many)
    seal_many([(one, "name", NAME) for one in many])
    assert len(residents._kept) == 3


def test_keys_are_wrapped_anew_under_a_new_root_and_columns_stay(resident: uuid.UUID) -> None:
    sealed = seal(resident, "name", NAME)
    old = root_keys.keyring()
    try:
        root_keys.install(b"\x22" * 32, version=2, earlier={1: old.roots[1]})
        assert rewrap() >= 1
        assert rewrap() == 0
        root_keys.install(b"\x22" * 32, version=2)
        residents.forget()
        assert open_sealed(resident, "name", sealed) == NAME
    finally:
        root_keys._installed[:] = [old]


def test_both_suites_read_what_the_other_sealed(resident: uuid.UUID) -> None:
    old = root_keys.keyring()
    sealed = seal(resident, "name", NAME)
    try:
        root_keys._installed[:] = [root_keys.Keyring(old.roots, NATIONAL)]
        assert open_sealed(resident, "name", sealed) == NAME
        national = seal(resident, "name", NAME)
    finally:
        root_keys._installed[:] = [old]
    assert (sealed[0], national[0]) == (1, 2)
    assert open_sealed(resident, "name", national) == NAME


def test_sealing_four_columns_of_many_residents_goes_in_bulk() -> None:
    many = [new_id() for _ in range(500)]
    make_resident_keys(YUNCHUAN, many)
    values = [(one, column, f"{column} {one}") for one in many for column in ("name", "phone", "citizen_number", "birth_date")]
    sealed = seal_many(values)
    assert [open_sealed(one, column, blob) for (one, column, _), blob in zip(values, sealed, strict=True)] == [
        text for _, _, text in values
    ]
