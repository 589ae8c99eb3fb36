"""What sharing a resident's data can be refused for."""

from __future__ import annotations

from core.errors import Conflict, Denied


class ConsentMissing(Denied):
    code = "consent_missing"
    zh = "居民没有同意此用途，或已撤回、已到期；请先征得本人同意"
    en = "The resident has not consented to this purpose, or withdrew, or the consent ran out; ask the resident first"


class TextOutdated(Conflict):
    code = "consent_text_outdated"
    zh, en = "授权文本已更新，请阅读新文本后再同意", "The text has a newer version; read that and consent again"


class GuardianMustConsent(Denied):
    code = "guardian_must_consent"
    zh, en = "未满十四周岁，须由监护人同意", "Under fourteen a guardian has to consent"
