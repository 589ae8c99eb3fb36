"""YunPay's doors: the signed ones for the merchant, and the page on which a resident pays."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from outside import faults
from outside.database import Row
from outside.reading import Refusal, answer_refusal, members, text, whole
from outside.returning import way_back, with_way_back
from outside.signed import agency
from outside.world import world
from outside.yunpay import day_file, notices, orders

NUMBER = r"[A-Za-z0-9_-]{1,64}"
LARGEST_FEN = 5_000_000
CHOICES = {"approve": "paid", "refuse": "refused"}

door = agency("yunpay")
pages = Blueprint("pay", __name__)
pages.register_error_handler(Refusal, answer_refusal)


@door.post("/orders")
def place() -> tuple[Response, int]:
    """Place an order."""
    body = members({"merchant", "merchant_order", "amount_fen", "subject", "notify_url", "valid_seconds"})
    wanted = orders.Wanted(
        merchant=text(body, "merchant", pattern=NUMBER),
        merchant_order=text(body, "merchant_order", pattern=NUMBER),
        amount_fen=whole(body, "amount_fen", least=1, most=LARGEST_FEN),
        subject=text(body, "subject"),
        notify_url=text(body, "notify_url", most=300),
        valid_seconds=whole(body, "valid_seconds", least=30, most=86400),
    )
    if not notices.allowed(wanted.notify_url):
        raise Refusal("notify_url_not_allowed")
    return jsonify(_order(orders.place(wanted))), 201


@door.get("/orders/<merchant>/<number>")
def query(merchant: str, number: str) -> Response:
    """What became of an order: the only thing that money is credited on."""
    return jsonify(_order(orders.find(merchant, number)))


@door.post("/orders/<merchant>/<number>/close")
def close(merchant: str, number: str) -> Response:
    """Never let an unpaid order be paid."""
    return jsonify(_order(orders.close(merchant, number)))


@door.post("/refunds")
def refund() -> tuple[Response, int]:
    """Give money back."""
    body = members({"merchant", "merchant_refund", "merchant_order", "amount_fen", "reason"})
    wanted = {
        **{name: text(body, name, pattern=NUMBER) for name in ("merchant", "merchant_refund", "merchant_order")},
        "amount_fen": whole(body, "amount_fen", least=1, most=LARGEST_FEN),
        "reason": text(body, "reason", pattern=r"[^\x00-\x1f\x7f]*"),
    }
    pending = dt.timedelta(milliseconds=faults.strikes("yunpay", "slow_refund") or 0)
    return jsonify(_refund(orders.refund(wanted, pending=pending))), 201


@door.get("/refunds/<merchant>/<number>")
def query_refund(merchant: str, number: str) -> Response:
    """What became of a refund."""
    return jsonify(_refund(orders.find_refund(merchant, number)))


@door.get("/day-files/<merchant>/<day>")
def list_day(merchant: str, day: str) -> Response:
    """The day's file; of a day that has begun, the part so far."""
    try:
        wanted = dt.date.fromisoformat(day)
    except ValueError as fault:
        raise Refusal("day_wrong") from fault
    if wanted > world().now().astimezone(day_file.CHINA).date():
        raise Refusal("day_not_begun", 404)
    return Response(day_file.write(merchant, wanted), content_type="text/plain; charset=utf-8")


@pages.get("/yunpay/pay/<token>")
def pay_page(token: str) -> str:
    """The page that the resident opens."""
    return render_template("pay.html", order=orders.by_pay_token(token) or abort(404), back=way_back())


@pages.post("/yunpay/pay/<token>")
def decide(token: str) -> AnyResponse | str:
    """Approve or refuse; leaving the page decides nothing."""
    state = CHOICES.get(request.form.get("choice", ""))
    if state is None:
        raise Refusal("choice_wrong")
    decided = orders.decide(token, state)
    if request.accept_mimetypes.best == "application/json":
        if decided is None:
            raise Refusal("order_not_waiting", 409)
        return jsonify(state=decided["state"])
    return redirect(with_way_back(f"/yunpay/pay/{token}"), 303)


def _order(row: Row) -> dict[str, Any]:
    wrong = 1 if faults.strikes("yunpay", "wrong_amount") is not None else 0
    return {
        "merchant": row["merchant"],
        "merchant_order": row["merchant_order"],
        "provider_order": row["provider_order"],
        "amount_fen": row["amount_fen"] + wrong,
        "refunded_fen": row["refunded_fen"],
        "state": row["shown_state"],
        "pay_url": f"{world().settings.url}/yunpay/pay/{row['pay_token']}",
        "paid_at": row["paid_at"].isoformat() if row["paid_at"] else None,
    }


def _refund(row: Row) -> dict[str, Any]:
    return {
        "merchant": row["merchant"],
        "merchant_refund": row["merchant_refund"],
        "provider_refund": row["provider_refund"],
        "merchant_order": row["merchant_order"],
        "amount_fen": row["amount_fen"],
        "state": "done" if row["done_at"] <= world().now() else "pending",
    }
