"""The story, step by step: each step says in two languages what happens, does it over HTTP, and checks what must follow."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from command.gate_folder import GateFolder
from command.story.bills import bill_paid, catalogue, company_down
from command.story.cast import Stage
from command.story.gates import gate_alone, gate_listed
from command.story.partners import consent_ends, partner_asks
from command.story.phone import Phone
from command.story.step import Broken as Broken
from command.story.step import Step, balance, must, word
from command.story.system import Ear
from command.story.till import Till
from command.story.wire import Answer, wait_for
from core.money import yuan

PRICE, TOP_UP = 1_230, 60_000


@dataclass
class Walk:
    """One walk through the story by one new resident."""

    stage: Stage
    phone: Phone
    person: dict[str, Any]
    till: Till
    card: str = ""
    charge: str = ""
    binding: str = ""
    consent: str = ""
    subject: str = ""
    ear: Ear | None = None
    gate: GateFolder | None = None

    ending: ExitStack = field(default_factory=ExitStack)

    def steps(self) -> Generator[Step, None, None]:
        """The steps in order; each has happened when it is told. What was set up on the way is taken down, however the walk ends."""
        with self.ending:
            for step in STEPS:
                yield step(self)


def begin(stage: Stage) -> Walk:
    """A walk with a resident who has not proved who they are yet, and the first till of the city."""
    phone, person = stage.newcomer()
    return Walk(stage, phone, person, stage.till())


def sign_in(walk: Walk) -> Step:
    """Phone and code, bound to the phone's own key."""
    walk.phone.sign_in()
    walk.phone.refresh()
    me = walk.phone.do("GET", "/api/me")
    seen = (
        f"手机 {me['masked_phone']}，身份等级 L{me['identity_level']}",
        f"phone {me['masked_phone']}, identity level L{me['identity_level']}",
    )
    return Step("居民用手机号和验证码登录，会话绑定本机密钥", "A resident signs in with phone and code, bound to this phone's key", (seen,))


def prove(walk: Walk) -> Step:
    """Name and number, then a live face."""
    named = walk.phone.prove(walk.person["name"], walk.person["citizen_number"])
    faced = walk.phone.show_face()
    must(named["identity_level"] == 2 and faced["identity_level"] == 4, "the levels rise to L2 and L4", faced)
    me = walk.phone.do("GET", "/api/me")
    seen = (
        f"{me['masked_name']}：姓名与号码相符（L2），实人核验通过（L4）",
        f"{me['masked_name']}: name and number match (L2), live face (L4)",
    )
    return Step("向公安人口库（沙箱）核验身份", "Identity is proved against the police register (sandbox)", (seen,))


def issue(walk: Walk) -> Step:
    """A virtual card at once, with a wallet."""
    card = walk.phone.do("POST", "/api/cards", {"product": "resident"})
    walk.card = card["id"]
    wallet = walk.phone.do("GET", "/api/wallet")
    must(card["state"] == "active" and wallet["balance_fen"] == 0, "a card lives and its wallet is empty", card)
    seen = (
        f"卡号 {card['number']}，钱包余额 {yuan(wallet['balance_fen'])} 元",
        f"card {card['number']}, balance CNY {yuan(wallet['balance_fen'])}",
    )
    return Step("当场签发虚拟市民卡，并开立钱包", "A virtual card is issued at once, and a wallet opened", (seen,))


def top_up(walk: Walk) -> Step:
    """Through the provider, which is asked before anything is credited."""
    order = walk.phone.do("POST", "/api/top-ups", {"amount_fen": TOP_UP, "provider": "yunpay"})
    paid = walk.stage.outside.form("/yunpay/pay/" + order["pay_url"].partition("/yunpay/pay/")[2], choice="approve")
    must(paid.status == 200, "the provider takes the payment", paid)
    path = f"/api/top-ups/{order['id']}"
    done = wait_for(lambda: credited(walk.phone.do("GET", path)), what="the top-up to be credited", seconds=30)
    wallet = walk.phone.do("GET", "/api/wallet")
    must(wallet["balance_fen"] == TOP_UP, "the wallet holds what was paid", wallet)
    seen = (
        f"收据 {done['receipt_number']}，余额 {yuan(wallet['balance_fen'])} 元",
        f"receipt {done['receipt_number']}, balance CNY {yuan(wallet['balance_fen'])}",
    )
    return Step(f"通过云付（沙箱）充值 {yuan(TOP_UP)} 元", f"Top-up of CNY {yuan(TOP_UP)} through YunPay (sandbox)", (seen,))


def show_code(walk: Walk) -> Step:
    """Made on the phone, without network."""
    walk.phone.take_pay_key(walk.card)
    first, second = walk.phone.pay_code(), walk.phone.pay_code()
    must(first != second and len(first) == 18, "two codes of one half minute differ", first)
    return Step(
        "手机离线生成付款码",
        "The phone makes pay codes without network",
        ((f"{first}，下一个 {second}", f"{first}, the next one {second}"),),
    )


def present(walk: Walk) -> Step:
    """The terminal sees what its role may see; the code is dead after."""
    walk.till.sign_in()
    code = walk.phone.pay_code()
    shown = walk.till.do("POST", "/api/presentations", {"code": code})
    again = walk.till.ask("POST", "/api/presentations", {"code": code})
    must(again.code == "code_used", "a code presents once", again)
    paid = walk.till.do("POST", "/api/charges", {"amount_fen": 100, "presentation_id": shown["id"]})
    twice = walk.till.ask("POST", "/api/charges", {"amount_fen": 100, "presentation_id": shown["id"]}, key=secrets.token_urlsafe(16))
    must(twice.status == 409, "a presentation charges once", twice)
    seen = (
        (
            f"终端看到：{shown['masked_name']}，卡尾号 {shown['card']['tail']}",
            f"the terminal sees {shown['masked_name']}, card …{shown['card']['tail']}",
        ),
        (f"再扫同一码：{word(again, 'zh-CN')}", f"the same code again: {word(again, 'en')}"),
        (f"凭出示扣款 1.00 元，收据 {paid['receipt_number']}", f"CNY 1.00 charged on the presentation, receipt {paid['receipt_number']}"),
    )
    return Step("柜台终端扫码出示", "A counter terminal scans and presents the code", seen)


def pay(walk: Walk) -> Step:
    """One posting, one receipt; repetitions give the first answer, another body is refused."""
    before = balance(walk)
    code, key = walk.phone.pay_code(), secrets.token_urlsafe(16)
    body = {"amount_fen": PRICE, "code": code}
    first, replay = walk.till.ask("POST", "/api/charges", body, key=key), walk.till.ask("POST", "/api/charges", body, key=key)
    other = walk.till.ask("POST", "/api/charges", {**body, "amount_fen": PRICE + 1}, key=key)
    dead = walk.till.ask("POST", "/api/charges", body, key=secrets.token_urlsafe(16))
    must(first.status == 201, "the charge is posted", first)
    must(replay.body == first.body and replay.headers.get("Idempotency-Replayed") == "true", "a repetition gives the first answer", replay)
    must(other.code == "idempotency_key_reused" and dead.code == "code_used", "neither another body nor the same code again", dead)
    must(before - balance(walk) == PRICE, "the money moved once", first)
    walk.charge = first.body["id"]
    seen = (
        (
            f"收据 {first.body['receipt_number']}，余额 {yuan(balance(walk))} 元",
            f"receipt {first.body['receipt_number']}, balance CNY {yuan(balance(walk))}",
        ),
        ("同一编号重发：返回第一次的结果，未重复扣款", "the same key again: the first answer, no second charge"),
        (f"同一编号换金额：{word(other, 'zh-CN')}", f"the same key with another amount: {word(other, 'en')}"),
        (f"同一码换编号：{word(dead, 'zh-CN')}", f"the same code under a new key: {word(dead, 'en')}"),
    )
    return Step(f"扣款 {yuan(PRICE)} 元", f"A charge of CNY {yuan(PRICE)}", seen)


def undo(walk: Walk) -> Step:
    """A reversal of the whole, and a refund of a part of another charge."""
    before = balance(walk)
    reversal = walk.till.do("POST", f"/api/charges/{walk.charge}/reversal", {"reason": "金额输错"})
    again = walk.till.ask("POST", f"/api/charges/{walk.charge}/reversal", {"reason": "x"}, key=secrets.token_urlsafe(16))
    must(balance(walk) - before == PRICE and again.status == 409, "a charge is reversed once and whole", again)
    charge = walk.till.do("POST", "/api/charges", {"amount_fen": PRICE, "code": walk.phone.pay_code()})
    refund = walk.till.do("POST", f"/api/charges/{charge['id']}/refunds", {"amount_fen": 430, "reason": "退一份包子"})
    too_much = walk.till.ask(
        "POST", f"/api/charges/{charge['id']}/refunds", {"amount_fen": 801, "reason": "x"}, key=secrets.token_urlsafe(16)
    )
    must(refund["left_fen"] == PRICE - 430 and too_much.status in (409, 422), "no more is refunded than was paid", too_much)
    seen = (
        (
            f"冲正 {yuan(reversal['amount_fen'])} 元，收据 {reversal['receipt_number']}",
            f"reversed CNY {yuan(reversal['amount_fen'])}, receipt {reversal['receipt_number']}",
        ),
        (
            f"另一笔退款 4.30 元，尚可退 {yuan(refund['left_fen'])} 元",
            f"CNY 4.30 of another charge refunded, CNY {yuan(refund['left_fen'])} left",
        ),
    )
    return Step("当日冲正与部分退款", "A reversal and a partial refund", seen)


def lose(walk: Walk) -> Step:
    """From the report on nothing presents or pays; taking it back brings the card to life."""
    walk.phone.do("POST", f"/api/cards/{walk.card}/loss", {"kind": "temporary"})
    code = walk.phone.pay_code()
    refused = walk.till.ask("POST", "/api/presentations", {"code": code}), charge_attempt(walk, code)
    must(all(answer.code == "card_lost" for answer in refused), "a lost card neither presents nor pays", refused[1])
    walk.phone.find_card(walk.card)
    charge = walk.till.do("POST", "/api/charges", {"amount_fen": 200, "code": walk.phone.pay_code()})
    seen = (
        (f"出示和扣款均被拒绝：{word(refused[0], 'zh-CN')}", f"neither presents nor pays: {word(refused[0], 'en')}"),
        (
            f"凭五分钟内的人脸核验解除挂失后扣款 2.00 元成功，收据 {charge['receipt_number']}",
            f"after taking it back with a face check of the last five minutes CNY 2.00 is charged, receipt {charge['receipt_number']}",
        ),
    )
    return Step("挂失即刻生效，解挂即刻恢复", "A loss takes effect at once, and so does taking it back", seen)


def leave(walk: Walk) -> Step:
    """Signing out ends the session everywhere within a second."""
    receipts = walk.phone.do("GET", "/api/receipts")["items"]
    walk.phone.do("DELETE", "/api/sessions/current")
    gone = wait_for(lambda: refused_now(walk), what="the session to end everywhere", seconds=2)
    seen = (
        (f"收据 {len(receipts)} 张，余额始终与账本一致", f"{len(receipts)} receipts, the balance always that of the books"),
        (f"退出后：{word(gone, 'zh-CN')}", f"after signing out: {word(gone, 'en')}"),
    )
    return Step("查看收据，退出登录", "Receipts, and signing out", seen)


STEPS: tuple[Callable[[Walk], Step], ...] = (
    sign_in,
    prove,
    issue,
    top_up,
    show_code,
    present,
    pay,
    undo,
    catalogue,
    bill_paid,
    company_down,
    partner_asks,
    consent_ends,
    gate_alone,
    gate_listed,
    lose,
    leave,
)


def credited(top_up: dict[str, Any]) -> dict[str, Any] | None:
    """The top-up once its money is there."""
    return top_up if top_up["state"] == "credited" else None


def charge_attempt(walk: Walk, code: str) -> Answer:
    """A charge that may be refused."""
    return walk.till.ask("POST", "/api/charges", {"amount_fen": 200, "code": code}, key=secrets.token_urlsafe(16))


def refused_now(walk: Walk) -> Answer | None:
    """The refusal of an ended session, or nothing while it is still let in."""
    answer = walk.phone.ask("GET", "/api/me")
    return answer if answer.status == 401 else None
