"""The back office of water, power and gas companies: customers, meters, readings, bills by tariff, payments, day files."""

from services.offices.utilities.books import Customer, Reading, apply_tables, enter
from services.offices.utilities.office import Company, Office, OfficeRefused

__all__ = ["Company", "Customer", "Office", "OfficeRefused", "Reading", "apply_tables", "enter"]
