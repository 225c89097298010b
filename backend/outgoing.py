"""Settings of what leaves this machine: which channels send, through whom, under what name (DUBAN_SEND and after)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.environment import BadSettings, number

# Ways out of this machine (notifications/deliveries); none is used before DUBAN_SEND names it.
OUTGOING = ("web_push", "mail", "wecom", "dingtalk", "feishu", "sms")
SPOKEN = {
    "web_push": "浏览器推送",
    "mail": "邮件",
    "wecom": "企业微信群机器人",
    "dingtalk": "钉钉群机器人",
    "feishu": "飞书群机器人",
    "sms": "短信",
}
ROBOT_ORIGINS = {
    "wecom": "https://qyapi.weixin.qq.com",
    "dingtalk": "https://oapi.dingtalk.com",
    "feishu": "https://open.feishu.cn",
}
# The push services of Chrome and Edge, Firefox, Safari and Windows; `*.` stands for one or more labels.
PUSH_ORIGINS = (
    "https://fcm.googleapis.com",
    "https://updates.push.services.mozilla.com",
    "https://*.push.apple.com",
    "https://*.notify.windows.com",
)
TLS_KINDS = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that takes our mail, and as whom we send."""

    host: str
    port: int
    tls: str
    sender: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What may leave this machine, and how. A channel that `sends` does not name is recorded only."""

    sends: frozenset[str] = frozenset()
    public_url: str = ""  # how people reach us; links in messages begin with it
    mail: MailServer | None = None
    push_contact: str = ""  # whom a push service writes to about us (RFC 8292, 2.1)
    push_key: bytes = field(default=b"", repr=False)
    push_origins: tuple[str, ...] = PUSH_ORIGINS
    robot_origins: Mapping[str, str] = field(default_factory=lambda: ROBOT_ORIGINS)
    sms_url: str = field(default="", repr=False)
    sms_token: str = field(default="", repr=False)


def told(out: Outgoing) -> str:
    """One sentence about what leaves this machine."""
    if not out.sends:
        return "短信、邮件、推送都不外发，只记录在本机（./duban messages 查看）。"
    return f"外发渠道：{'、'.join(SPOKEN[kind] for kind in OUTGOING if kind in out.sends)}；其余不发。"


def read(env: Mapping[str, str], keys: Sequence[bytes]) -> Outgoing:
    """What the environment says. Raises BadSettings for a channel that is to send and lacks what it needs."""
    sends = frozenset(word.strip() for word in env.get("DUBAN_SEND", "").split(",") if word.strip())
    if unknown := sorted(sends - {*OUTGOING}):
        raise BadSettings(f"DUBAN_SEND: {', '.join(unknown)} is no channel; there are {', '.join(OUTGOING)}.")
    origins = tuple(_origin(env, "DUBAN_PUSH_ORIGINS", word.strip()) for word in _words(env, "DUBAN_PUSH_ORIGINS"))
    own = {
        kind: _origin(env, f"DUBAN_{kind.upper()}_ORIGIN", origin, single=True)
        for kind, origin in ROBOT_ORIGINS.items()
    }
    out = Outgoing(
        sends=sends,
        public_url=_origin(env, "DUBAN_PUBLIC_URL", "", single=True),
        mail=_mail_server(env),
        push_contact=env.get("DUBAN_PUSH_CONTACT", ""),
        push_key=keys[0] if keys else b"",
        push_origins=(*PUSH_ORIGINS, *origins),
        robot_origins=own,
        sms_url=env.get("DUBAN_SMS_URL", ""),
        sms_token=env.get("DUBAN_SMS_TOKEN", ""),
    )
    _check_sends(out)
    return out


def _check_sends(out: Outgoing) -> None:
    if out.sms_url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", out.sms_url):
        raise BadSettings("DUBAN_SMS_URL must look like https://host/path, without a query.")
    if "mail" in out.sends and out.mail is None:
        raise BadSettings("DUBAN_SEND names mail: DUBAN_SMTP_HOST and DUBAN_SMTP_FROM are needed.")
    if "sms" in out.sends and not out.sms_url:
        raise BadSettings("DUBAN_SEND names sms: DUBAN_SMS_URL is needed.")
    if "web_push" in out.sends and not (out.push_key and re.fullmatch(r"[^\s@]+@[^\s@]+", out.push_contact)):
        raise BadSettings(
            "DUBAN_SEND names web_push: DUBAN_PUSH_CONTACT (a mail address) and a key are needed "
            "(DUBAN_PUSH_KEY, or ./duban keys new --push)."
        )


def _words(env: Mapping[str, str], name: str) -> list[str]:
    return [word for word in env.get(name, "").split(",") if word.strip()]


def _origin(env: Mapping[str, str], name: str, given: str, *, single: bool = False) -> str:
    """Scheme, host and port; plain http only where the operator writes it, for a closed network."""
    text = (env.get(name) or given if single else given).rstrip("/")
    if text and not re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?", text):
        raise BadSettings(f"{name} must look like https://host or http://host:8080, without a path.")
    return text


def _mail_server(env: Mapping[str, str]) -> MailServer | None:
    host, sender = env.get("DUBAN_SMTP_HOST", ""), env.get("DUBAN_SMTP_FROM", "")
    if not host and not sender:
        return None
    if not host or not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", sender):
        raise BadSettings("DUBAN_SMTP_HOST and DUBAN_SMTP_FROM (an address like duban@example.gov.cn) belong together.")
    tls = env.get("DUBAN_SMTP_TLS") or "starttls"
    if tls not in TLS_KINDS:
        raise BadSettings(f"DUBAN_SMTP_TLS is {tls!r}: say {', '.join(TLS_KINDS)}.")
    user, password = env.get("DUBAN_SMTP_USER", ""), env.get("DUBAN_SMTP_PASSWORD", "")
    if bool(user) != bool(password):
        raise BadSettings("DUBAN_SMTP_USER and DUBAN_SMTP_PASSWORD belong together.")
    if user and tls == "none":
        raise BadSettings("DUBAN_SMTP_TLS is none: a password would travel in clear. Use starttls or tls.")
    port = number(env, "DUBAN_SMTP_PORT", 465 if tls == "tls" else 587 if user else 25, 1, 65535)
    return MailServer(host, port, tls, sender, user, password, env.get("DUBAN_SMTP_CA", ""))
