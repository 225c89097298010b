"""What a refusal looks like from outside where no handler of ours raised it."""

import logging

import msgspec
import pytest
from litestar.exceptions import InternalServerException
from litestar.testing import RequestFactory

from backend import problems

REQUEST = RequestFactory().get("/api/visits")  # here, because making one sets logging up anew


def told(bug: Exception) -> tuple[int, str]:
    answer = problems.of_bug(REQUEST, bug)
    return answer.status_code or 0, msgspec.json.decode(answer.content)["code"]


def test_a_phone_that_went_away_while_sending_is_no_bug(caplog):
    assert told(InternalServerException("client disconnected prematurely")) == (400, "connection_lost")
    assert not caplog.records


@pytest.mark.parametrize(
    "bug",
    [RuntimeError("client disconnected prematurely"), InternalServerException("the queue disconnected"), KeyError(1)],
)
def test_everything_else_is_logged_whole(caplog, bug):
    with caplog.at_level(logging.ERROR, "duban.http"):
        assert told(bug) == (500, "bug")
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [bug]
