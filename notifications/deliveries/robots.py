"""Robots of group chats (WeCom, DingTalk, Feishu) and the SMS gateway, by apprise's plugins, one by one.

apprise makes the request: address, form, signature. It tells only whether the HTTP status was good, and WeCom and
DingTalk say 200 to everything; so its plugins send through `_Requests` below, which listens to the answer. They are
made directly: no configuration is looked for, nothing is stored, no retry, no log.
"""

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import requests
from apprise import AppriseAsset, NotifyFormat
from apprise.plugins import custom_json, dingtalk, feishu, wecombot
from apprise.plugins.base import NotifyBase

from backend import outgoing, settings
from notifications.deliveries import posting
from notifications.deliveries.rules import ChannelKind, Outcome
from notifications.deliveries.sending import Address, Answer, Message, hidden, told

K, O = ChannelKind, Outcome  # noqa: E741
# What the providers' own codes mean, from their pages for developers; any other may work later.
CODES: dict[ChannelKind, dict[int, Outcome]] = {
    K.wecom: {93000: O.unknown_address, 45009: O.limited, 45033: O.limited},
    K.dingtalk: {300005: O.unknown_address, 310000: O.refused, 130101: O.limited, 90030: O.limited},
    K.feishu: {19001: O.unknown_address, 9499: O.refused, 19021: O.refused, 19022: O.refused, 19024: O.refused,
               11232: O.limited},
}  # fmt: skip

SIGN = "【督办】"  # the key word by which a robot may be secured

_ASSET = AppriseAsset(
    plugin_paths=[], secure_logging=True, http_redirects=False, app_id="Duban", app_desc="督办", app_url=""
)
_pools = {kind: ThreadPoolExecutor(8, thread_name_prefix=kind.value) for kind in (*CODES, K.sms)}
_here = threading.local()

_log = logging.getLogger("apprise")  # its lines hold addresses and texts
_log.propagate = False
_log.handlers[:] = [logging.NullHandler()]
_log.setLevel(logging.CRITICAL)


async def send(message: Message, address: Address) -> Answer:
    """One text into one group chat. None of the three knows a key for repetitions: what was cut off may come twice."""
    return await posting.in_thread(_pools[address.kind], lambda: _say(lambda: _robot(address), message, address))


async def send_sms(message: Message, address: Address) -> Answer:
    """One text to the gateway of the place, as JSON: `to`, `message`, `id`; the id also as Idempotency-Key."""
    return await posting.in_thread(_pools[K.sms], lambda: _say(lambda: _gateway(message, address), message, address))


class _Requests:
    """What apprise's plugins take for the requests library: one way out, which listens."""

    codes = requests.codes
    RequestException = requests.RequestException

    def post(self, url: str, **said: Any) -> requests.Response:
        return self.request("POST", url, **said)

    def request(self, method: str, url: str, **said: Any) -> requests.Response:
        whole = requests.Request(method, url, params=said.get("params")).prepare().url or ""
        theirs, ours = _here.origins
        url = ours + whole.removeprefix(theirs)
        try:
            heard = posting.post(url, origins=[ours], method=method, data=said["data"], headers=said["headers"])
        except (posting.NotAllowed, TimeoutError, requests.RequestException) as trouble:
            _here.answer = posting.fallen(trouble)
            raise requests.RequestException from None  # which the plugin knows
        _here.heard = heard
        answer = requests.Response()
        answer.status_code, answer._content = heard.status, heard.body
        return answer


for plugin in (custom_json, dingtalk, feishu, wecombot):
    plugin.requests = _Requests()  # pyright: ignore[reportPrivateImportUsage]


def _robot(address: Address) -> NotifyBase:
    kind = address.kind
    _here.origins = (outgoing.ROBOT_ORIGINS[kind], settings.load().outgoing.robot_origins[kind])
    match kind:
        case K.wecom:
            return wecombot.NotifyWeComBot(key=address.text, asset=_ASSET)
        case K.dingtalk:
            return dingtalk.NotifyDingTalk(token=address.text, secret=address.secret or None, asset=_ASSET)
        case _:
            return feishu.NotifyFeishu(token=address.text, asset=_ASSET)


def _gateway(message: Message, address: Address) -> NotifyBase:
    out = settings.load().outgoing
    parts = urlsplit(out.sms_url)
    origin = posting.origin_of(out.sms_url)
    _here.origins = (origin, origin)
    key = {"Authorization": f"Bearer {out.sms_token}"} if out.sms_token else {}
    nothing = dict.fromkeys(("version", "title", "attachments", "type"), "")
    return custom_json.NotifyJSON(
        host=parts.hostname, port=parts.port, secure=parts.scheme == "https", fullpath=parts.path or "/", asset=_ASSET,
        headers={"Idempotency-Key": str(message.id), **key},
        payload={**nothing, "to": address.text, "id": str(message.id)},
    )  # fmt: skip


def _say(make: Callable[[], NotifyBase], message: Message, address: Address) -> Answer:
    """Runs in a thread."""
    hide = hidden(message, address, settings.load().outgoing.sms_token)
    _here.heard, _here.answer = None, Answer(Outcome.refused, "not asked")
    sign = "" if address.kind is K.sms else SIGN
    make().notify(body=f"{sign}{message.text}", body_format=NotifyFormat.TEXT)
    heard: posting.Heard | None = _here.heard
    if heard is None:
        return _here.answer
    if not 200 <= heard.status < 300 or address.kind is K.sms:
        return posting.by_status(heard, hide=hide)
    return _of_code(heard, address.kind, hide)


def _of_code(heard: posting.Heard, kind: ChannelKind, hide: tuple[str, ...]) -> Answer:
    """Their answers are 200 and say in the body what came of it; a body that says nothing is a proxy's, not theirs."""
    try:
        body = json.loads(heard.body)
        code = int(body.get("errcode", body.get("code", body.get("StatusCode"))))
    except (ValueError, TypeError, AttributeError):
        return Answer(Outcome.failed, "not an answer of this provider", ill=True)
    if code == 0:
        return Answer(Outcome.sent)
    said = f"{code} {told(body.get('errmsg', body.get('msg', '')), hide=hide)}"
    return Answer(CODES[kind].get(code, Outcome.failed), said)
