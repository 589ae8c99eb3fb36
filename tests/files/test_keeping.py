"""Files on disk: sealed, whole, gone with their resident."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image

from core import db, files
from core.actors import Actor, ActorKind
from core.crypto import make_resident_key, residents, shred
from core.crypto.errors import ResidentKeyMissing
from core.errors import NotFound
from core.files import keeping
from core.files.errors import FileDamaged
from core.ids import new_id

YUNCHUAN, LINHU = 990100, 990200


def resident(city: int = YUNCHUAN) -> Actor:
    made = new_id()
    make_resident_key(made, city)
    return Actor(kind=ActorKind.RESIDENT, id=made, city_id=city)


def photograph() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 99, 199)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def folder(rollback: Flask, tmp_path: Path) -> Iterator[Path]:
    kept = list(keeping._folder)
    residents.forget()
    files.install(tmp_path / "files")
    yield tmp_path / "files"
    keeping._folder[:] = kept


def on_disk(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def keep(actor: Actor) -> UUID:
    return files.store(actor, photograph(), resident_id=actor.id, city_id=actor.city_id, purpose="evidence").id


def test_a_file_is_sealed_on_disk_and_opens_for_its_owner(folder: Path) -> None:
    wang = resident()
    kept = keep(wang)
    (path,) = on_disk(folder)
    assert b"PNG" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    content = files.own(wang, kept)
    assert content.media_type == "image/png"
    assert content.name == content.name.lower()
    with Image.open(io.BytesIO(content.data)) as picture:
        assert picture.size == (40, 30)


def test_a_file_of_another_resident_or_city_does_not_exist(folder: Path) -> None:
    kept = keep(resident())
    for other in (resident(), resident(LINHU)):
        with pytest.raises(NotFound):
            files.own(other, kept)


def test_changed_swapped_and_lost_bytes_are_noticed(folder: Path) -> None:
    wang = resident()
    kept = keep(wang)
    (path,) = on_disk(folder)
    whole = path.read_bytes()
    for changed in (whole[:-1], whole + b"x", bytes([whole[0], whole[1] ^ 1]) + whole[2:], b""):
        path.write_bytes(changed)
        with pytest.raises(FileDamaged):
            files.own(wang, kept)
    path.unlink()
    with pytest.raises(FileDamaged):
        files.own(wang, kept)


def test_two_equal_files_are_different_on_disk(folder: Path) -> None:
    wang = resident()
    keep(wang)
    keep(wang)
    assert len(on_disk(folder)) == 2


def test_shredding_a_resident_destroys_the_files(folder: Path) -> None:
    wang = resident()
    kept = keep(wang)
    shred(wang.id)
    with pytest.raises(ResidentKeyMissing):
        files.own(wang, kept)


def test_bytes_without_a_file_are_swept_and_others_stay(folder: Path) -> None:
    wang = resident()
    stays, goes = keep(wang), keep(wang)
    with db.session().begin_nested() as inner:
        keep(wang)
        inner.rollback()
    files.delete(db.session().get(files.keeping.File, goes))
    assert files.sweep() == 0
    assert files.sweep(older_than=-1) == 2
    assert len(on_disk(folder)) == 1
    assert files.own(wang, stays).data
    with pytest.raises(NotFound):
        files.own(wang, goes)
