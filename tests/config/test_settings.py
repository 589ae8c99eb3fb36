"""Settings are read whole or refused whole."""

from pathlib import Path

import pytest

from config import settings
from config.page import table

KEY = bytes(range(32)).hex()
DEMO = {
    "CITYCARD_ENVIRONMENT": "demo",
    "CITYCARD_PUBLIC_URL": "http://localhost:8080/",
    "CITYCARD_DATABASE_URL": "postgresql://citycard_app@/citycard?host=/tmp/s",
    "CITYCARD_REDIS_URL": "unix:///tmp/s/valkey",
    "CITYCARD_ROOT_KEY": KEY,
    "CITYCARD_DATA_DIR": "/tmp/var",
    "CITYCARD_CITIES": "yunchuan, linhu",
    "CITYCARD_OUTSIDE_URL": "http://127.0.0.1:8090",
    **{f"CITYCARD_{name.upper()}": "sandbox" for name in settings.PROVIDERS},
}


def faults_of(given: dict[str, str]) -> dict[str, str]:
    with pytest.raises(settings.SettingsRefused) as refused:
        settings.read(given)
    return {fault.name: fault.en for fault in refused.value.faults}


def test_a_demo_is_read_whole() -> None:
    read = settings.read({**DEMO, "PATH": "/bin"})
    assert (read.issuer, read.cities, read.default_city) == ("http://localhost:8080", ("yunchuan", "linhu"), "yunchuan")
    assert (read.web_workers, read.web_threads, read.root_key) == (2, 24, bytes(range(32)))
    assert read.sandboxes == settings.PROVIDERS


def test_every_fault_is_named_at_once_in_both_languages() -> None:
    with pytest.raises(settings.SettingsRefused) as refused:
        settings.read({"CITYCARD_PORT": "many", "CITYCARD_ROOT_KEY": "0" * 64})
    named = {fault.name for fault in refused.value.faults}
    required = {"ENVIRONMENT", "PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "DATA_DIR", "CITIES", "SMS", "POLICE", "FACE", "PAYMENT"}
    assert named == {f"CITYCARD_{name}" for name in (*required, "PORT", "ROOT_KEY")}
    assert all(fault.zh and fault.en for fault in refused.value.faults)
    assert "没有给出" in str(refused.value)


@pytest.mark.parametrize("name", ["ROOT_KEY", "DATABASE_URL", "REDIS_URL"])
def test_a_missing_secret_is_a_refusal(name: str) -> None:
    given = {key: value for key, value in DEMO.items() if key != f"CITYCARD_{name}"}
    assert f"CITYCARD_{name}" in faults_of(given)


def test_a_sandbox_is_refused_in_production() -> None:
    found = faults_of({**DEMO, "CITYCARD_ENVIRONMENT": "production"})
    assert set(found) == {f"CITYCARD_{name.upper()}" for name in settings.PROVIDERS} | {"CITYCARD_PUBLIC_URL"}


def test_webhooks_to_this_machine_are_refused_in_production_only() -> None:
    assert settings.read({**DEMO, "CITYCARD_WEBHOOKS": "loopback"}).webhooks == "loopback"
    found = faults_of({**DEMO, "CITYCARD_WEBHOOKS": "loopback", "CITYCARD_ENVIRONMENT": "production"})
    assert "CITYCARD_WEBHOOKS" in found


def test_a_misspelt_name_is_refused_with_a_suggestion() -> None:
    assert "CITYCARD_DATABASE_URL" in faults_of({**DEMO, "CITYCARD_DATABSE_URL": "x"})["CITYCARD_DATABSE_URL"]


def test_a_sandbox_needs_to_know_where_outside_is() -> None:
    given = {key: value for key, value in DEMO.items() if key != "CITYCARD_OUTSIDE_URL"}
    assert list(faults_of(given)) == ["CITYCARD_OUTSIDE_URL"]


def test_the_root_key_is_read_from_a_file_of_ones_own_alone(tmp_path: Path) -> None:
    held = tmp_path / "root.key"
    held.write_text(KEY + "\n")
    held.chmod(0o600)
    assert settings.read({**DEMO, "CITYCARD_ROOT_KEY": str(held)}).root_key == bytes(range(32))
    held.chmod(0o644)
    assert "chmod 600" in faults_of({**DEMO, "CITYCARD_ROOT_KEY": str(held)})["CITYCARD_ROOT_KEY"]


def test_no_secret_shows_when_settings_are_printed() -> None:
    shown = repr(settings.read({**DEMO, "CITYCARD_DATABASE_URL": "postgresql://citycard_app:hush@db/citycard"}))
    assert "hush" not in shown
    assert "root_key" not in shown


def test_the_page_of_settings_shows_each_of_them() -> None:
    assert table() in (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")
