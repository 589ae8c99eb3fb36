"""WGS-84 to GCJ-02, the datum in which Chinese map services expect a point; we store WGS-84 and shift on output only.

GCJ-02 is not published; this is the formula that public implementations agree on (for example ``googollee/eviltransform``).
"""

from __future__ import annotations

from math import cos, pi, radians, sin, sqrt

from core.places.shapes import Point

SEMI_MAJOR_AXIS = 6378245.0  # metres, Krasovsky 1940
ECCENTRICITY_SQUARED = 0.00669342162296594323
CHINA_BOX = (72.004, 0.8293, 137.8347, 55.8271)  # west, south, east, north: outside nothing is shifted


def to_gcj02(point: Point) -> Point:
    """Shift a WGS-84 point to GCJ-02, rounded to the micro-degree (0.1 m); a point outside China stays where it is."""
    longitude, latitude = point
    west, south, east, north = CHINA_BOX
    if not (west <= longitude <= east and south <= latitude <= north):
        return point
    shift_x, shift_y = _shift(longitude - 105.0, latitude - 35.0)
    slope = 1 - ECCENTRICITY_SQUARED * sin(radians(latitude)) ** 2
    metres_y = SEMI_MAJOR_AXIS * (1 - ECCENTRICITY_SQUARED) / (slope * sqrt(slope)) * pi / 180
    metres_x = SEMI_MAJOR_AXIS / sqrt(slope) * cos(radians(latitude)) * pi / 180
    return round(longitude + shift_x / metres_x, 6), round(latitude + shift_y / metres_y, 6)


def _shift(x: float, y: float) -> Point:
    """How many metres a point moves east and north, x and y being degrees from 105 E, 35 N."""
    common = 20 * sin(6 * pi * x) + 20 * sin(2 * pi * x)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east += (common + _waves(x, (20, 1), (40, 3), (150, 12), (300, 30))) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north += (common + _waves(y, (20, 1), (40, 3), (160, 12), (320, 30))) * 2 / 3
    return east, north


def _waves(value: float, *waves: tuple[int, int]) -> float:
    return sum(height * sin(value * pi / width) for height, width in waves)
