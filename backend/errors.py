"""The ways a request can be refused. Raised by rules, queries and commands; turned into HTTP in backend/problems.py."""


class Problem(Exception):
    """A refusal with an HTTP status, a stable `code` for programs, and a sentence for people.

    `field` names the part of the request that is wrong, where one part is; `details` adds members to the answer
    (RFC 9457, extension members).
    """

    status = 500
    default_code = "problem"

    def __init__(self, message: str, code: str = "", *, field: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.field = field
        self.details = details


class BadRequest(Problem):
    status, default_code = 400, "malformed"


class SignInNeeded(Problem):
    status, default_code = 401, "sign_in_needed"


class Forbidden(Problem):
    status, default_code = 403, "not_yours_to_do"


class NotFound(Problem):
    """Missing, or out of the actor's sight: the two answers are the same, to the byte."""

    status, default_code = 404, "not_found"

    def __init__(self, message: str = "找不到，或不在您的查看范围内。", code: str = "") -> None:
        super().__init__(message, code)


class WrongState(Problem):
    status, default_code = 409, "wrong_state"


class Conflict(Problem):
    """The same id came before with other content."""

    status, default_code = 409, "conflict"


class Stalled(Problem):
    """The rest of the body did not come. What came is kept where the call says so."""

    status, default_code = 408, "stalled"


class WrongVersion(Problem):
    status, default_code = 412, "wrong_version"


class TooLarge(Problem):
    status, default_code = 413, "too_large"


class WrongType(Problem):
    status, default_code = 415, "wrong_content_type"


class NotSatisfiable(Problem):
    """A range that the thing does not have; `size` in the details says how much there is."""

    status, default_code = 416, "range_not_satisfiable"


class Incomplete(Problem):
    status, default_code = 422, "incomplete"


class Locked(Problem):
    """Somebody else is at it this very moment."""

    status, default_code = 423, "locked"


class TooMany(Problem):
    status, default_code = 429, "too_many"


class ChecksumMismatch(Problem):
    """tus 1.0.0, checksum extension: the body of one request was damaged on its way and is dropped."""

    status, default_code = 460, "checksum_mismatch"


class Unreadable(Problem):
    """What is stored cannot be read. Nothing in the request is wrong; an operator must look."""

    status, default_code = 500, "protected_unreadable"


class Busy(Problem):
    """Nothing was done; the same request may succeed in a moment."""

    status, default_code = 503, "busy"


class NoRoom(Problem):
    status, default_code = 507, "no_room"
