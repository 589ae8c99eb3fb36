"""Why a bill is what it is: each line in words, the tiers of this household, and whether our own reckoning agrees (F106); pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.money import yuan
from services.items import Texts
from services.tariffs import Terms, Use, in_force, lines_of


@dataclass(frozen=True, slots=True)
class Explained:
    """The reckoning of a bill: its lines and notes in both languages; `agrees` when the city's published tariff gives the same lines."""

    lines: list[dict[str, Any]]
    notes: list[dict[str, str]]
    agrees: bool


def explain(facts: Mapping[str, Any], tariff: Sequence[Terms], texts: Mapping[str, Texts]) -> Explained:
    """Explain a bill from what the agency told of it."""
    since, until = (dt.date.fromisoformat(facts[name]) for name in ("since", "until"))
    use = Use(since, until, facts["quantity"], facts["used_before"], facts["persons"])
    units = {language: words.unit for language, words in texts.items()}
    lines = [{**line, "text": _line(line, units)} for line in facts["lines"]]
    return Explained(lines, list(_notes(use, tariff, units)), _agrees(use, tariff, facts["lines"]))


def price(price_e4: int) -> str:
    """Ten-thousandths of a yuan as `2.85` or `0.5469`."""
    digits = f"{price_e4 // 10_000}.{price_e4 % 10_000:04d}"
    return digits[:-2] + digits[-2:].rstrip("0")


def _line(line: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, str]:
    sum_yuan, each = yuan(line["amount_fen"]), price(line["price_e4"])
    zh = f"第{line['tier']}档 {line['quantity']} {units['zh-CN']} × {each} 元 = {sum_yuan} 元（{line['since']} 起）"
    en = f"tier {line['tier']}: {line['quantity']} {units['en']} × CNY {each} = CNY {sum_yuan} (from {line['since']})"
    return {"zh_cn": zh, "en": en}


def _notes(use: Use, tariff: Sequence[Terms], units: Mapping[str, str]) -> list[dict[str, str]]:
    try:
        terms = in_force(tariff, use.since)
    except LookupError:
        return []
    bounds = [bound for bound in terms.bounds(use.persons) if bound is not None]
    ends_zh = "、".join(f"第{n}档至 {bound}" for n, bound in enumerate(bounds, start=1))
    ends_en = ", ".join(f"tier {n} up to {bound}" for n, bound in enumerate(bounds, start=1))
    notes = [
        {
            "zh_cn": f"阶梯按自然年累计（{units['zh-CN']}）：{ends_zh}；本期之前今年已用 {use.before}",
            "en": f"Tiers count over the calendar year ({units['en']}): {ends_en}; used this year before: {use.before}",
        }
    ]
    if use.persons > terms.persons and terms.more_per_person:
        more = terms.more_per_person * (use.persons - terms.persons)
        notes.append(
            {
                "zh_cn": f"本户 {use.persons} 人，超过 {terms.persons} 人，各档上限提高 {more}",
                "en": f"A household of {use.persons}, more than {terms.persons}: every tier reaches {more} further",
            }
        )
    changes = [
        {
            "zh_cn": f"{later.start} 起价格调整，本期用量按天数分摊到调整前后",
            "en": f"Prices changed on {later.start}: this period's use is shared out by days before and after",
        }
        for later in tariff
        if use.since < later.start < use.until
    ]
    return notes + changes


def _agrees(use: Use, tariff: Sequence[Terms], told: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the published tariff gives exactly the lines that the agency billed."""
    try:
        ours = lines_of(use, tariff)
    except LookupError:
        return False
    reckoned = [(each.since.isoformat(), each.tier, each.quantity, each.price_e4, each.amount_fen) for each in ours]
    return reckoned == [(line["since"], line["tier"], line["quantity"], line["price_e4"], line["amount_fen"]) for line in told]
