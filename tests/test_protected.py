"""Protected fields: what is stored says nothing, opens only in its own place, and outlives a change of keys."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import protected
from backend.columns import uuid7
from backend.errors import Unreadable
from backend.settings import BadSettings

ROW, OTHER = UUID(int=1), UUID(int=2)
OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (7, 8))


@pytest.fixture
def with_keys(monkeypatch):
    def set_to(*keys: str) -> None:
        monkeypatch.setenv("DUBAN_PROTECTED_KEYS", ",".join(keys))
        protected.forget()

    yield set_to
    protected.forget()


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100))
def test_what_was_encrypted_is_read_again(text):
    stored = protected.encrypt(text, "household.head_name", ROW)
    assert protected.decrypt(stored, "household.head_name", ROW) == text


def test_the_same_text_is_never_stored_the_same_and_its_length_does_not_show():
    stored = [protected.encrypt(text, "household.head_name", ROW) for text in ("王强", "王强", "", "欧阳小明")]
    assert len(set(stored)) == 4 and len({len(one) for one in stored}) == 1


def test_nul_is_refused_before_it_could_be_lost():
    with pytest.raises(ValueError):
        protected.encrypt("a\0", "household.phone", ROW)


def test_a_value_moved_to_another_row_or_column_is_refused():
    stored = protected.encrypt("13812345678", "household.phone", ROW)
    for column, row in (("household.phone", OTHER), ("household.id_number", ROW), ("household_person.phone", ROW)):
        with pytest.raises(Unreadable) as refusal:
            protected.decrypt(stored, column, row)
        assert (refusal.value.status, refusal.value.code) == (500, "protected_unreadable")


def test_every_damaged_byte_is_noticed():
    stored = protected.encrypt("13812345678", "household.phone", ROW)
    head, _, sealed = stored.rpartition(".")
    raw = base64.urlsafe_b64decode(sealed)
    for place in range(len(raw)):
        damaged = bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]])
        with pytest.raises(Unreadable):
            protected.decrypt(f"{head}.{base64.urlsafe_b64encode(damaged).decode()}", "household.phone", ROW)


@pytest.mark.parametrize(
    "stored", ["", "13812345678", "1", "1.", "1..", "2.x.y", "1.{id}.", "1.{id}.!!", "1.{id}.AAAA"]
)
def test_what_was_never_encrypted_is_refused_as_well(stored):
    with pytest.raises(Unreadable):
        protected.decrypt(stored.replace("{id}", protected.key_ids()[0]), "household.phone", ROW)


def test_a_new_key_in_front_reads_old_values_and_writes_new_ones(with_keys):
    with_keys(OLD)
    old, index = protected.encrypt("张明", "household.head_name", ROW), protected.index("张明", "x")
    with_keys(NEW, OLD)
    assert protected.decrypt(old, "household.head_name", ROW) == "张明"
    new = protected.encrypt("张明", "household.head_name", ROW)
    assert [protected.key_of(new), protected.key_of(old)] == protected.key_ids()
    assert protected.indexes("张明", "x") == [protected.index("张明", "x"), index]
    with_keys(NEW)
    assert protected.decrypt(new, "household.head_name", ROW) == "张明"


def test_a_lost_key_is_named_and_nothing_else_is_told(with_keys, caplog):
    with_keys(OLD)
    stored, id = protected.encrypt("张明", "household.head_name", ROW), protected.key_ids()[0]
    with_keys(NEW)
    with pytest.raises(Unreadable) as refusal:
        protected.decrypt(stored, "household.head_name", ROW)
    assert id in caplog.text and str(ROW) in caplog.text
    assert "张明" not in caplog.text + refusal.value.message


def test_the_index_of_a_text_depends_on_key_and_use(with_keys):
    with_keys(OLD)
    one = protected.index("11010519491231002X", "id_number")
    assert one == protected.index("11010519491231002X", "id_number")
    assert one != protected.index("11010519491231002X", "phone") and len(one) == 64
    with_keys(NEW)
    assert one != protected.index("11010519491231002X", "id_number")


def test_without_any_key_nothing_is_written(monkeypatch, tmp_path):
    for name in ("DUBAN_PROTECTED_KEYS", "DUBAN_SIGNING_KEYS", "DUBAN_DATABASE_URL", "DUBAN_REDIS_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUBAN_VAR", str(tmp_path))
    protected.forget()
    with pytest.raises(BadSettings, match="duban migrate"):
        protected.encrypt("张明", "household.head_name", uuid7())
    protected.forget()


def test_stored_values_of_this_version_stay_readable(with_keys):
    """Written once by this code: if it can no longer be read, neither can anybody's data."""
    with_keys(OLD)
    stored = GOLDEN
    assert protected.decrypt(stored, "household.head_name", ROW) == "欧阳小明"
    assert protected.index("11010519491231002X", "id_number") == GOLDEN_INDEX


GOLDEN = "1.1ceb8c25.2ax4-wDnG5xOVaVI753XXtB_KpD5i459ybg6x_k-biXgc4e9sxNxEfF9v1dtY5fttsDzG894aC5CISgh"
GOLDEN_INDEX = "6afb2bda692e18772acdbb7ba14d9604e5daa2d5690291c9019cdd9161369778"
