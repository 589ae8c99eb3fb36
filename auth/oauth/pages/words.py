"""Every text of our own pages, in both languages."""

from __future__ import annotations

from typing import Final

Both = dict[str, str]


def _(zh: str, en: str) -> Both:
    return {"zh-CN": zh, "en": en}


PAGES: Final[dict[str, Both]] = {
    "sign_in": _("登录到“{partner}”", "Sign in to {partner}"),
    "consent": _("“{partner}”请求使用您的信息", "{partner} asks to use your data"),
    "refused": _("无法继续", "This cannot go on"),
    "logout": _("退出登录", "Sign out"),
    "logout_text": _("是否退出本浏览器中的城市卡登录？", "Sign out of the city card in this browser?"),
    "logout_confirm": _("退出", "Sign out"),
    "signed_out": _("您已退出登录", "You are signed out"),
}
STEPS: Final[dict[str, Both]] = {
    "who": _("由城市卡平台为“{partner}”验证您的身份。", "The city card platform confirms to {partner} who you are."),
    "phone": _("手机号", "Mobile number"),
    "send": _("发送验证码", "Send a code"),
    "sent": _("如号码可用，验证码已发送，五分钟内有效。", "If the number can be used, a code is on its way. It is valid for five minutes."),
    "code": _("六位验证码", "Six-digit code"),
    "sign_in": _("登录", "Sign in"),
    "wait": _(
        "请在已登录的城市卡应用中同意本次登录，本页会自动继续。", "Approve this sign-in in your city card app; this page goes on by itself."
    ),
    "approved": _("我已在应用中同意", "I have approved it in the app"),
    "over": _("换一个号码", "Use another number"),
    "prove": _("提供这些信息需要再确认一次您的身份。", "Sharing this needs one more proof of who you are."),
    "ask": _("到应用中确认", "Confirm in my app"),
    "signed_in": _("当前登录：", "Signed in as"),
    "nothing": _("只确认您是同一位用户，不提供其他信息。", "Only that you are the same person each time; nothing else is shared."),
    "offline": _(
        "您离开后仍保持登录：每次登录后最长{days}天，撤回同意即止。",
        "You stay signed in there after you leave: for up to {days} days after each sign-in, and no longer once you withdraw.",
    ),
    "withdraw": _(
        "您可以随时在城市卡应用中查看使用记录或撤回同意。", "In your city card app you can see every use and withdraw at any time."
    ),
    "allow": _("同意并继续", "Allow and continue"),
    "other": _("不是我", "This is not me"),
    "refuse": _("取消并返回", "Cancel and go back"),
}
FIELDS: Final[dict[str, Both]] = {
    "masked_name": _("姓名（隐去部分）", "Name, partly hidden"),
    "name": _("姓名", "Name"),
    "birth_date": _("出生日期", "Date of birth"),
    "age_band": _("年龄段", "Age group"),
    "phone": _("手机号", "Mobile number"),
    "citizen_number": _("公民身份号码（敏感个人信息）", "Citizen number (sensitive personal data)"),
    "identity_level": _("实名等级", "Identity level"),
}
