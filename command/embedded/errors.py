"""What can stand in the way of a private server."""


class CannotStart(Exception):
    """A private server did not come up; both texts say what the reader can do."""

    def __init__(self, *, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en
