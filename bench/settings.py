"""The settings under which a bench or a crash test runs the program: those of a demo city, over private servers."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import PROVIDERS

CITY = "yunchuan"


@dataclass(frozen=True, slots=True)
class Installation:
    """What every process of one private installation must agree on."""

    home: Path
    database_url: str
    owner_database_url: str
    redis_url: str
    public_url: str
    outside_url: str
    outside_database_url: str
    port: int
    root_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    def environment(self, **changed: str) -> dict[str, str]:
        """The variables of a process; `changed` replaces single ones (lower-case names without the prefix)."""
        values = {
            "environment": "demo",
            "public_url": self.public_url,
            "database_url": self.database_url,
            "owner_database_url": self.owner_database_url,
            "redis_url": self.redis_url,
            "root_key": self.root_key,
            "data_dir": str(self.home),
            "cities": f"{CITY},linhu",
            "default_city": CITY,
            "outside_url": self.outside_url,
            "outside_database_url": self.outside_database_url,
            "port": str(self.port),
            "log_level": "warning",
            **dict.fromkeys(PROVIDERS, "sandbox"),
            **changed,
        }
        return {f"CITYCARD_{name.upper()}": value for name, value in values.items()}
