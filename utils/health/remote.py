"""The probes of what is elsewhere: the vault, Notion, GitHub, HTTP endpoints. Each brings one fact."""

from __future__ import annotations

import contextlib
import email.utils
import json
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from utils import sections, services
from utils.config import Settings
from utils.errors import AnglesError, ConfigError
from utils.health.ground import Ground, SkipError, readable
from utils.health.rules import Answer, Notion, Remote, Vault
from utils.stores.base import Vault as Store
from utils.sync.lease import process_started
from utils.variables import Variables

DEADLINE_SECONDS = 6.0
"""Within which the vault answers or says why not; under the probe's own limit, so that its error is told."""

HTTP_SECONDS = 6.0
GIT_SECONDS = 5.0
_SERVICES = ("database ", "Supabase ")
"""How the names of what answered begin; any other error of the configuration is one of ours."""

DASHBOARD_FILE = Path("logs", "active", "dashboard.json")
"""Where whoever serves the page says so: {host, port, pid}, or {port, error} where it could not."""


SERVE = "Start: python scheduler.py, or python backend_monitor.py --serve"


def vault(ground: Ground) -> Vault:
    """The vault: its fingerprint, its own look at itself, its migrations, a row written, read and deleted."""
    with opened_vault(ground) as store:
        _asked(store, "schema_fingerprint", {})  # connects
        started = time.monotonic()
        fingerprint = _asked(store, "schema_fingerprint", {})
        seconds = time.monotonic() - started
        look = _asked(store, "health_look", {})
        probe = _probed(store) if look is not None else ""
        pending = _pending(store, fingerprint)
    return Vault(seconds, fingerprint, look, pending, probe, synced=_synced(ground))


def notion(ground: Ground) -> Notion:
    """Notion: the token, the database, its properties."""
    with _notion(ground) as settings, services.notion(settings) as side:
        from utils.sync.binding import bind, missing_names
        from utils.sync.state import parse_state

        known = _sync_state(ground)
        started = time.monotonic()
        bind(side, parse_state(known or {}), lambda: ground.now)
        seconds = time.monotonic() - started
        missing = missing_names(side) if known is not None else None
        rate = settings.need_notion().requests_per_second
        return Notion(seconds, side.schema.title, missing, side.requests, rate, side.calls.waited)


def rest(ground: Ground) -> Answer:
    """Supabase's REST API, asked for one id."""
    settings = readable(ground.vault)
    if settings.vault is None or not settings.vault.url:
        raise SkipError("SUPABASE_URL is not set", "Set it and SUPABASE_KEY to use the REST API")
    key = settings.vault.key
    headers = {"apikey": key, **({"Authorization": f"Bearer {key}"} if key.startswith("eyJ") else {})}
    return _get(f"{settings.vault.url}/rest/v1/decision_vault?select=id&limit=1", headers)


def dashboard(ground: Ground) -> Answer:
    """Our own page, where somebody serves it."""
    try:
        told = json.loads((ground.home / DASHBOARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SkipError("is not served", SERVE) from None
    if told.get("error"):
        if process_started(int(told.get("pid", 0))) == "":
            raise SkipError("is not served", SERVE)
        raise AnglesError("dashboard", str(told["error"]), "Free the port, or set DASHBOARD_PORT")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(told["host"], told["host"])  # noqa: S104
    return _get(f"http://{host}:{int(told['port'])}/ping", {}, SERVE)


def github(ground: Ground) -> Remote:
    """The backup's repository, and a push to it that does nothing."""
    settings = readable(ground.vault)
    if ground.local and not (ground.home / ".local" / "backup.git" / "HEAD").is_file():
        raise SkipError("no backup was made yet", "Run: python run_backup_now.py")
    wanted = sections.backup(Variables(ground.env), ground.home)
    if not ground.local and not wanted.url:
        raise SkipError("not configured", "Set REPO_URL and GITHUB_TOKEN")
    from utils.backup.run import remote
    from utils.git_helpers import Repository

    with tempfile.TemporaryDirectory(prefix="angles-look-") as folder:
        repository = Repository(Path(folder) / "look.git", remote(settings, wanted))
        started = time.monotonic()
        repository.remote_tip(seconds=GIT_SECONDS)
        seconds = time.monotonic() - started
        try:
            repository.try_push(seconds=GIT_SECONDS)
        except AnglesError as error:
            return Remote(seconds, error.what)
    return Remote(seconds)


def clock(ground: Ground) -> Answer:
    """The clock of the first service that is reached by HTTP."""
    env = ground.env
    urls = [env.get("REPO_URL", ""), env.get("SUPABASE_URL", ""), env.get("NOTION_BASE_URL", "")]
    if not ground.local and "NOTION_TOKEN" in env:
        urls.append("https://api.notion.com")
    url = next((url for url in urls if url.startswith(("https://", "http://"))), "")
    if ground.local or not url:
        raise SkipError("no service is reached by HTTP", "Set REPO_URL or SUPABASE_URL")
    scheme, _, rest_of_it = url.partition("://")
    return _get(f"{scheme}://{rest_of_it.partition('/')[0].rpartition('@')[2]}/", {})


@contextlib.contextmanager
def opened_vault(ground: Ground) -> Iterator[Store]:
    """The vault. In local mode the embedded server is joined where it runs, and started only with `deep`."""
    settings = readable(ground.vault)
    if ground.local and not ground.deep:
        from utils.local.postgres import is_running

        if not is_running(ground.home / ".local"):
            raise SkipError(
                "the embedded PostgreSQL is not running, and is not started to be looked at",
                "python backend_monitor.py --deep starts it; so does python run_all.py",
            )
    if not ground.local and settings.vault is None:
        raise SkipError("not configured", f"Set {settings.missing['vault']}")
    with services.database(settings) as filled, services.vault(filled, deadline=DEADLINE_SECONDS) as store:
        yield store


@contextlib.contextmanager
def _notion(ground: Ground) -> Iterator[Settings]:
    """The settings with Notion in them; in local mode the sandbox's, where there is one already."""
    settings = readable(ground.notion)
    if not ground.local:
        if settings.notion is None:
            raise SkipError("not configured", f"Set {settings.missing['notion']}")
        yield settings
        return
    if not (ground.home / ".local" / "notion.db").is_file():
        raise SkipError("the Notion sandbox was not made yet", "Run: python run_all.py")
    with services.sandbox(settings) as filled:
        yield filled


def _sync_state(ground: Ground) -> dict[str, Any] | None:
    """What the last sync remembered of the database; None where the vault does not tell."""
    with contextlib.suppress(AnglesError), opened_vault(ground) as store:
        return dict(store.begin().state)
    return None


def _synced(ground: Ground) -> bool:
    return ground.local or (isinstance(ground.notion, Settings) and ground.notion.notion is not None)


def _asked(store: Store, function: str, payload: dict[str, Any]) -> dict[str, Any] | None:
    """A function's answer; None where the database does not have it, or not of this version."""
    try:
        return dict(store.call(function, payload))
    except ConfigError as error:
        if not error.where.startswith(_SERVICES):
            raise
        return None


def _probed(store: Store) -> str:
    """What went wrong with a row written, read and deleted; '' where nothing did."""
    try:
        found = store.call("health_probe", {"id": str(uuid.uuid4())})
    except AnglesError as error:
        return str(error)
    return "" if found["read"] and found["deleted"] == 1 else "a row of agent_activity that was written is not there"


def _pending(store: Store, fingerprint: dict[str, Any] | None) -> list[str]:
    """The files that are not applied, by what the last migration kept; all where the database has none of it."""
    from utils.migrations import read_folder

    files = read_folder()
    if fingerprint is None:
        return [] if _asked(store, "sync_begin", {}) is not None else [each.file for each in files]
    versions = fingerprint.get("versions")
    return [] if versions is None else [each.file for each in files if each.version not in versions]


def _get(url: str, headers: dict[str, str], hint: str = "Check its address and the network") -> Answer:
    """One GET, not redirected.

    Raises:
        AnglesError: it cannot be reached.
    """
    import requests

    host = url.partition("://")[2].partition("/")[0]
    started, at = time.monotonic(), datetime.now(UTC)
    try:
        answer = requests.get(url, headers=headers, timeout=HTTP_SECONDS, allow_redirects=False, stream=True)
    except requests.RequestException as error:
        what = "does not answer in time" if isinstance(error, requests.Timeout) else "cannot be reached"
        raise AnglesError(host, f"{what} ({type(error).__name__})", hint) from None
    seconds = time.monotonic() - started
    answer.close()
    skew = None
    with contextlib.suppress(ValueError, TypeError):
        skew = email.utils.parsedate_to_datetime(answer.headers.get("date", "")) - at - timedelta(seconds=seconds)
    return Answer(host, answer.status_code, seconds, skew)
