"""Which store this process uses, and where uploads come in: made once, from the settings."""

from functools import cache

from backend import settings
from backend.evidence.incoming import Intake
from backend.evidence.s3 import S3
from backend.evidence.storage import LocalDisk, Store


@cache
def store() -> Store:
    """Where this process keeps evidence."""
    return s3() if settings.load().store == settings.S3 else disk()


@cache
def disk() -> LocalDisk:
    """The local disk, whether it is the store or not."""
    return LocalDisk(settings.load().evidence)


@cache
def s3() -> S3:
    """The bucket, whether it is the store or not. Raises BadSettings where none is named."""
    now = settings.load()
    if now.bucket is None:
        raise settings.BadSettings("DUBAN_S3_BUCKET is missing: no S3 store is named.")
    return S3(now.bucket, now.evidence / "incoming")


@cache
def intake() -> Intake:
    """Where uploads come in."""
    return Intake(settings.load().evidence, store())


def forget() -> None:
    """After settings changed: tests only."""
    for made in (store, disk, s3, intake):
        made.cache_clear()
