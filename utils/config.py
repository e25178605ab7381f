"""The one reader of the environment: `.env` and the process's variables in, frozen settings out.

Real variables win over `.env`; an empty value is unset. A section is read, and its problems are told, only for the
script that needs it; all problems of a script are told at once.
"""

from __future__ import annotations

import io
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from utils.errors import ConfigError
from utils.variables import Variables

Section = TypeVar("Section")

ROOT = Path(__file__).resolve().parent.parent

DECIDING = ("SUPABASE_URL", "DATABASE_URL", "NOTION_TOKEN", "NOTION_DATABASE_ID", "REPO_URL")
"""The variables that decide the mode; none set means local."""

SUPABASE_KEYS = ("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_KEY")
NOTION_URL = "https://api.notion.com"
MANAGEMENT_URL = "https://api.supabase.com"
NOTION_RATE = 3.0
"""Requests a second that Notion grants on average."""

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)S?[_-]?\d*$")
_USERINFO = re.compile(r"://[^\s/?#:@]*:([^\s/?#]+)@")
_USERINFO_WITH_ANY_SIGN = re.compile(r"://[^\s/?#:@]*:(?!\d{1,5}[/?#])([^\s@]+)@")
_SECRET_ADDRESSES = {"ALERT_URLS", "HEALTHCHECK_PING_URL"}
"""Variables whose addresses let in whoever knows them."""

_NOTION_ID = re.compile(r"(?<![0-9a-f])([0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12})$", re.IGNORECASE)
_PROJECT = re.compile(r"[a-z0-9-]+")
_PROJECT_HOST = re.compile(r"([a-z0-9-]+)\.supabase\.co")
_URL_REMEDIES = {
    "SUPABASE_URL": "copy the project's URL from Supabase (Project Settings, Data API)",
    "DATABASE_URL": "copy it again (Connect, session pooler), signs such as # / ? in the password percent-encoded",
    "SUPABASE_API_URL": "empty it, unless you were told another address of Supabase's Management API",
    "NOTION_BASE_URL": "empty it, unless the Notion sandbox printed it",
}
_ANONYMOUS = {"publishable", "anon", "authenticated"}
"""The roles of Supabase keys to which row-level security shows nothing."""


class Mode(Enum):
    """Where the services are: see `.env.example`."""

    LOCAL = "local"
    CONFIGURED = "configured"
    INCOMPLETE = "incomplete"


class ConfigProblemsError(ConfigError):
    """Everything that is wrong with the configuration, a line each, each naming the variable and the remedy."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("configuration", f"{len(self.problems)} wrong")

    def __str__(self) -> str:
        return "\n".join(self.lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(f"configuration: {problem}." for problem in self.problems)


@dataclass(frozen=True)
class VaultSettings:
    """The decision vault: REST when `url` is set, else PostgreSQL at `dsn`. Migrations always go by `dsn`."""

    url: str = ""
    key: str = field(default="", repr=False)
    dsn: str = field(default="", repr=False)


@dataclass(frozen=True)
class SchemaSettings:
    """How the schema may be changed: at `dsn`, else with `token` in the project of Supabase named by its reference."""

    dsn: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    project: str = ""
    api_url: str = MANAGEMENT_URL


@dataclass(frozen=True)
class NotionSettings:
    """The Notion side. `database_id` is a dashed uuid of a database or of a data source; rate 0 is unlimited."""

    token: str = field(repr=False)
    database_id: str
    base_url: str = NOTION_URL
    requests_per_second: float = NOTION_RATE


@dataclass(frozen=True)
class LogSettings:
    """How to log. `run_id` is the scheduler's, empty when a person started the script; without a folder, no file."""

    folder: Path | None
    json_lines: bool
    verbose: bool
    run_id: str


@dataclass(frozen=True)
class Settings:
    """What a script was given. A service that is None is not configured; `missing` says what would configure it."""

    home: Path
    mode: Mode
    vault: VaultSettings | None = None
    notion: NotionSettings | None = None
    schema: SchemaSettings = field(default_factory=SchemaSettings)
    ignored: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def need_vault(self) -> VaultSettings:
        """The vault's settings.

        Raises:
            ConfigError: it is not configured.
        """
        if self.vault is None:
            raise ConfigError("vault", "not configured", f"Set {self.missing['vault']} (see .env.example)")
        return self.vault

    def need_notion(self) -> NotionSettings:
        """Notion's settings.

        Raises:
            ConfigError: it is not configured.
        """
        if self.notion is None:
            raise ConfigError("notion", "not configured", f"Set {self.missing['notion']} (see .env.example)")
        return self.notion


def home() -> Path:
    """The folder of `.env`, `.local/`, `logs/` and `export/`: ANGLES_HOME, else the project's own.

    Raises:
        ConfigError: there can be no such folder.
    """
    try:
        return Path(os.environ.get("ANGLES_HOME") or ROOT).expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise ConfigError("ANGLES_HOME", f"names no folder ({error})", "Set the path of one, or nothing") from error


def environment() -> dict[str, str]:
    """The non-empty variables of `.env`, overlaid by the process's own.

    Raises:
        ConfigError: `.env` is there and cannot be read, or has a line that sets nothing.
    """
    return _filled({**_file_values(), **os.environ})


def names_in_file() -> list[str]:
    """The variables that `.env` names, in its order; none where it cannot be read."""
    try:
        return list(_file_values())
    except ConfigError:
        return []


def _file_values() -> dict[str, str | None]:
    from dotenv.parser import parse_stream

    path = home() / ".env"
    try:
        text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"is no UTF-8 ({error.reason})", "Save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(
            str(path), f"cannot be read ({error.strerror})", "Make it a file that you may read"
        ) from error
    found = list(parse_stream(io.StringIO(text)))
    if wrong := [str(each.original.line) for each in found if each.error or (each.key and each.value is None)]:
        raise ConfigError(str(path), f"line {', '.join(wrong)} is not NAME=value", "Correct it, or begin it with #")
    return {each.key: each.value for each in found if each.key}


def environment_without_file() -> dict[str, str]:
    """The process's own non-empty variables: what is left when `.env` cannot be read."""
    return _filled(os.environ)


def child_environment(**added: str) -> dict[str, str]:
    """What a child process inherits, and what is added to it: `.env` stays for the child to read."""
    return {**os.environ, **added}


def log_settings(env: Mapping[str, str]) -> LogSettings:
    """How to log; never fails, since it is needed to tell any other failure."""
    try:
        folder = home() / "logs"
    except ConfigError:
        folder = None
    return LogSettings(
        folder=folder,
        json_lines=env.get("LOG_FORMAT", "").strip().lower() == "json",
        verbose=env.get("LOG_LEVEL", "").strip().upper() == "DEBUG",
        run_id=env.get("RUN_ID", "").strip(),
    )


def load(
    env: Mapping[str, str] | None = None, *, vault: bool = True, notion: bool = True, schema: bool = False
) -> Settings:
    """The settings for a script that may use the sections named.

    Raises:
        ConfigError: one or more variables are wrong; `ConfigProblemsError` tells them all.
    """
    found = _Reader(environment() if env is None else env)
    return _settings(found, vault=vault, notion=notion, schema=schema)


def load_with(
    section: Callable[[Variables, Path], Section],
    env: Mapping[str, str] | None = None,
    *,
    vault: bool = True,
    notion: bool = True,
    schema: bool = False,
) -> tuple[Settings, Section]:
    """The settings as `load` gives them, and a section of `utils.sections`; the problems of both are told at once.

    Raises:
        ConfigError: as `load`.
    """
    found = _Reader(environment() if env is None else env)
    read = section(found, home())
    return _settings(found, vault=vault, notion=notion, schema=schema), read


def _settings(found: _Reader, *, vault: bool, notion: bool, schema: bool) -> Settings:
    env = found.env
    mode = found.mode()
    if mode is Mode.LOCAL:
        found.raise_problems()
        ignored = tuple(name for name in DECIDING if name in env)
        return Settings(home(), mode, ignored=ignored, warnings=tuple(found.warnings), secrets=tuple(secrets_of(env)))
    vault_settings = found.vault() if vault else None
    notion_settings = found.notion() if notion else None
    schema_settings = found.schema() if schema else SchemaSettings()
    found.raise_problems()
    return Settings(
        home(),
        mode,
        vault_settings,
        notion_settings,
        schema_settings,
        missing=_missing(env),
        warnings=tuple(found.warnings),
        secrets=tuple(secrets_of(env)),
    )


def secrets_of(env: Mapping[str, str]) -> Iterator[str]:
    """The values that must never be shown: by the names of their variables, and passwords inside URLs."""
    for name, value in env.items():
        if _SECRET_NAME.search(name.upper()):
            yield value
        elif name in _SECRET_ADDRESSES:
            yield from (value, *value.split())
        for password in _passwords(value):
            yield password
            yield unquote(password)


def _passwords(value: str) -> Iterator[str]:
    """The password of each URL in a value; where signs such as / stand in one unencoded, up to the next @."""
    for url in re.split(r"[\s,;|]+(?=[a-z][a-z0-9+.-]*://)", value, flags=re.IGNORECASE):
        found = _USERINFO.search(url) or _USERINFO_WITH_ANY_SIGN.search(url)
        if found:
            yield found[1]


def parse_notion_id(text: str) -> str | None:
    """The dashed uuid in a Notion id or URL, or None.

    A URL ends its path with the id (`…/Decisions-0123…?v=…`); the `v` parameter is a view, not the database.
    """
    path = re.split(r"[?#]", text, maxsplit=1)[0]
    found = _NOTION_ID.search(path.rstrip("/"))
    return str(uuid.UUID(found[1])) if found else None


class _Reader(Variables):
    """Reads the services' sections."""

    def raise_problems(self) -> None:
        if self.problems:
            raise ConfigProblemsError(dict.fromkeys(self.problems))

    def _address(self, name: str, schemes: set[str]) -> str:
        return self.url(name, schemes, _URL_REMEDIES[name])

    def mode(self) -> Mode:
        wanted = self.env.get("BACKEND_MODE", "auto").lower()
        if wanted not in {"auto", "local"}:
            self.problems.append(f"BACKEND_MODE is {wanted!r}; set it to local, or leave it empty")
        set_ones = [name for name in DECIDING if name in self.env]
        if wanted == "local" or not set_ones:
            return Mode.LOCAL
        return Mode.INCOMPLETE if _missing(self.env) else Mode.CONFIGURED

    def vault(self) -> VaultSettings | None:
        if "vault" in _missing(self.env):
            self._address("SUPABASE_URL", {"https", "http"})
            return None
        url = self._address("SUPABASE_URL", {"https", "http"})
        dsn = self._address("DATABASE_URL", {"postgresql", "postgres"})
        return VaultSettings(url=url.rstrip("/"), key=self._supabase_key() if url else "", dsn=dsn)

    def schema(self) -> SchemaSettings:
        dsn = self._address("DATABASE_URL", {"postgresql", "postgres"})
        token = self.token("SUPABASE_ACCESS_TOKEN")
        api_url = self._address("SUPABASE_API_URL", {"https", "http"}).rstrip("/").removesuffix("/v1")
        project = self._project()
        if token and not project and not dsn:
            self.problems.append(
                "SUPABASE_PROJECT_REF is not set, and SUPABASE_URL's host names no project; "
                "set it to the project's reference (Project Settings, General)"
            )
        return SchemaSettings(dsn, token, project, api_url or MANAGEMENT_URL)

    def _project(self) -> str:
        """The project's reference: as given, else the first label of SUPABASE_URL's host."""
        given = self.value("SUPABASE_PROJECT_REF")
        host = _PROJECT_HOST.fullmatch(_host(self.env.get("SUPABASE_URL", "")))
        if given and not _PROJECT.fullmatch(given):
            self.problems.append(
                f"SUPABASE_PROJECT_REF is {given[:80]!r}; set the project's reference (Project Settings, General)"
            )
        elif given and host and host[1] != given:
            self.problems.append(
                f"SUPABASE_PROJECT_REF is {given}, SUPABASE_URL is of {host[1]}; empty the one that is wrong"
            )
        return given or (host[1] if host else "")

    def notion(self) -> NotionSettings | None:
        if "notion" in _missing(self.env):
            return None
        token = self.token("NOTION_TOKEN")
        given = self.value("NOTION_DATABASE_ID")
        database_id = parse_notion_id(given)
        if given and database_id is None:
            self.problems.append(
                f"NOTION_DATABASE_ID is no database id or URL ({given[:80]!r}); copy the link of the database"
            )
        base_url = self._address("NOTION_BASE_URL", {"https", "http"}).rstrip("/").removesuffix("/v1")
        rate = self.number("NOTION_REQUESTS_PER_SECOND", NOTION_RATE, 0, 1000, "0 is unlimited")
        return NotionSettings(token, database_id or "", base_url or NOTION_URL, rate)

    def _supabase_key(self) -> str:
        name = next(name for name in SUPABASE_KEYS if name in self.env)
        key = self.token(name)
        role = _key_role(key)
        if role in _ANONYMOUS:
            self.problems.append(
                f"{name} is the {role} key, to which row-level security shows an empty vault; "
                "set the secret key (sb_secret_…) of Project Settings, API keys"
            )
        if role == "service_role":
            self.warnings.append(
                f"{name} is a legacy service_role key; these end in 2026, make a secret key (sb_secret_…)"
            )
        return key


def _missing(env: Mapping[str, str]) -> dict[str, str]:
    """Which services lack variables, and which."""
    lacking: dict[str, str] = {}
    if "SUPABASE_URL" in env and not any(name in env for name in SUPABASE_KEYS):
        lacking["vault"] = "SUPABASE_KEY"
    elif "SUPABASE_URL" not in env and "DATABASE_URL" not in env:
        lacking["vault"] = "DATABASE_URL, or SUPABASE_URL with SUPABASE_KEY"
    names = [name for name in ("NOTION_TOKEN", "NOTION_DATABASE_ID") if name not in env]
    if names:
        lacking["notion"] = " and ".join(names)
    return lacking


def _key_role(key: str) -> str:
    """The role that a Supabase key names: secret, publishable, anon or service_role; empty where it names none."""
    if key.startswith("sb_"):
        return key.removeprefix("sb_").split("_", 1)[0]
    if not key.startswith("eyJ") or key.count(".") != 2:
        return ""
    import base64
    import json

    claims = key.split(".")[1]
    try:
        role = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["role"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(role)


def _filled(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value.strip() for name, value in values.items() if value and value.strip()}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
