"""What the kind `statement` refuses.

CityError
├── NotFound
│   └── ShareUnknown        no such share code, or used, or older than a day
├── Conflict
│   ├── AccountNotMatched   number and owner's name do not belong together, or there is no such account: never told which
│   ├── TooManyBindings     as many accounts of one item as anybody may bind
│   ├── NotYoursToShare     an account that was itself shared with the resident
│   ├── BillChanged         not the amount that the agency wants
│   ├── BillSettled         paid already, or on its way
│   ├── StepForbidden       a difference is not in the state for this
│   ├── DifferenceGone      the newest reading of the day shows it no more
│   ├── RemedyUnfit         a remedy that does not fit this difference
│   ├── PaymentAtAgency     what the agency has is not given back
│   └── SamePerson          the one who proposed cannot approve
└── Invalid
    └── DayNotOver          a day that has not ended cannot be reconciled
"""

from __future__ import annotations

from core.errors import Conflict, Invalid, NotFound


class AccountNotMatched(Conflict):
    code = "account_not_matched"
    zh = "户号与户主姓名不相符，请按账单核对；多次不符将暂停绑定"
    en = "Account number and owner's name do not match; check them on the bill. After several attempts binding pauses"


class TooManyBindings(Conflict):
    code = "too_many_bindings"
    zh = "每项服务最多绑定 {most} 个户号，请先解绑不用的户号"
    en = "At most {most} accounts of one service; unbind one that you no longer need"


class NotYoursToShare(Conflict):
    code = "binding_not_yours_to_share"
    zh = "该户号由他人共享给您，请由其本人再行共享"
    en = "This account was shared with you; ask the one who shared it"


class ShareUnknown(NotFound):
    code = "share_unknown"
    zh, en = "共享码无效、已使用或已过期，请对方重新生成", "This share code is wrong, used or expired; ask for a new one"


class BillChanged(Conflict):
    code = "bill_changed"
    zh = "账单应缴 {amount_yuan} 元，与您确认的金额不同，请刷新后再缴"
    en = "The bill comes to CNY {amount_yuan}, not the amount you confirmed; read it again and then pay"


class BillSettled(Conflict):
    code = "bill_settled"
    zh = "该账单已缴清或正在缴费，无需重复缴纳"
    en = "This bill is paid or being paid; nothing more is due"


class StepForbidden(Conflict):
    code = "difference_step_forbidden"
    zh = "该差错当前状态（{state}）不能这样处理，请刷新后查看"
    en = "This difference is {state}, which does not allow that; read it again"


class DifferenceGone(Conflict):
    code = "difference_gone"
    zh = "该日最近一次对账已无此差错，无需处理；如有疑问请重新对账"
    en = "The newest reading of that day does not show this difference any more; if in doubt, read the day again"


class RemedyUnfit(Conflict):
    code = "remedy_unfit"
    zh = "该差错（{kind}）现在不能用此方式处理（{remedy}）"
    en = "A difference of the kind {kind} cannot be repaired by {remedy} as things stand"


class PaymentAtAgency(Conflict):
    code = "payment_at_agency"
    zh = "机构答复已收到这笔缴费，不能退回居民；请机构先行撤销，再批准"
    en = "The agency says that it has this payment, so it is not given back; approve again once the agency has withdrawn it"


class SamePerson(Conflict):
    code = "second_person_needed"
    zh, en = "提出与批准须为两人，请由另一位工作人员批准", "Two people are needed: somebody else must approve"


class DayNotOver(Invalid):
    code = "day_not_over"
    zh, en = "该日尚未结束，请次日再对账", "That day has not ended; reconcile it on the next"
