"""Codes that a verifier accepts."""

from __future__ import annotations

from typing import Any

from citycode.vectors.building import END, NEXT, NOW, START, Parts, key_id, private


def vectors() -> list[dict[str, Any]]:
    """Each accepted code with what it says."""
    plain = Parts()
    return [
        _accepted("a code as it is shown", plain),
        _accepted("the concession class is shown", plain.but(terms=(3, 2000))),
        _accepted("good for identity alone", plain.but(terms=(0, 0))),
        _accepted("the highest class and limit", plain.but(terms=(255, 1_000_000))),
        _accepted("thirty seconds old", plain, now=NOW + 30),
        _accepted("a phone five seconds fast", plain, now=NOW - 5),
        _accepted("the first second of the window", plain.but(generated_at=START), now=START),
        _accepted("the last second of the window", plain.but(generated_at=END - 5), now=END - 1),
        _accepted("a window of one hour", plain.but(expires_at=START + 3600)),
        _accepted("a key with even y" if _odd(plain) else "a key with odd y", plain.but(device=_other_parity(plain))),
        _accepted("the next issuer key, once it has begun", plain.but(issuer=NEXT, generated_at=START + 7200), now=START + 7200),
    ]


def _accepted(name: str, parts: Parts, *, now: int = NOW) -> dict[str, Any]:
    terms = {"concession": parts.terms[0], "limit_fen": parts.terms[1]}
    times = {"starts_at": parts.starts_at, "expires_at": parts.expires_at, "generated_at": parts.generated_at}
    found = {"id": parts.identity.hex(), **terms, **times, "key_id": key_id(parts.issuer).hex()}
    return {"name": name, "code": parts.made(), "now": now, "accepted": found}


def _odd(parts: Parts) -> bool:
    return bool(parts.device.public_key().public_numbers().y % 2)


def _other_parity(parts: Parts) -> Any:
    candidates = (private(f"device {number}") for number in range(100))
    return next(key for key in candidates if bool(key.public_key().public_numbers().y % 2) != _odd(parts))
