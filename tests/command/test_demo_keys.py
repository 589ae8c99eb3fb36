"""The demo's secrets: the same for one root key, other ones for another, and fit for use."""

import datetime as dt

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from auth import jwk
from command.demo_keys import DemoKeys, base32, fixed_id, private_jwk, public_jwk

ROOT, OTHER = bytes(range(32)), bytes(range(1, 33))
FIRST_DAY = dt.date(2026, 1, 1)


def test_the_same_root_key_gives_the_same_secrets_and_another_gives_others() -> None:
    mine, again, others = DemoKeys(ROOT, 990100), DemoKeys(ROOT, 990100), DemoKeys(OTHER, 990100)
    assert mine.password("hefang") == again.password("hefang") != others.password("hefang")
    assert mine.totp_secret("hefang") == again.totp_secret("hefang") != others.totp_secret("hefang")
    assert private_jwk(mine.private_key("terminal", "T1")) == private_jwk(again.private_key("terminal", "T1"))
    assert private_jwk(mine.private_key("terminal", "T1")) != private_jwk(others.private_key("terminal", "T1"))


def test_two_cities_and_two_people_share_no_secret() -> None:
    keys = DemoKeys(ROOT, 990100)
    assert keys.password("hefang") != keys.password("sunli")
    assert keys.password("hefang") != DemoKeys(ROOT, 990200).password("hefang")
    assert keys.totp_secret("hefang") != keys.totp_secret("sunli")


def test_a_password_has_four_groups_of_five_and_a_code_secret_twenty_bytes() -> None:
    keys = DemoKeys(ROOT, 990100)
    assert [len(group) for group in keys.password("hefang").split("-")] == [5, 5, 5, 5]
    assert len(base32(keys.totp_secret("hefang"))) == 32


def test_a_terminals_key_signs_and_its_jwk_is_one_that_auth_takes() -> None:
    key = DemoKeys(ROOT, 990100).private_key("terminal", "T1")
    signature = key.sign(b"till", ec.ECDSA(hashes.SHA256()))
    jwk.read(public_jwk(key)).verify(signature, b"till", ec.ECDSA(hashes.SHA256()))


def test_a_fixed_id_is_a_uuid_of_version_seven_and_the_same_every_time() -> None:
    one = fixed_id(990100, "resident", "wang-xiaoming", FIRST_DAY)
    assert one == fixed_id(990100, "resident", "wang-xiaoming", FIRST_DAY)
    assert one != fixed_id(990200, "resident", "wang-xiaoming", FIRST_DAY)
    assert (one.version, one.variant) == (7, "specified in RFC 4122")
    assert dt.datetime.fromtimestamp((one.int >> 80) / 1000, dt.UTC).date() == FIRST_DAY
