"""Who may hold which roles, how long a sign-in lasts, when guesses must wait, what a password needs. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from backend.roles import APART, NEEDS_TOTP, OFFICE, Actor, Role

# GB/T 22239-2019, 8.1.4.1 b asks for a time-out and names no figure; usual practice: 30 min web, 12 h token.
BROWSER_IDLE, PHONE_IDLE = timedelta(minutes=30), timedelta(hours=12)
# ASVS 5.0.0-7.3.2 asks for an absolute end: a working day at the desk, a month in the field. A phone is told an end a
# week ahead, which moves on while it is used: what it copied is readable no longer than that if it hears no more of us.
BROWSER_LONGEST, PHONE_LONGEST = timedelta(hours=12), timedelta(days=30)
PHONE_AHEAD = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
ROTATION_GRACE = timedelta(seconds=60)  # a phone whose answer got lost asks again with the old token

# GB/T 22239-2019, 8.1.4.1 b: limit failed sign-ins. Growing pauses, never a lock that a stranger could turn.
WINDOW = timedelta(minutes=15)
PAIR_LIMIT, USERNAME_LIMIT, NETWORK_LIMIT = 5, 20, 100
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)
KNOWN_FOR = timedelta(days=90)
FAILURES_KEPT, SESSIONS_KEPT = timedelta(days=1), timedelta(days=30)

LOCAL = "local"
USERNAME = r"^[a-z0-9一-鿿][a-z0-9一-鿿._-]{1,31}$"
SHORTEST, LONGEST = 10, 128
WEAK_WORDS = frozenset(
    "password passwd passw pass admin administrator root user guest test demo welcome letmein changeme "
    "iloveyou woaini mima zhengfu duban qwerty qwertyuiop qwer asdf asdfgh asdfghjkl zxcv zxcvbn zxcvbnm "
    "qaz qazwsx qazwsxedc abc abcd abcde abcdef a aa aaa".split()
)
LOOKALIKES = str.maketrans("@0$3!", "aosei")


class TotpState(StrEnum):
    """Where a person stands with the second factor."""

    not_needed = "not_needed"
    needed_enrolment = "needed_enrolment"
    confirmed = "confirmed"


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed sign-ins of the last 15 minutes and the newest: the name here, the name anywhere, the network.

    `known` says that the person has signed in from this network in the last 90 days.
    """

    pair: int = 0
    pair_at: datetime | None = None
    username: int = 0
    username_at: datetime | None = None
    network: int = 0
    network_at: datetime | None = None
    known: bool = False


def held_back(failures: Failures, now: datetime) -> timedelta:
    """How long this name must still wait on this network; zero when it may try.

    Strangers' failures (the name elsewhere, other names here) never close a network the person is known on.
    """
    counted = [(failures.pair, PAIR_LIMIT, failures.pair_at)]
    if not failures.known:
        counted.append((failures.username, USERNAME_LIMIT, failures.username_at))
        counted.append((failures.network, NETWORK_LIMIT, failures.network_at))
    waits = [last + pause(count, limit) - now for count, limit, last in counted if last and count >= limit]
    return max([timedelta(0), *waits])


def pause(count: int, limit: int) -> timedelta:
    """Nothing below the limit; at it 30 s, doubled with each further failure, at most 15 minutes."""
    if count < limit:
        return timedelta(0)
    return min(FIRST_PAUSE * 2 ** min(count - limit, 10), LONGEST_PAUSE)


def idle_limit(browser: bool) -> timedelta:
    return BROWSER_IDLE if browser else PHONE_IDLE


def lives(browser: bool, seen_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether a session that nobody ended is neither idle for too long nor over."""
    return seen_at > now - idle_limit(browser) and ends_at > now


def first_end(browser: bool, began: datetime) -> datetime:
    """When a sign-in ends that nobody uses on: see `commands.seen` for one that is used."""
    return began + (BROWSER_LONGEST if browser else PHONE_AHEAD)


def totp_state(confirmed: bool, roles: Iterable[Role], enforced: bool) -> TotpState:
    """`enforced` is the setting DUBAN_TOTP; when it is optional nobody is made to enrol."""
    if confirmed:
        return TotpState.confirmed
    return TotpState.needed_enrolment if enforced and NEEDS_TOTP & set(roles) else TotpState.not_needed


def may_administer(actor: Actor) -> str | None:
    if actor.has(Role.sys_admin, Role.system):
        return None
    return "只有系统管理员可以管理人员和角色。"


def may_list(actor: Actor, *, colleagues: bool = False) -> str | None:
    """`colleagues`: those of a unit one belongs to, by name: one of them stands in while one is away."""
    if colleagues or actor.has(Role.sys_admin, Role.system, *OFFICE):
        return None
    return "只有系统管理员和督查部门可以查看人员名单；其他人员可以查看本单位同事。"


def why_not_grant(role: Role, held: Iterable[Role]) -> str | None:
    """GB/T 22239-2019, 8.1.4.2: the administrative powers exclude each other and the case work."""
    if role is Role.system:
        return "“系统”不是可以授予人员的角色。"
    together = {*held, role}
    if any(together & group and together - group for group in APART):
        return "系统管理员、安全审计员不能兼任，也不能与督办业务角色由同一人担任（三权分立）。"
    return None


def why_weak(password: str, username: str, name: str) -> str | None:
    """What a new password lacks, as one sentence; None when it will do (GB/T 22239-2019, 8.1.4.1 a)."""
    lacks = []
    if not SHORTEST <= len(password) <= LONGEST:
        lacks.append(f"长度应为 {SHORTEST} 至 {LONGEST} 个字符")
    if _classes(password) < 3:
        lacks.append("应包含大写字母、小写字母、数字、其他符号中的至少三类")
    folded = password.casefold()
    if any(own and own.casefold() in folded for own in (username, name)):
        lacks.append("不能包含用户名或姓名")
    if _common(folded):
        lacks.append("不能使用常见口令")
    return f"口令不符合要求：{'；'.join(lacks)}。" if lacks else None


def _classes(password: str) -> int:
    tests = (str.isupper, str.islower, str.isdigit)
    kinds = {next((n for n, test in enumerate(tests) if test(letter)), 3) for letter in password}
    return len(kinds)


def _common(folded: str) -> bool:
    """A weak word dressed up with digits and signs is still that word: Admin@123456, P@ssw0rd2026."""
    bare = re.sub("[^a-z]", "", folded)
    dressed = re.sub("[^a-z]", "", folded.rstrip("0123456789!@#$%^&*.").translate(LOOKALIKES))
    return bare in WEAK_WORDS or dressed in WEAK_WORDS or len(set(folded)) < 4


def network_of(peer: str | None, forwarded: str, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The /24 or /48 a request comes from; 'local' over a unix socket.

    X-Forwarded-For counts only when the peer is a trusted proxy, read from the right up to the first
    stranger: what stands further left was written by the client.
    """
    address = _address(peer)
    hops = [part.strip() for part in forwarded.split(",")] if forwarded else []
    while address and hops and any(address in network for network in trusted):
        claimed = _address(hops.pop())
        if claimed is None:
            break
        address = claimed
    if address is None:
        return LOCAL
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))


def _address(text: str | None):
    try:
        address = ip_address((text or "").split("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def cross_site(host: str, origin: str | None, fetch_site: str | None) -> bool:
    """Whether a browser says that another site caused this request (ASVS 5.0.0-3.5.1)."""
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return True
    return origin is not None and (not host or urlsplit(origin).netloc.casefold() != host.casefold())
