"""The check of an access token inside one process: seen for the first time, and seen before."""

import secrets
import time

import auth
from bench.ground import Ground, Taken
from bench.machine import Meter
from core import ids
from core.actors import Actor, ActorKind

FIRST_TOKENS = 4_000


def token_first(ground: Ground, _seconds: float) -> Taken:
    """Tokens that were never seen."""
    with ground.loaded().app().app_context():
        tokens = auth.parts().tokens
        made = [tokens.issue(_terminal(ground)).access_token for _ in range(FIRST_TOKENS)]
        tokens.verify(made.pop())  # reads the keys of the program
        meter = Meter(server=None, database=None)
        meter.start()
        for token in made:
            tokens.verify(token)
        meter.stop()
    return Taken(len(made), meter.seconds, meter)


def token_cached(ground: Ground, seconds: float) -> Taken:
    """The same hundred tokens again and again."""
    with ground.loaded().app().app_context():
        tokens = auth.parts().tokens
        made = [tokens.issue(_terminal(ground)).access_token for _ in range(100)]
        for token in made:
            tokens.verify(token)
        count, until, meter = 0, time.perf_counter() + min(seconds, 1.0), Meter(server=None, database=None)
        meter.start()
        while time.perf_counter() < until:
            for token in made:
                tokens.verify(token)
            count += len(made)
        meter.stop()
    return Taken(count, meter.seconds, meter)


def _terminal(ground: Ground) -> Actor:
    city_id = ground.loaded().people.city_id
    return Actor(
        kind=ActorKind.TERMINAL, id=ids.new_id(), city_id=city_id, scopes=frozenset({"charge:create", "presentation:create"}),
        merchant_id=ids.new_id(), account_id=ids.new_id(), name=secrets.token_hex(4),
    )  # fmt: skip


CASES = {"token_first": token_first, "token_cached": token_cached}
