"""What the upload of offline trades and the fetch of authorisations with a value refuse.

CityError
├── Invalid    batch_signature_wrong · batch_out_of_order
└── Conflict   serial_reused · offline_not_covered · offline_owed
"""

from __future__ import annotations

from core.errors import Conflict, Invalid


class BatchSignatureWrong(Invalid):
    code = "batch_signature_wrong"
    zh = "批次签名不正确：请用本终端的密钥对整批交易重新签名"
    en = "The batch is not signed by this terminal's key; please sign the whole batch anew"


class BatchOutOfOrder(Invalid):
    code = "batch_out_of_order"
    zh, en = (
        "批次中的交易应按流水号递增排列，且时间为整秒",
        "Trades of a batch rise by their serial numbers, and their times are whole seconds",
    )


class SerialReused(Conflict):
    code = "serial_reused"
    zh = "流水号 {serial} 已用于另一笔交易，请联系管理员检查终端"
    en = "Serial number {serial} was used for another trade; please have the terminal looked at"


class OfflineNotCovered(Conflict):
    code = "offline_not_covered"
    zh = "钱包余额不足以覆盖这些离线授权，请充值或减少数量"
    en = "The wallet does not cover these authorisations; please top up, or ask for fewer"


class OfflineOwed(Conflict):
    code = "offline_owed"
    zh = "有 {owed_yuan} 元的离线消费尚未付清，请先充值"
    en = "Offline trades of CNY {owed_yuan} are not paid yet; please top up first"
