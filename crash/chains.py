"""Seals what is not sealed yet and recomputes every chain from the rows: `python -m crash.chains` fails when one is broken."""

import sys

from command.web import application
from core import sealer


def main() -> int:
    """The number of broken links; each is printed."""
    with application().app_context():
        while sealer.seal_all():
            pass
        broken = [fault for name in sealer.chains() for fault in sealer.verify(name)]
    for fault in broken:
        print(f"{fault.chain} link {fault.number}: {fault.why}")
    return len(broken)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
