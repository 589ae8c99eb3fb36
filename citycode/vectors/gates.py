"""What a gate decides over several scans: each vector is a gate of its own, with a hotlist and a sequence of codes."""

from __future__ import annotations

from typing import Any

from citycode.hotlist import entry
from citycode.vectors.building import NOW, OTHER, Parts

PLAIN = Parts()
NEXT_ID = bytes.fromhex("00112233445566778899aabbccddeeff")


def vectors() -> list[dict[str, Any]]:
    """Replays, limits and the hotlist."""
    code = PLAIN.made()
    again = PLAIN.but(generated_at=NOW + 5, nonce=b"next").made()
    second = PLAIN.but(identity=NEXT_ID, device=OTHER).made()
    high = PLAIN.but(terms=(0, 2001), identity=NEXT_ID, device=OTHER).made()
    return [
        _gate("the same code twice", [(code, 200, NOW, None), (code, 200, NOW + 1, "replayed")]),
        _gate("the same authorisation, signed anew", [(code, 200, NOW, None), (again, 200, NOW + 6, "replayed")]),
        _gate("two authorisations", [(code, 200, NOW, None), (second, 200, NOW + 1, None)]),
        _gate("more than the limit, then the limit", [(code, 2001, NOW, "over_limit"), (code, 2000, NOW, None)]),
        _gate("a negative amount", [(code, -1, NOW, "over_limit")]),
        _gate("refused first, shown in time", [(code, 200, NOW - 6, "from_the_future"), (code, 200, NOW, None)]),
        _gate("on the hotlist", [(code, 200, NOW, "listed"), (second, 200, NOW, None)], listed=[PLAIN.identity]),
        _gate("on the hotlist and replayed", [(second, 0, NOW, None), (second, 0, NOW, "replayed")], listed=[PLAIN.identity]),
        _gate("lists of four days ago", [(code, 200, NOW, "lists_too_old")], made_at=NOW - 4 * 86400),
        _gate("lists of 72 hours ago", [(code, 200, NOW, None)], made_at=NOW - 3 * 86400),
        _gate("a full gate", [(code, 1500, NOW, None), (high, 501, NOW, "gate_full"), (high, 500, NOW, None)], most_fen=2000),
    ]


def _gate(
    name: str,
    steps: list[tuple[str, int, int, str | None]],
    *,
    listed: list[bytes] | None = None,
    made_at: int = NOW,
    most_fen: int = 2_000_000,
) -> dict[str, Any]:
    scans = [{"code": code, "amount_fen": amount, "now": now, "refused": reason} for code, amount, now, reason in steps]
    hotlist = {"version": 1, "made_at": made_at, "entries": [entry(identity).hex() for identity in listed or []]}
    return {"name": name, "hotlist": hotlist, "most_fen": most_fen, "scans": scans}
