"""Trades that terminals took without network: proved again at the centre, paid once, and never lost in between (D21)."""
