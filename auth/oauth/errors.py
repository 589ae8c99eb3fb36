"""What our own pages refuse; everything a partner is told stands in the grammar of RFC 6749."""

from __future__ import annotations

from core.errors import Conflict, Malformed


class RequestNotForUs(Malformed):
    code = "oauth_request_refused"
    zh = "登录请求无效（{reason}）：请回到原来的网站或应用重新开始"
    en = "This sign-in request is not valid ({reason}); go back to the site or app you came from and start again"


class InteractionOver(Conflict):
    code = "oauth_interaction_over"
    zh = "本次登录已结束或已超时：请回到原来的网站或应用重新开始"
    en = "This sign-in is over or took too long; go back to the site or app you came from and start again"


class FormNotOurs(Malformed):
    code = "oauth_form_refused"
    zh, en = "页面已失效，请刷新后再试", "This page is out of date; load it again"
