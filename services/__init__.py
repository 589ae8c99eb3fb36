"""The public services of the city: the top floor."""

from services import notices

__all__ = ["notices"]
