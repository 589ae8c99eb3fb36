"""The water bill."""

import datetime as dt

from services.items.item import Item, Kind, Law, Statement, prices_at_least
from services.tariffs import Terms, Tier

ITEM = Item(
    code="water",
    kind=Kind.STATEMENT,
    law=(
        Law("城镇供水价格管理办法", "Rules for the Price of Urban Water Supply", "国家发展改革委 住房城乡建设部令2021年第46号"),
        Law(
            "关于加快建立完善城镇居民用水阶梯价格制度的指导意见",
            "Guidance on Tiered Water Prices for Urban Households",
            "发改价格〔2013〕2676号",
        ),
    ),
    filled=Statement(
        account=r"1[0-9]{9}",
        unit="m3",
        # Whole cubic metres a year; the three tiers cost at least 1 : 1.5 : 3.
        tariff=(
            Terms(
                start=dt.date(2020, 1, 1),
                tiers=(Tier(180, 28_500), Tier(300, 42_750), Tier(None, 85_500)),
                persons=4,
                more_per_person=45,
            ),
        ),
        lawful=prices_at_least(1, 1.5, 3),
    ),
)
