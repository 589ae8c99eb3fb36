"""Pay codes as phones of many residents would make them, fresh and each used once."""

from collections.abc import Iterator
from dataclasses import dataclass

from cards.codes.pay_code import MACS, STEP_SECONDS, TAPS, Permutation, code_mac, device_secret, permutation_key
from core.macs import Mac


@dataclass(frozen=True, slots=True)
class Made:
    """A code and the place it takes up: one handle in one step and tap."""

    digits: str
    handle: int
    step: int
    tap: int


class Phones:
    """The phones behind a range of handles, all of generation 1; each makes four codes in a step and no more."""

    def __init__(self, master: bytes, city_id: int, prefix: str, handles: range) -> None:
        key = Mac(master)
        self._prefix, self._handles = prefix, handles
        self._permutation = Permutation(permutation_key(key, city_id))
        self._secrets = {handle: Mac(device_secret(key, handle, 1)) for handle in handles}
        self._next: dict[int, int] = {}

    def make(self, handle: int, step: int, tap: int) -> Made:
        """The code of one phone for a step and a tap."""
        mac = code_mac(self._secrets[handle], step, tap)
        return Made(f"{self._prefix}{self._permutation.apply(handle * MACS + mac):016d}", handle, step, tap)

    def fresh(self, unix_seconds: float) -> Iterator[Made]:
        """Codes of the present step that were not made before: every phone's first tap, then the second, and so on."""
        step = int(unix_seconds // STEP_SECONDS)
        for place in range(self._next.get(step, 0), TAPS * len(self._handles)):
            self._next[step] = place + 1
            tap, at = divmod(place, len(self._handles))
            yield self.make(self._handles[at], step, tap)

    def left(self, unix_seconds: float) -> int:
        """How many fresh codes the present step still has."""
        step = int(unix_seconds // STEP_SECONDS)
        return TAPS * len(self._handles) - self._next.get(step, 0)
