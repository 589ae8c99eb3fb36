"""The cities as data: `load(id or slug)` gives a whole city, checked; `config.cities.people` gives a demo city's residents."""

from config.cities.loading import CityFaults, load, load_all, read
from config.cities.shapes import City, Place, in_force

__all__ = ["City", "CityFaults", "Place", "in_force", "load", "load_all", "read"]
