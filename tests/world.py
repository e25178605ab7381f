"""Both sides of the sync with people who edit them: rows by SQL, pages as a person in Notion does."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.supabase_lite import Project
from tests.sync.rules import Watch
from utils.config import NotionSettings
from utils.decision import Decision, split_text
from utils.local.notion import Sandbox
from utils.stores.base import Transport, Vault
from utils.stores.notion import Notion
from utils.stores.notion_calls import VERSION
from utils.stores.notion_values import NAMES, TYPES
from utils.stores.postgres import PostgresTransport
from utils.stores.supabase import RestTransport
from utils.sync.model import Page
from utils.sync.report import Report
from utils.sync.session import Options, Resolution, Session

ROOT = Path(__file__).resolve().parent.parent
TABLES = (
    *("decision_vault", "agent_activity", "decision_history", "sync_links", "sync_log", "sync_state", "leases"),
    "intake_items",
)
"""Those that a test's rows are in."""


@dataclass(frozen=True)
class _Lent:
    """A transport that outlives who is lent it: connecting anew for every run is most of what a small run takes."""

    lender: Transport

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        return self.lender.call(function, payload)

    def read(self, table: str, after: str | None, limit: int) -> list[dict[str, Any]]:
        return self.lender.read(table, after, limit)

    def close(self) -> None:
        """Nothing: the lender closes it."""


@dataclass
class World:
    """Both services. `sync` runs in this process, `script` as a user would.

    Args:
        project: Supabase's REST API, where the vault is reached by that.
        tap: given both sides of every run in this process before it begins.
        now: the clock of this machine, as such a run has it.
        lender: a transport to the database for all runs, which is closed by whoever opened it; None opens one.
    """

    dsn: str
    sandbox: Sandbox
    folder: Path
    project: Project | None = None
    workers: int = 4
    tap: Callable[[Vault, Notion], None] = lambda _vault, _notion: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    lender: Transport | None = None

    def __enter__(self) -> Self:
        self.db = psycopg.connect(self.dsn, autocommit=True, row_factory=dict_row)
        self._own = PostgresTransport(self.dsn)
        self.runs = 0
        self.database_id = self.sandbox.database_id
        self.reader = self.notion()
        self.watch = Watch(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reader.close()
        self._own.close()
        self.db.close()

    # --- the sync

    def sync(self, **options: Any) -> Report:
        """One run with the given options."""
        given = Options(**options)
        with self.watch.run(given) as tell, self._session() as session:
            return tell(session.sync(given))

    def resolve(self, wanted: Resolution) -> Report:
        """Settles a held decision."""
        with self.watch.run(), self._session() as session:
            return session.resolve(wanted)

    def vault(self) -> Vault:
        """A new vault on the database."""
        if self.project:
            return Vault(RestTransport(self.project.url, self.project.secret))
        return Vault(_Lent(self.lender or self._own))

    def notion(self) -> Notion:
        """A new adapter on the sandbox."""
        settings = NotionSettings(self.sandbox.token, self.database_id, self.sandbox.base_url, requests_per_second=0)
        return Notion(settings, self.workers)

    def script(self, name: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a script as a child process against both services."""
        options = Options(resync="--resync" in arguments, dry_run="--dry-run" in arguments)
        syncs = name == "memory_sync.py" and "--undo" not in arguments
        with self.watch.run(options) if syncs else nullcontext():
            return subprocess.run(
                [sys.executable, str(ROOT / name), *arguments],
                env=self.environment(**env),
                cwd=self.folder,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=120,
                check=False,
            )

    def start(self, name: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Starts a script as a child process and does not wait for it."""
        self.watch.stray = True
        return subprocess.Popen(
            [sys.executable, str(ROOT / name), *arguments],
            env=self.environment(**env),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def environment(self, **env: str) -> dict[str, str]:
        """The variables of a script that uses both services; an empty value unsets one."""
        given = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}},
            "ANGLES_HOME": str(self.folder),
            "DATABASE_URL": self.dsn,
            "NOTION_TOKEN": self.sandbox.token,
            "NOTION_DATABASE_ID": self.database_id,
            "NOTION_BASE_URL": self.sandbox.base_url,
            "NOTION_REQUESTS_PER_SECOND": "0",
            **({"SUPABASE_URL": self.project.url, "SUPABASE_KEY": self.project.secret} if self.project else {}),
            **env,
        }
        return {name: value for name, value in given.items() if value}

    @contextmanager
    def _session(self) -> Iterator[Session]:
        self.runs += 1
        with closing(self.vault()) as vault, closing(self.notion()) as notion:
            self.tap(vault, notion)
            yield Session(vault, notion, f"run{self.runs}", self.now())

    # --- people at the vault

    def insert(self, decision: str = "", **columns: Any) -> str:
        """A new row; answers its id."""
        values = {"id": str(uuid.uuid4()), "decision": decision, **columns}
        self.watch.done += 1
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
        self.db.execute(
            sql.SQL("insert into decision_vault ({}) values ({})").format(names, marks), list(values.values())
        )
        return str(values["id"])

    def update(self, decision_id: str, **columns: Any) -> None:
        """Edits a row."""
        self.watch.done += 1
        pairs = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in columns]
        statement = sql.SQL("update decision_vault set {} where id = {}").format(
            sql.SQL(", ").join(pairs), sql.Placeholder()
        )
        self.db.execute(statement, [*columns.values(), decision_id])

    def delete(self, decision_id: str) -> None:
        """Deletes a row."""
        self.watch.done += 1
        self.db.execute("delete from decision_vault where id = %s", (decision_id,))

    def row(self, decision_id: str) -> dict[str, Any]:
        """A row as it is."""
        found = self.db.execute("select * from decision_vault where id = %s", (decision_id,)).fetchone()
        assert found is not None, f"no row {decision_id}"
        return found

    def rows(self) -> dict[str, Decision]:
        """All rows' contents by id."""
        return {
            row["id"]: Decision(row["decision"], row["date"], row["type"], row["active"], row["comment"])
            for row in self.db.execute(
                "select id::text, decision, date::text, type, active, comment from decision_vault"
            )
        }

    def steal_lease(self) -> None:
        """Another run takes the lease over, and is done with it at once."""
        self.watch.done += 1
        self.db.execute("update leases set fence = fence + 2, expires_at = now()")

    def held_lease(self) -> bool:
        """Whether a run has the lease, or died with it."""
        return self.db.execute("select from leases where holder <> '' and expires_at > now()").fetchone() is not None

    def log(self, decision_id: str | None = None) -> list[dict[str, Any]]:
        """The ledger, of one decision or of all."""
        return self.db.execute(
            "select * from sync_log where %(id)s::uuid is null or decision_id = %(id)s::uuid order by at, id",
            {"id": decision_id},
        ).fetchall()

    # --- the pages

    def pages(self) -> list[Page]:
        """All live pages, as the adapter reads them."""
        self.reader.settings = replace(self.reader.settings, database_id=self.database_id)
        self.reader.bind(self.reader.source(), {}, self.reader.bot)
        return list(self.reader.everything().pages)

    def furnish(self) -> None:
        """A person gives the new Notion database the properties, before any sync does."""
        for name, kind in TYPES.items():
            if kind != "title":
                self.sandbox.control.add_property(NAMES[name], kind)

    def another_database(self) -> str:
        """A new, empty Notion database, which NOTION_DATABASE_ID names from now on; answers its id."""
        import httpx

        with self.sandbox.control.store.reading() as session:
            root = session.identity.root_id
        asked = {
            "parent": {"type": "page_id", "page_id": root},
            "title": [{"text": {"content": "Decisions anew"}}],
            "initial_data_source": {"properties": {"Decision": {"title": {}}}},
        }
        headers = {"Authorization": f"Bearer {self.sandbox.token}", "Notion-Version": VERSION}
        answer = httpx.post(f"{self.sandbox.base_url}/v1/databases", json=asked, headers=headers)
        self.database_id = answer.raise_for_status().json()["id"]
        return self.database_id

    def calm(self) -> None:
        """Lets the last writes lie so far back that a run no longer lists them."""
        self.sandbox.control.advance(240)
        self.sync()

    def page_of(self, decision_id: str) -> str:
        """The id of the page linked with a row."""
        found = self.db.execute("select page_id from sync_links where decision_id = %s", (decision_id,)).fetchone()
        assert found is not None, f"no link of {decision_id}"
        return str(found["page_id"])

    def link(self, decision_id: str) -> dict[str, Any]:
        """A row of `sync_links`."""
        found = self.db.execute("select * from sync_links where decision_id = %s", (decision_id,)).fetchone()
        assert found is not None, f"no link of {decision_id}"
        return found

    def edit(self, page_id: str, **fields: Any) -> None:
        """A person edits a page: fields by their names in `Decision`."""
        self.sandbox.control.person_edit(page_id, property_values(fields))

    def add_page(self, **fields: Any) -> str:
        """A person makes a page; answers its id."""
        return self.sandbox.control.person_create(property_values(fields), database_id=self.database_id)

    # --- what must hold

    def assert_equal(self) -> None:
        """Every row that is not retired has exactly one live page of the same content, and the other way round."""
        rows, listed = self.rows(), self.pages()
        pages = {page.decision_id: page for page in listed}
        assert len(pages) == len(listed), "two live pages carry one Decision ID"
        for decision_id, page in pages.items():
            assert decision_id in rows, f"page {page.id} has no row"
            assert _shown(rows[decision_id]) == _shown(page.content)
        without = {decision_id for decision_id in rows if decision_id not in pages}
        assert all(rows[decision_id].active is False for decision_id in without), "an active row has no live page"

    def assert_silent(self) -> None:
        """Another run writes nothing, on either side."""
        before = self.everything()
        report = self.sync()
        assert not report.wrote, report.lines
        assert self.everything() == before

    def tables(self, *more_tables: str) -> dict[str, Any]:
        """All that a run may write in the vault but its own marks: rows with their versions."""
        tables = ("decision_vault", "sync_links", "sync_log", "decision_history", "agent_activity", *more_tables)
        found: dict[str, Any] = {table: [] for table in tables}
        for row in self.db.execute(_contents(tables)):
            found[row.pop("name")].append(row)
        return found

    def everything(self, *more_tables: str) -> Mapping[str, Any]:
        """All that a run may write but its own marks: rows with their versions, pages, the bin, the properties."""
        found: dict[str, Any] = self.tables(*more_tables)
        control, ours = self.sandbox.control, self.database_id
        for name, in_trash in (("pages", False), ("bin", True)):
            found[name] = control.pages(database_id=ours, in_trash=in_trash)
        return {**found, "schema": control.schema(database_id=ours)}


@cache
def _contents(tables: tuple[str, ...]) -> bytes:
    """Asks for the rows of all tables at once."""
    each = sql.SQL("select {} as name, t.xmin::text as version, to_jsonb(t) as row from {} t")
    parts = [each.format(sql.Literal(table), sql.Identifier(table)) for table in tables]
    return sql.SQL("{} order by name, row").format(sql.SQL(" union all ").join(parts)).as_bytes(None)


def property_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A person's values of properties, by our standard names."""
    made: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "decision":
            made["Decision"] = {"title": [{"text": {"content": value}}] if value else []}
        elif name == "comment":
            parts = split_text(value or "")
            made["Comment"] = {"rich_text": [{"text": {"content": part}} for part in parts]}
        elif name == "decision_id":
            made["Decision ID"] = {"rich_text": [{"text": {"content": value}}] if value else []}
        elif name == "date":
            made["Date"] = {"date": {"start": value} if isinstance(value, str) else value}
        elif name == "type":
            made["Type"] = {"select": {"name": value} if value else None}
        elif name == "active":
            made["Active"] = {"checkbox": value}
        else:
            raise KeyError(name)
    return made


def _shown(content: Decision) -> tuple[Any, ...]:
    return content.decision, content.date, content.type or None, content.active is not False, content.comment or None
