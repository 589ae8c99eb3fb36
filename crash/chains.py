"""Seals what is not sealed yet and recomputes every chain from the rows: `python -m crash.chains` fails when one does not hold."""

import sys

from sqlalchemy import text

from command.web import application
from core import db, sealer


def main() -> list[str]:
    """What is wrong, as sentences; a chain without a link is wrong too, because then nothing was proved."""
    with application().app_context():
        while sealer.seal_all():
            pass
        with db.transaction() as session:
            links: dict[str, int] = dict(session.execute(text("SELECT chain, count(*) FROM seal GROUP BY chain")).tuples().all())
        wrong = [f"chain {name} has no link" for name in sealer.chains() if not links.get(name)]
        breaks = [fault for name in sealer.chains() for fault in sealer.verify(name)]
        wrong += [f"chain {fault.chain} breaks at link {fault.number}: {fault.why}" for fault in breaks]
    print(f"links: {links}")
    return wrong


if __name__ == "__main__":
    found = main()
    print("\n".join(found))
    sys.exit(1 if found else 0)
