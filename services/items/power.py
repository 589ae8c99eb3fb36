"""The electricity bill."""

import datetime as dt

from services.items.item import Item, Kind, Law, Statement, prices_above_first
from services.tariffs import Terms, Tier

ITEM = Item(
    code="power",
    kind=Kind.STATEMENT,
    law=(
        Law("中华人民共和国电力法", "Electric Power Law of the People's Republic of China", "2018年修正"),
        Law(
            "关于居民生活用电试行阶梯电价的指导意见",
            "Guidance on Tiered Electricity Prices for Households",
            "发改价格〔2011〕2617号",
        ),
    ),
    filled=Statement(
        account=r"2[0-9]{9}",
        unit="kWh",
        # Kilowatt-hours a year; the second tier costs 0.05 yuan more than the first, the third 0.30 yuan.
        tariff=(
            Terms(
                start=dt.date(2020, 1, 1),
                tiers=(Tier(2_160, 5_469), Tier(4_800, 5_969), Tier(None, 8_469)),
                persons=4,
                more_per_person=300,
            ),
        ),
        lawful=prices_above_first(500, 3_000),
    ),
)
