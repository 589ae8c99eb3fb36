"""What an agreement, or something that needs one, can be refused for."""

from __future__ import annotations

from core.errors import Conflict, Denied


class AgreementOutdated(Conflict):
    code = "agreement_outdated"
    zh = "“{kind}”已有新版本（{version}），请阅读新版本后再同意"
    en = "There is a newer version of {kind} ({version}); read it and agree to that one"


class GuardianMustAgree(Denied):
    code = "guardian_must_agree"
    zh = "未满十四周岁，须由监护人同意，请与监护人携带身份证和关系证明一同到柜台"
    en = "Under fourteen a guardian has to agree; please come to a counter together, with the guardian's ID card and proof of guardianship"


class GuardianUnfit(Conflict):
    code = "guardian_unfit"
    zh = "监护人须为本市已实名的成年居民，请先在柜台为监护人办理实名"
    en = "A guardian is a grown-up resident of this city whose identity is proven; prove theirs at the counter first"


class NotUnderFourteen(Conflict):
    code = "not_under_fourteen"
    zh = "该居民已满十四周岁或尚未实名，应由本人同意"
    en = "This resident is not known to be under fourteen and agrees for themselves"


class SeparateConsentNeeded(Denied):
    code = "separate_consent_needed"
    zh = "这一步要处理敏感个人信息，请先阅读并单独同意“{kind}”（{version}）"
    en = "This step uses sensitive personal information; read {kind} ({version}) and agree to it by itself first"
