"""`citycard staff`: what the owner of the installation alone can do about staff, at the machine's console (docs/access.md)."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask

from auth import Policy, staff_console
from command.db import owner_url
from command.home import current_settings
from config.cities import City, load
from core import audit, clock, db, pulse
from core.actors import system
from core.errors import CityError

CITY = click.option("--city", "slug", help="城市（config/cities 下的目录名），默认为 CITYCARD_DEFAULT_CITY · which city, by its folder")


@click.group()
def staff() -> None:
    """工作人员 · a city's first two administrators (first), and one in the place of another (replace); needs the owner's database."""


@staff.command()
@CITY
@click.option(
    "--administrator",
    "named",
    nargs=2,
    multiple=True,
    required=True,
    metavar="LOGIN NAME",
    help="登录名和姓名，须给两次 · login and name; give it twice",
)
def first(slug: str | None, named: tuple[tuple[str, str], ...]) -> None:
    """头两位管理员 · admit a city's first two administrators, and print an enrolment code for each, once.

    \b
    重新运行即换新码，旧码作废；两人都完成登记后永远拒绝。
    Run again it gives new codes and ends those before; refused for ever once both have enrolled.
    """
    city = _city(slug)
    wanted = [staff_console.Named(login=login, display_name=name) for login, name in named]
    with _console(city, "staff_first"):
        given = staff_console.admit_first(city.id, wanted, lifetime=Policy().enrolment_lifetime, place=_place())
    _say_loudly(city)
    for each in given:
        click.echo(f"  {each.login}   登记码 · enrolment code   {each.enrolment_code}")
    click.echo(f"  在这里登记 · enrol at   {current_settings().public_url}/desk/#/join")
    click.echo(f"  {_until(given[0].expires_at)} 前有效，只能用一次，不再显示 · each works once until then, and is not shown again")
    click.echo("  两个码分别交给本人，不得由一人经手 · hand each to its owner alone: nobody should hold both")


@staff.command()
@CITY
@click.option("--administrator", "named", nargs=2, required=True, metavar="LOGIN NAME", help="登录名和姓名 · login and name")
@click.option("--reason", required=True, help="为何需要替补，写入审计 · why, for the audit log")
def replace(slug: str | None, named: tuple[str, str], reason: str) -> None:
    """替补管理员 · admit one more administrator where a single one is left, who then confirms them.

    \b
    控制台只做录用，不给登记码：由在岗的那位管理员确认并取码。无人在岗时拒绝。
    The console only admits and shows no code: the administrator who is left confirms, and takes it. Refused where none is left.
    """
    city = _city(slug)
    wanted = staff_console.Named(login=named[0], display_name=named[1])
    with _console(city, "staff_replace"):
        login = staff_console.admit_replacement(city.id, wanted, reason=reason, place=_place()).login
    _say_loudly(city)
    click.echo(f"  {login} 等待在岗管理员确认，登记码由其取得 · waits for the administrator who is left, who takes the code")
    click.echo(f"  在这里确认 · to be confirmed at   {current_settings().public_url}/desk/#/staff")


@contextmanager
def _console(city: City, operation: str) -> Iterator[None]:
    """One transaction as the database's owner, without a whole program's providers; a refusal leaves a line and ends the command."""
    app = Flask("console")
    # The owner's role is the proof: processes of the web do not have it, whoever may change the tables does.
    db.init(app, owner_url(), pool_size=1)
    pulse.allow_offset(not current_settings().production)
    with app.app_context():
        try:
            pulse.read_now()
            with db.transaction():
                yield
        except CityError as refusal:
            audit.refused(system("console", city.id), operation=operation, code=refusal.code, detail=_place())
            raise click.ClickException(_told(refusal)) from None
        finally:
            db.db.session.remove()
            db.db.engine.dispose()
            db.drop_connection()


def _city(slug: str | None) -> City:
    settings = current_settings()
    wanted = slug or settings.default_city
    if wanted not in settings.cities:
        served = ", ".join(settings.cities)
        raise click.ClickException(f"没有城市 {wanted}；有：{served} · no city {wanted}; there are: {served}")
    return load(wanted)


def _told(refusal: CityError) -> str:
    errors = getattr(refusal, "errors", None)
    return "\n".join([refusal.code, refusal.text("zh-CN"), refusal.text("en"), *([str(errors)] if errors else [])])


def _place() -> dict[str, object]:
    """Which console it was: the machine, and the account's number there, which names nobody."""
    return {"from": "console", "host": platform.node(), "uid": os.getuid()}


def _say_loudly(city: City) -> None:
    said = "在本机控制台录用管理员，已记入审计日志 · admitted at the console, and written to the audit log"
    click.secho(f"{city.facts.zh}（{city.facts.slug}）：{said}", fg="yellow", bold=True, err=True)


def _until(moment: dt.datetime) -> str:
    return f"{moment.astimezone(clock.CHINA):%Y-%m-%d %H:%M}"
