"""Every DUBAN_* setting, read once. Refuses a half configuration; knows nothing of what they are used for."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
ENFORCED, OPTIONAL = "enforced", "optional"


class BadSettings(Exception):
    """A setting is missing or contradicts another; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process runs with. `database` holds asyncpg's keyword arguments."""

    host: str
    port: int
    var: Path
    embedded: bool
    database: dict[str, str | int]
    redis_url: str
    evidence: Path
    totp: str
    web_workers: int
    secure_cookies: bool
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    sample_percent: int = 20  # of the items that pass the first review are checked on site (domain.md b.3, T12)
    fonts: Path | None = None  # the office's own, before those that come with us
    os_user: str = ""  # who runs the embedded services when we are root; empty: the first of a few that exists


def load(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment.

    Without DUBAN_DATABASE_URL and DUBAN_REDIS_URL the private PostgreSQL and queue under DUBAN_VAR are meant
    (the embedded shape); both or neither must be given. Raises BadSettings with a sentence.
    """
    var = Path(env.get("DUBAN_VAR") or ROOT / "var").resolve()
    database_url, redis_url = env.get("DUBAN_DATABASE_URL", ""), env.get("DUBAN_REDIS_URL", "")
    if bool(database_url) != bool(redis_url):
        given, missing = ("DUBAN_DATABASE_URL", "DUBAN_REDIS_URL")[:: 1 if database_url else -1]
        raise BadSettings(f"{given} is set but {missing} is not: give both, or neither for the embedded services.")
    embedded = not database_url
    if redis_url and not redis_url.startswith(("redis://", "rediss://", "unix://")):
        raise BadSettings("DUBAN_REDIS_URL must look like redis://host:6379/0, rediss://… or unix:///path.")
    totp = env.get("DUBAN_TOTP") or (OPTIONAL if embedded else ENFORCED)
    if totp not in (ENFORCED, OPTIONAL):
        raise BadSettings(f"DUBAN_TOTP is {totp!r}: say 'enforced' or 'optional'.")
    run = (var / "run").resolve()  # a link when the path under var/ is too long for a socket
    return Settings(
        host=env.get("DUBAN_HOST") or "127.0.0.1",
        port=_number(env, "DUBAN_PORT", 8000, 1, 65535),
        var=var,
        embedded=embedded,
        database={"host": str(run), "user": "duban", "database": "duban"} if embedded else _database(database_url),
        redis_url=f"unix://{run}/queue.sock" if embedded else redis_url,
        evidence=Path(env.get("DUBAN_EVIDENCE") or var / "evidence").resolve(),
        totp=totp,
        web_workers=_number(env, "DUBAN_WEB_WORKERS", 2, 1, 64),
        secure_cookies=env.get("DUBAN_SECURE_COOKIES", "1") != "0",
        trusted_proxies=_networks(env.get("DUBAN_TRUSTED_PROXIES", "")),
        sample_percent=_number(env, "DUBAN_SAMPLE_PERCENT", 20, 0, 100),
        fonts=_folder(env, "DUBAN_FONTS"),
        os_user=env.get("DUBAN_OS_USER", ""),
    )


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise BadSettings(f"{name} is {text!r}: give a whole number from {least} to {most}.")
    return int(text)


def _folder(env: Mapping[str, str], name: str) -> Path | None:
    if not env.get(name):
        return None
    folder = Path(env[name]).resolve()
    if not folder.is_dir():
        raise BadSettings(f"{name} is {str(folder)!r}: there is no such folder.")
    return folder


def _database(url: str) -> dict[str, str | int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("postgres", "postgresql") or len(parts.path) < 2:
        raise BadSettings("DUBAN_DATABASE_URL must look like postgresql://user:password@host:5432/database.")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    config: dict[str, str | int] = {
        "host": query.get("host") or parts.hostname or "localhost",
        "database": unquote(parts.path[1:]),
    }
    if port:
        config["port"] = port
    if parts.username:
        config["user"] = unquote(parts.username)
    if parts.password:
        config["password"] = unquote(parts.password)
    if "sslmode" in query:
        config["ssl"] = query["sslmode"]
    return config


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as wrong:
        raise BadSettings(f"DUBAN_TRUSTED_PROXIES: {wrong}.") from wrong
