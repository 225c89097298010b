"""Numbers and characters as papers write them: full width, spaces, 十五, 二〇二〇. Not dates: see phrases.py."""

import re
import unicodedata

_DIGITS = {
    character: n
    for n, characters in enumerate("〇零○|一|二两|三|四|五|六|七|八|九".split("|"))
    for character in characters
}
_TENS = {"十": 10, "百": 100}
_WHOLE_TENS = {"廿": 20, "卅": 30}

# What `number` understands, as part of a pattern.
NUMBER = "(?:[0-9]{1,4}|[〇零○一二两三四五六七八九十百廿卅]{1,6})"

_UNSEEN = re.compile(r"[\s\u200b-\u200f\u2060\ufeff*]+")
_ISO_DAY = re.compile(r"(?<![0-9])([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?![0-9])")


def plain(text: str) -> str:
    """One spelling for what means the same: half-width signs, no blanks or bold marks, 2026-11-30 as 2026年11月30日."""
    return _ISO_DAY.sub(r"\1年\2月\3日", _UNSEEN.sub("", unicodedata.normalize("NFKC", text)))


def number(written: str) -> int:
    """Of digits, of Chinese numerals (十五, 一百二十), or of Chinese digits in a row (二〇二〇). See NUMBER."""
    if written.isascii():
        return int(written)
    if len(written) > 1 and all(character in _DIGITS for character in written):
        return int("".join(str(_DIGITS[character]) for character in written))
    total = waiting = 0
    for character in written:
        if character in _TENS:
            total, waiting = total + (waiting or 1) * _TENS[character], 0
        elif character in _WHOLE_TENS:
            total += _WHOLE_TENS[character]
        else:
            waiting = _DIGITS[character]
    return total + waiting
