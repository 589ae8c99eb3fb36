"""What config invents, auth takes: two programs of the same standard agree on every resident."""

import datetime as dt

from auth import rules
from config.cities import load_all
from config.cities.people import check_digit, residents

TODAY = dt.date(2026, 1, 1)


def test_auth_reads_every_citizen_number_as_it_was_meant() -> None:
    for city in load_all():
        for each in residents(city):
            read = rules.citizen_number(each.citizen_number, TODAY)
            assert read is not None
            assert (read.born, read.male) == (each.birth, each.sex == "m")


def test_both_check_digits_agree() -> None:
    for seventeen in ("11010519491231002", "44052418800101001", "99010119900315001"):
        assert check_digit(seventeen) == rules.check_digit(seventeen)


def test_auth_takes_every_name_and_phone() -> None:
    for city in load_all():
        for each in residents(city):
            assert rules.person_name(each.name) == each.name
            assert each.phone is None or rules.phone_number(each.phone) == each.phone


def test_whoever_has_no_phone_is_known_by_name() -> None:
    assert all(each.identity_level >= 2 for city in load_all() for each in residents(city) if each.phone is None)
