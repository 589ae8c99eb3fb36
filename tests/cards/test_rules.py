"""A card's life as a state machine, and the refusal said alike in Python and in SQL."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import cards
from cards import CardView
from cards.errors import REFUSALS, CardStepForbidden, LossIsFormal, LossNotReported
from cards.loss import take_back_at_counter
from cards.rules import LIVE, STEPS, State, allowed, expiry, why_refused
from core.errors import CityError
from tests.cards.conftest import City, proved

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
since = st.none() | st.sampled_from([NOW - dt.timedelta(days=1), NOW, NOW + dt.timedelta(seconds=1)])


@dataclass
class Facts:
    """A card as a decision sees it."""

    state: str
    lost_at: dt.datetime | None = None
    frozen_at: dt.datetime | None = None
    locked_at: dt.datetime | None = None
    bad_at: dt.datetime | None = None
    expires_on: dt.date = dt.date(2030, 1, 1)
    mirrored_status: str | None = None


facts = st.builds(
    Facts,
    state=st.sampled_from(list(State)),
    lost_at=since,
    frozen_at=since,
    locked_at=since,
    bad_at=since,
    expires_on=st.dates(dt.date(2026, 11, 20), dt.date(2026, 11, 24)),
    mirrored_status=st.sampled_from([None, "active", "lost"]),
)


def test_python_and_sql_refuse_a_card_for_the_same_reason(city: City) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(facts)
    def alike(card: Facts) -> None:
        row = json.dumps(vars(card), default=lambda value: value.isoformat())
        said = city.rows("SELECT card_refusal_v1(jsonb_populate_record(NULL::card, %s::jsonb), %s, %s)", row, NOW, dt.date(2026, 11, 22))
        assert said == [(why_refused(card, NOW, dt.date(2026, 11, 22)),)]
        assert said[0][0] is None or said[0][0] in REFUSALS

    alike()


@given(facts, st.sampled_from(sorted(STEPS)))
def test_no_step_leaves_a_card_that_ended(card: Facts, name: str) -> None:
    if card.state not in LIVE:
        assert not allowed(card, STEPS[name])


@pytest.mark.parametrize(
    ("issued", "last"),
    [
        (dt.date(2026, 11, 22), dt.date(2036, 11, 22)),
        (dt.date(2024, 2, 29), dt.date(2034, 2, 28)),
        (dt.date(2028, 2, 29), dt.date(2038, 2, 28)),
    ],
)
def test_validity_runs_in_years(issued: dt.date, last: dt.date) -> None:
    assert expiry(issued, 10) == last


class Life(RuleBasedStateMachine):
    """A holder and a clerk do anything in any order; a small model says what must come of it."""

    city: City

    def __init__(self) -> None:
        super().__init__()
        self.holder = self.city.resident()
        self.card = self.city.card(self.holder)
        self.state, self.lost, self.flags, self.steps = "active", None, set[str](), 1

    def tries(self, expected: bool, step: Any, *args: Any, **options: Any) -> None:
        if expected:
            self.city.do(step, *args, **options)
            self.steps += 1
            return
        with pytest.raises((CardStepForbidden, LossNotReported, LossIsFormal)):
            self.city.do(step, *args, **options)

    @rule(kind=st.sampled_from(["temporary", "formal"]), clerk=st.booleans())
    def report(self, kind: str, clerk: bool) -> None:
        reporter = self.city.clerk if clerk else self.holder
        if self.lost in (kind, "formal"):
            assert self.city.do(cards.report_loss, reporter, self.card.id, kind=kind).version == self.steps
            return
        self.tries(self.state == "active", cards.report_loss, reporter, self.card.id, kind=kind)
        if self.state == "active":
            self.lost = kind

    @rule(at_counter=st.booleans())
    def take_back(self, at_counter: bool) -> None:
        if self.state == "active" and self.lost == "formal" and not at_counter:
            with pytest.raises(LossIsFormal):
                self.city.do(cards.take_back_loss, proved(self.holder), self.card.id)
            return
        step, by = (self.counter, ()) if at_counter else (cards.take_back_loss, (proved(self.holder), self.card.id))
        self.tries(self.state == "active" and self.lost is not None, step, *by)
        if self.state == "active":
            self.lost = None

    def counter(self) -> CardView:
        """With the holder's chip."""
        return take_back_at_counter(self.city.clerk, self.card.id, self.holder.id, reader="test")

    @rule(
        step=st.sampled_from(
            [("freeze", "frozen", True), ("resume", "frozen", False), ("lock", "locked", True), ("unlock", "locked", False)]
        )
    )
    def flag(self, step: tuple[str, str, bool]) -> None:
        name, flag, sets = step
        fits = self.state == "active" and (flag in self.flags) != sets
        self.tries(fits, cards.take_by_name, self.city.clerk, self.card.id, name, reason="检验")
        if fits:
            self.flags ^= {flag}

    @rule(luck=st.integers(0, 9))
    def end(self, luck: int) -> None:
        if luck:
            return
        self.tries(self.state == "active", cards.take_by_name, self.city.clerk, self.card.id, "cancel", reason="检验")
        self.state = "cancelled"

    @invariant()
    def agrees(self) -> None:
        card = self.city.do(cards.card_of, self.holder, self.card.id)
        flagged = [flag for flag in ("frozen", "locked") if flag in self.flags]
        reasons = ["cancelled"] * (self.state == "cancelled") + ["lost"] * (self.lost is not None) + flagged
        assert card.refused == (f"card_{reasons[0]}" if reasons else None)
        assert card.version == self.steps
        told = self.city.rows("SELECT ordinal, state_before, state_after FROM card_event WHERE card_id = %s ORDER BY ordinal", card.id)
        assert [row[0] for row in told] == list(range(1, self.steps + 1))
        assert all(later[1] == earlier[2] for earlier, later in pairwise(told))


def test_whatever_holder_and_clerk_do_state_flags_and_history_agree(city: City) -> None:
    machine = type("LifeHere", (Life,), {"city": city})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=20, deadline=None))


def test_every_refusal_has_its_code_and_speaks_two_languages() -> None:
    for code, kind in REFUSALS.items():
        assert issubclass(kind, CityError)
        assert kind.code == code
        assert kind.zh
        assert kind.en
