"""Door: `verify-receipt` says what a receipt proves. Needs no database, no settings, no secret and no network."""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from backend import clock, receipts, signing
from backend.receipts import KINDS, Receipt
from backend.settings import BadSettings
from backend.signing import PublicKey, Unsigned
from backend.supervisor import Trouble, say

CHUNK = 2**20


def run(arguments: list[str]) -> int:
    """0 when the receipt is genuine, and the file, if one is given, is the one it speaks of; 1 otherwise.

    Raises Trouble for what cannot be read.
    """
    parser = argparse.ArgumentParser(prog="duban verify-receipt")
    parser.add_argument("receipt", help="回执文本所在的文件；- 表示从标准输入读")
    parser.add_argument("--file", type=Path, help="核对这个文件是不是回执所说的那一个")
    parser.add_argument("--keys", type=Path, help="公钥清单：GET /api/receipt-keys 的内容；不给则用本机的签名密钥")
    wanted = parser.parse_args(arguments)
    try:
        found = receipts.read(_text(wanted.receipt), _keys(wanted.keys))
    except Unsigned as wrong:
        say(f"不能证明：{REFUSALS.get(str(wrong), '这不是回执。')}")
        return 1
    for line in told(found):
        say(line)
    return _compare(found, wanted.file) if wanted.file else 0


def told(receipt: Receipt) -> list[str]:
    """What it proves, and what not, in sentences."""
    at = f"北京时间 {clock.local(receipt.stored_at):%Y-%m-%d %H:%M:%S}"
    begin = f"回执真实。服务器在{at} 已存妥{KINDS[receipt.kind]}，编号 {receipt.id}。"
    if receipt.kind == "file":
        return [begin, f"文件大小 {receipt.size} 字节，SHA-256 {receipt.sha256}。"]
    lines = [begin, f"所收请求内容的 SHA-256 {receipt.sha256}。"]
    if receipt.files:
        lines += [f"其中登记了 {len(receipt.files)} 个文件（登记不等于已收到，收到另有回执）："]
        lines += [f"  {id}  SHA-256 {sha256}" for id, sha256 in receipt.files]
    return lines


REFUSALS = {
    "no signature by a known key": "签名不是所给公钥中任何一把作出的。",
    "the text is not the one that was signed": "内容与签名不符，已被改动。",
    "signed, but no receipt": "签名真实，但这不是回执（可能是时间凭证）。",
}


def _compare(receipt: Receipt, path: Path) -> int:
    """Whether the file is the one that was stored; of a record: what was sent, or one of its manifest."""
    digest, size = _hash(path)
    what = "已存妥的那一个文件"
    if receipt.kind == "file":
        same = (digest, size) == (receipt.sha256, receipt.size)
    elif digest == receipt.sha256:
        same, what = True, "所收的请求内容"
    else:
        same, what = digest in {sha256 for _, sha256 in receipt.files}, "其中登记的文件"
    say(f"{path} {'就是' if same else '不是'}{what}：{size} 字节，SHA-256 {digest}。")
    return 0 if same else 1


def _hash(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as wrong:
        raise Trouble(f"读不了 {path}：{wrong.strerror}。") from wrong
    return digest.hexdigest(), size


def _text(place: str) -> str:
    """Of a file or of the standard input; line breaks added at the end by other programs do not count."""
    try:
        given = sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
        return given.decode().rstrip("\n") + "\n"
    except OSError as wrong:
        raise Trouble(f"读不了 {place}：{wrong.strerror}。") from wrong
    except UnicodeDecodeError as wrong:
        raise Trouble(f"{place} 不是文本。") from wrong


def _keys(place: Path | None) -> list[PublicKey]:
    try:
        if place:
            return [PublicKey.read(item["key"]) for item in json.loads(place.read_text())["items"]]
        if keys := signing.public_keys():
            return keys
    except OSError as wrong:
        raise Trouble(f"读不了 {place}：{wrong.strerror}。") from wrong
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise Trouble(f"{place} 不是公钥清单：请用 GET /api/receipt-keys 的内容。") from wrong
    except BadSettings:
        pass  # a machine that checks receipts need not run Duban
    raise Trouble("本机没有签名密钥：请用 --keys 给出公钥清单（GET /api/receipt-keys 的内容）。")
