"""Both sides of the sync with people who edit them: rows by SQL, pages as a person in Notion does."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from utils.config import NotionSettings
from utils.decision import Decision
from utils.local.notion import Sandbox
from utils.stores.base import Vault
from utils.stores.notion import Notion
from utils.stores.postgres import PostgresTransport
from utils.sync.model import Page
from utils.sync.report import Report
from utils.sync.session import Options, Resolution, Session

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class World:
    """Both services. `sync` runs in this process, `script` as a user would."""

    dsn: str
    sandbox: Sandbox
    folder: Path

    def __enter__(self) -> Self:
        self.db = psycopg.connect(self.dsn, autocommit=True, row_factory=dict_row)
        self.runs = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.db.close()

    # --- the sync

    def sync(self, **options: Any) -> Report:
        """One run with the given options."""
        vault, notion = self.vault(), self.notion()
        try:
            return self._session(vault, notion).sync(Options(**options))
        finally:
            vault.close()
            notion.close()

    def resolve(self, wanted: Resolution) -> Report:
        """Settles a held decision."""
        vault, notion = self.vault(), self.notion()
        try:
            return self._session(vault, notion).resolve(wanted)
        finally:
            vault.close()
            notion.close()

    def vault(self) -> Vault:
        """A new vault on the database."""
        return Vault(PostgresTransport(self.dsn))

    def notion(self) -> Notion:
        """A new adapter on the sandbox."""
        settings = NotionSettings(
            self.sandbox.token, self.sandbox.database_id, self.sandbox.base_url, requests_per_second=0
        )
        return Notion(settings, 4)

    def script(self, name: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a script as a child process against both services."""
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

    def environment(self, **env: str) -> dict[str, str]:
        """The variables of a script that uses both services; an empty value unsets one."""
        given = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}},
            "ANGLES_HOME": str(self.folder),
            "DATABASE_URL": self.dsn,
            "NOTION_TOKEN": self.sandbox.token,
            "NOTION_DATABASE_ID": self.sandbox.database_id,
            "NOTION_BASE_URL": self.sandbox.base_url,
            "NOTION_REQUESTS_PER_SECOND": "0",
            **env,
        }
        return {name: value for name, value in given.items() if value}

    def _session(self, vault: Vault, notion: Notion) -> Session:
        self.runs += 1
        return Session(vault, notion, f"run{self.runs}", datetime.now(UTC))

    # --- people at the vault

    def insert(self, decision: str = "", **columns: Any) -> str:
        """A new row; answers its id."""
        values = {"id": str(uuid.uuid4()), "decision": decision, **columns}
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
        self.db.execute(
            sql.SQL("insert into decision_vault ({}) values ({})").format(names, marks), list(values.values())
        )
        return str(values["id"])

    def update(self, decision_id: str, **columns: Any) -> None:
        """Edits a row."""
        pairs = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in columns]
        statement = sql.SQL("update decision_vault set {} where id = {}").format(
            sql.SQL(", ").join(pairs), sql.Placeholder()
        )
        self.db.execute(statement, [*columns.values(), decision_id])

    def delete(self, decision_id: str) -> None:
        """Deletes a row."""
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

    def log(self, decision_id: str | None = None) -> list[dict[str, Any]]:
        """The ledger, of one decision or of all."""
        return self.db.execute(
            "select * from sync_log where %(id)s::uuid is null or decision_id = %(id)s::uuid order by at",
            {"id": decision_id},
        ).fetchall()

    # --- the pages

    def pages(self) -> list[Page]:
        """All live pages, as the adapter reads them."""
        notion = self.notion()
        try:
            notion.bind(notion.source(), {})
            return list(notion.everything().pages)
        finally:
            notion.close()

    def page_of(self, decision_id: str) -> str:
        """The id of the page linked with a row."""
        found = self.db.execute("select page_id from sync_links where decision_id = %s", (decision_id,)).fetchone()
        assert found is not None, f"no link of {decision_id}"
        return str(found["page_id"])

    def edit(self, page_id: str, **fields: Any) -> None:
        """A person edits a page: fields by their names in `Decision`."""
        self.sandbox.control.person_edit(page_id, property_values(fields))

    def add_page(self, **fields: Any) -> str:
        """A person makes a page; answers its id."""
        return self.sandbox.control.person_create(property_values(fields))

    # --- what must hold

    def assert_equal(self) -> None:
        """Every row that is not retired has exactly one live page of the same content, and the other way round."""
        rows, pages = self.rows(), {page.decision_id: page for page in self.pages()}
        assert len(pages) == len(self.pages()), "two live pages carry one Decision ID"
        for decision_id, page in pages.items():
            assert decision_id in rows, f"page {page.id} has no row"
            assert _shown(rows[decision_id]) == _shown(page.content)
        without = {decision_id for decision_id in rows if decision_id not in pages}
        assert all(rows[decision_id].active is False for decision_id in without), "an active row has no live page"

    def assert_silent(self) -> None:
        """Another run writes nothing, on either side."""
        before = self._everything()
        report = self.sync()
        assert not report.wrote, report.lines
        assert self._everything() == before

    def _everything(self) -> Mapping[str, Any]:
        tables = ("decision_vault", "sync_links", "sync_log", "decision_history", "agent_activity")
        found = {
            table: self.db.execute(
                sql.SQL("select to_jsonb(t) from {} t order by to_jsonb(t)").format(sql.Identifier(table))
            ).fetchall()
            for table in tables
        }
        return {**found, "pages": sorted(self.pages(), key=lambda page: page.id)}


def property_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A person's values of properties, by our standard names."""
    made: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "decision":
            made["Decision"] = {"title": [{"text": {"content": value}}] if value else []}
        elif name == "comment":
            made["Comment"] = {"rich_text": [{"text": {"content": value}}] if value else []}
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
