"""Finding planted people in bytes: their citizen numbers, phones and names, as they are and as they are usually dressed."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

DIGITS = re.compile(rb"[0-9]{11,}[Xx]?")
WIDE = re.compile(rb"(?:[0-9]\x00){11,}(?:[Xx]\x00)?")
HEX = re.compile(rb"(?:3[0-9]){11,}(?:58|78)?|(?:[eE][4-9](?:[89abAB][0-9a-fA-F]){2}){2,}")
# Three digits make one of few groups of four letters; the groups on both sides may hold the rest.
BASE64 = re.compile(rb"(?:[MNO][DTjz][AEIMQUYcgk][wxyz0-5]){3,}")
IDEOGRAPHS = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}){2,}")
ESCAPED = re.compile(rb"(?:\\u[0-9a-fA-F]{4}){2,}")
QUOTED = re.compile(rb"(?:%[0-9A-Fa-f]{2}){6,}")
LONG_RUN = re.compile(rb"(?<![0-9A-Za-z])[0-9]{13,19}(?![0-9A-Za-z])")


@dataclass(frozen=True)
class Plants:
    """Everything that was planted."""

    numbers: frozenset[str]
    phones: frozenset[str]
    names: frozenset[str]

    def found(self, data: bytes) -> set[str]:
        """What of it stands in these bytes."""
        seen = set(self._plain(data))
        for wide in WIDE.findall(data):
            seen |= set(self._digits(wide.replace(b"\x00", b"")))
        for pairs in HEX.findall(data):
            seen |= set(self._plain(bytes.fromhex(pairs.decode()[: len(pairs) // 2 * 2])))
        for text in ESCAPED.findall(data):
            seen |= set(self._names(re.sub(rb"\\u(....)", lambda m: chr(int(m[1], 16)).encode("utf-8", "replace"), text)))
        for text in QUOTED.findall(data):
            seen |= set(self._plain(unquote_to_bytes(text)))
        for groups in BASE64.finditer(data):
            seen |= set(self._plain(decoded(data[max(0, groups.start() - 4) : groups.end() + 4])))
        return seen

    def _plain(self, data: bytes) -> Iterator[str]:
        for run in DIGITS.findall(data):
            yield from self._digits(run)
        for run in IDEOGRAPHS.findall(data):
            yield from self._names(run)

    def _digits(self, run: bytes) -> Iterator[str]:
        text = run.decode("ascii").upper()
        yield from (text[at : at + 18] for at in range(len(text) - 17) if text[at : at + 18] in self.numbers)
        # A phone stands alone or after its country: inside a longer number it is chance.
        yield from ({text.removesuffix("X"), text.removesuffix("X").removeprefix("86")} & self.phones)

    def _names(self, run: bytes) -> Iterator[str]:
        text = run.decode("utf-8", "replace")
        yield from (text[at : at + 3] for at in range(len(text) - 2) if text[at : at + 3] in self.names)


def decoded(text: bytes) -> bytes:
    """What groups of base64 say; letters of neither alphabet, which may stand beside them, are read as some letter."""
    plain = re.sub(rb"[^A-Za-z0-9+/]", b"A", text.translate(bytes.maketrans(b"-_", b"+/")))
    return base64.b64decode(plain[: len(plain) // 4 * 4])


def card_like(data: bytes) -> set[str]:
    """Numbers of 13 to 19 digits with the right check digit of payment cards (ISO/IEC 7812-1, annex B)."""
    return {run.decode() for run in LONG_RUN.findall(data) if luhn(run.decode())}


def luhn(number: str) -> bool:
    """Whether the last digit checks the others."""
    digits = [int(digit) for digit in reversed(number)]
    return sum(digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4) for place, digit in enumerate(digits)) % 10 == 0
