"""Money is whole fen."""

MAX_FEN = 10**11


def yuan(fen: int) -> str:
    """``1230`` fen as ``12.30``."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"
