"""What must be true across the files of a city; each check yields the faults it finds."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from zoneinfo import available_timezones

from config.cities.shapes import City, FormTerms, LossTerms, RenewalTerms, WalletTerms

Dated = FormTerms | LossTerms | RenewalTerms | WalletTerms

PARENT_DIGITS = {"district": 4, "street": 6, "community": 9}
DIGITS = {"city": 6, "district": 6, "street": 9, "community": 12}


def _twice(values: Iterable[str], what: str) -> Iterator[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"{what} {value} stands {times} times"


def _own_facts(city: City) -> Iterator[str]:
    if city.facts.time_zone not in available_timezones():
        yield f"city.toml: nobody knows the time zone {city.facts.time_zone}"
    if city.facts.residents < len(city.cast):
        yield f"city.toml: {city.facts.residents} residents are fewer than the cast"


def _regions(city: City) -> Iterator[str]:
    yield from _twice((each.code for each in city.regions), "region")
    known = {each.code: each for each in city.regions}
    tops = [each.code for each in city.regions if each.level == "city"]
    if tops != [str(city.id)]:
        yield f"regions.csv: exactly one city, {city.id}, is expected; found {tops}"
    for each in city.regions:
        if len(each.code) != DIGITS[each.level]:
            yield f"region {each.code}: a {each.level} has {DIGITS[each.level]} digits"
        if each.level == "city":
            continue
        if each.parent not in known:
            yield f"region {each.code}: its parent {each.parent} does not exist"
        elif each.code[: PARENT_DIGITS[each.level]] != each.parent[: PARENT_DIGITS[each.level]]:
            yield f"region {each.code}: its code does not begin like its parent {each.parent}"


def _cells(city: City) -> Iterator[str]:
    yield from _twice((each.code for each in city.cells), "cell")
    communities = {each.code for each in city.regions if each.level == "community"}
    for each in city.cells:
        if each.code[:12] not in communities:
            yield f"cell {each.code}: no community {each.code[:12]}"
        if each.ring[0] != each.ring[-1]:
            yield f"cell {each.code}: its ring is not closed"
        if not all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in each.ring):
            yield f"cell {each.code}: a corner lies outside the world"
    for code in sorted(communities - {each.code[:12] for each in city.cells}):
        yield f"community {code} has no cell"


def _places(city: City) -> Iterator[str]:
    yield from _twice((each.code for each in city.places), "place")
    cells = {each.code for each in city.cells}
    codes = {each.code for each in city.places}
    for each in city.places:
        if each.cell not in cells:
            yield f"place {each.code}: no cell {each.cell}"
        if each.within and each.within not in codes:
            yield f"place {each.code}: no place {each.within} to be within"
        if (each.longitude is None) != (each.latitude is None):
            yield f"place {each.code}: one coordinate without the other"
    for hours, where in [(h, p.code) for p in city.places for h in p.hours] + [(h, "calendar.toml") for h in city.calendar.working_hours]:
        yield from _hours(hours, where)


def _hours(hours: str, where: str) -> Iterator[str]:
    for span in hours.split()[1:]:
        opens, closes = span.split("-")
        if not opens < closes <= "24:00":
            yield f"{where}: the hours {span} do not run forward within a day"


def _agencies_named(city: City) -> Iterator[str]:
    yield from _twice((each.code for each in city.agencies), "agency")
    known = {each.code for each in city.agencies}
    places = {each.code for each in city.places}
    named = [(f"place {p.code}", p.agency) for p in city.places]
    named += [(f"merchant {m.code}", m.agency) for m in city.merchants]
    named += [(f"terminal {t.code}", t.agency) for t in city.counter_terminals]
    named += [(f"staff {s.login}", s.agency) for s in city.staff]
    named += [(f"partner {p.code}", p.agency) for p in city.partners]
    named += [(f"item {i.code}", i.agency) for i in city.items]
    yield from (f"{who}: no agency {agency}" for who, agency in named if agency and agency not in known)
    sited = [(f"merchant {m.code}", m.place) for m in city.merchants]
    sited += [(f"terminal {t.code}", t.place) for t in city.counter_terminals]
    sited += [(f"staff {s.login}", s.place) for s in city.staff]
    yield from (f"{who}: no place {place}" for who, place in sited if place and place not in places)


def _unique(city: City) -> Iterator[str]:
    terminals = [t.code for m in city.merchants for t in m.terminals] + [t.code for t in city.counter_terminals]
    yield from _twice(terminals, "terminal")
    yield from _twice((each.code for each in city.merchants), "merchant")
    yield from _twice((each.login for each in city.staff), "staff")
    yield from _twice((each.code for each in city.partners), "partner")
    yield from _twice((each.key for each in city.cast), "person")
    yield from _twice((each.code for each in city.items), "item")
    yield from _twice((each.phone for each in city.cast), "phone")
    yield from _twice((str(each.date) for each in city.calendar.days), "calendar day")


def _products(city: City) -> Iterator[str]:
    yield from _twice((each.code for each in city.products), "product")
    for each in city.products:
        if each.first_number > each.last_number:
            yield f"product {each.code}: the first number lies after the last"
        groups: dict[str, list[Dated]] = {
            "loss": [*each.losses],
            "renewal": [*each.renewals],
            "wallet": [*each.wallets],
        }
        for terms in each.forms:
            groups.setdefault(f"form {terms.form}", []).append(terms)
        for name, group in groups.items():
            yield from _dated(group, city, f"product {each.code}: {name} terms")
        for wallet in each.wallets:
            yield from _wallet(wallet, f"product {each.code}")
    yield from _one_wallet_of_a_mode(city)


def _dated(terms: list[Dated], city: City, what: str) -> Iterator[str]:
    yield from _twice((str(each.start) for each in terms), f"{what} from")
    if min(each.start for each in terms) > city.facts.start:
        yield f"{what}: none hold when the city begins"


def _wallet(terms: WalletTerms, where: str) -> Iterator[str]:
    first = terms.single_limit_fen, terms.daily_limit_fen, terms.monthly_limit_fen
    highest = terms.highest_single_limit_fen, terms.highest_daily_limit_fen, terms.highest_monthly_limit_fen
    if list(first) != sorted(first) or list(highest) != sorted(highest):
        yield f"{where}: the wallet limits of {terms.start} do not grow from single to month"
    if any(opening > most for opening, most in zip(first, highest, strict=True)):
        yield f"{where}: the wallet limits of {terms.start} open above the highest"
    if terms.top_up_minimum_fen > terms.top_up_maximum_fen:
        yield f"{where}: the least top-up of {terms.start} is above the most"
    if terms.top_up_minimum_fen % terms.top_up_unit_fen or terms.top_up_maximum_fen % terms.top_up_unit_fen:
        yield f"{where}: the top-up bounds of {terms.start} are no multiples of the unit"


def _one_wallet_of_a_mode(city: City) -> Iterator[str]:
    """A wallet belongs to the resident and not to a card, so products that share it cannot disagree about it."""
    for mode in sorted({each.wallet_mode for each in city.products}):
        if len({each.wallets for each in city.products if each.wallet_mode == mode}) > 1:
            yield f"products of wallet mode {mode} have different wallet terms"


def _cast(city: City) -> Iterator[str]:
    for each in city.cast:
        if each.card == "none" and each.top_up_fen:
            yield f"person {each.key}: money without a card"
        if each.birth > city.facts.start:
            yield f"person {each.key}: born after the city begins"


CHECKS: tuple[Callable[[City], Iterator[str]], ...] = (
    _own_facts,
    _regions,
    _cells,
    _places,
    _agencies_named,
    _unique,
    _products,
    _cast,
)


def faults_of(city: City) -> list[str]:
    """Give every fault that only shows when the files are read together."""
    return [fault for check in CHECKS for fault in check(city)]
