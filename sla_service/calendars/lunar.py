"""Dates of the lunar festivals and of Qingming, 2000 to 2050.

A table instead of a computation at run time: the calendar's version must not depend on which release of a
library is installed, and importing one costs more than building thirty years of days. A test compares every
row with the ``holidays`` package (Hong Kong Observatory's tables); the rows were also checked against a
second, independent lunar conversion and the solar-term formula when they were written down.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple


class Festivals(NamedTuple):
    """The movable festivals of one year."""

    spring: date  # 春节, first day of the first lunar month
    qingming: date  # 清明, solar term
    dragon_boat: date  # 端午, fifth day of the fifth month
    mid_autumn: date  # 中秋, fifteenth day of the eighth month


FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2050

# month * 100 + day of spring, qingming, dragon boat, mid-autumn
_TABLE: Final = (
    (205, 404, 606, 912),  # 2000
    (124, 405, 625, 1001),  # 2001
    (212, 405, 615, 921),  # 2002
    (201, 405, 604, 911),  # 2003
    (122, 404, 622, 928),  # 2004
    (209, 405, 611, 918),  # 2005
    (129, 405, 531, 1006),  # 2006
    (218, 405, 619, 925),  # 2007
    (207, 404, 608, 914),  # 2008
    (126, 404, 528, 1003),  # 2009
    (214, 405, 616, 922),  # 2010
    (203, 405, 606, 912),  # 2011
    (123, 404, 623, 930),  # 2012
    (210, 404, 612, 919),  # 2013
    (131, 405, 602, 908),  # 2014
    (219, 405, 620, 927),  # 2015
    (208, 404, 609, 915),  # 2016
    (128, 404, 530, 1004),  # 2017
    (216, 405, 618, 924),  # 2018
    (205, 405, 607, 913),  # 2019
    (125, 404, 625, 1001),  # 2020
    (212, 404, 614, 921),  # 2021
    (201, 405, 603, 910),  # 2022
    (122, 405, 622, 929),  # 2023
    (210, 404, 610, 917),  # 2024
    (129, 404, 531, 1006),  # 2025
    (217, 405, 619, 925),  # 2026
    (206, 405, 609, 915),  # 2027
    (126, 404, 528, 1003),  # 2028
    (213, 404, 616, 922),  # 2029
    (203, 405, 605, 912),  # 2030
    (123, 405, 624, 1001),  # 2031
    (211, 404, 612, 919),  # 2032
    (131, 404, 601, 908),  # 2033
    (219, 405, 620, 927),  # 2034
    (208, 405, 610, 916),  # 2035
    (128, 404, 530, 1004),  # 2036
    (215, 404, 618, 924),  # 2037
    (204, 405, 607, 913),  # 2038
    (124, 405, 527, 1002),  # 2039
    (212, 404, 614, 920),  # 2040
    (201, 404, 603, 910),  # 2041
    (122, 404, 622, 928),  # 2042
    (210, 405, 611, 917),  # 2043
    (130, 404, 531, 1005),  # 2044
    (217, 404, 619, 925),  # 2045
    (206, 404, 608, 915),  # 2046
    (126, 405, 529, 1004),  # 2047
    (214, 404, 615, 922),  # 2048
    (202, 404, 604, 911),  # 2049
    (123, 404, 623, 930),  # 2050
)


def festivals(year: int) -> Festivals:
    """The movable festivals of ``year``; ``KeyError`` outside the table."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise KeyError(year)
    spring, qingming, dragon_boat, mid_autumn = (date(year, *divmod(md, 100)) for md in _TABLE[year - FIRST_YEAR])
    return Festivals(spring, qingming, dragon_boat, mid_autumn)
