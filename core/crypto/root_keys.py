"""The root keys of this process and everything that is derived from them.

A root key has a version. Keys that wrap other keys follow the newest version; keys that make stored,
searchable or handed-out values (blind indexes, pay codes) stay with the version that founded them until
their values have been written anew, or every look-up would miss.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.crypto.envelope import disclose, enclose, header_of
from core.crypto.errors import KeyringMissing, UnknownSuite, Unreadable
from core.crypto.national import NATIONAL, require_sm2
from core.crypto.suites import INTERNATIONAL, KEY_BYTES, Cipher, Suite

_SUITES: Mapping[int, Suite] = MappingProxyType({1: INTERNATIONAL, 2: NATIONAL})


@dataclass(frozen=True)
class Keyring:
    """Root keys by version, and the suite in which new values are sealed."""

    roots: Mapping[int, bytes]
    suite: Suite = INTERNATIONAL
    purposes_at: Mapping[str, int] = field(default_factory=dict)
    _derived: dict[str, bytes] = field(default_factory=dict, repr=False)
    _wrapping: dict[tuple[int, int, int], Cipher] = field(default_factory=dict, repr=False)

    @property
    def version(self) -> int:
        """The version under which new keys are wrapped."""
        return max(self.roots)

    def derive(self, purpose: str) -> bytes:
        """The 32-byte key of one purpose; the same on every process that holds the root key."""
        found = self._derived.get(purpose)
        if found is None:
            root = self.roots[self.purposes_at.get(purpose, min(self.roots))]
            found = self.suite.expand(root, b"purpose|" + purpose.encode())
            self._derived[purpose] = found
        return found

    def mac(self, purpose: str, message: bytes) -> bytes:
        """HMAC (RFC 2104) of the message under the key of the purpose, 32 bytes."""
        return self.suite.mac(self.derive(purpose), message)

    def blind(self, purpose: str, text: str) -> bytes:
        """A value by which a sealed text can be found again, of full length and of no use without the root key."""
        plain = unicodedata.normalize("NFKC", text).strip().upper()
        return self.mac("blind|" + purpose, plain.encode())

    def wrap(self, city_id: int, place: str, secret: bytes) -> bytes:
        """Seal a key or another secret under the newest wrapping key of the city."""
        cipher = self._wrapping_cipher(self.suite, city_id, self.version)
        return enclose(self.suite, self.version, cipher, _at(city_id, place), secret)

    def unwrap(self, city_id: int, place: str, wrapped: bytes) -> bytes:
        """Open what `wrap` sealed, under whichever version and suite it was sealed."""
        number, version = header_of(wrapped)
        if version not in self.roots:
            raise Unreadable
        cipher = self._wrapping_cipher(suite_numbered(number), city_id, version)
        return disclose(cipher, _at(city_id, place), wrapped)

    def _wrapping_cipher(self, suite: Suite, city_id: int, version: int) -> Cipher:
        at = (suite.number, city_id, version)
        found = self._wrapping.get(at)
        if found is None:
            key = suite.expand(self.roots[version], f"wrapping|{city_id}".encode())
            found = self._wrapping[at] = suite.cipher(key)
        return found


def _at(city_id: int, place: str) -> bytes:
    return f"{city_id}|{place}".encode()


def suite_numbered(number: int) -> Suite:
    """The suite whose number stands in a ciphertext."""
    if number not in _SUITES:
        raise UnknownSuite(suite=str(number))
    return _SUITES[number]


def suite_named(name: str) -> Suite:
    """The suite that the settings name; the national one is refused while its extra is missing."""
    for suite in _SUITES.values():
        if suite.name == name:
            if suite is NATIONAL:
                require_sm2()
            return suite
    raise UnknownSuite(suite=name)


_installed: list[Keyring] = []


def install(
    root_key: bytes,
    *,
    version: int = 1,
    earlier: Mapping[int, bytes] | None = None,
    suite: str = "international",
    purposes_at: Mapping[str, int] | None = None,
) -> Keyring:
    """Make the keyring of this process; app.py and the commands call it once with the root key they read."""
    roots = {**(earlier or {}), version: root_key}
    if version != max(roots) or not 1 <= min(roots) <= max(roots) < 2**16:
        raise ValueError("the root key must carry the highest version, and versions start at 1")
    if any(len(root) != KEY_BYTES for root in roots.values()):
        raise ValueError(f"a root key has exactly {KEY_BYTES} bytes")
    made = Keyring(MappingProxyType(roots), suite_named(suite), dict(purposes_at or {}))
    _installed[:] = [made]
    return made


def keyring() -> Keyring:
    """The keyring of this process."""
    if not _installed:
        raise KeyringMissing
    return _installed[0]
