"""The invented residents: the same from the same seed, plausible, and nobody real."""

import datetime as dt
import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from config.cities import load
from config.cities.people import Resident, check_digit, residents

ROOT = Path(__file__).parents[2]
TODAY = dt.date(2026, 1, 1)


@pytest.fixture(scope="module")
def people() -> tuple[Resident, ...]:
    return residents(load("yunchuan"))


def age(person: Resident) -> int:
    return (TODAY - person.birth).days * 4 // 1461


def test_two_cities_have_five_thousand_and_two_hundred_residents(people: tuple[Resident, ...]) -> None:
    assert len(people) == 5000
    assert len(residents(load("linhu"))) == 200


def test_the_check_digit_is_that_of_the_standards_example() -> None:
    assert check_digit("11010519491231002") == "X"  # GB 11643-1999, annex A
    assert check_digit("44052418800101001") == "4"


def test_every_citizen_number_says_region_birth_and_sex_and_is_its_own(people: tuple[Resident, ...]) -> None:
    both = people + residents(load("linhu"))
    assert len({each.citizen_number for each in both}) == len(both)
    for each in both:
        number = each.citizen_number
        assert number[:4] == str(each.city_id)[:4]
        assert number[6:14] == f"{each.birth:%Y%m%d}"
        assert (int(number[16]) % 2 == 1) == (each.sex == "m")
        assert number[17] == check_digit(number[:17])


def test_phones_are_unique_and_of_the_demo_range(people: tuple[Resident, ...]) -> None:
    phones = [each.phone for each in people + residents(load("linhu")) if each.phone]
    assert len(set(phones)) == len(phones)
    assert all(phone.startswith("1990") and len(phone) == 11 for phone in phones)


def test_who_has_no_phone_is_a_child_with_a_guardian_who_has_one(people: tuple[Resident, ...]) -> None:
    known = {each.key: each for each in people}
    without = [each for each in people if each.phone is None]
    assert len(without) > 300
    for each in without:
        assert age(each) < 12
        assert each.guardian is not None
        assert known[each.guardian].phone


def test_a_childs_guardian_is_an_adult_of_the_household_with_the_same_surname(people: tuple[Resident, ...]) -> None:
    known = {each.key: each for each in people}
    children = [each for each in people if each.guardian]
    for child in children:
        parent = known[child.guardian or ""]
        assert parent.household == child.household
        assert parent.name[0] == child.name[0]
        assert parent.birth.year + 20 <= child.birth.year


def test_the_ages_are_those_of_a_city_of_today(people: tuple[Resident, ...]) -> None:
    ages = [age(each) for each in people]
    share = Counter("young" if a < 15 else "old" if a >= 65 else "working" for a in ages)
    assert 0.15 < share["young"] / 5000 < 0.21
    assert 0.11 < share["old"] / 5000 < 0.17
    assert min(ages) >= 0
    assert max(ages) <= 100
    assert 0.48 < sum(each.sex == "m" for each in people) / 5000 < 0.55


def test_households_are_of_human_size(people: tuple[Resident, ...]) -> None:
    sizes = Counter(each.household for each in people).values()
    assert 2.0 < sum(sizes) / len(sizes) < 3.2
    assert max(sizes) <= 9


def test_wang_is_the_commonest_or_second_surname(people: tuple[Resident, ...]) -> None:
    assert "王" in [name for name, _ in Counter(each.name[0] for each in people).most_common(3)]


def test_the_cast_comes_first_with_its_fixed_facts(people: tuple[Resident, ...]) -> None:
    assert [each.name for each in people[:6]] == ["王晓明", "李秀英", "张伟", "陈静", "刘洋", "赵敏"]
    assert [each.card for each in people[:6]] == ["active", "active", "active", "none", "lost", "expired"]
    assert residents(load("linhu"))[0].name == "周涛"


def test_cards_are_found_in_every_state(people: tuple[Resident, ...]) -> None:
    states = Counter(each.card for each in people)
    assert set(states) == {"none", "inactive", "active", "lost", "frozen", "locked", "expired", "cancelled"}
    assert min(states.values()) >= 10


def test_nobody_holds_a_card_below_the_level_that_it_needs(people: tuple[Resident, ...]) -> None:
    needed = {form.form: form.minimum_identity_level for form in load("yunchuan").products[0].forms}
    assert all(each.identity_level >= needed[each.form] for each in people if each.card != "none")


def test_only_plastic_waits_to_be_activated(people: tuple[Resident, ...]) -> None:
    assert {each.form for each in people if each.card == "inactive"} == {"physical"}


def test_money_was_topped_up_in_allowed_amounts(people: tuple[Resident, ...]) -> None:
    wallet = load("yunchuan").products[0].wallets[0]
    for amount in {each.top_up_fen for each in people} - {0}:
        assert wallet.top_up_minimum_fen <= amount <= wallet.top_up_maximum_fen
        assert amount % wallet.top_up_unit_fen == 0


def test_the_same_seed_gives_the_same_people(people: tuple[Resident, ...]) -> None:
    code = "from config.cities import load; from config.cities.people import residents; print(hash_of(residents(load(990100))))"
    script = f"import hashlib\ndef hash_of(x): return hashlib.sha256(repr(x).encode()).hexdigest()\n{code}"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    assert other == hashlib.sha256(repr(people).encode()).hexdigest()
