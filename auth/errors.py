"""The refusals of the auth floor; each says what the caller can do.

Unauthenticated
├── TokenRefused, TokenExpired, TokenRevoked, SignatureWrong   the bearer of a request
├── WrongCode, ProofRefused, RefreshRefused, RefreshReused      signing in and staying so (passkeys: passkeys/errors.py)
└── StaffRefused, AssertionRefused                              staff and terminals
Denied
├── StrongerFactorRequired, SignInPaused, AccountClosed
└── NotForMinors
Conflict
├── IdentityAlreadyHeld, AccountHoldsMoney, IdentityAlreadyProven, IdentityNeeded
├── FaceCheckOver, FaceCheckFailed, NotYetApproved, RequestOver
└── EnrolmentRefused, TerminalDisabled
Invalid
├── PhoneInvalid, NameInvalid, CitizenNumberInvalid, KeyInvalid, CityUnknown
└── IdentityMismatch, DocumentExpired, FunctionUnknown, PasswordWeak
Unavailable
└── RegisterUnavailable
"""

from __future__ import annotations

from core.errors import Conflict, Denied, Invalid, Unauthenticated, Unavailable


class TokenRefused(Unauthenticated):
    code = "token_refused"
    zh, en = "登录凭证无效，请重新登录", "The access token is not valid; please sign in again"


class TokenExpired(Unauthenticated):
    code = "token_expired"
    zh, en = "登录凭证已过期，请刷新后再试", "The access token has expired; refresh it and try again"


class TokenRevoked(Unauthenticated):
    code = "token_revoked"
    zh, en = "此登录已被退出，请重新登录", "This sign-in was ended; please sign in again"


class SignatureWrong(Unauthenticated):
    code = "signature_refused"
    zh = "终端请求签名不正确（{reason}），请核对时间和会话密钥后重新签名"
    en = "The terminal's signature was refused ({reason}); check clock and session key and sign again"


class WrongCode(Unauthenticated):
    code = "sign_in_code_wrong"
    zh, en = "验证码不正确或已失效，请核对后重试或重新获取", "The code is wrong or no longer valid; check it or ask for a new one"


class ProofRefused(Unauthenticated):
    code = "device_proof_refused"
    zh, en = "设备签名不正确（{reason}），请重新签名后再试", "The device's proof was refused ({reason}); sign a new one and try again"


class RefreshRefused(Unauthenticated):
    code = "refresh_refused"
    zh, en = "登录已失效，请重新登录", "This sign-in is no longer valid; please sign in again"


class RefreshReused(Unauthenticated):
    code = "refresh_reused"
    zh = "检测到登录凭证被重复使用，为保护您的账户已退出此登录，请重新登录"
    en = "A used refresh token came back; to protect the account this sign-in was ended, please sign in again"


class StaffRefused(Unauthenticated):
    code = "staff_sign_in_refused"
    zh = "账号、密码或动态码不正确，或账号已锁定；请稍后再试或联系管理员"
    en = "Name, password or one-time code is wrong, or the account is locked; try later or ask an administrator"


class AssertionRefused(Unauthenticated):
    code = "terminal_assertion_refused"
    zh, en = "终端身份声明不正确（{reason}），请重新签名", "The terminal's assertion was refused ({reason}); sign a new one"


class StrongerFactorRequired(Denied):
    code = "stronger_factor_required"
    zh = "仅凭短信不能在新设备上登录此账户：请用通行密钥登录，或在原设备上同意、进行人脸核验、到柜台办理后用登录申请 {request} 再次登录"
    en = (
        "A text message alone cannot enter this account on a new device: use your passkey, or approve it on your "
        "other device, check your face or go to a counter, then sign in again with request {request}"
    )


class SignInPaused(Denied):
    code = "new_devices_paused"
    zh = "因异常尝试过多，全市暂停新设备登录；已登录过的设备不受影响，请稍后再试或到柜台办理"
    en = "Sign-in from new devices is paused in the whole city because of unusual attempts; known devices are not affected"


class AccountClosed(Denied):
    code = "account_closed"
    zh, en = "此账户已注销，请到柜台办理", "This account is closed; please go to a counter"


class NotForMinors(Denied):
    code = "guardian_required"
    zh, en = "未满十四周岁须由监护人办理，请与监护人一同到柜台", "Under fourteen a guardian must act; please come to a counter together"


class IdentityAlreadyHeld(Conflict):
    code = "identity_already_held"
    zh = "此身份已登记在另一个账户上：请用原手机号登录；若该手机号已停用，请携带身份证到柜台办理账户合并"
    en = (
        "This identity belongs to another account: sign in with the phone number of that account, or bring "
        "your ID card to a counter to merge both"
    )


class AccountHoldsMoney(Conflict):
    code = "account_holds_money"
    zh = "此身份登记在另一个账户上，该账户的钱包里还有钱：请主管核查是谁的钱，再办理实名"
    en = "This identity is on another account whose wallet holds money: ask a supervisor to find out whose it is before you go on"


class IdentityAlreadyProven(Conflict):
    code = "identity_already_proven"
    zh, en = (
        "此账户已登记另一身份，不能更改；如有错误请到柜台办理",
        "This account already holds another identity; if that is wrong go to a counter",
    )


class FaceCheckOver(Conflict):
    code = "face_check_over"
    zh = "本次人脸核验已结束，请重新开始；也可到柜台办理，无需人脸"
    en = "This face check is over; begin a new one, or go to a counter where no face is needed"


class FaceCheckFailed(Conflict):
    code = "face_check_failed"
    zh = "人脸核验未通过（{reason}），可重试，或到柜台凭身份证办理"
    en = "The face check did not pass ({reason}); try again, or go to a counter with your ID card"


class NotYetApproved(Conflict):
    code = "sign_in_not_approved"
    zh = "登录申请尚未同意，请在原设备、人脸核验或柜台完成"
    en = "The sign-in request is not approved yet; do so on another device, by face or at a counter"


class RequestOver(Conflict):
    code = "sign_in_request_over"
    zh, en = "登录申请已失效，请重新登录", "The sign-in request is over; please sign in again"


class IdentityNeeded(Conflict):
    code = "identity_needed"
    zh, en = "请先用姓名和身份证号完成实名", "Prove your name and citizen number first"


class EnrolmentRefused(Conflict):
    code = "enrolment_refused"
    zh, en = (
        "登记码不正确、已使用或已过期，请向管理员索取新的登记码",
        "The enrolment code is wrong, used or expired; ask staff for a new one",
    )


class TerminalDisabled(Conflict):
    code = "terminal_disabled"
    zh, en = "终端已停用", "The terminal is disabled"


class PhoneInvalid(Invalid):
    code = "phone_invalid"
    zh, en = "请输入 11 位中国大陆手机号", "Enter a mainland mobile number of eleven digits"


class NameInvalid(Invalid):
    code = "name_invalid"
    zh, en = "请按身份证填写中文姓名", "Write the name in Chinese as it stands on the ID card"


class CitizenNumberInvalid(Invalid):
    code = "citizen_number_invalid"
    zh, en = "身份证号不正确，请核对 18 位号码", "The citizen number is not correct; check all eighteen characters"


class IdentityMismatch(Invalid):
    code = "identity_mismatch"
    zh = "姓名与身份证号不一致，请核对后重试，或携带身份证到柜台办理"
    en = "Name and citizen number do not belong together; check both, or bring your ID card to a counter"


class DocumentExpired(Invalid):
    code = "document_expired"
    zh, en = "身份证已过有效期，请先换领", "The ID card has expired; please have it renewed first"


class KeyInvalid(Invalid):
    code = "public_key_invalid"
    zh, en = "公钥必须是 P-256 的公开 JWK（{reason}）", "The key must be a public P-256 JWK ({reason})"


class CityUnknown(Invalid):
    code = "city_unknown"
    zh, en = "没有这个城市", "There is no such city"


class FunctionUnknown(Invalid):
    code = "terminal_function_unknown"
    zh, en = "没有这项终端功能：{function}", "There is no such terminal function: {function}"


class PasswordWeak(Invalid):
    code = "password_weak"
    zh, en = "密码至少 12 个字符，且不能是常见密码", "A password has at least 12 characters and is not a common one"


class RegisterUnavailable(Unavailable):
    code = "police_register_unavailable"
    zh, en = (
        "人口库暂时无法核验，请稍后再试，或到柜台办理",
        "The population register cannot be asked right now; try later or go to a counter",
    )
