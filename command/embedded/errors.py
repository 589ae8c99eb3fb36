"""What can stand in the way of a private server."""


class CannotStart(Exception):
    """A private server did not come up; both texts say what the reader can do, `shown` is the end of a log."""

    def __init__(self, *, zh: str, en: str, shown: str = "") -> None:
        super().__init__("\n".join(part for part in (zh, en, shown) if part))
        self.zh = zh
        self.en = en
