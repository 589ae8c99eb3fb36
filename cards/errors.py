"""What the card floor refuses, and what the caller can do about it.

CityError
├── Invalid       code_malformed · card_number_wrong · one_time_key_invalid · limit_unknown
├── Denied        device_needed · not_the_holder
├── NotFound      product_unknown
├── Conflict      code_of_other_city · code_expired · code_too_early · code_unknown · code_used · pay_key_revoked
│                 card_inactive · card_lost · card_frozen · card_locked · card_bad · card_expired · card_cancelled · card_replaced
│                 card_refused_by_issuer · card_issued_already · card_step_forbidden · loss_not_reported · loss_is_formal
│                 range_changed · too_much_at_stake
├── Throttled     too_many_wrong_codes
└── Unavailable   codes_recovering · numbers_exhausted
"""

from __future__ import annotations

from core.errors import CityError, Conflict, Denied, Invalid, NotFound, Throttled, Unavailable


class CodeMalformed(Invalid):
    code = "code_malformed"
    zh, en = "这不是付款码：应为 18 位数字，请重新扫描", "This is not a pay code: it has 18 digits; please scan again"


class CardNumberWrong(Invalid):
    code = "card_number_wrong"
    zh, en = "卡号不正确，请核对后重新输入", "The card number is not correct; please check it and type it again"


class OneTimeKeyInvalid(Invalid):
    code = "one_time_key_invalid"
    zh = "一次性密钥不正确：应为互不相同的 P-256 压缩公钥，请重新生成"
    en = "The one-time keys are not right: each is a compressed point on P-256, and none comes twice; please make them anew"


class LimitUnknown(Invalid):
    code = "limit_unknown"
    zh, en = "单次限额只能从规定的档位中选择", "The limit of one acceptance is one of a few fixed amounts; please choose one of limits_fen"


class DeviceNeeded(Denied):
    code = "device_needed"
    zh = "付款码只能在本人已登录的手机上开通，请在手机应用中登录"
    en = "A pay code belongs to a phone: please sign in with the app on your phone"


class NotTheHolder(Denied):
    code = "not_the_holder"
    zh, en = "只有持卡人本人可以撤销挂失", "Only the holder of the card may take back the report of loss"


class ProductUnknown(NotFound):
    code = "product_unknown"
    zh, en = "本市没有这种卡，请从卡种列表中选择", "This city has no such card; please choose one from the list of products"


class CodeOfOtherCity(Conflict):
    code = "code_of_other_city"
    zh, en = "这是其他城市的付款码，本市终端不能受理", "This pay code belongs to another city and cannot be taken here"


class CodeExpired(Conflict):
    code = "code_expired"
    zh, en = "付款码已过期，请刷新后再出示", "The pay code is too old; please refresh it and show it again"


class CodeTooEarly(Conflict):
    code = "code_too_early"
    zh = "手机时间偏快，请打开网络校准后再出示付款码"
    en = "The phone's clock is fast; go online once so that it is corrected, then show the code again"


class CodeUnknown(Conflict):
    code = "code_unknown"
    zh, en = "付款码无法识别，请刷新后再出示", "The pay code is not known; please refresh it and show it again"


class CodeUsed(Conflict):
    code = "code_used"
    zh, en = "付款码已被使用，请刷新后出示新的付款码", "The pay code was used already; please refresh and show a new one"


class PayKeyRevoked(Conflict):
    code = "pay_key_revoked"
    zh, en = "这部手机的付款码已停用，请在应用中重新开通", "Pay codes of this phone were switched off; please set them up again in the app"


class CardInactive(Conflict):
    code = "card_inactive"
    zh, en = "卡尚未激活，请先激活", "The card is not active yet; please activate it first"


class CardLost(Conflict):
    code = "card_lost"
    zh, en = "卡已挂失，不能使用；持卡人可在应用中撤销挂失", "The card was reported lost; its holder can take back the report in the app"


class CardFrozen(Conflict):
    code = "card_frozen"
    zh, en = "卡已被冻结，请持卡人到服务窗口咨询", "The card is frozen; its holder can ask at a counter"


class CardLocked(Conflict):
    code = "card_locked"
    zh, en = "卡已锁定，请持卡人到服务窗口解锁", "The card is locked; its holder can have it unlocked at a counter"


class CardBad(Conflict):
    code = "card_bad"
    zh, en = "卡已损坏，请办理换卡", "The card is damaged; please have it changed"


class CardExpired(Conflict):
    code = "card_expired"
    zh, en = "卡已过有效期，请办理换卡", "The card has expired; please have it renewed"


class CardCancelled(Conflict):
    code = "card_cancelled"
    zh, en = "卡已注销，可重新申领", "The card was cancelled; a new one can be applied for"


class CardReplaced(Conflict):
    code = "card_replaced"
    zh, en = "卡已换新，请使用新卡", "The card was replaced; please use the new one"


class CardRefusedByIssuer(Conflict):
    code = "card_refused_by_issuer"
    zh, en = "发卡机构已停用此卡，请联系发卡机构", "The issuer of this card has stopped it; please ask the issuer"


class CardIssuedAlready(Conflict):
    code = "card_issued_already"
    zh, en = "您已有这种卡，无需再次申领", "You hold a card of this kind already"


class CardStepForbidden(Conflict):
    code = "card_step_forbidden"
    zh, en = "卡的当前状态（{state}）不允许这样办理", "The card's present state ({state}) does not allow this"


class LossNotReported(Conflict):
    code = "loss_not_reported"
    zh, en = "此卡没有挂失，无需撤销", "This card is not reported lost, so there is nothing to take back"


class LossIsFormal(Conflict):
    code = "loss_is_formal"
    zh, en = (
        "此卡已正式挂失，请持卡人携带身份证到柜台解除",
        "This card is formally reported lost: its holder takes the report back at a counter, with the ID card",
    )


class RangeChanged(Conflict):
    code = "range_changed"
    zh = "卡号段已启用，只能向后扩大，不能改动或重叠"
    en = "The number range is in use: it may grow at its end, but not change or overlap another"


class TooMuchAtStake(Conflict):
    code = "too_much_at_stake"
    zh = "离线乘车授权的总额已达上限，请先使用现有授权，或选择更低的单次限额"
    en = "The authorisations on your phones may cost enough already; use those, or choose a lower limit"


class TerminalNotStopped(Conflict):
    code = "terminal_not_stopped"
    zh = "该终端没有因识别失败被暂停，无需解除"
    en = "This terminal is not stopped by wrong codes; there is nothing to release"


class TooManyWrongCodes(Throttled):
    code = "too_many_wrong_codes"
    zh = "本终端今天识别失败的付款码过多，已暂停受理至次日；城市卡主管或管理员核实后可当日解除"
    en = "This terminal read too many wrong codes and is stopped until tomorrow; a supervisor or administrator of the card can release it"


class CodesRecovering(Unavailable):
    code = "codes_recovering"
    zh = "系统刚刚恢复，请 {retry_after} 秒后出示新的付款码"
    en = "The system has just recovered; please show a new code in {retry_after} seconds"


class NumbersExhausted(Unavailable):
    code = "numbers_exhausted"
    zh, en = "卡号段已用完，请联系发卡机构", "The range of card numbers is used up; the issuer has to open a new one"


REFUSALS: dict[str, type[CityError]] = {
    kind.code: kind
    for kind in (
        CodeMalformed,
        CodeOfOtherCity,
        CodeExpired,
        CodeTooEarly,
        CodeUnknown,
        CodeUsed,
        PayKeyRevoked,
        CardInactive,
        CardLost,
        CardFrozen,
        CardLocked,
        CardBad,
        CardExpired,
        CardCancelled,
        CardReplaced,
        CardRefusedByIssuer,
        CodesRecovering,
    )
}


def refusal(code: str, **facts: object) -> CityError:
    """The error of a refusal code that a SQL function or a rule answered with."""
    return REFUSALS[code](**facts)
