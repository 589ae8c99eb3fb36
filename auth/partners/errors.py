"""What registering a partner can be refused for."""

from __future__ import annotations

from core.errors import Conflict, Denied, Invalid


class PartnerCodeTaken(Conflict):
    code = "partner_code_taken"
    zh, en = "本市已有同代码的合作方系统，请换一个代码", "A partner of this city has that code already; choose another"


class PartnerOff(Denied):
    code = "partner_switched_off"
    zh, en = "该合作方系统已被停用，请联系城市卡管理中心", "This partner is switched off; ask the city card office"


class RedirectInvalid(Invalid):
    code = "redirect_uri_invalid"
    zh = "回调地址须为不带片段的 https 地址（本机测试可用 http://localhost）"
    en = "A redirect address is https without a fragment (http on localhost for tests)"


class PartnerKeysInvalid(Invalid):
    code = "partner_keys_invalid"
    zh = "公钥须为一至五把带不同 kid 的 P-256 签名公钥；公开客户端不带公钥"
    en = "Give one to five P-256 public keys for signing, each with its own kid; a public client has none"


class ScopeUnknown(Invalid):
    code = "partner_scope_unknown"
    zh, en = "没有这样的权限范围，或公开客户端不能使用", "There is no such scope, or a public client cannot hold it"


class PurposeUnknown(Invalid):
    code = "purpose_unknown"
    zh, en = "该合作方没有登记这一用途，请先登记用途", "This partner has no such purpose; register the purpose first"
