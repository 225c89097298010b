"""Makes any text fit to be printed: nothing unseen in it, nothing that turns lines around, no line without an end."""

import re
from collections.abc import Mapping, Sequence

LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Controls, marks that reorder what stands around them, and code points that are no characters.
HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]"
)
# Chinese breaks anywhere; a run of anything else without a space would leave the page at the right.
LONG_RUN = re.compile(r"[^\s\u2e80-\U0010ffff]{24,}")
HALF_HASH = re.compile("[0-9a-f]{32}")  # half a SHA-256 has a line of its own, and is to be copied as it is
STEP = 6
MAY_BREAK = "\u200b"


def shown(character: str) -> str:
    """A character that cannot be printed, by its number."""
    return f"〔U+{ord(character):04X}〕"


def printable(text: str) -> str:
    """The same words for paper. Every way of ending a line becomes a line feed; what cannot be seen is shown."""
    text = LINE_ENDS.sub("\n", text).replace("\t", "    ")
    text = HIDDEN.sub(lambda found: shown(found[0]), text)
    return LONG_RUN.sub(_broken, text)


def printed(value: object) -> object:
    """The same for every text in a structure of lists and dictionaries; keys stay as they are."""
    match value:
        case str():
            return printable(value)
        case Mapping():
            return {key: printed(inner) for key, inner in value.items()}
        case Sequence():
            return [printed(inner) for inner in value]
        case _:
            return value


def _broken(run: re.Match[str]) -> str:
    return run[0] if HALF_HASH.fullmatch(run[0]) else MAY_BREAK.join(re.findall(f".{{1,{STEP}}}", run[0]))
