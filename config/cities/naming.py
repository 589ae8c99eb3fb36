"""Names as the country gives them: surnames by how often they occur, given names by generation and sex."""

import datetime as dt
from functools import lru_cache
from pathlib import Path

from pypinyin import lazy_pinyin

from config.cities.chance import Chance, Weighted
from config.cities.loading import read_toml

NAMES = Path(__file__).parent / "names.toml"


@lru_cache(maxsize=4096)
def spelled(given: str) -> str:
    """Spell a given name in pinyin as one capitalised word."""
    return "".join(lazy_pinyin(given, v_to_u=True)).capitalize()


class Namer:
    """Draws names; a child gets the surname of a parent."""

    def __init__(self) -> None:
        names = read_toml(NAMES)
        surnames: dict[str, tuple[str, float]] = names["surnames"]
        self._spellings = {surname: spelling for surname, (spelling, _) in surnames.items()}
        self._surnames = Weighted({surname: weight for surname, (_, weight) in surnames.items()})
        self._generations: list[tuple[int, dict[str, list[str]]]] = [
            (each["before"], {sex: each[sex].split() for sex in ("m", "f")}) for each in names["generation"]
        ]

    def surname(self, chance: Chance) -> str:
        return self._surnames.draw(chance)

    def surname_of(self, name: str) -> str:
        """Give the surname a name begins with, the longer one first; a name without a listed one begins with itself."""
        known = (name[:length] for length in (2, 1) if name[:length] in self._spellings)
        return next(known, name[:1])

    def given(self, sex: str, birth: dt.date, chance: Chance) -> str:
        """Draw a given name of the generation; a third mixes two names' characters so that few people share one."""
        names = next(given[sex] for before, given in self._generations if birth.year < before)
        name = chance.pick(names)
        return name if not chance.once_in(3) else (name[0] + chance.pick(names)[-1])

    def pinyin(self, surname: str, given: str) -> str:
        """Spell a name the way of GB/T 28039: surname, then the given name as one word."""
        return f"{self._spellings.get(surname) or spelled(surname)} {spelled(given)}"
