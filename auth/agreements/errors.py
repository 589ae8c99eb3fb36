"""What an agreement, or something that needs one, can be refused for."""

from __future__ import annotations

from core.errors import Conflict, Denied


class AgreementOutdated(Conflict):
    code = "agreement_outdated"
    zh = "“{kind}”已有新版本（{version}），请阅读新版本后再同意"
    en = "There is a newer version of {kind} ({version}); read it and agree to that one"


class SeparateConsentNeeded(Denied):
    code = "separate_consent_needed"
    zh = "这一步要处理敏感个人信息，请先阅读并单独同意“{kind}”（{version}）"
    en = "This step uses sensitive personal information; read {kind} ({version}) and agree to it by itself first"
