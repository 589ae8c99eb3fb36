"""The charge over HTTP, as it ships: many accounts, one hot merchant, and what is refused."""

from bench.codes import Made
from bench.ground import Ground, Taken
from bench.loaded import Loaded

CONNECTIONS = 48  # as many as the web has threads (docs/decisions/0016)
AT_MOST = 6_000  # requests made for each second of a run; more than two cores ever answered
WARM = 300


def charge_many(ground: Ground, seconds: float) -> Taken:
    """Another resident each time, merchants in turn."""
    loaded = ground.loaded()
    return _charge(ground, loaded, loaded.charges(_codes(loaded, seconds), loaded.people.terminals), seconds)


def charge_hot(ground: Ground, seconds: float) -> Taken:
    """Another resident each time, all into one merchant's account."""
    loaded = ground.loaded()
    return _charge(ground, loaded, loaded.charges(_codes(loaded, seconds), loaded.people.hot), seconds)


def refuse_funds(ground: Ground, seconds: float) -> Taken:
    """Wallets without money."""
    loaded = ground.loaded()
    codes = loaded.fresh_of_poor(int(seconds * AT_MOST) + WARM)
    requests = loaded.charges(codes, loaded.people.terminals)
    return ground.http(loaded.web, requests, connections=CONNECTIONS, seconds=seconds, expect=409, warm=WARM)


def refuse_replay(ground: Ground, seconds: float) -> Taken:
    """The very requests of charges that are posted already."""
    loaded = ground.loaded()
    once = loaded.charges(loaded.fresh(2_000), loaded.people.terminals)
    ground.http(loaded.web, once, connections=CONNECTIONS, seconds=60, expect=201, warm=0)
    again = once * (int(seconds * AT_MOST) // len(once) + 1)
    taken = ground.http(loaded.web, again, connections=CONNECTIONS, seconds=seconds, expect=201, warm=WARM)
    loaded.check()
    return taken


def _codes(loaded: Loaded, seconds: float) -> list[Made]:
    return loaded.fresh(int(seconds * AT_MOST) + WARM)


def _charge(ground: Ground, loaded: Loaded, requests: list[bytes], seconds: float) -> Taken:
    taken = ground.http(loaded.web, requests, connections=CONNECTIONS, seconds=seconds, expect=201, warm=WARM)
    loaded.check()
    return taken


CASES = {"charge_many": charge_many, "charge_hot": charge_hot, "refuse_funds": refuse_funds, "refuse_replay": refuse_replay}
