"""Reading an agency's day file and comparing it with our own day; pure (F110, threat 21)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

_HEADER = re.compile(r"H\|([A-Za-z0-9_-]{1,40})\|(\d{4}-\d\d-\d\d)")
_ENTRY = re.compile(
    r"P\|([A-Za-z0-9_-]{1,64})\|([A-Za-z0-9_-]{1,64})\|([A-Za-z0-9_-]{1,64})\|([A-Za-z0-9_-]{1,64})\|([1-9][0-9]{0,11})\|(\d{4}-\d\d-\d\d)"
)
_TOTALS = re.compile(r"T\|(0|[1-9][0-9]{0,8})\|(0|[1-9][0-9]{0,14})\|([0-9a-f]{64})")


class FileDamaged(Exception):
    """A file that is not whole or not of this day; nothing of it is used."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment, as either side has it."""

    company_number: str
    number: str
    account: str
    bill: str
    amount_fen: int
    day: str


@dataclass(frozen=True, slots=True)
class Found:
    """A difference: `missing` at the agency, `extra` at the agency, or `differ` in content."""

    kind: str
    number: str
    ours_fen: int | None
    theirs_fen: int | None
    note: str
    company_number: str | None = None


def read(text: str, *, company: str, day: dt.date) -> list[Entry]:
    """The entries of a file that is whole: header, every line, count, sum and hash; raises FileDamaged with the reason."""
    if not text.endswith("\n") or "\r" in text or not text.isascii():
        raise FileDamaged("cut_off")
    lines = text.split("\n")[:-1]
    said, totals = _HEADER.fullmatch(lines[0]), _TOTALS.fullmatch(lines[-1])
    if said is None or totals is None:
        raise FileDamaged("no_header_or_totals")
    if said.groups() != (company, day.isoformat()):
        raise FileDamaged("of_another_day_or_company")
    if hashlib.sha256("".join(f"{line}\n" for line in lines[:-1]).encode()).hexdigest() != totals[3]:
        raise FileDamaged("hash")
    entries = [_entry(line) for line in lines[1:-1]]
    if (len(entries), sum(entry.amount_fen for entry in entries)) != (int(totals[1]), int(totals[2])):
        raise FileDamaged("totals")
    return entries


def compare(ours: Mapping[str, Entry], theirs: list[Entry]) -> tuple[int, list[Found]]:
    """How many entries are equal, and every difference."""
    equal, found, seen = 0, [], set()
    for entry in theirs:
        mine = ours.get(entry.number)
        if entry.number in seen:
            found.append(
                Found("extra", f"{entry.number}#{entry.company_number}", None, entry.amount_fen, "twice in the file", entry.company_number)
            )
        elif mine is None:
            note = f"account {entry.account}, bill {entry.bill}"
            found.append(Found("extra", entry.number, None, entry.amount_fen, note, entry.company_number))
        elif mine == entry:
            equal += 1
        else:
            what = _what_differs(mine, entry)
            found.append(Found("differ", entry.number, mine.amount_fen, entry.amount_fen, what, entry.company_number))
        seen.add(entry.number)
    found += [
        Found("missing", number, mine.amount_fen, None, f"account {mine.account}, bill {mine.bill}")
        for number, mine in ours.items()
        if number not in seen
    ]
    return equal, found


def _entry(line: str) -> Entry:
    found = _ENTRY.fullmatch(line)
    if found is None:
        raise FileDamaged("line")
    company_number, number, account, bill, amount, day = found.groups()
    return Entry(company_number, number, account, bill, int(amount), day)


def _what_differs(mine: Entry, theirs: Entry) -> str:
    names = [name for name in Entry.__slots__ if getattr(mine, name) != getattr(theirs, name)]
    return ", ".join(f"{name}: {getattr(mine, name)} / {getattr(theirs, name)}" for name in names)[:300]
