"""The exchange with partners: signed webhooks, told after the commit and never lost."""

from services.exchange.installing import configure
from services.exchange.routes import routes
from services.exchange.sending import Sender

__all__ = ["Sender", "configure", "routes"]
