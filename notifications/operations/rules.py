"""What can be wrong with this Duban itself, in words for those who run it. Numbers come from queries.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Trouble(StrEnum):
    """One kind of thing that a person should look at. The screens know them by these names."""

    worker_away = "worker_away"
    sweeps_late = "sweeps_late"
    events_late = "events_late"
    events_parked = "events_parked"
    deliveries_late = "deliveries_late"
    deliveries_failed = "deliveries_failed"


# Nothing acknowledged may wait longer than two minutes after everything is back (trust.md G3).
LATE = timedelta(seconds=120)
# A trouble that comes and goes is one incident, not twenty.
QUIET_FOR = timedelta(minutes=5)
# And so many looks in a row must have found it gone: a clock that jumps ahead makes no quiet of a minute.
QUIET_LOOKS = 5
FAILED_WITHIN = timedelta(hours=24)

WORDS: Mapping[Trouble, tuple[str, str]] = {
    Trouble.worker_away: ("后台处理没有运行", "The worker is not running"),
    Trouble.sweeps_late: ("{count} 项定时处理没有按时完成", "{count} of the worker's sweeps are late"),
    Trouble.events_late: ("{count} 个事件等待处理超过两分钟", "{count} events wait for more than two minutes"),
    Trouble.events_parked: (
        "{count} 个事件多次处理失败，已搁置",
        "{count} events failed eight times and are parked",
    ),
    Trouble.deliveries_late: ("通知发送积压，最久的等了 {count} 秒", "Deliveries are late, by up to {count} seconds"),
    Trouble.deliveries_failed: ("24 小时内有 {count} 条通知没有送达", "{count} deliveries were given up in 24 hours"),
}
ADVICE: Mapping[Trouble, tuple[str, str]] = {
    Trouble.worker_away: (
        "提交的内容都在，只是通知、展示件、提醒会晚。请看 var/log/worker.log，再运行 ./duban up 或 ./duban worker。",
        "Nothing is lost, only late. Look at var/log/worker.log, then run ./duban up or ./duban worker.",
    ),
    Trouble.sweeps_late: (
        "请看 var/log/worker.log 里这一项的报错；补上之后会自己跟上，不会重复。",
        "Look for its errors in var/log/worker.log; it catches up by itself, and nothing happens twice.",
    ),
    Trouble.events_late: (
        "后台处理太慢或没有运行：请看 var/log/worker.log；可以再加一个 ./duban worker。",
        "The worker is slow or away: look at var/log/worker.log; another ./duban worker may run beside it.",
    ),
    Trouble.events_parked: (
        "相关人员没有收到通知。原因排除后运行 ./duban doctor --retry-parked。",
        "Nobody was told of them. When the cause is gone, run ./duban doctor --retry-parked.",
    ),
    Trouble.deliveries_late: (
        "系统内的消息不受影响。请看邮件、短信、群机器人的服务是否正常。",
        "The inbox is not affected. See whether mail, text messages and robots work.",
    ),
    Trouble.deliveries_failed: (
        "系统内的消息不受影响。在“发送记录”里看原因，改正后可以重发。",
        "The inbox is not affected. The deliveries say why; they can be sent again.",
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A trouble there is now: how many of it, since when as far as known, and which."""

    trouble: Trouble
    count: int
    since: datetime | None = None
    which: tuple[str, ...] = ()


def words(trouble: Trouble, count: int, *, english: bool) -> str:
    return WORDS[trouble][english].format(count=count)


def advice(trouble: Trouble, *, english: bool) -> str:
    return ADVICE[trouble][english]
