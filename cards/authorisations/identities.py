"""The ids of authorisations: made of batch and place with a key that the centre alone holds, and read back with it."""

from __future__ import annotations

from core import crypto

PURPOSE = "city-code-id"
_PLACE_BITS = 16
# A batch number below 2^63 and its place; anything above was never made here.
_NUMBERS = 1 << (63 + _PLACE_BITS)


def identity(batch: int, place: int) -> bytes:
    """The id of one authorisation of a batch."""
    return crypto.veil(PURPOSE, batch << _PLACE_BITS | place)


def origin(authorisation_id: bytes) -> tuple[int, int] | None:
    """Batch and place behind an id; None for one that was never made here."""
    number = crypto.unveil(PURPOSE, authorisation_id)
    return (number >> _PLACE_BITS, number & ((1 << _PLACE_BITS) - 1)) if number < _NUMBERS else None
