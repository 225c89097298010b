"""Feedback, the files that came with it, and the answers."""

from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import key, link, moment, number, one_of, text
from backend.evidence.tables import Evidence
from backend.feedback.rules import Kind
from backend.people.tables import Person
from backend.units.tables import Unit


class Feedback(Table):
    """What a person said about the program, as given. `unit` is the giver's at that time: its office answers.

    `page` and `app_version` are what the phone says of itself.
    """

    id = key()
    kind = text()
    said = text()
    page = text()
    app_version = text()
    by = link(Person)
    unit = link(Unit)
    at = moment()
    closed_at = moment(null=True)
    closed_by = link(Person, null=True)
    closing_note = text(null=True)

    kind_is_known = one_of("kind", Kind)


class FeedbackEvidence(Table):
    """A picture of what is meant. Once attached it stays."""

    id = key()
    feedback = link(Feedback, index=False)
    evidence = link(Evidence)
    position = number()

    once_on_a_feedback = Unique(["feedback", "evidence"])


class FeedbackAnswer(Table):
    """An answer; more may follow until it is closed."""

    id = key()
    feedback = link(Feedback)
    said = text()
    by = link(Person)
    at = moment()
