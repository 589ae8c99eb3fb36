"""The refusals of passkeys; signing in says one and the same for every cause."""

from __future__ import annotations

from core.errors import Conflict, Invalid, Unauthenticated


class PasskeyRefused(Unauthenticated):
    code = "passkey_refused"
    zh = "通行密钥验证未通过，请重试，或改用短信验证码登录"
    en = "The passkey was not accepted; try again, or sign in with a code by text message"


class PasskeyNotAccepted(Invalid):
    code = "passkey_not_accepted"
    zh = "此通行密钥不能登记（{reason}），请重新开始或换一种验证器"
    en = "This passkey cannot be registered ({reason}); begin anew or use another authenticator"


class PasskeyChallengeOver(Conflict):
    code = "passkey_challenge_over"
    zh, en = "本次操作已超时或已完成，请重新开始", "This attempt has run out or was used before; begin anew"


class PasskeyKnown(Conflict):
    code = "passkey_known"
    zh, en = "此通行密钥已登记过，无需再次登记", "This passkey is registered already; there is nothing more to do"


class TooManyPasskeys(Conflict):
    code = "too_many_passkeys"
    zh, en = "通行密钥已达上限，请先移除一个不用的", "There are too many passkeys; remove one that is not used"


class PasskeysNeedName(Conflict):
    code = "passkeys_need_a_name"
    zh = "通行密钥只能在有域名的地址上使用，请用本市公布的网址打开"
    en = "Passkeys work only at an address that has a name; open the city's published address"
