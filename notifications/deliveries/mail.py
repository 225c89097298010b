"""Mail through the place's own server (RFC 5321), by aiosmtplib."""

import asyncio
import contextlib
import logging
import re
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

import aiosmtplib
from aiosmtplib import errors

from backend import clock, settings
from backend.outgoing import MailServer
from notifications.deliveries.rules import Outcome
from notifications.deliveries.sending import Address, Answer, Message, hidden, one_line, told

STEP_WITHIN, WHOLE_WITHIN = 10.0, 25.0  # seconds for one reply, for everything
# 5.1.1 and its neighbours say that the mailbox is not there (RFC 3463, 3.2); without such a code 550, 551, 553 do.
NOBODY_THERE = re.compile(r"\b5\.1\.[0-36]\b")
ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")

logging.getLogger("aiosmtplib").setLevel(logging.WARNING)


async def send(message: Message, address: Address) -> Answer:
    """One mail in one connection. What the server has taken once counts as sent, whatever happens at parting.

    A connection that breaks after the text and before the server's word is tried again: the same Message-ID lets
    mailboxes fold the two (RFC 5322, 3.6.4).
    """
    server = settings.load().outgoing.mail
    if server is None:
        return Answer(Outcome.refused, "no mail server is set")
    hide = hidden(message, address, server.user, server.password)
    try:
        async with asyncio.timeout(WHOLE_WITHIN):
            return await _send(server, letter(message, address.text, server), address.text)
    except (TimeoutError, errors.SMTPTimeoutError):
        return Answer(Outcome.slow, ill=True)
    except errors.SMTPRecipientsRefused as refused:
        return _of_recipient(refused.recipients[0], hide)
    except errors.SMTPAuthenticationError as wrong:
        return Answer(Outcome.failed, f"{wrong.code} sign-in refused", ill=True)
    except errors.SMTPResponseException as answer:
        outcome = Outcome.refused if answer.code >= 500 else Outcome.failed
        said = f"{answer.code} {told(answer.message, hide=hide)}"
        return Answer(outcome, said, ill=answer.code == 421 or isinstance(answer, errors.SMTPConnectResponseError))
    except (errors.SMTPException, OSError) as trouble:
        return Answer(Outcome.failed, type(trouble).__name__, ill=True)


def letter(message: Message, to: str, server: MailServer) -> EmailMessage:
    """The mail. Its Message-ID is the same each time it is tried."""
    mail = EmailMessage()
    mail["From"] = formataddr(("督办", server.sender))
    mail["To"] = to
    mail["Subject"] = one_line(message.title)[:200]
    mail["Date"] = format_datetime(clock.local(clock.now()))
    mail["Message-ID"] = f"<{message.id}@{server.sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
    if message.at_once:
        mail["X-Priority"] = "1"
    mail.set_content(f"{message.text}\n\n本邮件由系统发出，请勿回复。\n")
    return mail


async def _send(server: MailServer, mail: EmailMessage, to: str) -> Answer:
    line = aiosmtplib.SMTP(
        hostname=server.host, port=server.port, timeout=STEP_WITHIN, use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls", cert_bundle=server.ca_file or None,
        username=server.user or None, password=server.password or None,
    )  # fmt: skip
    try:
        await line.connect()
        await line.send_message(mail, sender=server.sender, recipients=[to])
        return Answer(Outcome.sent)
    finally:
        with contextlib.suppress(errors.SMTPException, OSError, TimeoutError):
            if line.is_connected:
                async with asyncio.timeout(1):
                    await line.quit()
        line.close()


def _of_recipient(refused: errors.SMTPRecipientRefused, hide: tuple[str, ...]) -> Answer:
    said = f"{refused.code} {told(refused.message, hide=hide)}"
    if refused.code < 500:  # greylisting, a full mailbox
        return Answer(Outcome.failed, said)
    enhanced = ENHANCED.search(refused.message)
    nobody = NOBODY_THERE.match(enhanced[0]) if enhanced else refused.code in (550, 551, 553)
    return Answer(Outcome.unknown_address if nobody else Outcome.refused, said)
