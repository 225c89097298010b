"""Every DUBAN_* setting, read once. Refuses a half configuration; knows nothing of what they are used for."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from backend import outgoing
from backend.environment import BadSettings as BadSettings
from backend.environment import number
from backend.outgoing import Outgoing

ROOT = Path(__file__).resolve().parent.parent
ENFORCED, OPTIONAL = "enforced", "optional"
LOCAL, S3 = "local", "s3"
S3_NEEDED = ("DUBAN_S3_BUCKET", "DUBAN_S3_ENDPOINT", "DUBAN_S3_ACCESS_KEY", "DUBAN_S3_SECRET_KEY")

_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-fA-F:]+\](:\d{1,5})?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of an S3-compatible store, and who we are to it."""

    name: str
    endpoint: str
    region: str
    virtual_hosted: bool
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def address(self) -> str:
        """Where its objects are asked for: some stores know a bucket only by its host name."""
        scheme, _, host = self.endpoint.partition("://")
        return f"{scheme}://{self.name}.{host}" if self.virtual_hosted else self.endpoint


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the keys of one use are given: a setting, else a file in DUBAN_VAR. One key a line, the newest first."""

    setting: str
    file: str
    reason: str  # why a server needs them


PROTECTED = KeyPlace("DUBAN_PROTECTED_KEYS", "protected-keys", "personal data is stored encrypted")
SIGNING = KeyPlace("DUBAN_SIGNING_KEYS", "signing-keys", "receipts and time tokens are signed")
PUSH = KeyPlace("DUBAN_PUSH_KEY", "push-key", "push services know us by it")


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
    quota_person: int = 4096  # MB of evidence a person may bring in on one day; see uploads/quota.py
    quota_unit: int = 32768
    sample_percent: int = 20  # of the items that pass the first review are checked on site (domain.md b.3, T12)
    principal_confirms: bool = False  # the first review waits for the unit's principal, where it has one (T9)
    fonts: Path | None = None  # the office's own, before those that come with us
    protected_keys: tuple[bytes, ...] = field(default=(), repr=False)  # newest first; see protected.py
    signing_keys: tuple[bytes, ...] = field(default=(), repr=False)  # newest first; see signing.py
    store: str = LOCAL  # where evidence is kept
    bucket: Bucket | None = None  # may be given without being the store: `evidence copy` needs both sides
    os_user: str = ""  # who runs the embedded services when we are root; empty: the first of a few that exists
    outgoing: Outgoing = field(default_factory=Outgoing)


def load(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment.

    Without DUBAN_DATABASE_URL and DUBAN_REDIS_URL the private PostgreSQL and queue under DUBAN_VAR are meant
    (the embedded shape); both or neither must be given. Keys that are not given are those of the key files; only the
    embedded shape may begin without any. Raises BadSettings with a sentence.
    """
    var = Path(env.get("DUBAN_VAR") or ROOT / "var").resolve()
    database_url, redis_url = _addresses(env)
    embedded = not database_url
    totp = env.get("DUBAN_TOTP") or (OPTIONAL if embedded else ENFORCED)
    if totp not in (ENFORCED, OPTIONAL):
        raise BadSettings(f"DUBAN_TOTP is {totp!r}: say 'enforced' or 'optional'.")
    protected, signing = _rings(env, var, embedded)
    store, bucket = _store(env)
    run = (var / "run").resolve()  # a link when the path under var/ is too long for a socket
    return Settings(
        host=env.get("DUBAN_HOST") or "127.0.0.1",
        port=number(env, "DUBAN_PORT", 8000, 1, 65535),
        var=var,
        embedded=embedded,
        database={"host": str(run), "user": "duban", "database": "duban"} if embedded else _database(database_url),
        redis_url=f"unix://{run}/queue.sock" if embedded else redis_url,
        evidence=Path(env.get("DUBAN_EVIDENCE") or var / "evidence").resolve(),
        totp=totp,
        web_workers=number(env, "DUBAN_WEB_WORKERS", 2, 1, 64),
        secure_cookies=env.get("DUBAN_SECURE_COOKIES", "1") != "0",
        trusted_proxies=_networks(env.get("DUBAN_TRUSTED_PROXIES", "")),
        quota_person=number(env, "DUBAN_QUOTA_PERSON", 4096, 1, 10**7),
        quota_unit=number(env, "DUBAN_QUOTA_UNIT", 32768, 1, 10**7),
        sample_percent=number(env, "DUBAN_SAMPLE_PERCENT", 20, 0, 100),
        principal_confirms=env.get("DUBAN_PRINCIPAL_CONFIRMS", "0") == "1",
        fonts=_folder(env, "DUBAN_FONTS"),
        protected_keys=protected,
        signing_keys=signing,
        store=store,
        bucket=bucket,
        os_user=env.get("DUBAN_OS_USER", ""),
        outgoing=outgoing.read(env, _keys(env, var, PUSH)),
    )


def _addresses(env: Mapping[str, str]) -> tuple[str, str]:
    """Database and queue: both, or neither for the embedded services."""
    database_url, redis_url = env.get("DUBAN_DATABASE_URL", ""), env.get("DUBAN_REDIS_URL", "")
    if bool(database_url) != bool(redis_url):
        given, missing = ("DUBAN_DATABASE_URL", "DUBAN_REDIS_URL")[:: 1 if database_url else -1]
        raise BadSettings(f"{given} is set but {missing} is not: give both, or neither for the embedded services.")
    if redis_url and not redis_url.startswith(("redis://", "rediss://", "unix://")):
        raise BadSettings("DUBAN_REDIS_URL must look like redis://host:6379/0, rediss://… or unix:///path.")
    return database_url, redis_url


def _folder(env: Mapping[str, str], name: str) -> Path | None:
    if not env.get(name):
        return None
    folder = Path(env[name]).resolve()
    if not folder.is_dir():
        raise BadSettings(f"{name} is {str(folder)!r}: there is no such folder.")
    return folder


def _store(env: Mapping[str, str]) -> tuple[str, Bucket | None]:
    store, bucket = env.get("DUBAN_STORE") or LOCAL, _bucket(env)
    if store not in (LOCAL, S3):
        raise BadSettings(f"DUBAN_STORE is {store!r}: say 'local' or 's3'.")
    if store == S3 and bucket is None:
        raise BadSettings(f"DUBAN_STORE is s3: {', '.join(S3_NEEDED)} are needed.")
    return store, bucket


def _bucket(env: Mapping[str, str]) -> Bucket | None:
    """All of it or nothing. Never shows a key."""
    given = {name: env.get(name, "") for name in S3_NEEDED}
    more = {name: env.get(name, "") for name in ("DUBAN_S3_REGION", "DUBAN_S3_STYLE")}
    if not any((given | more).values()):
        return None
    if missing := [name for name, value in given.items() if not value]:
        raise BadSettings(f"{', '.join(missing)} missing: an S3 store needs {', '.join(S3_NEEDED)}.")
    endpoint, style = given["DUBAN_S3_ENDPOINT"].rstrip("/"), more["DUBAN_S3_STYLE"] or "path"
    if not _ENDPOINT.fullmatch(endpoint):
        raise BadSettings("DUBAN_S3_ENDPOINT must look like https://host or http://host:9000, without a path.")
    if not _BUCKET.fullmatch(given["DUBAN_S3_BUCKET"]):
        raise BadSettings("DUBAN_S3_BUCKET: 3 to 63 lowercase letters, digits, dots and dashes.")
    if style not in ("path", "host"):
        raise BadSettings(f"DUBAN_S3_STYLE is {style!r}: say 'path' or 'host'.")
    return Bucket(
        name=given["DUBAN_S3_BUCKET"],
        endpoint=endpoint,
        region=more["DUBAN_S3_REGION"] or "us-east-1",
        virtual_hosted=style == "host",
        access_key=given["DUBAN_S3_ACCESS_KEY"],
        secret_key=given["DUBAN_S3_SECRET_KEY"],
    )


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


def _rings(env: Mapping[str, str], var: Path, embedded: bool) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The keys of protected fields and those that sign."""
    protected, signing = _keys(env, var, PROTECTED), _keys(env, var, SIGNING)
    for keys, place in ((protected, PROTECTED), (signing, SIGNING)):
        if not keys and not embedded:
            raise BadSettings(f"{place.setting} is missing: {place.reason}. See docs/operations.md.")
    if {*protected} & {*signing}:
        raise BadSettings(f"{SIGNING.setting} holds a key of {PROTECTED.setting}: each use has keys of its own.")
    return protected, signing


def _keys(env: Mapping[str, str], var: Path, place: KeyPlace) -> tuple[bytes, ...]:
    """What the environment gives, with commas between, else the lines of the key file. Never shows a key."""
    given, named = env.get(place.setting, ""), place.setting
    words = given.split(",")
    if not given:
        named = str(var / place.file)
        words = _lines(var / place.file)
    keys = tuple(_key(word.strip(), named) for word in words if word.strip())
    if len(set(keys)) < len(keys):
        raise BadSettings(f"{named} holds the same key twice.")
    return keys


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_mode & 0o077:
            raise BadSettings(f"{path} can be read by others: chmod 600 it.")
        return [line for line in path.read_text().splitlines() if not line.startswith("#")]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadSettings(f"{path} cannot be read: run this as its owner.") from wrong


def _key(word: str, named: str) -> bytes:
    try:
        key = base64.b64decode(word, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise BadSettings(f"{named}: a key is 32 random bytes in base64, as ./duban keys new makes them.")
    return key
