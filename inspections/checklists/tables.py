"""Checklists, their versions and questions, which of them a visit has, and the answers as they were given."""

from piccolo.columns import Date
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import flag, identifier, key, link, moment, one_of, text
from backend.columns import number as count
from backend.people.tables import Person
from backend.units.tables import Region
from inspections.checklists.rules import Conformity, Status
from inspections.findings.tables import Topic
from inspections.visits.tables import Visit


class Checklist(Table):
    """检查表: a code of an office's area. What it asks stands in its versions."""

    id = key()
    region = link(Region, index=False)
    code = text()

    one_checklist_of_a_code = Unique(["region", "code"])


class ChecklistVersion(Table):
    """One wording. A draft is written anew as a whole; what was adopted stays as it is, also when it is withdrawn."""

    id = key()
    checklist = link(Checklist, index=False)
    number = count()
    title = text()
    topic = link(Topic)
    paper = text()
    clause = text()
    valid_from = Date(null=False, default=None)
    valid_to = Date(null=True, default=None)
    required = flag()
    status = text()
    by = link(Person)
    at = moment()
    adopted_by = link(Person, null=True)
    adopted_at = moment(null=True)
    withdrawn_by = link(Person, null=True)
    withdrawn_at = moment(null=True)
    withdrawal_reason = text(null=True)

    one_version_of_a_number = Unique(["checklist", "number"])
    version_status_is_known = one_of("status", Status)


class ChecklistQuestion(Table):
    """What is looked at, the `position`-th of its version."""

    id = key()
    version = link(ChecklistVersion, index=False)
    position = count()
    code = text()
    wording = text()
    hint = text()
    topic = link(Topic)
    photo_when_fails = flag()
    may_not_apply = flag()

    one_question_of_a_code = Unique(["version", "code"])


class VisitChecklist(Table):
    """A version that a visit answers; it stays this one, whatever becomes of the checklist."""

    id = key()
    visit = link(Visit, index=False)
    version = link(ChecklistVersion)
    by = link(Person)
    at = moment()

    once_on_a_visit = Unique(["visit", "version"])


class ChecklistAnswer(Table):
    """One tap, never changed: another answer is another row. Which one stands is rules.standing().

    `number` counts those of a visit as they came in. `seen`: the last answer to this question that the phone knew of.
    `finding` may come later than the answer that names it, or never: no foreign key.
    """

    id = key()
    visit = link(Visit, index=False)
    number = count()
    question = link(ChecklistQuestion)
    by = link(Person)
    answer = text()
    note = text()
    finding = identifier(null=True)
    seen = identifier(null=True)
    phone_at = moment()
    received_at = moment()
    counts_at = moment()
    late = flag()

    one_answer_of_a_number = Unique(["visit", "number"])
    answer_is_known = one_of("answer", Conformity)
