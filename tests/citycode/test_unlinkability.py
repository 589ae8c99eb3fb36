"""F179: verifiers that put together all they saw link two scans of a resident no better than chance.

200 residents show 50 codes each on one day, made as phones make them: from batches fetched at any hour, by clocks that are each a
little off, scanned after a moment's delay. The colluding verifiers have every text and every time of scanning. What they cannot know
is left out: who walked where and when is for the eyes at the gates, and no code can hide it.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

import citycode
from citycode import signatures
from citycode.vectors.building import ISSUER, START, key_id, private

RESIDENTS, EACH, PAIRS = 200, 50, 20_000
MOST = 0.55


@dataclass(frozen=True)
class Scan:
    """What a verifier keeps of a scan, and (for the judge alone) whose it was."""

    resident: int
    at: float
    code: citycode.SignedAuthorisation
    generated_at: int
    nonce: bytes
    signature: bytes


def scan(resident: int, off: float, chance: random.Random, *, concession: int = 0, starts_at: int = START) -> Scan:
    """One walk through a gate: the phone signs on its own clock, the gate reads a moment later."""
    key = private(f"{resident} {chance.random()}")
    x, odd = signatures.x_and_parity(key.public_key())
    terms = citycode.Authorisation(os.urandom(16), x, odd, concession, 1_000, starts_at, starts_at + 86_400)
    signed = citycode.authorise(terms, key_id=key_id(ISSUER), signer=lambda message: signatures.sign(ISSUER, message))
    at = START + 60 + chance.random() * 80_000
    # The code stands on the screen for up to five seconds, and reading it takes a moment.
    shown = at - chance.random() * 5 - chance.lognormvariate(-0.7, 0.5)
    read = citycode.read(citycode.make(signed, key, now=shown + off))
    return Scan(resident, at, read.authorisation, read.generated_at, read.nonce, read.signature)


def near(first: float, second: float) -> float:
    return -abs(first - second)


def alike(first: bytes, second: bytes) -> float:
    """How many bits agree."""
    return 8 * len(first) - (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count()


SCORES: dict[str, Callable[[Scan, Scan], float]] = {
    "the clock's error": lambda a, b: near(a.at - a.generated_at, b.at - b.generated_at),
    "the window": lambda a, b: float(
        (a.code.terms.starts_at, a.code.terms.expires_at) == (b.code.terms.starts_at, b.code.terms.expires_at)
    ),
    "class and limit": lambda a, b: float(
        (a.code.terms.concession, a.code.terms.limit_fen) == (b.code.terms.concession, b.code.terms.limit_fen)
    ),
    "the id": lambda a, b: alike(a.code.terms.id, b.code.terms.id),
    "the key": lambda a, b: alike(a.code.terms.x, b.code.terms.x),
    "the issuer's key": lambda a, b: float(a.code.key_id == b.code.key_id),
    "the nonce": lambda a, b: alike(a.nonce, b.nonce),
    "the phone's signature": lambda a, b: alike(a.signature, b.signature),
    "the issuer's signature": lambda a, b: alike(a.code.signature, b.code.signature),
    "the hotlist entry": lambda a, b: alike(hashlib.sha256(a.code.terms.id).digest(), hashlib.sha256(b.code.terms.id).digest()),
}


def auc(same: list[float], other: list[float]) -> float:
    """The probability that a pair of one resident scores higher than a pair of two; ties count half (Mann and Whitney)."""
    ranked = sorted([(score, True) for score in same] + [(score, False) for score in other])
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        total += sum(mine for _, mine in ranked[at:end]) * (at + 1 + end) / 2
        at = end
    return (total - len(same) * (len(same) + 1) / 2) / (len(same) * len(other))


def linked(scans: list[Scan], chance: random.Random) -> dict[str, float]:
    """The AUC of every way to link, and of all together."""
    by: dict[int, list[Scan]] = {}
    for each in scans:
        by.setdefault(each.resident, []).append(each)
    same = [tuple(chance.sample(chance.choice(list(by.values())), 2)) for _ in range(PAIRS)]
    other = [(a, b) for a, b in ((chance.choice(scans), chance.choice(scans)) for _ in range(PAIRS)) if a.resident != b.resident]
    found, together = {}, [[0.0] * len(same), [0.0] * len(other)]
    for name, score in SCORES.items():
        sides = [[score(a, b) for a, b in side] for side in (same, other)]
        found[name] = auc(*sides)
        values = sides[0] + sides[1]
        spread = max(max(values) - min(values), 1e-9)
        for nth, side in enumerate(sides):
            together[nth] = [sum_ + value / spread for sum_, value in zip(together[nth], side, strict=True)]
    return {**found, "all together": auc(*together)}


@pytest.fixture(scope="module")
def clocks() -> dict[int, float]:
    """How far each phone's clock is off after it learnt the platform's time: half a second, give or take."""
    chance = random.Random(1)
    return {resident: chance.gauss(0, 0.5) for resident in range(RESIDENTS)}


def test_colluding_verifiers_link_no_better_than_chance(clocks: dict[int, float]) -> None:
    chance = random.Random(2)
    scans = [scan(resident, clocks[resident], chance) for resident in range(RESIDENTS) for _ in range(EACH)]
    assert len(scans) == 10_000
    found = linked(scans, chance)
    assert max(found.values()) <= MOST, found


def test_the_measure_sees_what_would_link(clocks: dict[int, float]) -> None:
    """Windows that began when a batch was fetched, or a class shown to everybody, would be found out: so neither is done by default."""
    chance = random.Random(3)
    fetched = {resident: START - 3600 * chance.randrange(20) for resident in range(RESIDENTS)}
    own = [scan(resident, 0, chance, starts_at=fetched[resident]) for resident in range(RESIDENTS) for _ in range(5)]
    assert linked(own, chance)["the window"] > 0.9
    classes = {resident: chance.choice((1, 1, 1, 2, 3)) for resident in range(RESIDENTS)}
    shown = [scan(resident, 0, chance, concession=classes[resident]) for resident in range(RESIDENTS) for _ in range(5)]
    assert linked(shown, chance)["class and limit"] > 0.6
    drifting = [scan(resident, resident % 20, chance) for resident in range(RESIDENTS) for _ in range(5)]
    assert linked(drifting, chance)["the clock's error"] > 0.6


def test_within_a_shown_class_residents_stay_apart(clocks: dict[int, float]) -> None:
    chance = random.Random(4)
    scans = [scan(resident, clocks[resident], chance, concession=3) for resident in range(RESIDENTS) for _ in range(10)]
    found = linked(scans, chance)
    assert max(found.values()) <= MOST, found
