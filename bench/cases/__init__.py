"""One function per case: it prepares, runs for the given seconds and says what it took."""

from collections.abc import Callable

from bench.cases import charging, city_code, limits, pages, posting, presenting, tokens
from bench.ground import Ground, Taken

Case = Callable[[Ground, float], Taken]

CASES: dict[str, Case] = {
    **limits.CASES, **charging.CASES, **city_code.CASES, **posting.CASES, **presenting.CASES, **tokens.CASES, **pages.CASES,
}  # fmt: skip
