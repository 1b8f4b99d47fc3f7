from pathlib import Path

import pytest

from panoptes_bot.settings import BotSettings, SettingsRefused, names, read_settings

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "123456789:AAF-planted_4711_token_of_a_bot_abc"  # pragma: allowlist secret
KEYS = {
    "TELEGRAM_BOT_TOKEN": TOKEN,
    "BOT_API_KEY": "1f1e2d3c4b5a69788796a5b4c3d2e1f1",
}
PLANTED = "planted-4711"
LOGIN = f"u:{PLANTED}"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def read(**changed: str) -> BotSettings:
    Path(".env").write_text("".join(f"{k}={v}\n" for k, v in {**KEYS, **changed}.items()))
    return read_settings()


def refusal(**changed: str) -> list[str]:
    with pytest.raises(SettingsRefused) as caught:
        read(**changed)
    return caught.value.reasons


def test_the_example_file_lists_every_setting_of_the_bot_with_its_default() -> None:
    lines = dict(
        line.split("=", 1)
        for line in (ROOT / ".env.example").read_text().splitlines()
        if "=" in line and line[0] != "#"
    )
    settings = read()

    assert set(names()) <= set(lines)
    assert lines["TELEGRAM_LOG_FILE"] == str(settings.telegram_log_file)
    assert f"{lines['SERVICE_URL']}/" == str(settings.service_url)


def test_the_token_and_the_key_are_enough() -> None:
    settings = read()

    assert str(settings.service_url) == "http://127.0.0.1:8001/"
    assert str(settings.telegram_api_base) == "https://api.telegram.org/"
    assert settings.telegram_webhook_url is None
    assert settings.telegram_log_file == Path("logs/panoptes_bot.log")


def test_the_settings_of_the_service_in_the_same_file_do_no_harm() -> None:
    read(API_PORT="9001", INTERNAL_API_KEY="x", OPENROUTER_API_KEY="y")


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_URL", "http://127.0.0.1:9001")

    assert read(SERVICE_URL="http://127.0.0.1:9002").service_url.port == 9001


def test_without_any_setting_both_secrets_are_missed() -> None:
    with pytest.raises(SettingsRefused) as caught:
        read_settings()

    assert caught.value.reasons == [
        "TELEGRAM_BOT_TOKEN: is not set",
        "BOT_API_KEY: is not set",
    ]


PRIVATE = (
    "must be https beyond this machine, or set "
    "SERVICE_NETWORK_IS_PRIVATE=true where nobody else is on that network"
)
NO_TOKEN = "is no bot token; @BotFather gives one of the form number:letters"

PRINTABLE = "must be printable ASCII without blanks"
LETTERS = "may hold only letters, digits, _ and -"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("TELEGRAM_BOT_TOKEN", "", NO_TOKEN),
        ("TELEGRAM_BOT_TOKEN", PLANTED, NO_TOKEN),
        ("TELEGRAM_BOT_TOKEN", f"{TOKEN}/../{PLANTED}", NO_TOKEN),
        ("TELEGRAM_BOT_TOKEN", f"bot{TOKEN}", NO_TOKEN),
        ("BOT_API_KEY", PLANTED, "needs at least 32 characters"),
        ("BOT_API_KEY", "a" * 40, "is a placeholder or too simple"),
        ("BOT_API_KEY", f"changeme-{PLANTED}-0123456789-abcdef", "is a placeholder or too simple"),
        ("BOT_API_KEY", f"{PLANTED}-é-0123456789-abcdefghi", PRINTABLE),
        ("SERVICE_URL", PLANTED, "Input should be a valid URL, relative URL without a base"),
        ("SERVICE_URL", f"ftp://{PLANTED}", "URL scheme should be 'http' or 'https'"),
        ("SERVICE_URL", f"http://{LOGIN}@127.0.0.1", "must not hold a user or password"),
        ("TELEGRAM_API_BASE", f"http://{PLANTED}", "must be https beyond this machine"),
        ("TELEGRAM_WEBHOOK_SECRET", PLANTED, "needs at least 32 characters"),
        ("TELEGRAM_WEBHOOK_SECRET", f"{PLANTED}/0123456789-abcdefghijklm", LETTERS),
        ("LOG_LEVEL", PLANTED, "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("ENVIRONMENT", PLANTED, "Input should be 'development' or 'production'"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_setting_and_not_the_value(
    name: str, value: str, reason: str
) -> None:
    assert refusal(**{name: value}) == [f"{name}: {reason}"]


def test_all_reasons_come_at_once() -> None:
    reasons = refusal(TELEGRAM_BOT_TOKEN="x", BOT_API_KEY="y", LOG_LEVEL="loud", SERVICE_URL="")

    assert [reason.partition(":")[0] for reason in reasons] == [
        "TELEGRAM_BOT_TOKEN",
        "BOT_API_KEY",
        "SERVICE_URL",
        "LOG_LEVEL",
    ]


def test_two_contradictions_come_at_once() -> None:
    reasons = refusal(
        ENVIRONMENT="production",
        SERVICE_URL="http://service:8001",
        TELEGRAM_WEBHOOK_URL="http://bot.example.org/webhook/telegram",
    )

    assert reasons == [
        f"SERVICE_URL: {PRIVATE}",
        "TELEGRAM_WEBHOOK_URL: must be https",
        "TELEGRAM_WEBHOOK_SECRET: is needed with TELEGRAM_WEBHOOK_URL",
    ]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8001", "http://localhost", "http://[::1]:1", "https://service:8001"]
)
def test_the_way_to_the_service_may_be_open_on_this_machine(url: str) -> None:
    read(ENVIRONMENT="production", SERVICE_URL=url)


def test_the_way_to_the_service_may_be_open_on_a_private_network() -> None:
    read(
        ENVIRONMENT="production",
        SERVICE_URL="http://service:8001",
        SERVICE_NETWORK_IS_PRIVATE="true",
    )


@pytest.mark.parametrize(
    ("changed", "user", "refused"),
    [
        ({"ENVIRONMENT": "production"}, 0, True),
        ({"ENVIRONMENT": "production", "ALLOW_ROOT": "true"}, 0, False),
        ({"ENVIRONMENT": "production"}, 10001, False),
        ({}, 0, False),
    ],
)
def test_production_is_not_for_root(changed: dict[str, str], user: int, *, refused: bool) -> None:
    Path(".env").write_text("".join(f"{k}={v}\n" for k, v in {**KEYS, **changed}.items()))
    reasons = []
    try:
        read_settings(user=user)
    except SettingsRefused as refusal:
        reasons = refusal.reasons

    assert [reason.partition(":")[0] for reason in reasons] == ["ALLOW_ROOT"] * refused


def test_the_webhook_has_a_secret_of_its_own_and_no_token_in_its_address() -> None:
    reasons = refusal(
        TELEGRAM_WEBHOOK_URL=f"https://bot.example.org/{TOKEN}",
        TELEGRAM_WEBHOOK_SECRET=KEYS["BOT_API_KEY"],
    )

    assert reasons == [
        "TELEGRAM_WEBHOOK_URL: must not hold the token; logs of proxies hold addresses",
        "BOT_API_KEY, TELEGRAM_WEBHOOK_SECRET: two of them are equal; give each a value of its own",
    ]


def test_one_bad_value_does_not_hide_a_contradiction() -> None:
    reasons = refusal(LOG_LEVEL="loud", TELEGRAM_API_BASE="http://telegram")

    assert [reason.partition(":")[0] for reason in reasons] == ["LOG_LEVEL", "TELEGRAM_API_BASE"]


def test_secrets_may_come_as_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (folder / "telegram_bot_token").write_text(f"{TOKEN}\n")
    (folder / "BOT_API_KEY").write_text(KEYS["BOT_API_KEY"])

    settings = read_settings()

    assert settings.secrets() == list(KEYS.values())


def test_a_development_bot_may_reach_a_service_elsewhere() -> None:
    read(SERVICE_URL="http://service:8001")


def test_a_webhook_needs_its_secret() -> None:
    settings = read(
        TELEGRAM_WEBHOOK_URL="https://bot.example.org/webhook/telegram",
        TELEGRAM_WEBHOOK_SECRET="abcdefghijklmnop-0123456789_ABCDEF",
    )

    assert str(settings.telegram_webhook_url) == "https://bot.example.org/webhook/telegram"


def test_empty_values_mean_none() -> None:
    settings = read(TELEGRAM_WEBHOOK_URL="", TELEGRAM_WEBHOOK_SECRET="", TELEGRAM_LOG_FILE="")

    assert settings.telegram_webhook_url is None
    assert settings.telegram_webhook_secret is None
    assert settings.telegram_log_file is None


def test_a_file_that_is_no_text_is_refused() -> None:
    Path(".env").write_bytes(b"ENVIRONMENT=\xff\xfe\n")

    with pytest.raises(SettingsRefused) as caught:
        read_settings()

    assert caught.value.reasons == [".env: cannot be read as UTF-8 text"]


def test_secrets_are_given_for_the_log_net_and_never_shown() -> None:
    secret = "abcdefghijklmnop-0123456789_ABCDEF"

    settings = read(TELEGRAM_WEBHOOK_SECRET=secret)

    assert settings.secrets() == [TOKEN, KEYS["BOT_API_KEY"], secret]
    assert not any(each in f"{settings} {settings!r}" for each in settings.secrets())
