"""mod_auth_openidc of Debian protects a page with our provider: a program in C that nobody here wrote, with a view of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from command.story.wire import wait_for
from tests.auth.conftest import House
from tests.partners.conftest import System
from tests.partners.living import Person, free_port, living

APACHE = Path("/usr/sbin/apache2")
MODULES = Path("/usr/lib/apache2/modules")
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not (APACHE.exists() and (MODULES / "mod_auth_openidc.so").exists()), reason="needs apache2 and mod_auth_openidc"),
]
CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
DocumentRoot {folder}/pages
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCProviderTokenEndpointAuth none
OIDCPKCEMethod S256
OIDCIDTokenSignedResponseAlg ES256
OIDCSSLValidateServer Off
OIDCRedirectURI {here}/shelf/callback
OIDCDefaultLoggedOutURL {here}/out.html
OIDCCryptoPassphrase the-library-s-own
OIDCScope "openid phone"
OIDCRemoteUserClaim sub
OIDCCookieSameSite On
<Location />
  Require all granted
</Location>
<Location /shelf>
  AuthType openid-connect
  Require valid-user
  Header set X-Person "%{{OIDC_CLAIM_phone_number}}e"
</Location>
"""


@contextmanager
def apache(**facts: object) -> Iterator[Path]:
    """Apache with the page behind the module, as the account ``nobody`` where a root would start it; gives its folder."""
    account = {"user": "nobody"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="citycard-apache-") as made:
        folder = Path(made)
        write(folder, facts)
        if account:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, "nobody")
        command = [APACHE, "-f", folder / "apache.conf", "-DFOREGROUND"]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, **account) as server:  # type: ignore[call-overload]  # one keyword or none
            try:
                yield folder
            finally:
                server.terminate()


def write(folder: Path, facts: dict[str, object]) -> None:
    """The page, and what Apache is told."""
    (folder / "pages" / "shelf").mkdir(parents=True)
    (folder / "pages" / "shelf" / "index.html").write_text("the shelf")
    (folder / "pages" / "out.html").write_text("out")
    written = folder / "apache.conf"
    written.write_text(CONFIGURATION.format(folder=folder, modules=MODULES, **facts))


def test_mod_auth_openidc_protects_a_page_and_signs_out(house: House, partner: Callable[..., System]) -> None:
    port = free_port(range(18_400, 18_500))
    here = f"http://localhost:{port}"
    system = partner("shelf", public=True, redirect_uris=(here + "/shelf/callback",), logout_uris=(here + "/out.html",))
    person = Person(house)
    with living(house) as issuer, apache(port=port, here=here, issuer=issuer, client_id=system.client_id) as folder:
        wait_for(lambda: _answers(here) or None, what="apache")
        first = person.browser.get(here + "/shelf/index.html", allow_redirects=False, timeout=20)
        assert first.status_code == 302
        assert first.headers["Location"].startswith(issuer + "/oauth2/authorize")
        came = person.visit(first.headers["Location"], here)
        page = person.browser.get(came, timeout=20)
        assert (page.status_code, page.text) == (200, "the shelf"), (folder / "error.log").read_text()
        assert page.headers["X-Person"] == "+86" + person.phone.number
        out = person.browser.get(f"{here}/shelf/callback?logout={here}/out.html", allow_redirects=False, timeout=20)
        assert out.headers["Location"].startswith(issuer + "/oauth2/logout")
        assert person.visit(out.headers["Location"], here) == here + "/out.html"
        assert person.browser.get(here + "/shelf/index.html", allow_redirects=False, timeout=20).status_code == 302


def _answers(here: str) -> bool:
    try:
        return requests.get(here + "/out.html", timeout=2).ok
    except requests.ConnectionError:
        return False
