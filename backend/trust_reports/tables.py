"""What reviewers wrote beside a check. The report itself is computed when it is read, and stands nowhere."""

from piccolo.table import Table

from backend.columns import key, link, moment, one_of, text
from backend.evidence.tables import Evidence
from backend.people.tables import Person
from backend.trust_reports.rules import Check


class EvidenceExplanation(Table):
    """Why a check of a file is as it is (情况说明). Append-only by trigger; changes no level."""

    id = key()
    evidence = link(Evidence)
    about = text()
    because = text()
    by = link(Person)
    at = moment()

    about_is_known = one_of("about", Check)
