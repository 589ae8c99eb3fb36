"""The texts a resident agrees to: one file a version, kept for ever, so that everybody can read again what they once agreed to."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "texts"


class Kind(StrEnum):
    """What is agreed to; the last two are sensitive personal information, which needs a consent of its own (PIPL article 29)."""

    USER_AGREEMENT = "user_agreement"
    PRIVACY_POLICY = "privacy_policy"
    IDENTITY_DATA = "identity_data"
    FACE_DATA = "face_data"


# Agreed to before anything else; the others only by who wants what they are for.
AT_FIRST_START = (Kind.USER_AGREEMENT, Kind.PRIVACY_POLICY)


@dataclass(frozen=True, slots=True)
class Section:
    """One paragraph with its title, in both languages."""

    title_zh: str
    text_zh: str
    title_en: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Text:
    """One version of one text; `sha256` is that of its file and stands in every acceptance."""

    kind: Kind
    version: str
    zh: str
    en: str
    sections: tuple[Section, ...]
    sha256: bytes


@cache
def all_texts() -> Mapping[tuple[Kind, str], Text]:
    """Every version of every text by kind and version, a date."""
    found = (_read(path) for path in sorted(FOLDER.glob("*/*.toml")))
    return {(text.kind, text.version): text for text in found}


@cache
def present() -> Mapping[Kind, Text]:
    """The version of each kind that is asked for now: the newest."""
    return {kind: text for (kind, _), text in sorted(all_texts().items())}


def _read(path: Path) -> Text:
    raw = path.read_bytes()
    told = tomllib.loads(raw.decode())
    sections = tuple(Section(**section) for section in told["sections"])
    return Text(Kind(path.parent.name), path.stem, told["zh"], told["en"], sections, hashlib.sha256(raw).digest())
