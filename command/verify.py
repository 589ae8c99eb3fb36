"""`citycard verify`: every chain recomputed, every account followed entry by entry, and the trial balance (docs/reliability.md)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from command.home import current_settings


@click.command()
def verify() -> None:
    """核账 · recompute the sealed chains, follow every account's entries, and make the trial balance of each city.

    \b
    重算封印链，逐户核对每笔分录，并编制各城市的试算平衡表；不限时间，只读不改。
    Reads every row and changes none, without a limit of time, while the platform runs or not.
    有任何不符即列出，并以 1 退出 · lists whatever differs, and then ends with 1.
    """
    from command.program import program

    with program(current_settings()):
        differences = [*_chains(), *_books(), *_balances()]
    for difference in differences:
        click.echo(difference, err=True)
    if differences:
        click.echo(f"不符 {len(differences)} 项 · {len(differences)} differences", err=True)
        sys.exit(1)
    click.echo("全部相符 · nothing differs")


def _chains() -> Iterator[str]:
    from core import sealer

    for name in sealer.chains():
        seen = sealer.check(name)
        click.echo(f"封印链 · chain {name}: {seen.links} links over {seen.rows} rows; {seen.unsealed} rows wait for their seal")
        for broken in seen.breaks:
            yield f"chain {name} does not hold at link {broken.number}: {broken.why}"


def _books() -> Iterator[str]:
    import payments

    seen = payments.ledger.examine()
    click.echo(
        f"账簿 · books: {seen.transfers} transfers, {seen.accounts} accounts with {seen.entries} entries, {seen.reversals} reversals"
    )
    for fault in seen.faults:
        yield f"{fault.what}: {fault.where}"


def _balances() -> Iterator[str]:
    import payments
    from core import db
    from core.money import yuan

    with db.unhurried():
        trial = payments.ledger.trial_balance()
    for city in sorted({line.city_id for line in trial.lines}):
        own = trial.of(city)
        sides = f"debits {yuan(own.debits_fen)}, credits {yuan(own.credits_fen)}"
        click.echo(f"试算平衡 · trial balance of {city}: {sides}, all balances together {yuan(own.carried_fen)} CNY")
        if not own.balanced:
            yield f"the trial balance of {city} does not balance"
            for line in own.lines:
                if line.balance_fen != line.credits_fen - line.debits_fen:
                    moved = yuan(line.credits_fen - line.debits_fen)
                    yield f"accounts {line.kind} of {city} carry {yuan(line.balance_fen)} CNY, and their entries make {moved}"
