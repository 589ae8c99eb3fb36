"""The doors of the played utility companies: one for each line of the demo cities' data."""

from config.cities.utilities import PLAYED

UTILITIES: tuple[str, ...] = tuple(PLAYED)
