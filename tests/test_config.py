"""The configuration: three modes never confused, every problem told at once with its remedy, no secret in a repr."""

from __future__ import annotations

import ast
import base64
import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils import config
from utils.config import Mode, NotionSettings, SchemaSettings, VaultSettings
from utils.errors import USAGE, ConfigError
from utils.schedule.jobs import JOBS
from utils.sections import LIMITS

ROOT = Path(__file__).resolve().parents[1]
ID = "0123abcd-0123-4567-89ab-0123456789ab"
HEX = ID.replace("-", "")
DSN = "postgresql://postgres:pass-of-the-database@db.example.org:5432/postgres"
VAULT = {"DATABASE_URL": DSN}
REST = {"SUPABASE_URL": "https://abc.supabase.co/", "SUPABASE_KEY": "sb_secret_0123456789abcdef"}
NOTION = {"NOTION_TOKEN": "ntn_0123456789abcdef", "NOTION_DATABASE_ID": ID}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own, and no variable of the process besides."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANGLES_HOME", str(tmp_path))
    return tmp_path


def jwt(role: object) -> str:
    """A legacy key of Supabase with that role."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, {"iss": "supabase", "role": role})]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"])


def problems(env: Mapping[str, str]) -> tuple[str, ...]:
    """What is told to be wrong with an environment."""
    with pytest.raises(ConfigError) as told:
        config.load(env)
    assert told.value.exit_code == USAGE
    return told.value.lines


# --- modes


@pytest.mark.parametrize(
    ("env", "mode", "lacking"),
    [
        ({}, Mode.LOCAL, {}),
        ({"GITHUB_TOKEN": "ghp_0"}, Mode.LOCAL, {}),
        ({"SUPABASE_KEY": "sb_secret_0", "NOTION_BASE_URL": "http://127.0.0.1"}, Mode.LOCAL, {}),
        ({**VAULT, **NOTION}, Mode.CONFIGURED, {}),
        ({**REST, **NOTION}, Mode.CONFIGURED, {}),
        (VAULT, Mode.INCOMPLETE, {"notion": "NOTION_TOKEN and NOTION_DATABASE_ID"}),
        ({**VAULT, "NOTION_TOKEN": "ntn_0"}, Mode.INCOMPLETE, {"notion": "NOTION_DATABASE_ID"}),
        ({**VAULT, "NOTION_DATABASE_ID": ID}, Mode.INCOMPLETE, {"notion": "NOTION_TOKEN"}),
        (NOTION, Mode.INCOMPLETE, {"vault": "DATABASE_URL, or SUPABASE_URL with SUPABASE_KEY"}),
        ({**NOTION, "SUPABASE_URL": "https://abc.supabase.co"}, Mode.INCOMPLETE, {"vault": "SUPABASE_KEY"}),
        (
            {"REPO_URL": "https://github.com/a/b.git"},
            Mode.INCOMPLETE,
            {
                "vault": "DATABASE_URL, or SUPABASE_URL with SUPABASE_KEY",
                "notion": "NOTION_TOKEN and NOTION_DATABASE_ID",
            },
        ),
    ],
    ids=lambda value: "+".join(value) or "nothing" if isinstance(value, dict) else "",
)
def test_the_variables_decide_the_mode_and_what_lacks_is_named(
    env: Mapping[str, str], mode: Mode, lacking: Mapping[str, str]
) -> None:
    settings = config.load(env)
    assert (settings.mode, settings.missing) == (mode, lacking)
    for service, need in (("vault", settings.need_vault), ("notion", settings.need_notion)):
        if service in lacking:
            with pytest.raises(ConfigError, match=re.escape(f"{service}: not configured. Set {lacking[service]} (see")):
                need()
        elif mode is not Mode.LOCAL:
            need()


def test_backend_mode_local_ignores_what_is_set_and_names_it() -> None:
    env = {**VAULT, "NOTION_DATABASE_ID": "garbage", "GITHUB_TOKEN": "ghp_0", "BACKEND_MODE": "Local"}
    settings = config.load(env)
    assert (settings.mode, settings.vault, settings.notion) == (Mode.LOCAL, None, None)
    assert settings.ignored == ("DATABASE_URL", "NOTION_DATABASE_ID")


@pytest.mark.parametrize("env", [{}, VAULT], ids=["nothing set", "vault set"])
def test_another_backend_mode_is_refused(env: Mapping[str, str]) -> None:
    told = problems({**env, "BACKEND_MODE": "cloud"})
    assert told == ("configuration: BACKEND_MODE is 'cloud'; set it to local, or leave it empty.",)


def test_settings_are_read_as_they_are_used() -> None:
    settings = config.load({**VAULT, **REST, **NOTION, "NOTION_BASE_URL": "http://127.0.0.1:8080/v1/"})
    assert settings.need_vault() == VaultSettings("https://abc.supabase.co", REST["SUPABASE_KEY"], DSN)
    assert settings.need_notion() == NotionSettings(NOTION["NOTION_TOKEN"], ID, "http://127.0.0.1:8080", 3.0)
    assert config.load({**VAULT, **NOTION}).need_notion().base_url == "https://api.notion.com"


def test_a_section_is_read_only_by_the_script_that_needs_it() -> None:
    wrong_notion = {**VAULT, "NOTION_TOKEN": "a b", "NOTION_DATABASE_ID": "garbage"}
    assert config.load(wrong_notion, notion=False).need_vault().dsn == DSN
    assert config.load({"DATABASE_URL": "garbage", **NOTION}, vault=False).need_notion().database_id == ID


# --- problems


def test_every_problem_is_told_at_once_with_its_variable_and_remedy() -> None:
    wrong = {
        "BACKEND_MODE": "cloud",
        "SUPABASE_URL": "abc.supabase.co",
        "SUPABASE_KEY": "sb_publishable_0123456789",
        "DATABASE_URL": "mysql://localhost/db",
        "NOTION_TOKEN": "ntn_0123 456",
        "NOTION_DATABASE_ID": "my decisions",
        "NOTION_BASE_URL": "notion.com",
        "NOTION_REQUESTS_PER_SECOND": "fast",
    }
    told = problems(wrong)
    assert len(told) == len(wrong)
    for name in wrong:
        [line] = [line for line in told if line.startswith(f"configuration: {name} ")]
        assert re.search(r"; (set|copy|empty)[^;]+\.$", line), line
    with pytest.raises(ConfigError) as raised:
        config.load(wrong)
    assert str(raised.value).splitlines() == list(told)


PLACEHOLDERS = ["<your token>", "your-token-here", "changeme", "change_me", "xxxxxxxx", "ntn_...", "sb_secret_…"]


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_is_refused_by_name(value: str) -> None:
    told = problems({"DATABASE_URL": f"postgresql://{value}@host/db", **NOTION, "NOTION_TOKEN": value})
    assert [line.split()[1] for line in told] == ["DATABASE_URL", "NOTION_TOKEN"]
    assert all("still holds the placeholder" in line and value not in line for line in told)


def test_the_placeholder_of_supabases_own_template_is_one_problem() -> None:
    [told] = problems({"DATABASE_URL": "postgresql://postgres.abc:[YOUR-PASSWORD]@host:5432/postgres", **NOTION})
    assert "DATABASE_URL still holds the placeholder" in told


@pytest.mark.parametrize(
    "value",
    ["localhost", "postgresql://", "postgresql:///db", "https://host/db", "postgresql://u:p@host:port/db",
     "postgresql://u:pa#ss@host/db", "postgresql://u:p@host:0/db", "postgresql://[::1/db", "postgresql://a b/c",
     "postgresql://host/\x00", "host=localhost dbname=x"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_showing_it(value: str) -> None:
    [told] = problems({"DATABASE_URL": value, **NOTION})
    assert told.startswith(
        "configuration: DATABASE_URL is no URL of the form postgres:// or postgresql://host; copy it"
    )
    assert "pa#ss" not in told


@pytest.mark.parametrize(("text", "rate"), [("0", 0.0), ("2.5", 2.5), ("1000", 1000.0), ("1e1", 10.0)])
def test_the_rate_is_a_number(text: str, rate: float) -> None:
    assert (
        config.load({**VAULT, **NOTION, "NOTION_REQUESTS_PER_SECOND": text}).need_notion().requests_per_second == rate
    )


@pytest.mark.parametrize("text", ["fast", "-1", "1001", "nan", "inf", "3,5"])
def test_another_rate_is_refused(text: str) -> None:
    [told] = problems({**VAULT, **NOTION, "NOTION_REQUESTS_PER_SECOND": text})
    assert f"NOTION_REQUESTS_PER_SECOND is {text!r}; set a number from 0 to 1000 (0 is unlimited)" in told


# --- Supabase's keys


@pytest.mark.parametrize("key", ["sb_publishable_0123456789abcdef", jwt("anon"), jwt("authenticated")])
@pytest.mark.parametrize("name", config.SUPABASE_KEYS)
def test_a_key_to_which_the_vault_looks_empty_is_refused_with_the_reason(name: str, key: str) -> None:
    [told] = problems({**NOTION, "SUPABASE_URL": "https://abc.supabase.co", name: key})
    assert name in told
    assert "row-level security shows an empty vault; set the secret key (sb_secret_…)" in told
    assert key not in told


@pytest.mark.parametrize(
    ("key", "warned"),
    [("sb_secret_0123456789abcdef", False), (jwt("service_role"), True), ("eyJ.not.json", False), (jwt(None), False),
     ("eyJ" + base64.urlsafe_b64encode(b"{[").decode() + ".x.y", False), ("of-another-server", False)],
    ids=["secret", "legacy service_role", "no JWT", "no role", "no JSON", "unknown form"],
)  # fmt: skip
def test_a_secret_key_is_accepted_and_a_legacy_one_with_a_warning(key: str, warned: bool) -> None:
    settings = config.load({**REST, **NOTION, "SUPABASE_KEY": key})
    assert settings.need_vault().key == key
    assert [("SUPABASE_KEY is a legacy service_role key" in line) for line in settings.warnings] == [True] * warned


def test_of_several_keys_the_most_certain_name_counts() -> None:
    settings = config.load({**REST, **NOTION, "SUPABASE_KEY": jwt("anon"), "SUPABASE_SECRET_KEY": "sb_secret_first"})
    assert settings.need_vault().key == "sb_secret_first"


# --- Notion's ids


@pytest.mark.parametrize(
    "text",
    [
        ID,
        ID.upper(),
        HEX,
        f"https://www.notion.so/{HEX}",
        f"https://www.notion.so/team/Our-Decisions-{HEX}?v={'f' * 32}&pvs=4",
        f"https://www.notion.so/team/Cafe-{HEX}/#part",
        f"https://team.notion.site/{HEX}?v={'f' * 32}&p={'e' * 32}",
        f"www.notion.so/{ID}?v={'f' * 32}",
        f"notion://www.notion.so/{HEX}",
        f"https://[half/{HEX}",
    ],
)
def test_a_database_a_data_source_and_a_link_are_one_id(text: str) -> None:
    assert config.parse_notion_id(text) == ID
    assert config.load({**VAULT, **NOTION, "NOTION_DATABASE_ID": text}).need_notion().database_id == ID


@pytest.mark.parametrize(
    "text",
    ["decisions", HEX[:-1], HEX + "0", "a" * 40, HEX[:-1] + "g", f"https://www.notion.so/?v={HEX}",
     "https://www.notion.so/Decisions", f"{HEX} {HEX[:4]}", "https://[", "0" * 31 + "٣"],
)  # fmt: skip
def test_what_is_no_id_is_refused(text: str) -> None:
    assert config.parse_notion_id(text) is None
    [told] = problems({**VAULT, **NOTION, "NOTION_DATABASE_ID": text})
    assert f"NOTION_DATABASE_ID is no database id or URL ({text!r}); copy the link" in told


# --- any environment


@given(
    st.dictionaries(
        st.sampled_from([*config.DECIDING, *config.SUPABASE_KEYS, "BACKEND_MODE", "NOTION_BASE_URL", "RUN_ID"]),
        st.one_of(
            st.text(min_size=1),
            st.sampled_from([DSN, ID, "https://abc.supabase.co", "local", "eyJ.e30.x", "https://["]),
        ),
    )
)
def test_any_environment_gives_settings_or_one_error_of_ours(env: dict[str, str]) -> None:
    with contextlib.suppress(ConfigError):
        config.load(env, schema=True)
    list(config.secrets_of(env))


def test_no_secret_is_in_a_repr() -> None:
    settings = config.load({**VAULT, **REST, **NOTION, "GITHUB_TOKEN": "ghp_0123456789"})
    shown = repr(settings)
    for secret in ("pass-of-the-database", REST["SUPABASE_KEY"], NOTION["NOTION_TOKEN"], "ghp_0123456789"):
        assert secret in settings.secrets
        assert secret not in shown


SECRETS = {
    "a key": ({"SOME_API_KEY": "one"}, ["one"]),
    "lower case": ({"token": "two"}, ["two"]),
    "several": ({"API_KEYS": "one"}, ["one"]),
    "a number behind": ({"TOKEN2": "one", "SECRET_3": "two", "PASSWORD-4": "three"}, ["one", "two", "three"]),
    "another name": ({"PATH": "/bin", "KEYBOARD": "de", "TOKEN_FILE": "/run/x"}, []),
    "a password in a URL": ({"ANY_URL": "redis://u:p%40ss@h/1"}, ["p%40ss", "p@ss"]),
    "no user": ({"ANY_URL": "redis://:secret@h/1"}, ["secret", "secret"]),
    "an unencoded sign": ({"ANY_URL": "postgres://u:p/q#r@h/d"}, ["p/q#r", "p/q#r"]),
    "several URLs": ({"URLS": "amqp://a:one@h/x,amqp://b:two@h/x"}, ["one", "one", "two", "two"]),
    "a URL within a text": ({"NOTE": "see https://u:one@h/ and more"}, ["one", "one"]),
    "a port": ({"ANY_URL": "http://h:8080/photo@2x.png"}, []),
    "no password": ({"ANY_URL": "ssh://git@h:22/a.git"}, []),
}


@pytest.mark.parametrize(("env", "known"), SECRETS.values(), ids=SECRETS)
def test_secrets_are_known_by_the_names_of_variables_and_as_passwords_in_addresses(
    env: dict[str, str], known: list[str]
) -> None:
    assert list(config.secrets_of(env)) == known


# --- the ways to the schema


TOKEN = "sbp_0123456789abcdef"
WAYS = {
    "nothing": ({**REST}, SchemaSettings(project="abc")),
    "a connection": ({**VAULT}, SchemaSettings(dsn=DSN)),
    "a token": ({**REST, "SUPABASE_ACCESS_TOKEN": TOKEN}, SchemaSettings(token=TOKEN, project="abc")),
    "a token for a domain of one's own": (
        {"SUPABASE_URL": "https://db.example.org", "SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": "xyz"},
        SchemaSettings(token=TOKEN, project="xyz"),
    ),
    "both": ({**VAULT, "SUPABASE_ACCESS_TOKEN": TOKEN}, SchemaSettings(dsn=DSN, token=TOKEN)),
    "another API": (
        {**REST, "SUPABASE_API_URL": "http://127.0.0.1:8/v1/"},
        SchemaSettings(project="abc", api_url="http://127.0.0.1:8"),
    ),
}


@pytest.mark.parametrize(("env", "schema"), WAYS.values(), ids=WAYS)
def test_the_ways_to_the_schema_are_read_when_they_are_asked_for(
    env: Mapping[str, str], schema: SchemaSettings
) -> None:
    assert config.load(env, schema=True).schema == schema
    assert config.load(env).schema == SchemaSettings()
    assert TOKEN not in repr(schema)


@pytest.mark.parametrize(
    ("env", "told"),
    [
        (
            {"SUPABASE_URL": "https://db.example.org", "SUPABASE_ACCESS_TOKEN": TOKEN},
            "SUPABASE_PROJECT_REF is not set, and SUPABASE_URL's host names no project",
        ),
        ({**REST, "SUPABASE_PROJECT_REF": "xyz"}, "SUPABASE_PROJECT_REF is xyz, SUPABASE_URL is of abc; empty the one"),
        ({**REST, "SUPABASE_PROJECT_REF": "a/b"}, "SUPABASE_PROJECT_REF is 'a/b'; set the project's reference"),
        ({**REST, "SUPABASE_ACCESS_TOKEN": "a b"}, "SUPABASE_ACCESS_TOKEN holds blanks or signs that no token has"),
        ({**REST, "SUPABASE_API_URL": "api"}, "SUPABASE_API_URL is no URL of the form http:// or https://host"),
        ({"DATABASE_URL": "garbage"}, "DATABASE_URL is no URL of the form"),
    ],
    ids=["no project", "two projects", "no reference", "token", "address", "connection"],
)
def test_a_way_to_the_schema_that_cannot_be_is_told_once(env: Mapping[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config.load(env, schema=True)
    (line,) = raised.value.lines
    assert line.startswith(f"configuration: {told}")


def test_an_access_token_alone_is_local_mode_and_never_shown() -> None:
    settings = config.load({"SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": "xyz"}, schema=True)
    assert (settings.mode, settings.schema) == (Mode.LOCAL, SchemaSettings())
    assert TOKEN in settings.secrets


# --- .env and the process


def test_the_process_wins_over_the_file_and_an_empty_value_unsets(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".env").write_text("A_NAME=file\nB_NAME=file\nC_NAME=file\nD_NAME=\nE_NAME=  \n")
    monkeypatch.setenv("B_NAME", "process")
    monkeypatch.setenv("C_NAME", "")
    env = config.environment()
    assert {name: env[name] for name in env if name.endswith("_NAME")} == {"A_NAME": "file", "B_NAME": "process"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=value", "value"),
        ("export NAME = value # a comment", "value"),
        ("NAME='a # b'", "a # b"),
        ('NAME="two words"', "two words"),
        ("NAME=pass$word${OTHER}", "pass$word${OTHER}"),
        ("NAME=  blanks around  ", "blanks around"),
        ("NAME=first\nNAME=last", "last"),
        ("# NAME=no\r\n\r\nNAME=windows\r\n", "windows"),
        ("\ufeffNAME=after a BOM", "after a BOM"),
        ("NAME=é型", "é型"),
    ],
)
def test_a_line_of_the_file_is_read_as_people_write_it(home: Path, line: str, value: str) -> None:
    (home / ".env").write_bytes(line.encode())
    assert config.environment()["NAME"] == value


def a_folder(path: Path) -> None:
    path.mkdir()


def unreadable(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path.write_text("NAME=value\n")
    path.chmod(0)


def not_utf8(path: Path) -> None:
    path.write_bytes("NAME=größe\n".encode("latin-1"))


def a_line_without_a_name(path: Path) -> None:
    path.write_text("# fine\nNAME=value\nNOTION_TOKEN ntn_0123456789\nDATABASE_URL\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (a_folder, "cannot be read (Is a directory). Make it a file"),
        (unreadable, "cannot be read (Permission denied). Make it a file that you may read"),
        (not_utf8, "is no UTF-8 (invalid "),
        (a_line_without_a_name, "line 3, 4 is not NAME=value. Correct it"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_never_means_local_mode(home: Path, spoil: object, told: str) -> None:
    spoil(home / ".env")  # type: ignore[operator]
    with pytest.raises(ConfigError) as raised:
        config.load()
    assert str(raised.value).startswith(f"{home / '.env'}: {told}")
    assert "ntn_" not in str(raised.value)


def test_no_file_and_no_variable_is_local_mode(home: Path) -> None:
    settings = config.load()
    assert (settings.mode, settings.home) == (Mode.LOCAL, home)
    assert not list(home.iterdir())


def test_a_home_that_cannot_be_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANGLES_HOME", "~nobody-of-this-name/x")
    with pytest.raises(ConfigError, match=r"ANGLES_HOME: names no folder \(.+\)\. Set the path of one"):
        config.load()
    assert config.log_settings({}).folder is None


@pytest.mark.parametrize(("given", "json_lines"), [("json", True), (" JSON ", True), ("text", False), ("", False)])
def test_the_form_of_the_log(home: Path, given: str, json_lines: bool) -> None:
    settings = config.log_settings({"LOG_FORMAT": given, "LOG_LEVEL": "debug", "RUN_ID": "run 7"})
    assert (settings.folder, settings.json_lines, settings.verbose) == (home / "logs", json_lines, True)
    assert settings.run_id == "run 7"


# --- .env.example


def named_in_code() -> set[str]:
    """Every variable that config.py and sections.py name in their code, and the monitor's limits."""
    found = {
        f"HEALTH_{name.upper()}_{word}"
        for name, (warn, down, *_) in LIMITS.items()
        for word, limit in (("WARN", warn), ("DOWN", down))
        if limit
    }
    for file in ("config.py", "sections.py"):
        tree = ast.parse((ROOT / "utils" / file).read_text(encoding="utf-8"))
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        found |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"[A-Z]+(_[A-Z]+)+", text)}
    return found


def test_the_example_explains_every_variable_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    found = {}
    for above, line in zip(["", *lines], lines, strict=False):
        if named := re.fullmatch(r"(?:# )?([A-Z_]+)=(.*)", line):
            name, value = named.groups()
            assert value == "", "every value is empty"
            assert above.startswith("# ") or above.endswith("="), f"{name} is explained"
            found[name] = line
    assert set(found) == named_in_code() | {"GITHUB_TOKEN"} | {job.variable for job in JOBS}
    assert found["ANGLES_HOME"].startswith("# "), "it is read from the process alone"


def test_a_copy_of_the_example_is_local_mode(home: Path) -> None:
    shutil.copy(ROOT / ".env.example", home / ".env")
    settings = config.load()
    assert (settings.mode, settings.ignored, settings.warnings) == (Mode.LOCAL, (), ())
