"""`citycard clock`: the city's time, which a demo or a test may move forward; the jobs due on the way run in order (D30)."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import click
import psycopg

from command.db import owner_url
from command.home import current_settings

if TYPE_CHECKING:
    from flask import Flask

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
READ = 'SELECT "offset", city_now() FROM clock_offset'
MOVE = 'UPDATE clock_offset SET "offset" = "offset" + %s'
# Jobs wait in the machine's time: what waits for a city's moment comes nearer by the same step.
BRING_NEARER = "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - %s WHERE status = 'todo' AND scheduled_at IS NOT NULL"


@click.group()
def clock() -> None:
    """时钟 · the city's time."""


@clock.command()
def show() -> None:
    """显示 · the city's time and how far it is ahead of the machine's."""
    with psycopg.connect(owner_url()) as connection:
        offset, now = _read(connection)
    click.echo(f"{now.isoformat()}  +{offset}")


@clock.command()
@click.argument("step")
def advance(step: str) -> None:
    """拨快 · move the city's time forward by STEP (90s, 15m, 1h, 2d) and run the jobs due on the way."""
    read = current_settings()
    if read.production:
        raise click.ClickException("production 的时钟不能拨动 · the clock of production cannot be moved")
    from app import create_app

    done = move_forward(create_app(read), owner_url(), duration(step))
    click.echo(f"已拨快 {step}，途中运行了 {done} 个任务 · moved by {step}, {done} jobs ran on the way")


def duration(text: str) -> dt.timedelta:
    """A step such as 90s, 15m, 1h or 2d."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found:
        raise click.BadParameter("90s, 15m, 1h, 2d")
    return dt.timedelta(**{UNITS[found[2]]: int(found[1])})


def move_forward(app: Flask, owner_url: str, step: dt.timedelta) -> int:
    """Move the time by `step`, stopping at each moment a job is due to run it; returns how many jobs ran."""
    from core import clock as city_clock
    from core import jobs, pulse

    with app.app_context(), psycopg.connect(owner_url, autocommit=True) as connection:
        pulse.read_now()
        target = city_clock.now() + step
        done = 0
        while (due := jobs.next_due()) is not None and due <= target:
            _move(connection, max(due - city_clock.now(), dt.timedelta()))
            done += jobs.run_due(city_clock.now())
        _move(connection, max(target - city_clock.now(), dt.timedelta()))
    return done


def _move(connection: psycopg.Connection[Any], step: dt.timedelta) -> None:
    from core import pulse

    with connection.transaction():
        connection.execute(MOVE, (step,))
        connection.execute(BRING_NEARER, (step,))
    pulse.read_now()


def _read(connection: psycopg.Connection[Any]) -> tuple[dt.timedelta, dt.datetime]:
    row = connection.execute(READ).fetchone()
    if row is None:
        raise click.ClickException("数据库里没有时钟；请先 citycard db upgrade · no clock row; run citycard db upgrade")
    return row[0], row[1]
