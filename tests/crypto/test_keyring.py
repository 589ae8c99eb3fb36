"""What is derived from a root key, and what a wrapped value refuses."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import pytest

from core.crypto import root_keys as rooms
from core.crypto.errors import KeyringMissing, NationalCryptoMissing, UnknownSuite, Unreadable
from core.crypto.national import NATIONAL
from core.crypto.root_keys import Keyring, install, keyring, suite_named
from core.crypto.signing import thumbprint
from core.crypto.suites import INTERNATIONAL, Suite

ROOT, NEXT = bytes(range(32)), bytes(range(32, 64))
YUNCHUAN, LINHU = 990100, 990200


def ring(*, suite: Suite = INTERNATIONAL, **roots: bytes) -> Keyring:
    versions = {int(name[1:]): root for name, root in roots.items()} or {1: ROOT}
    return Keyring(MappingProxyType(versions), suite)


@pytest.fixture
def nothing_installed() -> Iterator[None]:
    kept = list(rooms._installed)
    rooms._installed.clear()
    yield
    rooms._installed[:] = kept


def test_two_processes_with_one_root_derive_the_same() -> None:
    assert ring().derive("pay-code") == ring().derive("pay-code")
    assert ring().mac("terminal-session", b"x") == ring().mac("terminal-session", b"x")


def test_each_purpose_and_each_root_has_a_key_of_its_own() -> None:
    keys = {ring().derive("pay-code"), ring().derive("terminal-session"), ring(v1=NEXT).derive("pay-code")}
    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)


def test_a_new_root_leaves_derived_values_as_they_were() -> None:
    assert ring(v1=ROOT, v2=NEXT).blind("phone", "19900000001") == ring().blind("phone", "19900000001")


def test_a_purpose_moves_to_a_new_root_when_told() -> None:
    moved = Keyring(MappingProxyType({1: ROOT, 2: NEXT}), purposes_at={"blind|phone": 2})
    assert moved.blind("phone", "19900000001") != ring().blind("phone", "19900000001")
    assert moved.blind("citizen", "x") == ring().blind("citizen", "x")


def test_a_blind_index_does_not_care_for_width_case_or_space() -> None:
    one = ring().blind("citizen", "99010119900101001x")
    assert one == ring().blind("citizen", " 99010119900101001X") == ring().blind("citizen", "９９010119900101001X")
    assert len(one) == 32


@pytest.mark.parametrize("suite", [INTERNATIONAL, NATIONAL], ids=lambda suite: suite.name)
def test_a_wrapped_secret_opens_only_in_its_city_and_place(suite: Suite) -> None:
    made = ring(suite=suite)
    wrapped = made.wrap(YUNCHUAN, "resident_key|1", b"secret")
    assert wrapped[0] == suite.number
    assert made.unwrap(YUNCHUAN, "resident_key|1", wrapped) == b"secret"
    for city, place in ((LINHU, "resident_key|1"), (YUNCHUAN, "resident_key|2")):
        with pytest.raises(Unreadable):
            made.unwrap(city, place, wrapped)


@pytest.mark.parametrize("suite", [INTERNATIONAL, NATIONAL], ids=lambda suite: suite.name)
def test_no_byte_of_a_wrapped_secret_can_be_changed(suite: Suite) -> None:
    made = ring(suite=suite)
    wrapped = made.wrap(YUNCHUAN, "p", b"secret")
    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        with pytest.raises((Unreadable, UnknownSuite)):
            made.unwrap(YUNCHUAN, "p", bytes(changed))
    for length in range(len(wrapped)):
        with pytest.raises((Unreadable, UnknownSuite)):
            made.unwrap(YUNCHUAN, "p", wrapped[:length])


def test_what_the_old_root_wrapped_opens_beside_the_new_and_not_without_it() -> None:
    wrapped = ring().wrap(YUNCHUAN, "p", b"secret")
    assert ring(v1=ROOT, v2=NEXT).unwrap(YUNCHUAN, "p", wrapped) == b"secret"
    with pytest.raises(Unreadable):
        ring(v2=NEXT).unwrap(YUNCHUAN, "p", wrapped)


def test_a_value_of_one_suite_opens_while_the_other_is_chosen() -> None:
    wrapped = ring().wrap(YUNCHUAN, "p", b"secret")
    assert ring(suite=NATIONAL).unwrap(YUNCHUAN, "p", wrapped) == b"secret"


@pytest.mark.usefixtures("nothing_installed")
def test_nothing_works_before_a_root_key_is_handed_in() -> None:
    with pytest.raises(KeyringMissing):
        keyring()
    install(ROOT)
    assert keyring().version == 1


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("root", [b"", b"short", bytes(31), bytes(33)])
def test_a_root_key_has_32_bytes(root: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        install(root)


@pytest.mark.usefixtures("nothing_installed")
def test_the_root_key_in_use_is_the_newest() -> None:
    with pytest.raises(ValueError, match="highest version"):
        install(ROOT, version=1, earlier={2: NEXT})


def test_the_national_suite_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("core.crypto.national.importlib.import_module", absent)
    from core.crypto.national import require_sm2

    require_sm2.cache_clear()
    with pytest.raises(NationalCryptoMissing, match="national-crypto"):
        suite_named("national")
    with pytest.raises(UnknownSuite):
        suite_named("rot13")
    require_sm2.cache_clear()


def test_a_kid_is_the_thumbprint_of_rfc_7638() -> None:
    """The EC key of RFC 7517 appendix A.1; its thumbprint isthe one that other implementations print for it."""
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "use": "enc",
        "kid": "1",
    }
    assert thumbprint(jwk) == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"
