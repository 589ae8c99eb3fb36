"""Logs as lines of JSON in which only listed fields can appear, so that no personal data gets out by accident.

An event is a constant name in lower case; whatever else is said stands in a field of ALLOWED. Anything not listed is left out
and only its name is kept under `withheld`. Of other libraries' messages the unfilled pattern is logged, never its arguments,
and of an exception its type and places in the code, never its text: both may quote a row.
The edge binds `request_id` with `structlog.contextvars.bind_contextvars`, and every line of that request carries it.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED_WORDS = """
    event time level logger request_id process pid worker thread loop operation route method status duration_ms bytes code outcome
    city_id actor_kind scope permission job job_id attempt retry_in due event_name subject_kind seq count chain
    agency gateway provider channel circuit limit reason state from_state to_state database revision version host port
    fault where withheld listener attempts about
"""
ALLOWED = frozenset(ALLOWED_WORDS.split())
EVENT = re.compile(r"[a-z][a-z0-9_.:]{0,60}")
# A run of digits as long as a phone, card or citizen number; shorter ones are counts, ports and moments.
LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z-])\d{11,}[0-9Xx]?(?![0-9A-Za-z-])")
LONGEST = 200
Event = MutableMapping[str, Any]


def configure(level: str, *, process: str) -> None:
    """Let this process log JSON lines to standard error; `process` names it in each of them."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("urllib3", "procrastinate", "alembic", "sqlalchemy.engine"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def _formatter(process: str) -> logging.Formatter:
    def name_process(_logger: Any, _method: str, event: Event) -> Event:
        event["process"] = process
        return event

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, _foreign],
        processors=[
            name_process,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _fault,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            keep_allowed,
            structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=True),
        ],
    )


def keep_allowed(_logger: Any, _method: str, event: Event) -> Event:
    """Only listed fields, only plain values, no long numbers; what was left out is named in `withheld`."""
    kept = {name: _plain(value) for name, value in event.items() if name in ALLOWED}
    dropped = sorted(name for name in event if name not in ALLOWED and re.fullmatch(r"\w{1,40}", name))
    if dropped:
        kept["withheld"] = dropped
    if not EVENT.fullmatch(str(event.get("event", ""))) and not event.get("_foreign"):
        kept["event"] = "event_withheld"
    return kept


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**10 else "…"
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value[:20]]
    return LONG_NUMBER.sub("…", str(value))[:LONGEST]


def _foreign(_logger: Any, _method: str, event: Event) -> Event:
    record: logging.LogRecord = event["_record"]
    event.update(
        exc_info=record.exc_info,
        event=LONG_NUMBER.sub("…", str(record.msg))[:LONGEST],
        level=record.levelname.lower(),
        logger=record.name,
        _foreign=True,
    )
    return event


def _fault(_logger: Any, _method: str, event: Event) -> Event:
    found = event.pop("exc_info", None)
    error = found if isinstance(found, BaseException) else (found[1] if isinstance(found, tuple) else sys.exc_info()[1] if found else None)
    if error is not None:
        event["fault"] = type(error).__name__
        event["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-8:]]
    return event
