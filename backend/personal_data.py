"""Personal data in free text: ID numbers, mobile numbers, bank cards. What follows from a find is the caller's."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    id_number = "id_number"  # 居民身份证号
    mobile_number = "mobile_number"  # 手机号
    bank_card = "bank_card"  # 银行卡号


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One find: `text[start:end]` of what was scanned, as it stands there."""

    start: int
    end: int
    kind: Kind


# What people and papers put between the digits of one number: blanks, dashes, signs without width. Not the end of a
# line: a column of figures is no number.
_BETWEEN = frozenset(" \t\u00a0\u2002\u2003\u2009\u3000-‐‑‒–—―－_\u00ad\u200b\u200c\u200d\u2060\ufeff")
_MOST_BETWEEN = 3
_X = frozenset("xXｘＸХх×")

# GB/T 2260 provinces; 81 to 83 are residents of Hong Kong, Macao and Taiwan, 9 the cards of foreigners.
_PROVINCES = frozenset("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54".split()) | {
    *"61 62 63 64 65 71 81 82 83 91 92 93 94 95 96 97 98 99".split()
}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_MOBILE_PREFIXES = ("", "86", "0086")
_CARD_LENGTHS = range(16, 20)
_CARD_BEGINS = frozenset("34569")  # ISO/IEC 7812: 62 is UnionPay, 9 older cards of Chinese banks
_LONGEST = 19


def normal(text: str) -> str:
    """A number as typed by somebody, without what stands between its digits: full-width digits and x made plain."""
    return "".join(_plain(sign) for sign in text if sign not in _BETWEEN)


def is_id_number(text: str) -> bool:
    """Whether these 18 plain signs are a citizen's ID number: province, date of birth, check sign (GB 11643-1999)."""
    digits = text[:17]
    if len(text) != 18 or not (digits.isascii() and digits.isdigit()) or digits[:2] not in _PROVINCES:
        return False
    if not _is_date(digits[6:14]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return text[17] == _CHECKS[total % 11]


def found_in(text: str) -> list[Found]:
    """Every ID number, mobile number and bank card, in the order of the text, none overlapping another.

    Full-width digits and blanks or dashes between digits hide nothing. Errs on the side of finding: a long number of
    another kind passes the checksum of a bank card once in ten times. Takes time in proportion to the text.
    """
    return sorted(found for run in _runs(text) for found in _in_run(run))


@dataclass(frozen=True, slots=True)
class _Sign:
    """A digit or X of a run. `group` counts the stretches without anything between."""

    plain: str
    at: int
    group: int


def _plain(sign: str) -> str:
    value = unicodedata.decimal(sign, None)
    return str(value) if value is not None else "X" if sign in _X else sign


def _runs(text: str) -> Iterator[list[_Sign]]:
    """Digits that may belong to one number, with an X where it could be a check sign."""
    run: list[_Sign] = []
    between = group = 0
    for at, sign in enumerate(text):
        plain = _plain(sign)
        if plain in "0123456789" or (plain == "X" and run and run[-1].plain != "X"):
            group += bool(between)
            run.append(_Sign(plain, at, group))
            between = 0
        elif sign in _BETWEEN and between < _MOST_BETWEEN:
            between += 1
        else:
            yield run
            run, between = [], 0
    yield run


def _in_run(run: list[_Sign]) -> Iterator[Found]:
    """ID numbers wherever they begin; the others only as whole groups, or every long number would hold one."""
    plain = "".join(sign.plain for sign in run)
    rest = start = 0
    while start <= len(plain) - 18:
        if is_id_number(plain[start : start + 18]):
            yield from _in_groups(run[rest:start])
            yield Found(run[start].at, run[start + 17].at + 1, Kind.id_number)
            start = rest = start + 18
        else:
            start += 1
    yield from _in_groups(run[rest:])


def _in_groups(run: list[_Sign]) -> Iterator[Found]:
    start = 0
    while start < len(run):
        begins = start == 0 or run[start - 1].group != run[start].group
        found = next(_from(run, start), None) if begins else None
        if found:
            yield found[0]
        start = found[1] if found else start + 1


def _from(run: list[_Sign], start: int) -> Iterator[tuple[Found, int]]:
    """The number of whole groups that begins here, and where in the run it is over."""
    for end in range(start + 11, min(start + _LONGEST, len(run)) + 1):
        if end < len(run) and run[end - 1].group == run[end].group and run[end].plain != "X":
            continue
        kind = _kind("".join(sign.plain for sign in run[start:end]))
        if kind:
            yield Found(run[start].at, run[end - 1].at + 1, kind), end


def _kind(number: str) -> Kind | None:
    if not number.isdigit():
        return None
    if any(_is_mobile(number, prefix) for prefix in _MOBILE_PREFIXES):
        return Kind.mobile_number
    if len(number) in _CARD_LENGTHS and number[0] in _CARD_BEGINS and _passes_luhn(number):
        return Kind.bank_card
    return None


def _is_mobile(number: str, prefix: str) -> bool:
    national = number.removeprefix(prefix)
    return number.startswith(prefix) and len(national) == 11 and national[0] == "1" and national[1] in "3456789"


def _passes_luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _is_date(digits: str) -> bool:
    if not 1800 <= int(digits[:4]) <= 2199:
        return False
    try:
        date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    except ValueError:
        return False
    return True
