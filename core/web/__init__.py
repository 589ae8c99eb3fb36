"""The edge of the program: routes, who may call them, and everything that is the same for each."""

from core.web.access import Access, anyone, either, partner, resident, staff, terminal
from core.web.answering import Answer
from core.web.application import Application
from core.web.edge import Edge
from core.web.routing import PageQuery, Route, Routes, page_of

__all__ = [
    "Access",
    "Answer",
    "Application",
    "Edge",
    "PageQuery",
    "Route",
    "Routes",
    "anyone",
    "either",
    "page_of",
    "partner",
    "resident",
    "staff",
    "terminal",
]
