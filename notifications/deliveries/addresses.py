"""Addresses as people type them: what is one, how it is kept, and how much of it is shown. Nobody is asked."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from backend import masks
from backend.errors import BadRequest
from notifications.deliveries.rules import ROBOTS, ChannelKind

K = ChannelKind
# Where the robots of each provider are asked, as their own pages show it; the group is the key that is kept.
ROBOT_PATHS = {
    K.wecom: ("/cgi-bin/webhook/send", "key", r"[A-Za-z0-9_-]{8,64}"),
    K.dingtalk: ("/robot/send", "access_token", r"[A-Za-z0-9]{8,128}"),
    K.feishu: ("/open-apis/bot/v2/hook/", "", r"[A-Za-z0-9_-]{8,64}"),
}
_MAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def kept(kind: ChannelKind, text: str, robot_origins: Mapping[str, str]) -> str:
    """As it is stored: the same address always the same text. Raises BadRequest with one sentence."""
    match kind:
        case K.mail:
            return _mail(text.strip())
        case K.sms:
            return _mobile(text)
        case _ if kind in ROBOTS:
            return _robot(kind, text.strip(), robot_origins[kind])
        case _:
            raise BadRequest("没有这种接收渠道，或不能在这里登记。", "unknown_channel", field="kind")


def shown(kind: ChannelKind, text: str) -> str:
    """Enough to know which one it is."""
    match kind:
        case K.mail:
            name, _, domain = text.partition("@")
            return f"{name[:1]}***@{domain}"
        case K.sms:
            return masks.phone(text)
        case K.web_push:
            return urlsplit(text).hostname or ""
        case _:
            return f"…{text[-4:]}"


def sign_secret(kind: ChannelKind, secret: str | None) -> str | None:
    """DingTalk's signing secret (加签). Raises BadRequest."""
    if secret is None:
        return None
    if kind is not K.dingtalk:
        raise BadRequest("只有钉钉机器人可以填写加签密钥。", "bad_secret", field="secret")
    if not re.fullmatch(r"SEC[A-Za-z0-9]{8,125}", secret.strip()):
        raise BadRequest("加签密钥不对：请复制机器人设置里以 SEC 开头的一串。", "bad_secret", field="secret")
    return secret.strip()


def _mail(text: str) -> str:
    if len(text) > 254 or not _MAIL.fullmatch(text):
        raise BadRequest("邮箱地址不对，请核对，例如 zhao@example.gov.cn。", "bad_address", field="address")
    name, _, domain = text.rpartition("@")
    return f"{name}@{domain.lower()}"


def _mobile(text: str) -> str:
    digits = re.sub(r"[\s-]", "", text).removeprefix("+86")
    if not _MOBILE.fullmatch(digits):
        raise BadRequest("手机号不对，请填写 11 位手机号。", "bad_address", field="address")
    return digits


def _robot(kind: ChannelKind, text: str, origin: str) -> str:
    """The key out of the address that the provider shows; on any other machine there is no such robot (SSRF)."""
    path, parameter, form = ROBOT_PATHS[kind]
    try:
        parts = urlsplit(text)
        given = f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        parts, given = urlsplit(""), ""
    key = parse_qs(parts.query).get(parameter, [""])[-1] if parameter else parts.path.removeprefix(path).rstrip("/")
    here = parts.path.rstrip("/") == path if parameter else parts.path.startswith(path)
    if given != origin.lower() or not here or not re.fullmatch(form, key):
        raise BadRequest(
            f"机器人地址不对：请从群机器人设置里复制，以 {origin}{path} 开头。", "bad_address", field="address"
        )
    return key
