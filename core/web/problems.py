"""Refusals on the wire: RFC 9457 problem documents in two languages, never a bare error page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from flask import Response, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

from core import ids
from core.errors import CityError, Invalid, Malformed, NotFound
from core.web import current
from core.web.beginning import begun

LANGUAGES = ("zh-CN", "en")
MEDIA = "application/problem+json"


class MethodUnknown(CityError):
    code, status = "method_not_allowed", 405
    zh, en = "此地址不支持该操作", "This address does not support that method"


class MediaUnknown(CityError):
    code, status = "media_type_unsupported", 415
    zh, en = "请使用 application/json 提交", "Send application/json"


class TooLarge(CityError):
    code, status = "too_large", 413
    zh, en = "提交的内容过大", "The request is too large"


class PathUnknown(NotFound):
    code = "path_unknown"
    zh, en = "没有这个地址，请查看 /openapi.json", "There is no such address; see /openapi.json"


_OF_STATUS: dict[int, type[CityError]] = {400: Malformed, 404: PathUnknown, 405: MethodUnknown, 413: TooLarge, 415: MediaUnknown}


def language() -> str:
    """The reader's language by ``Accept-Language``: Chinese unless English is preferred."""
    header = (current.environ.get(None) or request.environ).get("HTTP_ACCEPT_LANGUAGE")
    if not header:
        return "zh-CN"
    return parse_accept_header(header, LanguageAccept).best_match(LANGUAGES, default="zh-CN") or "zh-CN"


def document(refusal: CityError, request_id: UUID | None, reader: str) -> dict[str, Any]:
    """The problem document of a refusal (RFC 9457 section 3), with both languages always in ``messages``."""
    body: dict[str, Any] = {
        "type": f"/problems/{refusal.code}",
        "title": refusal.text(reader),
        "status": refusal.status,
        "code": refusal.code,
        "messages": {name: refusal.text(name) for name in LANGUAGES},
    }
    if refusal.facts:
        body["facts"] = refusal.facts
    if isinstance(refusal, Invalid) and refusal.errors:
        body["errors"] = refusal.errors
    if request_id is not None:
        body["request_id"] = ids.show("req", request_id)
    return body


def answer(refusal: CityError, request_id: UUID | None) -> Response:
    """The response of a refusal."""
    body = encode(document(refusal, request_id, language()))
    response = Response(body, status=refusal.status, headers=begun(), mimetype=MEDIA)
    response.headers["Content-Language"] = language()
    for name, value in refusal.headers.items():
        response.headers[name] = value
    if refusal.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="citycard"'
    return response


def of_http(fault: HTTPException) -> tuple[CityError, dict[str, str]]:
    """Our refusal for one of the framework's, with the headers that belong to it (``Allow`` of a 405)."""
    kind = _OF_STATUS.get(fault.code or 500, CityError)
    kept = {name: value for name, value in fault.get_headers() if name.lower() not in ("content-type", "content-length")}
    return kind(), kept


def encode(body: Any) -> bytes:
    """JSON bytes."""
    return msgspec.json.encode(body, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)
