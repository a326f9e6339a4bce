"""Registers of people who don't exist: plausible Chinese names, uneven claims, several classes.

Nobody can be meant: resident identity numbers and credit codes have valid check digits but
the region code 99…, which GB/T 2260 doesn't assign; telephone numbers begin with 100,
which no mobile network has; addresses are at example.org (RFC 2606).
"""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from client.errors import UserError
from client.rolls.claims import COLUMNS
from client.rolls.person import credit_check_character, resident_check_digit
from client.rolls.workbook import write_workbook
from client.rolls.yuan import format_yuan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION: Final = "99"
MAX_LENDERS: Final = 2_000_000

# Roughly as frequent as in the census; the rarer the later.
_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
    "余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯"
    "龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_DOUBLE_SURNAMES: Final = ("欧阳", "上官", "司马", "诸葛", "皇甫")
_GIVEN: Final = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂文辉玲建国华红志海燕鹏飞玉兰春梅林"
    "云峰雪琴宇浩欣怡子涵梓萱佳琪思远嘉俊晨曦晓东立新永康德胜世昌泽"
)
_RARE: Final = "䶮㛃喆堃翀昇"
_PLACES: Final = ("星河", "云岭", "东屿", "北原", "南汀", "西洲")
_TRADES: Final = ("商贸", "科技", "投资咨询", "实业", "供应链管理", "文化传播")

# A median of 25,000 yuan and a mean near 55,000: most claims small, a few very large.
_LOG_MEDIAN: Final = 10.127
_SIGMA: Final = 1.25
_ENTERPRISE_FACTOR: Final = 12
_LEAST_FEN: Final = 100_00
_MOST_FEN: Final = 200_000_000_00


def generate_csv(lenders: int, seed: int, encoding: str = "utf-8") -> bytes:
    """Return the CSV of a register of exactly so many lenders; the same seed gives the same bytes.

    `encoding` is utf-8, utf-8-sig (with a byte-order mark) or gb18030. Raise UserError for
    a number of lenders that is not 1 to 2,000,000.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(_rows(lenders, seed))
    return text.getvalue().encode(encoding)


def generate_xlsx(lenders: int, seed: int) -> bytes:
    """Return the same register as a workbook, amounts as numbers; raise UserError as for CSV."""
    return write_workbook(_rows(lenders, seed), frozenset({"claim_yuan"}))


def _rows(lenders: int, seed: int) -> Iterator[tuple[str, ...]]:
    if not 1 <= lenders <= MAX_LENDERS:
        raise UserError(f"{lenders} lenders can't be made: ask for 1 to {MAX_LENDERS:,}")
    generator = random.Random(seed)  # noqa: S311  example data has to be repeatable, not secret
    yield COLUMNS
    seen: set[str] = set()
    for number in range(1, lenders + 1):
        yield from _lender(generator, number, seen)


def _lender(generator: random.Random, number: int, seen: set[str]) -> Iterator[tuple[str, ...]]:
    kind = generator.random()
    if kind < 0.03:  # noqa: PLR2004  three in a hundred are firms
        name, id_type, id_no = _firm_name(generator), "credit-code", _unique(_credit_code, generator, seen)
        claims = [("enterprise", _amount(generator, _ENTERPRISE_FACTOR))]
    else:
        name, id_type = _name(generator), "resident-id"
        id_no = _unique(_resident_id, generator, seen)
        claims = [("individual", _amount(generator))]
        if kind > 0.80:  # noqa: PLR2004  a fifth hold the platform's own product, half of them besides
            claims = [("wealth-plan", _amount(generator))] + (claims if kind > 0.90 else [])  # noqa: PLR2004
    # Not everybody left a number or an address.
    phone = f"100{number:08d}" if generator.random() < 0.97 else ""  # noqa: PLR2004
    email = f"lender{number:07d}@example.org" if generator.random() < 0.55 else ""  # noqa: PLR2004
    for cls, fen in claims:
        yield (name, id_type, id_no, phone, email, cls, _yuan(generator, fen))


def _yuan(generator: random.Random, fen: int) -> str:
    text = format_yuan(fen)
    if fen % 100 == 0 and generator.random() < 0.5:  # noqa: PLR2004  some clerks leave the zeros out
        return text.removesuffix(".00")
    return text


def _amount(generator: random.Random, factor: int = 1) -> int:
    yuan = int(generator.lognormvariate(_LOG_MEDIAN, _SIGMA)) * factor
    # Principal is often a round sum; interest and repayments make the rest uneven.
    fen = yuan // 1000 * 100_000 if generator.random() < 0.4 else yuan * 100 + generator.randrange(100)  # noqa: PLR2004
    return min(max(fen, _LEAST_FEN), _MOST_FEN)


def _name(generator: random.Random) -> str:
    if generator.random() < 0.005:  # noqa: PLR2004
        surname = generator.choice(_DOUBLE_SURNAMES)
    else:
        surname = _SURNAMES[min(int(generator.expovariate(0.045)), len(_SURNAMES) - 1)]
    length = 1 if generator.random() < 0.2 else 2  # noqa: PLR2004
    given = "".join(generator.choice(_GIVEN) for _ in range(length))
    if generator.random() < 0.003:  # noqa: PLR2004  characters that GBK lacks and GB18030 has
        given = generator.choice(_RARE)
    return surname + given


def _firm_name(generator: random.Random) -> str:
    word = "".join(generator.choice(_GIVEN) for _ in range(2))
    return f"{generator.choice(_PLACES)}市{word}{generator.choice(_TRADES)}有限公司"


def _unique(make: Callable[[random.Random], str], generator: random.Random, seen: set[str]) -> str:
    while (number := make(generator)) in seen:
        pass
    seen.add(number)
    return number


def _resident_id(generator: random.Random) -> str:
    born = date(1945, 1, 1) + timedelta(days=generator.randrange(60 * 365))
    first17 = f"{REGION}{generator.randrange(10_000):04d}{born:%Y%m%d}{generator.randrange(1000):03d}"
    return first17 + resident_check_digit(first17)


def _credit_code(generator: random.Random) -> str:
    body = "".join(generator.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(9))
    first17 = f"91{REGION}{generator.randrange(10_000):04d}{body}"
    return first17 + credit_check_character(first17)
