"""Working days and working hours of a city: the one engine behind every deadline."""

from core.workdays.calendar import Calendar
from core.workdays.keeping import add_days, add_hours, add_working_days, calendar, change_day, is_working_day, unknown_year
from core.workdays.published import Day, published

__all__ = [
    "Calendar",
    "Day",
    "add_days",
    "add_hours",
    "add_working_days",
    "calendar",
    "change_day",
    "is_working_day",
    "published",
    "unknown_year",
]
