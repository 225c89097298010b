"""Signed notes: what our keys signed opens, anything else does not, whatever stands in it."""

import base64
import hashlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from backend import signing
from backend.settings import BadSettings
from backend.signing import PublicKey, Unsigned

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (5, 6))
TEXT = "督办 test\n第二行 of it\n"
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


@pytest.fixture
def ring(monkeypatch) -> Iterator:
    def set_to(*keys: str) -> list[PublicKey]:
        monkeypatch.setenv("DUBAN_SIGNING_KEYS", ",".join(keys))
        signing.forget()
        return signing.public_keys()

    yield set_to
    signing.forget()


@given(st.lists(LINES, min_size=1, max_size=8))
def test_what_was_signed_is_opened_again(lines):
    text = "".join(f"{line}\n" for line in lines)
    assert signing.opened(signing.signed(text), signing.public_keys()) == text


def test_the_same_text_is_signed_the_same_each_time():
    assert signing.signed(TEXT) == signing.signed(TEXT)


def test_a_note_reads_as_the_published_form_says(ring):
    """C2SP signed-note: text, blank line, em dash, key name, base64 of the key's four-byte id and the signature."""
    public = ring(OLD)[0]
    text, _, line = signing.signed(TEXT).rpartition("\n\n")
    dash, name, encoded = line.rstrip("\n").split(" ")
    given = base64.b64decode(encoded)
    raw = Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32).public_key().public_bytes_raw()
    assert (f"{text}\n", dash, name, public.raw) == (TEXT, "—", "duban", raw)
    assert given[:4] == hashlib.sha256(b"duban\n\x01" + raw).digest()[:4]
    Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32).public_key().verify(given[4:], TEXT.encode())
    assert str(public) == f"duban+{given[:4].hex()}+{base64.b64encode(bytes([1]) + raw).decode()}"
    assert PublicKey.read(str(public)) == public


def test_every_other_character_anywhere_is_noticed():
    note, keys = signing.signed(TEXT), signing.public_keys()
    for place, char in enumerate(note):
        for other in (chr(ord(char) ^ 1), "", char * 2):
            with pytest.raises(Unsigned):
                signing.opened(note[:place] + other + note[place + 1 :], keys)


@given(st.text(max_size=300))
def test_whatever_is_no_note_is_refused_and_nothing_worse(given):
    with pytest.raises(Unsigned):
        signing.opened(given, signing.public_keys())


def test_the_newest_key_signs_and_older_ones_are_still_believed(ring):
    ring(OLD)
    before = signing.signed(TEXT)
    both = ring(NEW, OLD)
    after = signing.signed(TEXT)
    assert signing.opened(before, both) == signing.opened(after, both) == TEXT
    assert signing.opened(after, both[:1]) == TEXT
    with pytest.raises(Unsigned, match="no signature by a known key"):
        signing.opened(before, both[:1])
    with pytest.raises(Unsigned, match="no signature by a known key"):
        signing.opened(after, ring(OLD))


def test_a_signature_of_another_kind_beside_ours_is_passed_over(ring):
    keys = ring(OLD)
    other = base64.b64encode(bytes([9]) * 80).decode()
    assert signing.opened(f"{signing.signed(TEXT)}— duban {other}\n", keys) == TEXT
    assert signing.opened(signing.signed(TEXT).replace("\n\n", f"\n\n— 某省.cn/sm2 {other}\n"), keys) == TEXT


def test_a_wrong_signature_under_our_own_name_is_not_passed_over(ring):
    keys = ring(OLD)
    right = signing.signed(TEXT)
    wrong = signing.signed("something else\n").rpartition("\n\n")[2]
    with pytest.raises(Unsigned, match="not the one that was signed"):
        signing.opened(right + wrong, keys)


def test_another_servers_key_of_the_same_name_is_not_ours(ring):
    ring(NEW)
    foreign = signing.signed(TEXT)
    with pytest.raises(Unsigned):
        signing.opened(foreign, ring(OLD))


@pytest.mark.parametrize("text", ["no line break", "a\tb\n", "a\0\n", "\ud800\n", ""])
def test_only_lines_of_text_are_signed(text):
    with pytest.raises(ValueError):
        signing.signed(text)


@pytest.mark.parametrize(
    "text",
    ["", "duban", "duban+00000000+", "duban+00000000+AAAA", "+ab+cd", "duban+zz+!!"],
)
def test_what_is_no_verifier_key_is_refused(text):
    with pytest.raises(ValueError):
        PublicKey.read(text)


def test_a_verifier_key_whose_id_is_not_its_own_is_refused():
    name, id, encoded = str(signing.public_keys()[0]).split("+")
    with pytest.raises(ValueError):
        PublicKey.read(f"{name}+{'0' * 8}+{encoded}")


def test_without_any_key_nothing_is_signed(monkeypatch, tmp_path):
    for name in ("DUBAN_PROTECTED_KEYS", "DUBAN_SIGNING_KEYS", "DUBAN_DATABASE_URL", "DUBAN_REDIS_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUBAN_VAR", str(tmp_path))
    signing.forget()
    with pytest.raises(BadSettings, match="duban migrate"):
        signing.signed(TEXT)
    signing.forget()


def test_notes_of_this_version_stay_readable(ring):
    """Written once by this code: if it no longer opens, nobody's receipt can be checked."""
    assert signing.opened(GOLDEN, ring(OLD)) == TEXT


GOLDEN = """督办 test
第二行 of it

— duban k0aTyTimxjnUdKyX/89NvwecZkddqOJNI375AizidoTAAl+oOhFGdqrEf//AFizPW0V0DGGddq62mHWSQKUDpFwsdwA=
"""
