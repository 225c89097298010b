"""What a deadline phrase of a paper means, for a person to confirm. Pure; the words stay as they were written."""

import re
from dataclasses import dataclass
from datetime import date

from backend.phrases.days import DAYS, PERIODS
from backend.phrases.hits import Asked, Hit, Kind, Recurrence, in_words, scan
from backend.phrases.numerals import plain
from backend.phrases.terms import BARE, COUNTED, RECURRING, WINDOWS
from backend.workdays import Calendar, Certainty

# Words that ask for something without saying by when (domain.md a.5). 立即 too: it says how, and no item is due on
# the day it is issued (b.4).
UNDATED = re.compile(
    "不定期|定期|及时|即时|适时|随时|立即|立刻|马上|尽快|尽早|近期|第一时间|长期|持续|常态化|立行立改|立查立改|即知即改|如期|按期|按时"
)
SHAPES = (*WINDOWS, *RECURRING, *COUNTED, *DAYS, *PERIODS, *BARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A deadline phrase as understood, and as written.

    `due_on` is None when a person must choose; `candidates` are the days to choose from, the strictest first.
    `due_time` is "HH:MM" of that day in Asia/Shanghai, where a time is written. `rule` is how the day came about: a
    term such as "workdays:15", counted from `counted_from`, or "text" for a day that is named.
    """

    text: str
    kind: Kind
    due_on: date | None
    due_time: str | None
    candidates: tuple[date, ...]
    starts_on: date | None
    recurrence: Recurrence | None
    rule: str
    counted_from: date | None
    certainty: Certainty
    sentence: str


def read(text: str, from_day: date, today: date, calendar: Calendar, event_day: date | None = None) -> Reading:
    """What `text` asks for, read on `today` in a paper of `from_day`. Never raises; days after 民法典 201 to 203, 1259.

    A day or period without a year is the next one from `from_day`. 前 and 内 count the whole last day. A length after
    something else than the paper (资金下达后30日内) is counted from `event_day`.
    """
    written = plain(text)
    hits, rest = scan(written, SHAPES, Asked(from_day=from_day, calendar=calendar, event_day=event_day))
    if not hits:
        return _without_date(text, rest)
    hit = hits[0] if len({(it.kind, it.days) for it in hits}) == 1 else _several(hits)
    due_on = hit.days[0] if hit.firm and len(hit.days) == 1 else None
    past = "；这一天已经过去" if due_on and due_on < today else ""
    return Reading(
        text=text,
        kind=hit.kind,
        due_on=due_on,
        due_time=f"{hit.at:%H:%M}" if hit.at else None,
        candidates=hit.days,
        starts_on=hit.starts_on,
        recurrence=hit.recurrence,
        rule=str(hit.term) if hit.term else "text",
        counted_from=hit.counted_from,
        certainty=hit.certainty,
        sentence=f"“{hit.words}”{hit.meaning}{past}。" + ("" if due_on else _CHOOSE),
    )


_CHOOSE = "请定一个期限。"


def _several(hits: list[Hit]) -> Hit:
    """More than one deadline in one text: all their days, the strictest first."""
    days = tuple(sorted({day for hit in hits for day in hit.days}))
    named = "”“".join(hit.words for hit in hits)
    listed = "、".join(in_words(day) for day in days)
    meaning = f"不止一个期限：{listed}" if days else "不止一个期限"
    return Hit(kind=Kind.ambiguous, words=named, meaning=meaning, days=days, firm=False)


def _without_date(text: str, rest: str) -> Reading:
    undated = UNDATED.search(rest)
    sentence = f"“{undated[0]}”没有写明日期。" if undated else "没有认出期限。"
    return Reading(
        text=text,
        kind=Kind.undated if undated else Kind.unread,
        due_on=None,
        due_time=None,
        candidates=(),
        starts_on=None,
        recurrence=None,
        rule="text",
        counted_from=None,
        certainty=Certainty.known,
        sentence=sentence + _CHOOSE,
    )
