"""Evidence: one row per declared file. Bytes are on disk under their hash; who shows it is told by what it hangs on."""

from piccolo.constraints import Check
from piccolo.table import Table

from backend.columns import (
    flag_or_unknown,
    key,
    large_number,
    large_numbers,
    link,
    measure,
    moment,
    number,
    one_of,
    text,
    words,
)
from backend.evidence.rules import MediaType, Source, State, TokenState
from backend.geo import Datum
from backend.people.tables import Person


class Evidence(Table):
    """A file declared by a phone. Never deleted once it hangs on something; the original is never rewritten."""

    id = key()
    sha256 = text(index=True)
    size = number()
    media_type = text()
    captured_at = moment(null=True)
    source = text()
    lat = measure(null=True)
    lng = measure(null=True)
    accuracy_m = measure(null=True)
    datum = text(null=True)
    reported_lat = measure(null=True)
    reported_lng = measure(null=True)
    altitude_m = measure(null=True)
    heading_deg = measure(null=True)
    speed_mps = measure(null=True)
    declared_by = link(Person, index=False)  # evidence_of_person, by hand, begins with it
    declared_at = moment()
    state = text()
    received_at = moment(null=True)
    width = number(null=True)
    height = number(null=True)
    tries = number(default=0)
    prepared_at = moment(null=True)
    refusal = text(null=True)
    token = text(null=True)
    token_state = text(null=True)
    token_at = moment(null=True)
    token_received_at = moment(null=True)
    since_token_ms = large_number(null=True)
    counter = large_number(null=True)
    reminded_at = moment(null=True)

    state_is_known = one_of("state", State)
    source_is_known = one_of("source", Source)
    media_type_is_known = one_of("media_type", MediaType)
    datum_is_known = one_of("datum", Datum)
    token_state_is_known = one_of("token_state", TokenState)
    hash_is_sha256 = Check("\"sha256\" ~ '^[0-9a-f]{64}$'")


class EvidenceReading(Table):
    """What the decoding child told of a photo: claims of a file, believed by nobody. One for each that became ready.

    A time without a zone in EXIF is read as Shanghai's, with `exif_zone_known` false. `looks` are those of looks.py.
    """

    evidence = link(Evidence, primary=True)
    exif_at = moment(null=True)
    exif_zone_known = flag_or_unknown()
    exif_lat = measure(null=True)
    exif_lng = measure(null=True)
    camera = text(null=True)
    software = text(null=True)
    traces = words()
    looks = large_numbers(null=True)
    read_at = moment()
