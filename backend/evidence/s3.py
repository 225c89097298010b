"""Evidence in an S3-compatible store, through obstore. The names and promises are those of storage.py."""

import asyncio
import logging
import mmap
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from backend.errors import NoRoom
from backend.evidence.storage import (
    ASIDE,
    FULL_SENTENCE,
    PIECE,
    Damaged,
    Missing,
    Outgoing,
    StoreAway,
    Stored,
    drafted,
    key_of,
    room,
)
from backend.settings import Bucket

if TYPE_CHECKING:
    from obstore.store import S3Credential  # there for the type checker only

PATIENCE = 15.0  # seconds for an answer, and so many more as the bytes take at SLOWEST
SLOWEST = 2**20  # bytes a second
LOOK = 2.0  # seconds for saying whether the store is there at all
PROBE = "duban-store"  # an object of no content that doctor makes, to see whether the store keeps what it has
FULL = frozenset({"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"})

log = logging.getLogger("duban.evidence")


class S3:
    """Evidence in one bucket. Local files on their way lie in `desk`, where the intake's sweep finds what a crash left.

    Every object is one PUT of the mapped file: obstore makes no create-only multipart upload, S3 takes 5 GB in one, and
    a mapped file costs no memory (docs/decisions/0021).
    """

    def __init__(self, bucket: Bucket, desk: Path, *, patience: float = PATIENCE) -> None:
        self._desk = desk
        self._patience = patience
        self._bucket = bucket
        self._store = S3Store(
            bucket.name,
            # Everything that decides is said here: what is not said, obstore takes from AWS_… of the environment.
            aws_endpoint_url_s3=bucket.address,
            region=bucket.region,
            credential_provider=lambda: _credential(bucket),
            skip_signature=False,
            unsigned_payload=False,
            conditional_put="etag",
            s3_express=False,
            virtual_hosted_style_request=bucket.virtual_hosted,
            disable_bulk_delete=True,  # not every S3-compatible store has it
            client_options={
                "allow_http": bucket.address.startswith("http://"),
                "connect_timeout": timedelta(seconds=min(5.0, patience)),
                "timeout": timedelta(hours=1),  # a slow phone may take a film this slowly; ours are counted below
                "user_agent": "duban",
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=patience),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=1),
                    "base": 2,
                },
            },
        )

    async def keep(self, name: str, file: Path) -> None:
        """The store checks the bytes against the hash in the signature of the request."""
        content = _mapped(file)
        while not await self._created(_checked(name), content):
            with suppress(Missing):  # the sweep set it aside in this moment, so ours takes its place
                if found := await self.find(name):
                    if found.size != len(content) or not await self._holds(name, content):
                        raise Damaged(name)
                    return

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[Path]:
        draft = drafted(self._desk)
        try:
            yield draft
            if draft.exists():
                await self._put(_checked(name), _mapped(draft), "overwrite")
        finally:
            draft.unlink(missing_ok=True)

    @asynccontextmanager
    async def local(self, name: str) -> AsyncIterator[Path]:
        draft = drafted(self._desk)
        try:
            outgoing = await self.read(name)
            with room(), draft.open("xb") as file:
                async for piece in outgoing.pieces:
                    file.write(piece)
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    async def read(self, name: str, span: tuple[int, int] | None = None) -> Outgoing:
        async with self._answering(name):
            asked: dict[str, Any] = {"options": {"range": span}} if span else {}
            result = await obstore.get_async(self._store, _checked(name), **asked)
        return Outgoing(result.meta["size"], self._pieces(name, result))

    async def find(self, name: str) -> Stored | None:
        try:
            async with self._answering(name):
                found = await obstore.head_async(self._store, _checked(name))
        except Missing:
            return None
        return Stored(name, found["size"], found["last_modified"])

    async def listed(self, folder: str) -> AsyncIterator[Stored]:
        pages = aiter(obstore.list(self._store, folder, chunk_size=1000))
        while True:
            async with self._answering(folder):
                page = await anext(pages, None)
            if page is None:
                return
            for found in page:
                yield Stored(found["path"], found["size"], found["last_modified"])

    async def set_aside(self, name: str) -> None:
        with suppress(Missing):
            async with self._answering(name):
                await obstore.copy_async(self._store, _checked(name), f"{ASIDE}/{name}")
                await obstore.delete_async(self._store, name)

    async def put_back(self, name: str) -> None:
        if await self.find(name) is None:
            with suppress(Missing):
                async with self._answering(name):
                    await obstore.copy_async(self._store, f"{ASIDE}/{name}", _checked(name))
        await self.forget(name)

    async def forget(self, name: str) -> None:
        async with self._answering(name):
            await obstore.delete_async(self._store, f"{ASIDE}/{_checked(name)}")

    async def trouble(self) -> str | None:
        try:
            async with self._answering("", LOOK, aloud=False):  # asked every few seconds by a load balancer
                await obstore.list(self._store, PROBE, chunk_size=1).collect_async()
        except StoreAway as away:
            return away.reason
        return None

    async def keeps_what_it_has(self) -> bool:
        """Whether the store refuses to write over an object when asked to: some that call themselves S3 do not.

        Makes the object PROBE when it is not there. Raises StoreAway.
        """
        refused = False
        for _ in range(2):
            try:
                async with self._answering(PROBE):
                    await obstore.put_async(self._store, PROBE, b"", mode="create")
            except AlreadyExistsError:
                refused = True
        return refused

    async def _created(self, name: str, content: mmap.mmap) -> bool:
        try:
            await self._put(name, content, "create")
        except AlreadyExistsError:
            return False
        return True

    async def _holds(self, name: str, content: mmap.mmap) -> bool:
        """What lies there may be nobody's and never have been verified: no receipt is given on its name alone."""
        at = 0
        async for piece in (await self.read(name)).pieces:
            if content[at : at + len(piece)] != piece:
                return False
            at += len(piece)
        return at == len(content)

    async def _put(self, name: str, content: mmap.mmap, mode: Literal["create", "overwrite"]) -> None:
        async with self._answering(name, self._patience + len(content) / SLOWEST):
            await obstore.put_async(self._store, name, cast(Any, content), mode=mode, use_multipart=False)

    async def _pieces(self, name: str, result: Any) -> AsyncIterator[bytes]:
        pieces = aiter(result.stream(min_chunk_size=PIECE))
        while True:
            async with self._answering(name):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield bytes(piece)

    @asynccontextmanager
    async def _answering(self, name: str, seconds: float = 0.0, *, aloud: bool = True) -> AsyncIterator[None]:
        """Turns every way not to answer into StoreAway, NoRoom or Missing. Only codes are told, never what was sent."""
        try:
            async with asyncio.timeout(seconds or self._patience):
                yield
        except AlreadyExistsError:
            raise
        except (BaseError, OSError, TimeoutError) as error:
            problem = _told(name, error)
            if aloud and isinstance(problem, StoreAway):
                log.warning("store %s at %s: %s", self._bucket.name, self._bucket.endpoint, problem.reason)
            raise problem from None


def _mapped(file: Path) -> mmap.mmap:
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


def _credential(bucket: Bucket) -> "S3Credential":
    return {
        "access_key_id": bucket.access_key,
        "secret_access_key": bucket.secret_key,
        "token": None,
        "expires_at": None,
    }


def _checked(name: str) -> str:
    if key_of(name) is None:
        raise ValueError("not a name of this store")
    return name


def _told(name: str, error: Exception) -> Exception:
    """What the store's refusal means to us."""
    code, said = _code(str(error)), str(error)
    if isinstance(error, TimeoutError):
        return StoreAway("没有在规定时间内应答")
    if isinstance(error, FileNotFoundError) and code != "NoSuchBucket":
        if code == "NoSuchKey" or "performing PUT" not in said:
            return Missing(name)
    if code in FULL or "status code: 507" in said:
        return NoRoom(FULL_SENTENCE)
    return StoreAway(_reason(error, code))


def _code(said: str) -> str:
    found = re.search(r"<Code>(\w+)</Code>", said)
    return found[1] if found else ""


def _reason(error: Exception, code: str) -> str:
    status = re.search(r"status code: (\d+)", str(error))
    told = "，".join(filter(None, (status[1] if status else "", code)))
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return f"拒绝访问（{told}）：请核对密钥和桶的权限"
    if code == "NoSuchBucket" or isinstance(error, FileNotFoundError):
        return "没有这个桶（NoSuchBucket）"
    if code == "NotImplemented":
        return "不支持只新建的写入（If-None-Match），不能用来存原件"
    return f"出错（{told}）" if told else "连不上，或应答不是 S3 的"
