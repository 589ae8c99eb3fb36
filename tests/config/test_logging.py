"""Nothing but the listed fields can reach a log line."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from config import logging as ours

CITIZEN_NUMBER = "990101199003078811"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    ours.configure("info", process="test")
    out = io.StringIO()
    root.handlers[0].setStream(out)  # type: ignore[attr-defined]  # the handler configure() made
    yield out
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def said(lines: io.StringIO) -> dict[str, object]:
    return json.loads(lines.getvalue().splitlines()[-1])


def test_a_listed_field_is_logged_with_its_process_and_request(lines: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(request_id="r1")
    structlog.get_logger("edge").info("answered", status=200, route="/api/cards/<id:card>")
    assert said(lines) | {"time": ""} == {
        "event": "answered", "level": "info", "logger": "edge", "process": "test", "request_id": "r1", "status": 200,
        "route": "/api/cards/<id:card>", "time": "",
    }  # fmt: skip


def test_an_unlisted_field_is_left_out_and_only_named(lines: io.StringIO) -> None:
    structlog.get_logger().info("signed_in", phone="19900001234", name="王晓明")
    assert said(lines)["withheld"] == ["name", "phone"]
    assert "王晓明" not in lines.getvalue()


def test_a_citizen_number_inside_a_listed_field_is_blotted_out(lines: io.StringIO) -> None:
    structlog.get_logger().info("refused", reason=f"no resident {CITIZEN_NUMBER}", count=19900001234)
    assert CITIZEN_NUMBER not in lines.getvalue()
    assert "19900001234" not in lines.getvalue()


def test_an_event_that_is_a_sentence_is_withheld(lines: io.StringIO) -> None:
    structlog.get_logger().info("王晓明 signed in")
    assert said(lines)["event"] == "event_withheld"


def test_another_librarys_message_is_logged_without_its_arguments(lines: io.StringIO) -> None:
    logging.getLogger("library").warning("row %s of %s", CITIZEN_NUMBER, "王晓明")
    assert said(lines)["event"] == "row %s of %s"


def test_an_exception_is_logged_by_type_and_place_without_its_text(lines: io.StringIO) -> None:
    try:
        raise ValueError(f"Key (number)=({CITIZEN_NUMBER})")
    except ValueError:
        logging.getLogger("library").exception("failed")
        structlog.get_logger().exception("failed")
    for line in map(json.loads, lines.getvalue().splitlines()):
        assert line["fault"] == "ValueError"
        assert "test_logging.py" in line["where"][-1]
    assert CITIZEN_NUMBER not in lines.getvalue()
