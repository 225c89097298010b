"""HTTP's side of being signed in: from a header or a cookie to an Actor, before any body is read."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, cast

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.types import ASGIApp, Receive, Scope, Send

from backend import clock, settings
from backend.errors import Forbidden, SignInNeeded
from backend.people import commands, passwords, queries, rules
from backend.people.queries import LiveSession
from backend.roles import Actor

# Everything else needs a sign-in: a route is closed until it is named here.
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/metrics", "/favicon.ico"})
OPEN_FOLDERS = ("/schema", "/docs", "/phone", "/desk", "/static", "/assets", "/calendar")
OPEN_CALLS = frozenset({("POST", "/api/sessions"), ("DELETE", "/api/sessions/current"), ("GET", "/api/receipt-keys")})
WHILE_ENROLLING = frozenset({"/api/me", "/api/me/totp", "/api/me/totp/confirmation", "/api/sessions/current"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# A phone asks many times from one address, and reading an address costs as much as a statement.
_network_of = lru_cache(maxsize=1024)(rules.network_of)


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request says about who sends it. `browser` means that it carries `X-Duban: 1` and no bearer."""

    network: str
    token: str | None
    browser: bool
    session: LiveSession | None = None


class SignInMiddleware:
    """Lets a request through, its Caller in scope["auth"], its Actor in scope["user"], or refuses it unread.

    litestar runs it after routing, so paths are normalised and unknown addresses stay 404.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            connection = ASGIConnection[Any, Any, Any, Any](cast(Any, scope))
            caller = await _caller(connection)
            scope["auth"] = caller
            scope["user"] = caller.session.actor if caller.session else None
        await self.app(scope, receive, send)


@cache
def running() -> settings.Settings:
    """The settings of this process, read once."""
    return settings.load()


async def provide_actor(request: Request[Any, Any, Any]) -> Actor:
    """The dependency `actor`. Raises SignInNeeded on an open route."""
    return the_session(request).actor


def the_session(request: Request[Any, Any, Any]) -> LiveSession:
    """Raises SignInNeeded on an open route."""
    caller: Caller | None = request.scope.get("auth")
    if caller is None or caller.session is None:
        raise SignInNeeded("请先登录。")
    return caller.session


def cookie(token: str) -> Cookie:
    """The browser's cookie; an empty token takes it away, with the same attributes, as __Host- demands."""
    seconds = int(rules.BROWSER_LONGEST.total_seconds()) if token else 0
    return Cookie(
        key=_cookie_name(),
        value=token,
        max_age=seconds,
        path="/",
        secure=running().secure_cookies,
        httponly=True,
        samesite="lax",
    )


def _cookie_name() -> str:
    return "__Host-duban" if running().secure_cookies else "duban"


async def _caller(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    scope, headers = connection.scope, connection.headers
    method, path = cast(str, scope.get("method", "")), scope["path"]
    bearer, by_cookie = _bearer(headers.get("authorization")), connection.cookies.get(_cookie_name())
    token = bearer or by_cookie
    if not bearer and method not in SAFE_METHODS:
        _refuse_cross_site(headers, needs_header=by_cookie is not None)
    peer = scope.get("client")
    forwarded = ",".join(headers.getall("x-forwarded-for", []))
    network = _network_of(peer[0] if peer else None, forwarded, running().trusted_proxies)
    browser = not bearer and headers.get("x-duban") == "1"
    if _is_open(method, path):
        return Caller(network, token, browser)
    return Caller(network, token, browser, await _live(token, path))


async def _live(token: str | None, path: str) -> LiveSession:
    now = clock.now()
    session = await queries.live_session(passwords.digest(token), now) if token else None
    if session is None:
        # Only who holds the token learns this: its phone then clears away what it copied from us.
        if token and await queries.was_revoked(passwords.digest(token)):
            raise SignInNeeded("这次登录已被收回，请重新登录。", "session_revoked")
        raise SignInNeeded("请先登录。")
    if _must_enrol(session) and path not in WHILE_ENROLLING:
        raise Forbidden("您的角色须先启用动态码，才能继续使用。", "totp_enrolment_needed")
    return await commands.seen(session, now)


def _must_enrol(session: LiveSession) -> bool:
    """Also when the role that needs a second factor was granted after the sign-in."""
    roles = [grant.role for grant in session.actor.grants]
    state = rules.totp_state(session.totp_confirmed, roles, running().totp == settings.ENFORCED)
    return session.enrol_only or state is rules.TotpState.needed_enrolment


def _is_open(method: str, path: str) -> bool:
    folder = any(path == name or path.startswith(name + "/") for name in OPEN_FOLDERS)
    return folder or path in OPEN_PATHS or (method, path) in OPEN_CALLS


def _bearer(authorization: str | None) -> str | None:
    """The token of the header. Any other scheme is an answer nobody asked for. Raises SignInNeeded."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise SignInNeeded("请先登录。")
    return token.strip()


def _refuse_cross_site(headers: Any, *, needs_header: bool) -> None:
    """Only our own pages can send X-Duban: browsers stop other sites' requests with it (ASVS 5.0.0-3.5.1)."""
    foreign = rules.cross_site(headers.get("host", ""), headers.get("origin"), headers.get("sec-fetch-site"))
    if foreign or (needs_header and headers.get("x-duban") != "1"):
        raise Forbidden("这个请求来自别的网站，已拒绝。", "cross_site")
