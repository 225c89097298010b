"""Writes: accounts, roles, recusals, second factor, sign-in and sign-out.

Whoever makes or ends a person's sessions holds the person's row: none slips past a revocation under way.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from backend import clock, events, once, protected
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import Conflict, Forbidden, Incomplete, NotFound, SignInNeeded, WrongState
from backend.people import guesses, passwords, queries, rules, session_rows
from backend.people.queries import LiveSession
from backend.people.tables import KnownNetwork, Person, Recusal, RoleGrant, Session, SignInFailure
from backend.roles import Actor, Role

TOTP_SECRET = "person.totp_secret"  # whoever reads the database must not make its codes


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a sign-in brings. `old_token` is ended when it succeeds and is never taken over (trust.md A11)."""

    username: str
    password: str
    otp: str | None
    network: str
    browser: bool
    old_token: str | None = None
    enforce_totp: bool = False


@dataclass(frozen=True, slots=True)
class NewSession:
    """The only moment at which the token is known in clear."""

    token: str
    person: UUID
    ends_at: datetime


async def add_person(
    actor: Actor, *, id: UUID, username: str, name: str, unit: UUID, password: str, phone: str | None = None
) -> Person:
    """A new account. The same id with the same content answers the same; the password is not compared, so
    that a repeated request is no way to try passwords. Raises Forbidden, Conflict, Incomplete (too weak).
    """
    _check_administers(actor)
    username = username.lower()
    _strong(password, username, name)
    password_hash = await passwords.hashed(password)
    content = {"username": username, "name": name, "unit": unit, "phone": phone}
    async with transaction():
        await raw("SELECT pg_advisory_xact_lock(hashtextextended($1, 8))", str(id))
        if earlier := await once.earlier(Person, id, **content):
            return earlier
        if await queries.account(username):
            raise Conflict("这个用户名已有人使用。", "username_taken", field="username")
        person = Person(id=id, password_hash=password_hash, added_at=clock.now(), **content)
        await Person.insert(person)
        await events.record("person.added", id, actor=actor, username=username, name=name, unit=unit)
        return person


async def grant_role(actor: Actor, *, id: UUID, person: UUID, unit: UUID, role: Role) -> RoleGrant:
    """From the next request on. Raises Forbidden, NotFound, Conflict (`roles_apart`, `already_there`)."""
    _check_administers(actor)
    async with transaction():
        it = await queries.lock(person)
        if earlier := await once.earlier(RoleGrant, id, person=person, unit=unit, role=role.value):
            return earlier
        if it.disabled_at:
            raise WrongState("账号已停用。", "disabled")
        if reason := rules.why_not_grant(role, await queries.roles_of(person)):
            raise Conflict(reason, "roles_apart")
        here = (RoleGrant.person == person) & (RoleGrant.unit == unit) & (RoleGrant.role == role.value)
        if await RoleGrant.exists().where(here & RoleGrant.revoked_at.is_null()):
            raise Conflict("此人在该单位已有这个角色。", "already_there")
        grant = RoleGrant(
            id=id, person=person, unit=unit, role=role.value, granted_at=clock.now(), granted_by=actor.person
        )
        await RoleGrant.insert(grant)
        await events.record("person.role_granted", person, actor=actor, grant=id, role=role, unit=unit)
        return grant


async def revoke_role(actor: Actor, *, person: UUID, grant: UUID) -> None:
    """From the next request on; doing it again changes nothing. Raises Forbidden, NotFound."""
    _check_administers(actor)
    async with transaction():
        await queries.lock(person)
        it = await RoleGrant.objects().get((RoleGrant.id == grant) & (RoleGrant.person == person))
        if it is None:
            raise NotFound()
        if it.revoked_at is None:
            await RoleGrant.update({RoleGrant.revoked_at: clock.now()}).where(RoleGrant.id == grant)
            await events.record("person.role_revoked", person, actor=actor, grant=grant, role=it.role, unit=it.unit)


async def disable_person(actor: Actor, *, person: UUID) -> None:
    """Closes the account, ends its sessions; doing it again changes nothing. Raises Forbidden, NotFound."""
    _check_administers(actor)
    async with transaction():
        it = await queries.lock(person)
        if it.disabled_at is None:
            await Person.update({Person.disabled_at: clock.now()}).where(Person.id == person)
            await session_rows.end_all(person)
            await events.record("person.disabled", person, actor=actor)


async def reset_password(actor: Actor, *, person: UUID, password: str) -> None:
    """For a forgotten one: sets it and ends every session. Raises Forbidden, NotFound, Incomplete."""
    _check_administers(actor)
    it = await queries.find(person)
    _strong(password, it.username, it.name)
    password_hash = await passwords.hashed(password)
    async with transaction():
        await queries.lock(person)
        await Person.update({Person.password_hash: password_hash}).where(Person.id == person)
        await session_rows.end_all(person)
        await events.record("person.password_changed", person, actor=actor)


async def reset_totp(actor: Actor, *, person: UUID) -> None:
    """For a lost phone: forgets the second factor and ends every session. Raises Forbidden, NotFound."""
    _check_administers(actor)
    async with transaction():
        await queries.lock(person)
        await Person.update(
            {Person.totp_secret: None, Person.totp_confirmed_at: None, Person.totp_last_step: None}
        ).where(Person.id == person)
        await session_rows.end_all(person)
        await events.record("person.totp_reset", person, actor=actor)


async def declare_recusal(actor: Actor, *, id: UUID, unit: UUID, reason: str, ends_on: date | None = None) -> Recusal:
    """The actor keeps away from a unit's matters from the next request on. Raises Forbidden for SYSTEM."""
    if actor.person is None:
        raise Forbidden("只有本人可以申请回避。")
    async with transaction():
        await queries.lock(actor.person)
        content = {"person": actor.person, "unit": unit, "reason": reason, "ends_on": ends_on}
        if earlier := await once.earlier(Recusal, id, **content):
            return earlier
        recusal = Recusal(id=id, declared_at=clock.now(), **content)
        await Recusal.insert(recusal)
        await events.record("person.recused", actor.person, actor=actor, unit=unit)
        return recusal


async def sign_in(attempt: Attempt) -> NewSession:
    """A new session and token. An unknown name costs the work of a wrong password and is told the same.

    Raises TooMany (`retry_after` seconds), SignInNeeded (`wrong_credentials`, `otp_needed`).
    """
    username = attempt.username.strip().lower()
    async with guesses.counted(username, attempt.network) as guess:
        person = await queries.account(username)
        right = await passwords.matches(person.password_hash if person else None, attempt.password)
        if person is None or not right or person.disabled_at:
            raise _wrong()
        if person.totp_confirmed_at and attempt.otp is None:
            await guesses.forget(guess)
            raise SignInNeeded("请输入动态码。", "otp_needed")
        stale = passwords.outdated(person.password_hash)
        fresh_hash = await passwords.hashed(attempt.password) if stale else person.password_hash
        return await _open_session(person, attempt, fresh_hash)


async def sign_out(token: str | None) -> None:
    """Ends the session behind the token and those it replaced. A token that opens nothing changes nothing."""
    if token is None:
        return
    async with transaction():
        if behind := await session_rows.behind(token):
            person, family = behind
            await session_rows.hold(person)
            if await session_rows.end_family(family):
                by = Actor(person, (await queries.find(person)).name)
                await events.record("person.signed_out", person, actor=by)


async def end_session(actor: Actor, *, session: UUID) -> None:
    """Ends one of the actor's own sessions. Raises NotFound for anybody else's."""
    async with transaction():
        it = await Session.objects().get((Session.id == session) & (Session.person == actor.person))
        if it is None:
            raise NotFound()
        await session_rows.hold(it.person)
        await session_rows.end_family(it.family)


async def rotate(session: LiveSession, *, network: str) -> NewSession:
    """A new token for the same sign-in and absolute end. The old one stays good for a minute; asked again
    with it, the answer that got lost is revoked. Raises SignInNeeded when the session ended meanwhile.
    """
    now, token = clock.now(), passwords.new_token()
    async with transaction():
        await session_rows.hold(session.person)
        old = await Session.objects().get((Session.id == session.id) & Session.revoked_at.is_null())
        if old is None:
            raise SignInNeeded("请重新登录。")
        if old.replaced_at:
            await session_rows.end_family(old.family, but=old.id)
        else:
            await Session.update({Session.replaced_at: now}).where(Session.id == old.id)
        await raw(
            "INSERT INTO session (id, family, person, token_hash, browser, made_at, seen_at, ends_at, "
            "network, enrol_only) SELECT $2, family, person, $3, browser, $4, $4, ends_at, $5, enrol_only "
            "FROM session WHERE id = $1",
            old.id,
            uuid7(),
            passwords.digest(token),
            now,
            network,
        )
    return NewSession(token, session.person, session.ends_at)


async def seen(session: LiveSession, now: datetime) -> LiveSession:
    """Notes, at most once a minute, that the session is in use, and puts off the end of a phone's. Revives nothing."""
    if now - session.seen_at < rules.SEEN_EVERY:
        return session
    rows = await raw(
        "UPDATE session SET seen_at = $2, ends_at = CASE WHEN browser THEN ends_at ELSE greatest(ends_at, "
        "least($2 + $3::interval, coalesce((SELECT made_at FROM session AS began WHERE began.id = session.family), "
        "made_at) + $4::interval)) END WHERE id = $1 AND revoked_at IS NULL AND ends_at > $2 AND seen_at < $2 "
        "RETURNING ends_at",
        session.id,
        now,
        rules.PHONE_AHEAD,
        rules.PHONE_LONGEST,
    )
    return replace(session, seen_at=now, ends_at=rows[0]["ends_at"]) if rows else session


async def change_password(session: LiveSession, *, old: str, new: str, network: str) -> None:
    """Sets a new password and ends all other sessions. Wrong old ones count like wrong sign-ins.

    Raises Forbidden (`wrong_credentials`), TooMany, Incomplete (weak, or the same again).
    """
    person = await queries.find(session.person)
    async with guesses.counted(person.username, network) as guess:
        if not await passwords.matches(person.password_hash, old):
            raise Forbidden("原口令不对。", "wrong_credentials")
        await guesses.forget(guess)
    _strong(new, person.username, person.name)
    if new == old:
        raise Incomplete("新口令不能与原口令相同。", "weak_password", field="new")
    password_hash = await passwords.hashed(new)
    async with transaction():
        await session_rows.hold(person.id)
        same = (Person.id == person.id) & (Person.password_hash == person.password_hash)
        if not await Person.update({Person.password_hash: password_hash}).where(same).returning(Person.id):
            raise WrongState("口令刚刚被改过，请重新登录。")
        await session_rows.end_all(person.id, but_family=session.family)
        await events.record("person.password_changed", person.id, actor=session.actor)


async def enrol_totp(session: LiveSession) -> tuple[str, str]:
    """A new secret and its otpauth URI; nothing changes at sign-in until confirm_totp. Raises WrongState."""
    secret = passwords.new_totp_secret()
    async with transaction():
        person = await queries.lock(session.person)
        if person.totp_confirmed_at:
            raise WrongState("动态码已启用；更换手机请联系系统管理员重置。", "already_enrolled")
        stored = protected.encrypt(secret, TOTP_SECRET, person.id)
        await Person.update({Person.totp_secret: stored}).where(Person.id == person.id)
    return secret, passwords.totp_uri(secret, person.username)


async def confirm_totp(session: LiveSession, *, code: str) -> None:
    """From now on a code is asked for; all other sessions end. Raises WrongState, Incomplete."""
    now = clock.now()
    async with transaction():
        person = await queries.lock(session.person)
        if person.totp_confirmed_at or not person.totp_secret:
            raise WrongState("没有等待确认的动态码密钥。", "nothing_to_confirm")
        step = passwords.totp_step(protected.decrypt(person.totp_secret, TOTP_SECRET, person.id), code, now)
        if step is None:
            raise Incomplete("动态码不对，请检查手机时间后再试。", "wrong_code", field="code")
        await Person.update({Person.totp_confirmed_at: now, Person.totp_last_step: step}).where(Person.id == person.id)
        await session_rows.end_all(person.id, but_family=session.family)
        await Session.update({Session.enrol_only: False}).where(Session.family == session.family)
        await events.record("person.totp_enrolled", person.id, actor=session.actor)


async def sweep(now: datetime) -> int:
    """Deletes failures older than a day, sessions over for 30 days, networks unused for 90; says how many."""
    failures = (
        await SignInFailure.delete().where(SignInFailure.at < now - rules.FAILURES_KEPT).returning(SignInFailure.id)
    )
    ended = await Session.delete().where(Session.ends_at < now - rules.SESSIONS_KEPT).returning(Session.id)
    places = await KnownNetwork.delete().where(KnownNetwork.last_at < now - rules.KNOWN_FOR).returning(KnownNetwork.id)
    return len(failures) + len(ended) + len(places)


def _check_administers(actor: Actor) -> None:
    if reason := rules.may_administer(actor):
        raise Forbidden(reason)


def _strong(password: str, username: str, name: str) -> None:
    if reason := rules.why_weak(password, username, name):
        raise Incomplete(reason, "weak_password", field="password")


def _wrong() -> SignInNeeded:
    return SignInNeeded("用户名、口令或动态码不对。", "wrong_credentials")


async def _open_session(person: Person, attempt: Attempt, fresh_hash: str) -> NewSession:
    now = clock.now()
    async with transaction():
        behind = await session_rows.behind(attempt.old_token) if attempt.old_token else None
        await session_rows.hold(person.id, *(behind[:1] if behind else ()))
        if _changed(person, await queries.find(person.id)):
            raise _wrong()
        if person.totp_confirmed_at:
            await _use_up_code(person, attempt.otp or "", now)
        if behind:
            await session_rows.end_family(behind[1])
        if fresh_hash != person.password_hash:
            await Person.update({Person.password_hash: fresh_hash}).where(Person.id == person.id)
        await guesses.forgive(person, attempt.network, now)
        session, token = await _new_session(person, attempt, now)
        by = Actor(person.id, person.name)
        await events.record("person.signed_in", person.id, actor=by, session=session.id, network=session.network)
    return NewSession(token, person.id, session.ends_at)


async def _new_session(person: Person, attempt: Attempt, now: datetime) -> tuple[Session, str]:
    id, token, roles = uuid7(), passwords.new_token(), await queries.roles_of(person.id)
    state = rules.totp_state(bool(person.totp_confirmed_at), roles, attempt.enforce_totp)
    session = Session(
        id=id,
        family=id,
        person=person.id,
        token_hash=passwords.digest(token),
        browser=attempt.browser,
        made_at=now,
        seen_at=now,
        ends_at=rules.first_end(attempt.browser, now),
        network=attempt.network,
        enrol_only=state is rules.TotpState.needed_enrolment,
    )
    await Session.insert(session)
    return session, token


def _changed(before: Person, now: Person) -> bool:
    """Whether something that let the person in was taken away while the password was being checked."""
    same = (before.password_hash, before.totp_confirmed_at) == (now.password_hash, now.totp_confirmed_at)
    return now.disabled_at is not None or not same


async def _use_up_code(person: Person, code: str, now: datetime) -> None:
    """Each 30-second step is accepted once (RFC 6238, 5.2): compare-and-set on the last one used."""
    step = passwords.totp_step(protected.decrypt(person.totp_secret, TOTP_SECRET, person.id), code, now)
    used = step is not None and await raw(
        "UPDATE person SET totp_last_step = $2 WHERE id = $1 AND totp_secret = $3 "
        "AND (totp_last_step IS NULL OR totp_last_step < $2) RETURNING id",
        person.id,
        step,
        person.totp_secret,
    )
    if not used:
        raise _wrong()
