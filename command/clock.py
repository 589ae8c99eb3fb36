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
STOPS = 60
SHORTEST = dt.timedelta(milliseconds=1)
# What waits for a city's moment goes as far away again; a repetition after a failure waits for the machine's time alone.
PUT_OFF = """UPDATE procrastinate_jobs SET scheduled_at = scheduled_at + %s WHERE status = 'todo' AND scheduled_at IS NOT NULL
  AND attempts = 0 AND coalesce(queueing_lock, '') NOT LIKE 'rhythm:%%'"""
FORGET_RHYTHMS = "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock LIKE 'rhythm:%'"
READ = 'SELECT "offset", city_now() FROM clock_offset'
MOVE = 'UPDATE clock_offset SET "offset" = "offset" + %s'
# Jobs wait in the machine's time: what waits for a city's moment comes nearer by the same step.
BRING_NEARER = "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - %s WHERE status = 'todo' AND scheduled_at IS NOT NULL"
# Recurring jobs wait under a key of their own and come again by themselves.
NEXT = """SELECT min(scheduled_at) - clock_timestamp() FROM procrastinate_jobs
  WHERE status = 'todo' AND scheduled_at > clock_timestamp() AND coalesce(queueing_lock, '') NOT LIKE 'rhythm:%'"""


@click.group()
def clock() -> None:
    """时钟 · the city's time."""


@clock.command()
@click.option("--ahead", is_flag=True, help="只显示领先的秒数 · only the seconds it is ahead, as `back` takes them")
def show(ahead: bool) -> None:
    """显示 · the city's time and how far it is ahead of the machine's."""
    with psycopg.connect(owner_url()) as connection:
        offset, now = _read(connection)
    click.echo(offset.total_seconds() if ahead else f"{now.isoformat()}  +{offset}")


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


@clock.command()
@click.argument("ahead", type=click.FloatRange(min=0), default=0.0)
def back(ahead: float) -> None:
    """拨回 · put the city's time back to AHEAD seconds ahead of the machine's (0: the machine's own)."""
    read = current_settings()
    if read.production:
        raise click.ClickException("production 的时钟不能拨动 · the clock of production cannot be moved")
    from app import create_app

    step = move_back(create_app(read), owner_url(), dt.timedelta(seconds=ahead))
    click.echo(f"已拨回 {step} · put back by {step}")


def duration(text: str) -> dt.timedelta:
    """A step such as 90s, 15m, 1h or 2d."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found:
        raise click.BadParameter("90s, 15m, 1h, 2d")
    return dt.timedelta(**{UNITS[found[2]]: int(found[1])})


def move_forward(app: Flask, owner_url: str, step: dt.timedelta) -> int:
    """Move the time by `step`, running on the way what falls due; returns how many jobs ran.

    The time stops at the very moment of each job that was deferred to one, and often enough in between for those that recur:
    a job that comes every five seconds does not run seventeen thousand times for a day.
    """
    from core import clock as city_clock
    from core import jobs, pulse

    done = 0
    with app.app_context(), psycopg.connect(owner_url, autocommit=True) as connection:
        pulse.read_now()
        target = city_clock.offset() + step
        while (left := target - city_clock.offset()) > dt.timedelta():
            _move(connection, min(left, step / STOPS, _until_next(connection, left)))
            done += jobs.run_due(city_clock.now())
    return done


def move_back(app: Flask, owner_url: str, ahead: dt.timedelta) -> dt.timedelta:
    """Put the time back to `ahead` of the machine's, if it is further; returns by how much. What was written meanwhile keeps its time."""
    from core import jobs, pulse

    with app.app_context(), psycopg.connect(owner_url, autocommit=True) as connection:
        with connection.transaction():
            row = connection.execute('SELECT "offset" FROM clock_offset FOR UPDATE').fetchone()
            step = max(row[0] - ahead, dt.timedelta()) if row else dt.timedelta()
            connection.execute(MOVE, (-step,))
            connection.execute(PUT_OFF, (step,))
            connection.execute(FORGET_RHYTHMS)
        pulse.read_now()
        jobs.plant_rhythms()
    return step


def _until_next(connection: psycopg.Connection[Any], left: dt.timedelta) -> dt.timedelta:
    """How long it is to the next job that was deferred to a moment; `left` when none is nearer."""
    row = connection.execute(NEXT).fetchone()
    wait = row[0] if row and row[0] is not None else left
    return max(wait, SHORTEST)


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
