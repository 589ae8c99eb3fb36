"""Base45 (RFC 9285): bytes as the 45 characters that a QR code holds in eleven bits for two."""

from __future__ import annotations

from typing import Final

from citycode.refusals import Reason, Refused

LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE: Final = {letter: value for value, letter in enumerate(LETTERS)}


def encode(data: bytes) -> str:
    """The text of RFC 9285 section 4.1."""
    text = []
    for at in range(0, len(data) - 1, 2):
        rest, low = divmod(data[at] << 8 | data[at + 1], 45)
        high, middle = divmod(rest, 45)
        text.append(LETTERS[low] + LETTERS[middle] + LETTERS[high])
    if len(data) % 2:
        high, low = divmod(data[-1], 45)
        text.append(LETTERS[low] + LETTERS[high])
    return "".join(text)


def decode(text: str) -> bytes:
    """The bytes of a text, or Refused: a foreign letter, a group of one, a group beyond two bytes (RFC 9285 section 6)."""
    try:
        values = [_VALUE[letter] for letter in text]
    except KeyError:
        raise Refused(Reason.BAD_BASE45) from None
    if len(values) % 3 == 1:
        raise Refused(Reason.BAD_BASE45)
    whole = len(values) // 3 * 3
    data = bytearray()
    for at in range(0, whole, 3):
        number = values[at] + 45 * values[at + 1] + 2025 * values[at + 2]
        if number > 0xFFFF:
            raise Refused(Reason.BAD_BASE45)
        data += number.to_bytes(2, "big")
    if whole < len(values):
        number = values[whole] + 45 * values[whole + 1]
        if number > 0xFF:
            raise Refused(Reason.BAD_BASE45)
        data.append(number)
    return bytes(data)
