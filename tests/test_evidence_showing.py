"""Which part of a file a Range asks for, and how a file is called: backend/evidence/showing.py."""

from uuid import UUID

import pytest

from backend.errors import NotSatisfiable
from backend.evidence import showing
from backend.evidence.rules import MediaType
from backend.evidence.showing import Disposition


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=40-49", (40, 50)),
        ("bytes=99-", (99, 100)),
        ("bytes=50-1000", (50, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-100", (0, 100)),
        ("bytes=-5000", (0, 100)),
        ("Bytes= 1-2 ", (1, 3)),
        (None, None),
        ("", None),
        ("bytes", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("bytes=0-1, -5", None),
        ("bytes=a-b", None),
        ("bytes=٠-٩", None),
        ("bytes=1-2\n", None),
        ("items=0-1", None),
        ("bytes=1e1-", None),
        ("bytes=+1-2", None),
        (f"bytes={10**20}-", None),
    ],
)
def test_one_range_of_bytes_is_understood_and_the_rest_ignored(asked, part):
    assert showing.span(asked, 100) == part


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0", f"bytes={10**17}-"])
def test_a_range_behind_the_end_cannot_be_had(asked):
    with pytest.raises(NotSatisfiable) as refused:
        showing.span(asked, 100)
    assert refused.value.status == 416 and refused.value.details == {"size": 100}


def test_every_kind_has_an_extension_and_a_way_to_be_shown():
    names = {showing.file_name(UUID(int=7), kind).split(".")[1] for kind in MediaType}
    assert names == set("jpeg png webp m4a aac mp3 ogg weba wav mp4 mov webm pdf".split())
    shown = {kind: showing.played(kind) for kind in MediaType}
    assert {kind for kind, how in shown.items() if how is None} == {MediaType.jpeg, MediaType.png, MediaType.webp}
    assert {kind for kind, how in shown.items() if how is Disposition.attachment} == {MediaType.pdf}
