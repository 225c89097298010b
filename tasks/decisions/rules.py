"""What waits for a person: of the moves they may make now, those that somebody or a date is waiting for. Pure."""

from backend.roles import Actor
from tasks.rectifications import needs
from tasks.rectifications.item import Item, Status, Verb
from tasks.rectifications.rules import Open

# In the order in which they weigh. A move that may be made but is asked by nobody (report, hang, reopen) is none.
ASKED = (
    Verb.void,
    Verb.close_out,
    Verb.grant_extension,
    Verb.decline_objection,
    Verb.decline_public_objection,
    Verb.confirm_hand_in,
    Verb.pass_check,
    Verb.pass_first,
    Verb.assign_check,
    Verb.publish,
    Verb.issue,
    Verb.acknowledge,
    Verb.hand_in,
)
DECISIONS = frozenset(ASKED) - {Verb.acknowledge, Verb.hand_in}  # the rest is a unit's own work
OF_THE_OFFICE = frozenset({Status.draft, Status.passed})  # to be issued; to be checked, shown in public, cleared


def asked_of(actor: Actor, it: Item, moves: list[Open]) -> list[Verb]:
    """The verbs that wait for this person on this item, the weightiest first."""
    open_now = {move.verb for move in moves}
    return [verb for verb in ASKED if verb in open_now and _wanted(verb, it)]


def _wanted(verb: Verb, it: Item) -> bool:
    """A check and a publicity may always be had before the second key; they wait only where closing needs them."""
    match verb:
        case Verb.assign_check:
            return needs.CHECK_WANTED.stands(it) and it.check is None
        case Verb.publish:
            return needs.PUBLICITY_WANTED.stands(it) and not needs.CHECK_WANTED.stands(it)
        case _:
            return True
