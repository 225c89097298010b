"""Settings: what is refused, what follows from what is not said."""

import base64
from pathlib import Path

import pytest

from backend.settings import BadSettings, load

BOTH = {"DUBAN_DATABASE_URL": "postgresql://u:p%40ss@db:5433/duban", "DUBAN_REDIS_URL": "redis://q:6379/0"}
KEY, OLD_KEY = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
SIGNING_KEY = base64.b64encode(bytes([3]) * 32).decode()
KEYS = {"DUBAN_PROTECTED_KEYS": KEY, "DUBAN_SIGNING_KEYS": SIGNING_KEY}
SERVER = BOTH | KEYS


def test_nothing_said_means_the_embedded_services(tmp_path: Path) -> None:
    found = load({"DUBAN_VAR": str(tmp_path)})
    assert found.embedded and found.totp == "optional" and found.port == 8000
    assert found.database == {"host": str(tmp_path / "run"), "user": "duban", "database": "duban"}
    assert found.redis_url == f"unix://{tmp_path}/run/queue.sock"
    assert found.evidence == tmp_path / "evidence"


def test_a_linked_run_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    assert load({"DUBAN_VAR": str(tmp_path)}).database["host"] == str(tmp_path / "elsewhere")


def test_given_services_are_used_and_second_factors_enforced() -> None:
    found = load(SERVER)
    assert not found.embedded and found.totp == "enforced" and found.redis_url == "redis://q:6379/0"
    assert found.database == {
        "host": "db",
        "port": 5433,
        "user": "u",
        "password": "p@ss",
        "database": "duban",
    }


@pytest.mark.parametrize("given", list(BOTH))
def test_half_a_server_configuration_is_refused(given: str) -> None:
    with pytest.raises(BadSettings, match="give both, or neither") as refusal:
        load({given: BOTH[given]})
    assert str(refusal.value).startswith(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUBAN_PORT", "0"),
        ("DUBAN_PORT", "65536"),
        ("DUBAN_PORT", "８０００"),
        ("DUBAN_WEB_WORKERS", "-1"),
        ("DUBAN_TOTP", "maybe"),
        ("DUBAN_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("DUBAN_DATABASE_URL", "mysql://u@db/duban"),
        ("DUBAN_DATABASE_URL", "postgresql://u@db:port/duban"),
        ("DUBAN_DATABASE_URL", "postgresql://u@db"),
        ("DUBAN_REDIS_URL", "http://q:6379"),
        ("DUBAN_PROTECTED_KEYS", "secret"),
        ("DUBAN_PROTECTED_KEYS", KEY[:-4]),
        ("DUBAN_PROTECTED_KEYS", f"{KEY},{KEY}"),
        ("DUBAN_SIGNING_KEYS", "secret"),
        ("DUBAN_SIGNING_KEYS", f"{SIGNING_KEY},{SIGNING_KEY}"),
        ("DUBAN_SIGNING_KEYS", f"{SIGNING_KEY},{KEY}"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        load(SERVER | {name: value})


def test_a_refusal_never_shows_the_password() -> None:
    with pytest.raises(BadSettings) as refusal:
        load(SERVER | {"DUBAN_DATABASE_URL": "postgresql://u:geheim@db:port/duban"})
    assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize("missing", list(KEYS))
def test_a_server_without_its_keys_is_refused(missing: str) -> None:
    with pytest.raises(BadSettings, match=f"{missing} is missing"):
        load({name: value for name, value in SERVER.items() if name != missing})


def test_keys_come_from_the_environment_newest_first_and_are_never_shown() -> None:
    found = load(SERVER | {"DUBAN_PROTECTED_KEYS": f"{KEY}, {OLD_KEY}"})
    assert found.protected_keys == (b"\x01" * 32, b"\x02" * 32)
    assert KEY not in repr(found) and str(b"\x01") not in repr(found)
    assert found.signing_keys == (b"\x03" * 32,)
    assert SIGNING_KEY not in repr(found) and str(b"\x03") not in repr(found)
    with pytest.raises(BadSettings) as refusal:
        load(SERVER | {"DUBAN_PROTECTED_KEYS": f"{KEY},{KEY[:-4]}"})
    assert KEY[:8] not in str(refusal.value)


@pytest.mark.parametrize("shape", [{}, BOTH], ids=["embedded", "server"])
def test_keys_come_from_the_key_file_when_only_its_owner_reads_it(tmp_path: Path, shape: dict[str, str]) -> None:
    for name, keys in (("protected-keys", f"{KEY}\n\n{OLD_KEY}"), ("signing-keys", SIGNING_KEY)):
        file = tmp_path / name
        file.write_text(f"# newest first\n{keys}\n")
        file.chmod(0o640)
        env = SERVER | {"DUBAN_VAR": str(tmp_path)}
        with pytest.raises(BadSettings, match=f"{name} can be read by others"):
            load({key: value for key, value in env.items() if key not in KEYS})
        file.chmod(0o600)
    found = load(shape | {"DUBAN_VAR": str(tmp_path)})
    assert found.protected_keys == (b"\x01" * 32, b"\x02" * 32) and found.signing_keys == (b"\x03" * 32,)


def test_the_embedded_shape_may_begin_without_a_key(tmp_path: Path) -> None:
    found = load({"DUBAN_VAR": str(tmp_path)})
    assert found.protected_keys == () == found.signing_keys


BUCKET = {
    "DUBAN_S3_BUCKET": "duban",
    "DUBAN_S3_ENDPOINT": "https://s3.example.org:9000/",
    "DUBAN_S3_ACCESS_KEY": "zugang",
    "DUBAN_S3_SECRET_KEY": "geheim",
}


def test_evidence_lies_on_the_local_disk_unless_a_bucket_is_the_store() -> None:
    assert (load({}).store, load({}).bucket) == ("local", None)
    assert load({"DUBAN_STORE": "local", **dict.fromkeys(BUCKET, "")}).bucket is None
    other = load(BUCKET)  # named, so that evidence can be copied to it
    assert other.store == "local" and other.bucket and other.bucket.address == "https://s3.example.org:9000"
    found = load(BUCKET | {"DUBAN_STORE": "s3", "DUBAN_S3_STYLE": "host", "DUBAN_S3_REGION": "cn-north-1"})
    assert found.store == "s3" and found.bucket and found.bucket.region == "cn-north-1"
    assert found.bucket.address == "https://duban.s3.example.org:9000"
    assert "geheim" not in repr(found) and "zugang" not in repr(found)


@pytest.mark.parametrize("missing", list(BUCKET))
def test_half_a_bucket_is_refused_by_name_and_never_shown(missing: str) -> None:
    for store in ({}, {"DUBAN_STORE": "s3"}):
        with pytest.raises(BadSettings, match=missing) as refusal:
            load(store | {name: value for name, value in BUCKET.items() if name != missing})
        assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUBAN_STORE", "minio"),
        ("DUBAN_S3_ENDPOINT", "s3.example.org"),
        ("DUBAN_S3_ENDPOINT", "https://user:geheim@s3.example.org"),
        ("DUBAN_S3_ENDPOINT", "https://s3.example.org/duban"),
        ("DUBAN_S3_ENDPOINT", "file:///srv"),
        ("DUBAN_S3_BUCKET", "../other"),
        ("DUBAN_S3_BUCKET", "Duban"),
        ("DUBAN_S3_STYLE", "virtual"),
    ],
)
def test_a_wrong_store_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name) as refusal:
        load(BUCKET | {name: value})
    assert "geheim" not in str(refusal.value)


def test_s3_without_a_bucket_is_refused() -> None:
    with pytest.raises(BadSettings, match="DUBAN_S3_BUCKET"):
        load({"DUBAN_STORE": "s3"})


MAIL = {"DUBAN_SEND": "mail", "DUBAN_SMTP_HOST": "mail.example.org", "DUBAN_SMTP_FROM": "duban@example.org"}


def test_nothing_leaves_before_it_is_said() -> None:
    out = load({}).outgoing
    assert out.sends == frozenset() and out.mail is None and out.robot_origins["feishu"] == "https://open.feishu.cn"


def test_a_mail_server_has_the_port_of_its_kind() -> None:
    user = {"DUBAN_SMTP_USER": "duban", "DUBAN_SMTP_PASSWORD": "geheim"}
    for more, port in (({}, 25), (user, 587), ({"DUBAN_SMTP_TLS": "tls"}, 465), ({"DUBAN_SMTP_PORT": "2525"}, 2525)):
        found = load(MAIL | more).outgoing.mail
        assert found and (found.port, found.sender) == (port, "duban@example.org")
        assert "geheim" not in repr(load(MAIL | more))


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"DUBAN_SEND": "mail,fax"}, "fax is no channel"),
        ({"DUBAN_SEND": "mail"}, "DUBAN_SMTP_HOST"),
        ({"DUBAN_SEND": "sms"}, "DUBAN_SMS_URL"),
        ({"DUBAN_SEND": "web_push", "DUBAN_PUSH_KEY": KEY}, "DUBAN_PUSH_CONTACT"),
        ({"DUBAN_SEND": "web_push", "DUBAN_PUSH_CONTACT": "a@b"}, "DUBAN_PUSH_KEY"),
        (MAIL | {"DUBAN_SMTP_FROM": "duban"}, "DUBAN_SMTP_FROM"),
        (MAIL | {"DUBAN_SMTP_TLS": "ssl"}, "DUBAN_SMTP_TLS"),
        (MAIL | {"DUBAN_SMTP_USER": "duban"}, "DUBAN_SMTP_PASSWORD"),
        (
            MAIL | {"DUBAN_SMTP_USER": "duban", "DUBAN_SMTP_PASSWORD": "geheim", "DUBAN_SMTP_TLS": "none"},
            "DUBAN_SMTP_TLS",
        ),
        ({"DUBAN_SMS_URL": "https://user:geheim@sms.example.org/"}, "DUBAN_SMS_URL"),
        ({"DUBAN_SMS_URL": "https://sms.example.org/?token=geheim"}, "DUBAN_SMS_URL"),
        ({"DUBAN_WECOM_ORIGIN": "https://user:geheim@wecom.example.org"}, "DUBAN_WECOM_ORIGIN"),
        ({"DUBAN_PUSH_ORIGINS": "https://a.example.org,file:///srv"}, "DUBAN_PUSH_ORIGINS"),
        ({"DUBAN_PUBLIC_URL": "https://duban.example.org/phone"}, "DUBAN_PUBLIC_URL"),
    ],
)
def test_a_channel_that_lacks_something_is_refused_by_name_and_without_secrets(env: dict[str, str], named: str) -> None:
    with pytest.raises(BadSettings, match=named) as refusal:
        load({"DUBAN_VAR": "/nonexistent"} | env)
    assert "geheim" not in str(refusal.value)
