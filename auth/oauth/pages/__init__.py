"""Our own pages: plain HTML from this server, in both languages, without a script and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from auth.installing import parts
from auth.oauth import browsers
from auth.oauth.deciding import Ask, Interaction, Step
from auth.oauth.pages.words import FIELDS, PAGES, STEPS
from core import ids
from core.errors import CityError
from core.web import Answer

_HERE = Path(__file__).parent
_templates = Environment(loader=FileSystemLoader(_HERE), autoescape=select_autoescape(default=True), trim_blocks=True)
_style = (_HERE / "page.css").read_text().strip()
_style_hash = base64.b64encode(hashlib.sha256(_style.encode()).digest()).decode()


def interaction(
    on: Interaction, step: Step, asked: Sequence[Ask], *, language: str, refusal: CityError | None = None, phone: str | None = None
) -> Answer:
    """The page of one step."""
    words = {name: text[language] for name, text in STEPS.items()}
    partner = on.client.partner.zh if language == "zh-CN" else on.client.partner.en
    words["who"] = words["who"].format(partner=partner)
    words["offline"] = words["offline"].format(days=parts().policy.oauth_grant_lifetime.days)
    return _page(
        "interaction.html",
        title=PAGES["consent" if step is Step.CONSENT else "sign_in"][language].format(partner=partner),
        language=language,
        city=parts().cities.get(on.client.partner.city_id, ""),
        refusal=refusal.text(language) if refusal else None,
        sends_to=(_origin(on.wanted.redirect_uri),),
        words=words,
        step=str(step),
        waits=step is Step.WAIT,
        phone=phone,
        action=f"/oauth2/interactions/{ids.show('interaction', on.request.id)}",
        token=browsers.form_token(on.browser, on.request.id),
        name=on.resident.masked_name if on.resident else "",
        asked=[_ask(each, language) for each in asked],
    )


def refused(refusal: CityError, language: str) -> Answer:
    """The page of a request that goes nowhere."""
    status = 400 if refusal.status == 422 else refusal.status
    return _page("notice.html", status=status, title=PAGES["refused"][language], language=language, text=refusal.text(language))


def confirm_logout(hidden: Mapping[str, str], language: str, *, sends_to: Sequence[str] = ()) -> Answer:
    """Ask before signing out somebody whom the partner did not name."""
    texts = {name: PAGES[name][language] for name in ("logout", "logout_text", "logout_confirm")}
    return _page(
        "notice.html",
        title=texts["logout"],
        language=language,
        text=texts["logout_text"],
        confirm=texts["logout_confirm"],
        hidden=dict(hidden),
        sends_to=tuple(_origin(uri) for uri in sends_to),
    )


def signed_out(language: str) -> Answer:
    """The end, where the partner named no address to go to."""
    return _page("notice.html", title=PAGES["signed_out"][language], language=language, text="")


def _page(template: str, *, status: int = 200, sends_to: Sequence[str] = (), **values: Any) -> Answer:
    body = _templates.get_template(template).render(style=Markup(_style), **values)  # noqa: S704  # our own file, no input in it
    # A form's answer may lead on to the partner: browsers hold redirects after a form to form-action as well.
    allowed = " ".join(("'self'", *dict.fromkeys(sends_to)))
    policy = f"default-src 'none'; style-src 'sha256-{_style_hash}'; form-action {allowed}; frame-ancestors 'none'; base-uri 'none'"
    return Answer(body, status=status, headers={"Content-Security-Policy": policy, "Content-Language": values["language"]})


def _ask(ask: Ask, language: str) -> dict[str, Any]:
    text = ask.purpose.zh if language == "zh-CN" else ask.purpose.en
    fields = [FIELDS[name][language] for name in ask.fields]
    return {"code": ask.purpose.code, "version": ask.purpose.text_version, "text": text, "fields": fields, "offline": ask.offline}


def _origin(uri: str) -> str:
    to = urlsplit(uri)
    return f"{to.scheme}://{to.netloc}"
