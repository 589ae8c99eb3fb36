"""Every refusal the program knows, as one tree.

CityError
├── Invalid          422  the request cannot be understood or breaks a rule of form
├── Unauthenticated  401  nobody, or a token that is not valid (any more)
├── Denied           403  known, but not allowed
├── NotFound         404  no such thing, or not yours
├── Conflict         409  the thing is in a state that does not allow it
├── Stale            412  changed meanwhile
├── Throttled        429  too often; says when to come back
└── Unavailable      503  not now; says whether it may be repeated

A class per error, each with a stable ``code``, an HTTP ``status`` and its text in Chinese and English; placeholders in braces are
filled from the keyword arguments, which also go to the caller as facts: ``{left_yuan}`` reads the fact ``left_fen``, 1230, as 12.30.
Texts say what the caller can do.
"""

from __future__ import annotations

from typing import Any, ClassVar

from core.money import yuan


class CityError(Exception):
    """A refusal with a stable code, shown to the caller as RFC 9457 problem+json."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    zh: ClassVar[str] = "系统出现问题，请稍后再试"
    en: ClassVar[str] = "Something went wrong on our side; please try again later"

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        self.replayed = False
        self.headers: dict[str, str] = {}
        super().__init__(self.code)

    def text(self, language: str) -> str:
        """The text for a reader: ``zh-CN`` or ``en``."""
        return (self.zh if language == "zh-CN" else self.en).format_map(_Facts(self.facts))

    def __str__(self) -> str:
        return f"{self.code}: {self.text('en')}"


class _Facts(dict[str, Any]):
    """Reads amounts aloud, and leaves a placeholder without a fact as it stands rather than failing while refusing."""

    def __missing__(self, key: str) -> str:
        amount = self.get(f"{key.removesuffix('_yuan')}_fen") if key.endswith("_yuan") else None
        return yuan(amount) if isinstance(amount, int) else "{" + key + "}"


class Invalid(CityError):
    code, status = "invalid", 422
    zh, en = "提交的内容不正确，请检查标出的项目", "The request is not correct; please check the marked fields"

    def __init__(self, errors: dict[str, Any] | None = None, **facts: Any) -> None:
        super().__init__(**facts)
        self.errors = errors


class Malformed(Invalid):
    code, status = "malformed", 400
    zh, en = "请求格式无法识别", "The request cannot be read"


class KeyMissing(Invalid):
    code, status = "idempotency_key_missing", 400
    zh = "缺少 Idempotency-Key 请求头：请为每笔操作生成一个编号，重试时使用同一编号"
    en = "Header Idempotency-Key is missing: make one id per operation and repeat it when you try again"


class KeyReused(Invalid):
    code, status = "idempotency_key_reused", 422
    zh, en = "同一 Idempotency-Key 已用于另一内容，请换一个编号", "This Idempotency-Key was used with another request; use a new one"


class Unauthenticated(CityError):
    code, status = "unauthenticated", 401
    zh, en = "请先登录", "Please sign in"


class Denied(CityError):
    code, status = "denied", 403
    zh, en = "您没有办理此事的权限", "You are not allowed to do this"


class StepUpNeeded(Denied):
    code = "step_up_needed"
    zh = "办理此事需要更强的身份验证（身份等级 L{level}，登录强度 S{strength}）"
    en = "This needs a stronger proof of who you are (identity level L{level}, sign-in strength S{strength})"


class NotFound(CityError):
    code, status = "not_found", 404
    zh, en = "没有找到", "Not found"


class Conflict(CityError):
    code, status = "conflict", 409
    zh, en = "当前状态不允许这样做", "The present state does not allow this"


class InProgress(Conflict):
    code = "request_in_progress"
    zh, en = "同一编号的请求正在处理，请稍后用同一编号再试", "The same request is still running; repeat it with the same key in a moment"


class Stale(CityError):
    code, status = "stale", 412
    zh, en = "内容已被他人修改，请重新读取后再提交", "It was changed meanwhile; read it again and then send your change"


class PreconditionNeeded(CityError):
    code, status = "precondition_needed", 428
    zh, en = "请带上读取时得到的 ETag（If-Match）", "Send the ETag you read (If-Match)"


class Throttled(CityError):
    code, status = "throttled", 429
    zh, en = "操作太频繁，请在 {retry_after} 秒后再试", "Too many attempts; try again in {retry_after} seconds"

    def __init__(self, retry_after: int = 60, **facts: Any) -> None:
        super().__init__(retry_after=retry_after, **facts)
        self.headers = {"Retry-After": str(retry_after)}


class Unavailable(CityError):
    code, status = "unavailable", 503
    zh, en = "暂时无法办理，请稍后用同一编号重试", "Not possible right now; try again later with the same key"


class Busy(Unavailable):
    code = "busy"
    zh, en = "系统繁忙，请稍后再试", "We are very busy; please try again in a moment"
