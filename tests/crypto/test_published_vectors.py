"""Known answers of the published standards, so that a suite is what its name says."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from core.crypto.national import NATIONAL, SM4GCM
from core.crypto.suites import INTERNATIONAL

ABC = b"abc"


def test_sha256_of_abc_is_that_of_fips_180() -> None:
    assert INTERNATIONAL.digest(ABC).hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_sm3_of_abc_is_that_of_gmt_0004() -> None:
    assert NATIONAL.digest(ABC).hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_sm3_of_64_bytes_is_that_of_gmt_0004() -> None:
    assert NATIONAL.digest(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_hmac_sha256_is_that_of_rfc_4231_case_2() -> None:
    answer = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert INTERNATIONAL.mac(b"Jefe", b"what do ya want for nothing?").hex() == answer


def test_aes_256_gcm_is_that_of_the_gcm_specification_case_16() -> None:
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    answer = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    assert INTERNATIONAL.cipher(key).encrypt(nonce, plain, associated) == answer
    assert INTERNATIONAL.cipher(key).decrypt(nonce, answer, associated) == plain


def test_sm4_gcm_is_that_of_rfc_8998_appendix_a() -> None:
    cipher = SM4GCM(bytes.fromhex("0123456789abcdeffedcba9876543210"))
    nonce = bytes.fromhex("00001234567800000000abcd")
    plain = bytes.fromhex("aa" * 8 + "bb" * 8 + "cc" * 8 + "dd" * 8 + "ee" * 8 + "ff" * 8 + "ee" * 8 + "aa" * 8)
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    answer = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert cipher.encrypt(nonce, plain, associated) == answer
    assert cipher.decrypt(nonce, answer, associated) == plain
    with pytest.raises(InvalidTag):
        cipher.decrypt(nonce, answer[:-1] + bytes([answer[-1] ^ 1]), associated)


SM2_PUBLIC = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SM2_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def test_sm2_signature_of_gbt_32918_5_appendix_a_verifies() -> None:
    pytest.importorskip("gmssl_pyx", reason="the extra national-crypto is not installed")
    assert NATIONAL.verify(SM2_PUBLIC, b"message digest", SM2_SIGNATURE)
    assert not NATIONAL.verify(SM2_PUBLIC, b"message digesT", SM2_SIGNATURE)
    assert not NATIONAL.verify(SM2_PUBLIC, b"message digest", SM2_SIGNATURE[:-1] + b"\x00")


P256_PUBLIC = bytes.fromhex(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
P256_SIGNATURE = bytes.fromhex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)


def test_p256_signature_of_rfc_6979_appendix_a_2_5_verifies() -> None:
    assert INTERNATIONAL.verify(P256_PUBLIC, b"sample", P256_SIGNATURE)
    assert not INTERNATIONAL.verify(P256_PUBLIC, b"Sample", P256_SIGNATURE)
    assert not INTERNATIONAL.verify(P256_PUBLIC, b"sample", P256_SIGNATURE[:-2])


@pytest.mark.parametrize("suite", [INTERNATIONAL, NATIONAL], ids=lambda suite: suite.name)
def test_what_a_suite_signs_it_verifies(suite: object) -> None:
    if suite is NATIONAL:
        pytest.importorskip("gmssl_pyx", reason="the extra national-crypto is not installed")
    chosen = NATIONAL if suite is NATIONAL else INTERNATIONAL
    private, public = chosen.make_signer()
    signature = chosen.sign(private, b"a head of the chain")
    assert len(signature) == 64
    assert chosen.verify(public, b"a head of the chain", signature)
    assert not chosen.verify(public, b"another head", signature)


def test_hkdf_is_that_of_rfc_5869_with_our_salt() -> None:
    """The same computation by hand: extract with the salt, expand once (RFC 5869 sections 2.2 and 2.3)."""
    for suite in (INTERNATIONAL, NATIONAL):
        extracted = suite.mac(b"citycard", b"k" * 32)
        assert suite.expand(b"k" * 32, b"purpose") == suite.mac(extracted, b"purpose\x01")
