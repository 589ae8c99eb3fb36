"""Reading a scanned pay code: what it claims, whether it is authentic and fresh, and the bound on guessing (D26, F174).

The happy path costs about 15 µs and asks nobody: the handle's generation is taken from what this process has learnt, one by default, and
the SQL that consumes the code checks it. A code that fails asks the database for the true generation before it is called a guess.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import psycopg

from cards.codes.pay_code import CODE_DIGITS, PREFIX_DIGITS, device_secret, search, step_at, steps_open, take_apart
from cards.codes.pay_keys import master, permutation
from cards.errors import CodeTooEarly, TooManyWrongCodes, refusal
from cards.wiring import wired
from core import audit, clock, db, limits
from core.actors import Actor
from core.errors import Throttled, Unavailable
from core.macs import Mac
from core.vocabulary import AuditEvent

# Authentic codes this many steps (ten minutes) old or ahead are told apart from guesses, so that the refusal is precise. One ahead is used
# up by being told: it would be good later, and telling would so give a guesser eighty right values more that nobody counts.
TOLD_APART_STEPS = 20
TOLD_APART_KEYS = 3
GUESSES_A_DAY = 20
DAY = dt.timedelta(days=1)
GUESS = "cards.pay_code.guess"

_NO_CHARGE = UUID(int=0)
_USE_UP = """
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(code_lock_v1(%s::bigint, %s::bigint, %s::smallint)))
INSERT INTO code_used (handle, step, tap, charge_id, at) SELECT %s, %s, %s, %s, %s FROM held ON CONFLICT DO NOTHING
"""

_generations: dict[int, int] = {}
_stripes = tuple(threading.Lock() for _ in range(64))
_known_terminals: set[tuple[UUID, dt.date]] = set()
# Until when a terminal is stopped, and when to ask whether somebody has released it.
_stopped: dict[UUID, tuple[float, float]] = {}
_RELEASE_KNOWN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An authentic, fresh code: whoever consumes it must find the handle live, in this generation, and the code unused."""

    handle: int
    generation: int
    step: int
    tap: int


@dataclass(frozen=True, slots=True)
class Early:
    """An authentic code of a step that is not open yet: the phone's clock is fast."""

    handle: int
    step: int
    tap: int


def read_code(actor: Actor, text: str, *, now: dt.datetime | None = None, answered: Callable[[], bool] = lambda: False) -> Candidate:
    """Read a code for a terminal or a clerk; raises the precise refusal, and stops a caller who guesses.

    ``answered`` says whether this very request has its answer already: a repetition brings a code that is long dead and guesses nothing,
    so it is neither counted nor refused because of other guesses. It is asked only where a code is unknown or the caller stopped.

    A code that is told early is used up: its phone's clock is wrong, which is no guess, and whoever did guess it has nothing of it.

    A wrong code is counted before the next one of the same terminal is looked at (the stripe), so that a burst cannot outrun the bound:
    at most GUESSES_A_DAY a day and terminal, and one more for each further process of the program.
    """
    with _stripes[actor.id.int % len(_stripes)]:
        _refuse_stopped(actor, answered)
        found = read(text, now or clock.now(), city_id=actor.city_id)
        if found == "code_unknown" and not answered():
            _count_guess(actor)
    if isinstance(found, Early):
        _use_up(found)
        raise CodeTooEarly()
    if isinstance(found, str):
        raise refusal(found)
    return found


def read(text: str, now: dt.datetime, *, city_id: int) -> Candidate | Early | str:
    """What an authentic code of the city claims, or the code of a refusal; counts nothing."""
    if len(text) != CODE_DIGITS or not text.isascii() or not text.isdigit():
        return "code_malformed"
    if text[:PREFIX_DIGITS] != wired().prefixes.get(city_id):
        return "code_of_other_city"
    handle, mac = take_apart(permutation(city_id), text[PREFIX_DIGITS:])
    generation = _generations.get(handle, 1)
    steps = steps_open(now.timestamp())
    found = search(Mac(device_secret(master(), handle, generation)), mac, steps)
    if found is not None:
        return Candidate(handle, generation, *found)
    return _read_again(handle, mac, now, tried=generation)


def forget() -> None:
    """Know what a new process knows; for tests."""
    _generations.clear()
    _known_terminals.clear()
    _stopped.clear()


def _read_again(handle: int, mac: int, now: dt.datetime, *, tried: int) -> Candidate | Early | str:
    """Look with the generation the database knows, then among codes that are too old or too early."""
    generation = _generation_of(handle)
    if generation is None:
        return "code_unknown"
    secret, here = Mac(device_secret(master(), handle, generation)), step_at(now.timestamp())
    if generation != tried:
        _learn(handle, generation)
        if (found := search(secret, mac, steps_open(now.timestamp()))) is not None:
            return Candidate(handle, generation, *found)
    if _by_an_ended_key(handle, mac, generation, steps_open(now.timestamp())):
        return "pay_key_revoked"
    if search(secret, mac, range(here, here - TOLD_APART_STEPS - 1, -1)) is not None:
        return "code_expired"
    if (early := search(secret, mac, range(here + 1, here + TOLD_APART_STEPS + 1))) is not None:
        return Early(handle, *early)
    return "code_unknown"


def _use_up(code: Early) -> None:
    """Spend a code for nothing before it is told early; what cannot be spent is not told."""
    try:
        # Under the lock of whoever consumes the code, who otherwise might find it free and then taken.
        db.connection().execute(_USE_UP, (code.handle, code.step, code.tap, code.handle, code.step, code.tap, _NO_CHARGE, clock.now()))
    except psycopg.OperationalError as fault:
        db.drop_connection()
        raise Unavailable() from fault


def _by_an_ended_key(handle: int, mac: int, generation: int, steps: tuple[int, int]) -> bool:
    """Whether a phone made the code with one of its last keys: it guesses nothing, and needs the new one."""
    ended = range(max(1, generation - TOLD_APART_KEYS), generation)
    return any(search(Mac(device_secret(master(), handle, each)), mac, steps) is not None for each in ended)


def _generation_of(handle: int) -> int | None:
    try:
        row = db.connection().execute("SELECT generation FROM pay_handle WHERE handle = %s", (handle,)).fetchone()
    except psycopg.OperationalError as fault:
        db.drop_connection()
        raise Unavailable() from fault
    return int(row[0]) if row else None


def _learn(handle: int, generation: int) -> None:
    if len(_generations) > 100_000:
        _generations.clear()
    _generations[handle] = generation


def _refuse_stopped(actor: Actor, answered: Callable[[], bool]) -> None:
    """Refuse a terminal that used up its guesses; a process that has not met it today asks the database once."""
    stopped = _stopped.get(actor.id)
    if stopped is not None and stopped[0] > clock.timestamp():
        if answered():
            return
        _refuse_until_released(actor, *stopped)
    today = (actor.id, clock.today())
    if today not in _known_terminals:
        if len(_known_terminals) > 100_000:
            _known_terminals.clear()
        try:
            limits.check(GUESS, str(actor.id), at_most=GUESSES_A_DAY)
        except Throttled as fault:
            if answered():
                return
            _stop(actor, fault)
        _known_terminals.add(today)


def _refuse_until_released(actor: Actor, until: float, ask_at: float) -> None:
    now = clock.timestamp()
    if now >= ask_at:
        if limits.used(GUESS, str(actor.id)) < GUESSES_A_DAY:
            _stopped.pop(actor.id, None)
            return
        _stopped[actor.id] = (until, now + _RELEASE_KNOWN_SECONDS)
    raise TooManyWrongCodes(retry_after=int(until - now) + 1)


def _count_guess(actor: Actor) -> None:
    """Count a wrong code in PostgreSQL; the last allowed one already stops the terminal. Not countable is Unavailable."""
    try:
        limits.count(GUESS, str(actor.id), per=DAY, at_most=GUESSES_A_DAY - 1)
    except Throttled as fault:
        _stop(actor, fault)


def _stop(actor: Actor, fault: Throttled) -> None:
    """Stop the terminal in this process, and write once that it was stopped."""
    if actor.id not in _stopped:
        audit.refused(actor, operation="present", code=TooManyWrongCodes.code, event=AuditEvent.PRESENT_REFUSED)
    seconds = int(fault.facts["retry_after"])
    _stopped[actor.id] = (clock.timestamp() + seconds, clock.timestamp() + _RELEASE_KNOWN_SECONDS)
    raise TooManyWrongCodes(retry_after=seconds) from fault
