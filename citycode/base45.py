"""Base45 (RFC 9285): bytes as the 45 characters that a QR code holds in eleven bits for two."""

from __future__ import annotations

import struct
from typing import Final

from citycode.refusals import Reason, Refused

LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_FOREIGN: Final = 255
# A letter beyond Latin-1 becomes a question mark, which is foreign too.
_VALUES: Final = bytes(LETTERS.index(chr(code)) if chr(code) in LETTERS else _FOREIGN for code in range(256))


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
    values = text.encode("latin-1", "replace").translate(_VALUES)
    if _FOREIGN in values or len(values) % 3 == 1:
        raise Refused(Reason.BAD_BASE45)
    groups = zip(values[0::3], values[1::3], values[2::3], strict=False)
    numbers = [low + 45 * middle + 2025 * high for low, middle, high in groups]
    if numbers and max(numbers) > 0xFFFF:
        raise Refused(Reason.BAD_BASE45)
    data = struct.pack(f">{len(numbers)}H", *numbers)
    if len(values) % 3 == 0:
        return data
    last = values[-2] + 45 * values[-1]
    if last > 0xFF:
        raise Refused(Reason.BAD_BASE45)
    return data + bytes([last])
