"""What the crypto room refuses.

CityError
├── Unavailable
│   ├── KeyringMissing        no root key was handed in
│   └── NationalCryptoMissing the extra that knows SM2 is not installed
├── NotFound
│   └── ResidentKeyMissing    the resident has no key, or it was shredded
└── Conflict
    ├── UnknownSuite          a ciphertext or a setting names a suite that is not here
    └── Unreadable            a sealed value was changed, moved or sealed under another key
"""

from __future__ import annotations

from core.errors import Conflict, NotFound, Unavailable


class KeyringMissing(Unavailable):
    code = "keyring_missing"
    zh = "密钥尚未装载，请联系管理员"
    en = "The keys are not loaded; ask the administrator"


class NationalCryptoMissing(Unavailable):
    code = "national_crypto_missing"
    zh = "国密签名组件未安装，请安装 citycard[national-crypto] 后再启动"
    en = "The national suite signs with SM2: install citycard[national-crypto] and start again"


class ResidentKeyMissing(NotFound):
    code = "resident_key_missing"
    zh = "该居民的资料密钥不存在或已销毁，资料无法读取"
    en = "The resident's data key does not exist or was destroyed; the data cannot be read"


class UnknownSuite(Conflict):
    code = "unknown_suite"
    zh = "未知的密码套件：{suite}，可选 international 或 national"
    en = "Unknown cipher suite: {suite}; choose international or national"


class Unreadable(Conflict):
    code = "sealed_value_unreadable"
    zh = "密文与其位置或密钥不符，请联系管理员核查"
    en = "The sealed value does not fit its place or key; ask the administrator to look into it"
