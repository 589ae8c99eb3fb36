"""The reckoning of a bill: tiers over the year, prices that change, large households."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.items import items
from services.kinds.statement.explaining import explain, price
from services.tariffs import Terms, Tier, Use, lines_of, total_fen

OLD = Terms(start=dt.date(2020, 1, 1), tiers=(Tier(180, 27_000), Tier(300, 40_500), Tier(None, 81_000)), more_per_person=45)
NEW = Terms(start=dt.date(2026, 7, 1), tiers=(Tier(180, 28_500), Tier(300, 42_750), Tier(None, 85_500)), more_per_person=45)
MID = Terms(start=dt.date(2026, 7, 16), tiers=NEW.tiers, more_per_person=45)
JULY, AUGUST = dt.date(2026, 7, 1), dt.date(2026, 8, 1)


def shape(use: Use, *tariff: Terms) -> list[tuple[int, int, int]]:
    return [(line.tier, line.quantity, line.amount_fen) for line in lines_of(use, tariff)]


def test_a_month_within_the_first_tier_is_one_line() -> None:
    assert shape(Use(JULY, AUGUST, 15, 60, 3), NEW) == [(1, 15, 4_275)]


def test_a_month_that_crosses_into_the_next_tiers_is_split() -> None:
    assert shape(Use(JULY, AUGUST, 150, 170, 3), NEW) == [(1, 10, 2_850), (2, 120, 51_300), (3, 20, 17_100)]


def test_a_tier_used_up_before_the_change_of_price_stays_used_up() -> None:
    assert shape(Use(dt.date(2026, 6, 1), JULY, 20, 180, 3), OLD, NEW) == [(2, 20, 8_100)]
    assert shape(Use(JULY, AUGUST, 20, 200, 3), OLD, NEW) == [(2, 20, 8_550)]


def test_a_price_that_changes_inside_the_month_divides_it_by_days() -> None:
    # 15 of 31 days at the old price: 30 * 15 / 31 = 14.5, whole units downwards, the rest after the change.
    assert shape(Use(JULY, AUGUST, 30, 0, 3), OLD, MID) == [(1, 14, 3_780), (1, 16, 4_560)]


def test_a_household_of_six_has_more_room_in_every_tier() -> None:
    assert shape(Use(JULY, AUGUST, 20, 180, 6), NEW) == [(1, 20, 5_700)]
    assert shape(Use(JULY, AUGUST, 20, 260, 6), NEW) == [(1, 10, 2_850), (2, 10, 4_275)]


def test_a_new_year_begins_anew() -> None:
    assert shape(Use(dt.date(2027, 1, 1), dt.date(2027, 2, 1), 20, 0, 3), NEW) == [(1, 20, 5_700)]


def test_half_a_fen_is_rounded_up() -> None:
    assert shape(Use(JULY, AUGUST, 1, 0, 3), Terms(start=OLD.start, tiers=(Tier(None, 5_450),))) == [(1, 1, 55)]


def test_a_day_before_every_tariff_is_an_error() -> None:
    with pytest.raises(LookupError):
        lines_of(Use(dt.date(2019, 1, 1), dt.date(2019, 2, 1), 1, 0, 1), [OLD])


@pytest.mark.parametrize(
    "tiers",
    [
        (),
        (Tier(10, 100),),
        (Tier(None, 100), Tier(None, 200)),
        (Tier(20, 100), Tier(10, 200), Tier(None, 300)),
        (Tier(10, 200), Tier(None, 100)),
        (Tier(10, 0), Tier(None, 100)),
    ],
)
def test_a_tariff_with_a_gap_or_falling_prices_is_refused(tiers: tuple[Tier, ...]) -> None:
    with pytest.raises(ValueError, match="do not rise"):
        Terms(start=OLD.start, tiers=tiers)


@given(quantity=st.integers(0, 2_000), before=st.integers(0, 2_000), persons=st.integers(1, 12), day=st.integers(2, 30))
def test_every_unit_is_billed_once_and_more_use_never_costs_less(quantity: int, before: int, persons: int, day: int) -> None:
    tariff = (OLD, Terms(start=dt.date(2026, 7, day), tiers=NEW.tiers, more_per_person=45))
    lines = lines_of(Use(JULY, AUGUST, quantity, before, persons), tariff)
    assert sum(line.quantity for line in lines) == quantity
    more = lines_of(Use(JULY, AUGUST, quantity + 1, before, persons), tariff)
    assert total_fen(more) >= total_fen(lines)
    assert all(line.amount_fen == (line.quantity * line.price_e4 + 50) // 100 for line in lines)


@given(first=st.integers(0, 600), second=st.integers(0, 600), persons=st.integers(1, 9))
def test_two_periods_fill_the_tiers_as_one_would(first: int, second: int, persons: int) -> None:
    def tiers(*uses: Use) -> dict[int, int]:
        found: dict[int, int] = {}
        for use in uses:
            for line in lines_of(use, [NEW]):
                found[line.tier] = found.get(line.tier, 0) + line.quantity
        return found

    whole = tiers(Use(JULY, AUGUST, first + second, 0, persons))
    assert whole == tiers(Use(JULY, AUGUST, first, 0, persons), Use(AUGUST, dt.date(2026, 9, 1), second, first, persons))


def test_the_explanation_names_tiers_household_and_the_change_and_checks_the_sum() -> None:
    use = Use(JULY, AUGUST, 30, 190, 6)
    lines = [
        {
            "since": str(line.since),
            "until": str(line.until),
            "tier": line.tier,
            "quantity": line.quantity,
            "price_e4": line.price_e4,
            "amount_fen": line.amount_fen,
        }
        for line in lines_of(use, [OLD, MID])
    ]
    facts = {"since": str(JULY), "until": str(AUGUST), "quantity": 30, "used_before": 190, "persons": 6, "lines": lines}
    told = explain(facts, [OLD, MID], items()["water"].texts)
    assert told.agrees
    assert [note["en"][:11] for note in told.notes] == ["Tiers count", "A household", "Prices chan"]
    assert told.lines[0]["text"]["zh_cn"] == "第1档 14 立方米 × 2.70 元 = 37.80 元（2026-07-01 起）"
    assert not explain({**facts, "used_before": 400}, [OLD, MID], items()["water"].texts).agrees


@pytest.mark.parametrize(("price_e4", "shown"), [(28_500, "2.85"), (5_469, "0.5469"), (30_000, "3.00"), (85_505, "8.5505")])
def test_a_price_is_shown_with_two_to_four_places(price_e4: int, shown: str) -> None:
    assert price(price_e4) == shown
