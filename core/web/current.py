"""The WSGI environment of the request that this thread serves: all that the edge reads of a request on the hot paths."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

environ: ContextVar[dict[str, Any]] = ContextVar("environ")
