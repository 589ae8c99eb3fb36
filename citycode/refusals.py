"""Why a code is refused: one closed list, the same in every language the verifier is written in (docs/city-code.md)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The first thing found wrong, in the order in which a verifier looks."""

    TOO_LONG = "too_long"
    OTHER_FORMAT = "other_format"
    BAD_BASE45 = "bad_base45"
    BAD_ENCODING = "bad_encoding"
    NOT_CANONICAL = "not_canonical"
    WRONG_STRUCTURE = "wrong_structure"
    WRONG_ALGORITHM = "wrong_algorithm"
    WRONG_CURVE = "wrong_curve"
    BAD_SIGNATURE_FORM = "bad_signature_form"
    BAD_WINDOW = "bad_window"
    UNKNOWN_ISSUER = "unknown_issuer"
    ISSUER_OUT_OF_TIME = "issuer_out_of_time"
    BAD_ISSUER_SIGNATURE = "bad_issuer_signature"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    BAD_DEVICE_SIGNATURE = "bad_device_signature"
    FROM_THE_FUTURE = "from_the_future"
    STALE = "stale"
    # What only a gate with its lists knows:
    LISTS_TOO_OLD = "lists_too_old"
    LISTED = "listed"
    REPLAYED = "replayed"
    OVER_LIMIT = "over_limit"
    GATE_FULL = "gate_full"


class Refused(Exception):
    """A code that is not accepted, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason
