import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.settings import (
    ELSEWHERE,
    GROUPS,
    Settings,
    SettingsRefused,
    example,
    names,
    read_settings,
)

# Joined where it is used: the secret scan finds a login in an address, made up or not.
LOGIN = "u:PLANTED"

ROOT = Path(__file__).resolve().parents[1]
KEYS = {
    "INTERNAL_API_KEY": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "BOT_API_KEY": "1f1e2d3c4b5a69788796a5b4c3d2e1f1",
}
PLANTED = "planted-4711"  # no reason may hold it
FORM = "sqlite:///data/arash.db"
FORMS = "must begin with sqlite:/// or postgresql://, and name a database"


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings that start, in a folder with nothing else; none of them is in the environment."""
    for name in [*names(), *ELSEWHERE]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").touch(mode=0o600)
    return {**KEYS, "ENCRYPTION_KEY_FILE": "key"}


def read(env: dict[str, str], **changed: str) -> Settings:
    Path(".env").write_text("".join(f"{k}={v}\n" for k, v in {**env, **changed}.items()))
    return read_settings()


def refusal(env: dict[str, str], **changed: str) -> list[str]:
    with pytest.raises(SettingsRefused) as caught:
        read(env, **changed)
    assert str(caught.value) == "; ".join(caught.value.reasons)
    return caught.value.reasons


def reasons_against(values: dict[str, Any]) -> list[str]:
    try:
        read_settings(None, **values)
    except SettingsRefused as refused:
        return refused.reasons
    return []


STRONG = "needs at least 32 characters"
SIMPLE = "is a placeholder or too simple"
PRINTABLE = "must be printable ASCII without blanks"
RATE = "must be a rate such as 120/minute"
ORIGINS = "must be origins such as https://noc.example.org, without a path"
NETWORKS = "must be addresses, or networks such as 10.0.0.0/8"
EVERYBODY = "all would let anybody choose their address; name them"
NUMBER = "Input should be a valid integer, unable to parse string as an integer"
BOOLEAN = "Input should be a valid boolean, unable to interpret input"
EMPTY = "String should have at least 1 character"
URL = "Input should be a valid URL, "
REPLACEMENTS = "must be old=new or old=new+web_search, by comma"

BAD = [
    ("ENVIRONMENT", "PLANTED", "Input should be 'development' or 'production'"),
    ("API_HOST", "", EMPTY),
    ("API_HOST", "0.0.0.0", "listening beyond this machine needs ENVIRONMENT=production"),
    ("API_HOST", "PLANTED", "listening beyond this machine needs ENVIRONMENT=production"),
    ("API_PORT", "PLANTED", NUMBER),
    ("API_PORT", "", NUMBER),
    ("API_PORT", "65536", "Input should be less than or equal to 65535"),
    ("API_PORT", "-1", "Input should be greater than or equal to 0"),
    ("ENABLE_API_DOCS", "PLANTED", BOOLEAN),
    ("PUBLIC_STATS", "PLANTED", BOOLEAN),
    ("CORS_ORIGINS", "PLANTED", ORIGINS),
    ("CORS_ORIGINS", "https://ok.example,https://PLANTED/path", ORIGINS),
    ("CORS_ORIGINS", "https://noc.example.org/", ORIGINS),
    ("CORS_ORIGINS", "https://NOC.example.org", ORIGINS),
    ("CORS_ORIGINS", f"https://{LOGIN}@noc.example.org", ORIGINS),
    ("CORS_ORIGINS", "null", ORIGINS),
    ("TRUSTED_PROXIES", "PLANTED", NETWORKS),
    ("TRUSTED_PROXIES", "10.0.0.1, PLANTED", NETWORKS),
    ("TRUSTED_PROXIES", "10.0.0.1/8", NETWORKS),
    ("TRUSTED_PROXIES", "*", EVERYBODY),
    ("TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/0", EVERYBODY),
    ("TRUSTED_PROXIES", "::/0", EVERYBODY),
    ("HTTP_RATE_LIMIT", "PLANTED", RATE),
    ("HTTP_RATE_LIMIT", "", RATE),
    ("HTTP_RATE_LIMIT", "0/minute", RATE),
    ("HTTP_RATE_LIMIT", "10/fortnight", RATE),
    ("LOGIN_RATE_LIMIT", "10", RATE),
    ("DRAIN_SECONDS", "0", "Input should be greater than or equal to 1"),
    ("DRAIN_SECONDS", "601", "Input should be less than or equal to 600"),
    ("LOG_LEVEL", "PLANTED", "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ("LOG_FORMAT", "PLANTED", "Input should be 'text' or 'json'"),
    ("LOG_ROTATION", "PLANTED", "must be a size such as 10 MB"),
    ("LOG_ROTATION", "", "must be a size such as 10 MB"),
    ("LOG_ROTATION", "1 week", "must be a size such as 10 MB"),
    ("INTERNAL_API_KEY", "", STRONG),
    ("INTERNAL_API_KEY", "PLANTED", STRONG),
    ("INTERNAL_API_KEY", "a" * 64, SIMPLE),
    ("INTERNAL_API_KEY", "CHANGEME-0123456789-abcdefghijklmnop", SIMPLE),
    ("BOT_API_KEY", "your_PLANTED-0123456789-abcdefghijkl", SIMPLE),
    ("BOT_API_KEY", "PLANTED PLANTED PLANTED PLANTED abcdef", PRINTABLE),
    ("ADMIN_API_KEY", "PLANTED-é-0123456789-abcdefghijklmnop", PRINTABLE),
    ("ADMIN_API_KEY", "short-PLANTED", STRONG),
    ("ENCRYPTION_KEY_FILE", "PLANTED", "there is no such file"),
    ("ENCRYPTION_KEY_FILE", "", "there is no such file"),
    ("OPENROUTER_SERVICE_URL", "PLANTED", f"{URL}relative URL without a base"),
    ("OPENROUTER_SERVICE_URL", "", f"{URL}input is empty"),
    ("OPENROUTER_SERVICE_URL", "ftp://PLANTED", "URL scheme should be 'http' or 'https'"),
    ("OPENROUTER_SERVICE_URL", "http://gateway.PLANTED", "must be https"),
    ("OPENROUTER_SERVICE_URL", f"https://{LOGIN}@host", "must not hold a user or password"),
    ("OPENROUTER_API_KEY", "PLANTED with blanks", PRINTABLE),
    ("OPENROUTER_API_KEY", '"PLANTED\\n"', PRINTABLE),
    ("OPENROUTER_API_KEY", "PLANTED-é", PRINTABLE),
    ("OPENROUTER_DIALECT", "PLANTED", "Input should be 'openrouter' or 'openai'"),
    ("MAX_TOKENS", "15", "Input should be greater than or equal to 16"),
    ("MODEL_ALIASES", "PLANTED", "must be name=model, by comma"),
    ("MODEL_ALIASES", "PLANTED=a/b,PLANTED=c/d", "must be name=model, by comma"),
    ("MODEL_REPLACEMENTS", "PLANTED", REPLACEMENTS),
    ("MODEL_REPLACEMENTS", "PLANTED=new+PLANTED", REPLACEMENTS),
    ("REPLACEMENT_MAX_PRICE", "PLANTED", "Input should be a valid decimal"),
    ("REPLACEMENT_MAX_PRICE", "0", "Input should be greater than 0"),
    ("REPLACEMENT_MAX_PRICE", "nan", "Input should be a finite number"),
    ("TELEGRAM_MODEL", "", EMPTY),
    ("INTERNAL_DEFAULT_MODEL", "", EMPTY),
    ("TELEGRAM_RATE_LIMIT", "0", "Input should be greater than or equal to 1"),
    ("INTERNAL_RATE_LIMIT", "many-PLANTED", NUMBER),
    ("TELEGRAM_MAX_HISTORY", "-1", "Input should be greater than or equal to 0"),
    ("INTERNAL_MAX_HISTORY", "201", "Input should be less than or equal to 200"),
    ("SESSION_TIMEOUT_MINUTES", "0", "Input should be greater than 0"),
    ("SESSION_TIMEOUT_MINUTES", "inf", "Input should be less than or equal to 43200"),
    ("SESSION_TIMEOUT_MINUTES", "nan", "Input should be less than or equal to 43200"),
    ("PLUME_ENABLED", "PLANTED", BOOLEAN),
    ("PLUME_SSO_URL", "PLANTED", f"{URL}relative URL without a base"),
    ("PLUME_SSO_URL", "http://sso.PLANTED/v1/token", "must be https"),
    (
        "PLUME_SSO_URL",
        f"https://{LOGIN}@sso.example.org/v1/token",
        "must not hold a user or password",
    ),
    ("PLUME_API_BASE", "", f"{URL}input is empty"),
    ("PLUME_API_BASE", "http://cloud.PLANTED/api/", "must be https"),
    ("PLUME_REPORTS_BASE", "ftp://PLANTED", "URL scheme should be 'http' or 'https'"),
    ("PLUME_REPORTS_BASE", "http://cloud.PLANTED/reports/", "must be https"),
    ("PLUME_REPORTS_CLIENT_ID", "0oaPLANTED", BOOLEAN),
    ("PLUME_CALLS_PER_SECOND", "1", "Input should be greater than or equal to 2"),
    ("PLUME_CALLS_PER_SECOND", "PLANTED", NUMBER),
    ("NETWORK_IN_GROUPS", "PLANTED", BOOLEAN),
    ("ENABLE_IMAGE_PROCESSING", "", BOOLEAN),
    ("MAX_IMAGE_SIZE_MB", "0", "Input should be greater than or equal to 1"),
    ("DATABASE_URL", "", f"is no database URL such as {FORM}"),
    ("DATABASE_URL", "PLANTED", f"is no database URL such as {FORM}"),
    ("DATABASE_URL", "sqlite://host:PLANTED/x", f"is no database URL such as {FORM}"),
    ("DATABASE_URL", "sqlite://PLANTED/x", FORMS),
    ("DATABASE_URL", "sqlite+aiosqlite:///PLANTED", FORMS),
    ("DATABASE_URL", f"mysql://{LOGIN}@host/x", FORMS),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_a_bad_value_is_one_line_that_names_the_setting_and_not_the_value(
    env: dict[str, str], name: str, value: str, reason: str
) -> None:
    reasons = refusal(env, **{name: value.replace("PLANTED", PLANTED)})

    assert reasons == [f"{name}: {reason}"]


def test_no_reason_of_the_table_holds_what_is_planted() -> None:
    assert sum("PLANTED" in value for _, value, _ in BAD) > 30
    assert not any(PLANTED in reason or "PLANTED" in reason for _, _, reason in BAD)


@pytest.mark.parametrize("name", ["INTERNAL_API_KEY", "BOT_API_KEY"])
def test_a_key_that_is_not_set_is_missed(env: dict[str, str], name: str) -> None:
    del env[name]

    assert refusal(env) == [f"{name}: is not set"]


@pytest.mark.parametrize("same", ["INTERNAL_API_KEY", "BOT_API_KEY"])
def test_two_keys_may_not_be_equal(env: dict[str, str], same: str) -> None:
    reasons = refusal(env, ADMIN_API_KEY=KEYS[same])

    (reason,) = reasons
    assert "two of them are equal" in reason
    assert KEYS[same] not in reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS: * is not for production; name the pages"),
        (
            {"CORS_ORIGINS": "https://a.example,*"},
            "CORS_ORIGINS: * is not for production; name the pages",
        ),
        (
            {"OPENROUTER_SERVICE_URL": "http://127.0.0.1:9/v1"},
            "OPENROUTER_SERVICE_URL: must be https",
        ),
        ({"PLUME_SSO_URL": "http://localhost:9/token"}, "PLUME_SSO_URL: must be https"),
        ({"PLUME_API_BASE": "http://127.0.0.1:9/api"}, "PLUME_API_BASE: must be https"),
        ({"PLUME_REPORTS_BASE": "http://[::1]:9/r"}, "PLUME_REPORTS_BASE: must be https"),
    ],
)
def test_production_refuses_what_development_allows(
    env: dict[str, str], changed: dict[str, str], reason: str
) -> None:
    read(env, **changed)

    assert refusal(env, ENVIRONMENT="production", **changed) == [reason]


def test_production_is_stricter_by_default(env: dict[str, str]) -> None:
    here = read(env).service
    beyond = {"API_HOST": "0.0.0.0", "TLS_ENDS_AT": "nginx"}
    there = read(env, ENVIRONMENT="production", **beyond).service

    assert (here.production, here.docs, here.open_stats) == (False, True, True)
    assert (there.production, there.docs, there.open_stats) == (True, False, False)


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize("wanted", ["true", "false"])
def test_what_is_set_goes_before_what_the_environment_suggests(
    env: dict[str, str], environment: str, wanted: str
) -> None:
    service = read(
        env, ENVIRONMENT=environment, ENABLE_API_DOCS=wanted, PUBLIC_STATS=wanted
    ).service

    assert (service.docs, service.open_stats) == (wanted == "true", wanted == "true")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_may_be_named_in_several_ways(env: dict[str, str], host: str) -> None:
    assert read(env, API_HOST=host).service.api_host == host


def test_all_reasons_come_at_once(env: dict[str, str]) -> None:
    del env["BOT_API_KEY"]

    reasons = refusal(
        env,
        API_HOST="0.0.0.0",
        LOG_LEVEL="loud",
        LOG_FORMAT="xml",
        ENCRYPTION_KEY_FILE="absent",
        OPENROUTER_SERVICE_URL="http://gateway.example",
        DATABASE_URL="no",
        UNKNOWN="1",
    )

    assert [reason.partition(":")[0] for reason in reasons] == [
        "UNKNOWN",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "BOT_API_KEY",
        "ENCRYPTION_KEY_FILE",
        "DATABASE_URL",
        "API_HOST",
        "OPENROUTER_SERVICE_URL",
    ]


def test_a_name_that_nobody_knows_is_refused_in_the_file(env: dict[str, str]) -> None:
    reasons = refusal(env, API_PROT="PLANTED", api_port="1", TELEGRAM_BOT_TOKEN="PLANTED")

    line = "no such setting; see .env.example"
    assert reasons == [f"API_PROT: {line}", f"api_port: {line}"]


def test_a_name_that_nobody_knows_is_fine_in_the_environment(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_PROT", "1")

    assert read(env).service.api_port == 8001


def test_what_the_bot_reads_is_no_stranger(env: dict[str, str]) -> None:
    read(env, **dict.fromkeys(ELSEWHERE, "x"))


def test_a_file_that_is_no_text_is_refused() -> None:
    Path(".env").write_bytes(b"ENVIRONMENT=\xff\xfe\n")

    with pytest.raises(SettingsRefused) as caught:
        read_settings()

    assert caught.value.reasons == [".env: cannot be read as UTF-8 text"]


def test_the_environment_goes_before_the_file(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_PORT", "9001")

    assert read(env, API_PORT="9002").service.api_port == 9001


def test_no_file_is_needed(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    assert read_settings().service.api_port == 8001
    assert read_settings(None).service.api_port == 8001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" ", ()),
        ("start", ("start",)),
        (" start , help,,status ,", ("start", "help", "status")),
        ("'start,help'", ("start", "help")),
    ],
)
def test_lists_are_read_by_comma(env: dict[str, str], text: str, expected: tuple[str, ...]) -> None:
    assert read(env, TELEGRAM_COMMANDS=text).platforms.telegram_commands == expected


def test_quotes_and_comments_are_no_part_of_a_value(env: dict[str, str]) -> None:
    found = read(env, API_PORT="9001 # mine", LOG_ROTATION='"5 MB"', LOG_FORMAT="'json'")

    assert found.service.api_port == 9001
    assert (found.log.log_rotation, found.log.log_format) == ("5 MB", "json")


def test_an_empty_value_means_none_where_none_is_possible(env: dict[str, str]) -> None:
    optional = (
        "ENABLE_API_DOCS",
        "PUBLIC_STATS",
        "LOG_FILE",
        "ADMIN_API_KEY",
        "OPENROUTER_API_KEY",
    )

    found = read(env, **dict.fromkeys(optional, ""))

    assert found.service.enable_api_docs is None
    assert found.service.public_stats is None
    assert found.log.log_file is None
    assert found.keys.admin_api_key is None
    assert found.models.openrouter_api_key is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ORIGINS", "https://noc.example.org, http://[::1]:3000, http://localhost:8080"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, 192.168.1.7, fd00::/8, ::1"),
        ("HTTP_RATE_LIMIT", "5 per second"),
        ("LOGIN_RATE_LIMIT", "1/hour"),
        ("LOG_ROTATION", "1.5 GB"),
        ("MODEL_ALIASES", "fast=a/b, slow=c/d"),
        ("MODEL_REPLACEMENTS", "a/b=c/d+web_search"),
        ("OPENROUTER_SERVICE_URL", "http://localhost:9/v1"),
        ("PLUME_SSO_URL", "http://localhost:9/plume/oauth2/cloud/v1/token"),
        ("PLUME_CALLS_PER_SECOND", "3"),
        ("DATABASE_URL", "sqlite:////var/lib/arash/arash.db"),
        ("SESSION_TIMEOUT_MINUTES", "0.5"),
    ],
)
def test_good_values_start(env: dict[str, str], name: str, value: str) -> None:
    read(env, **{name: value})


def test_the_defaults_start(env: dict[str, str]) -> None:
    found = read(env)

    assert str(found.models.openrouter_service_url) == "https://openrouter.ai/api/v1"
    assert found.models.replacement_max_price == Decimal(20)
    assert (found.platforms.telegram_rate_limit, found.platforms.internal_rate_limit) == (20, 60)
    plume = found.plume
    assert (plume.plume_enabled, plume.network_in_groups, plume.plume_calls_per_second) == (
        True,
        False,
        6,
    )


def test_secrets_are_given_for_the_log_net_and_never_shown(env: dict[str, str]) -> None:
    admin = "2f1e2d3c4b5a69788796a5b4c3d2e1f2"

    found = read(env, ADMIN_API_KEY=admin, OPENROUTER_API_KEY=PLANTED)

    assert found.secrets() == [*KEYS.values(), admin, PLANTED]
    shown = f"{found} {found!r}"
    assert not any(secret in shown for secret in found.secrets())
    assert read(env).secrets() == list(KEYS.values())


def test_the_example_file_is_what_the_settings_say() -> None:
    assert (ROOT / ".env.example").read_text() == example()


def test_every_setting_is_explained_once_in_the_example() -> None:
    lines = example().splitlines()

    explained = [line.partition("=")[0] for line in lines if "=" in line and line[0] != "#"]
    assert explained == [*names(), *ELSEWHERE]
    assert len(set(names())) == len(names())
    for group in GROUPS.values():
        for name, field in group.model_fields.items():
            assert field.description, name
            assert f"# {field.description}" in lines


def test_the_example_starts_once_its_keys_are_filled_in(env: dict[str, str]) -> None:
    text = example()
    for name, value in env.items():
        text = re.sub(rf"(?m)^{name}=.*$", f"{name}={value}", text)
    Path(".env").write_text(text)

    assert read_settings() == read(env)


def test_the_example_holds_no_secret() -> None:
    for name in ("INTERNAL_API_KEY", "BOT_API_KEY", "ADMIN_API_KEY", "OPENROUTER_API_KEY"):
        assert f"\n{name}=\n" in example()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_=st.dictionaries(st.sampled_from(names()), st.text(max_size=40), max_size=4))
def test_whatever_is_set_the_reasons_are_lines(env: dict[str, str], given_: dict[str, Any]) -> None:
    values = {name.lower(): value for name, value in {**env, **given_}.items()}

    assert all(re.fullmatch(r"[A-Z_, ]+: .+", reason) for reason in reasons_against(values))
