"""The gas bill."""

import datetime as dt

from services.items.item import Item, Kind, Law, Statement, prices_at_least
from services.tariffs import Terms, Tier

ITEM = Item(
    code="gas",
    kind=Kind.STATEMENT,
    law=(
        Law("城镇燃气管理条例", "Regulation on Urban Gas", "国务院令第583号，2016年修订"),
        Law(
            "关于建立健全居民生活用气阶梯价格制度的指导意见",
            "Guidance on Tiered Gas Prices for Households",
            "发改价格〔2014〕467号",
        ),
    ),
    filled=Statement(
        account=r"3[0-9]{9}",
        unit="m3",
        # Whole cubic metres a year; the three tiers cost at least 1 : 1.2 : 1.5.
        tariff=(
            Terms(
                start=dt.date(2020, 1, 1),
                tiers=(Tier(300, 26_300), Tier(480, 31_600), Tier(None, 39_500)),
                persons=4,
                more_per_person=80,
            ),
        ),
        lawful=prices_at_least(1, 1.2, 1.5),
    ),
)
