"""One backup from end to end: read, redact, compare, stage, scan, commit, push, check by a fresh clone."""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from utils.backup import clean, export, files, snapshot
from utils.backup.publish import Branch, sweep, verify
from utils.backup.snapshot import MOST_BYTES, WARN_BYTES, Changes, Snapshot
from utils.config import ROOT, Mode, Settings
from utils.errors import ConfigError, SafetyError
from utils.git_helpers import Remote, RepositoryError, make_bare
from utils.migrations.folder import read_folder
from utils.redact import Redactor
from utils.sections import BackupSettings
from utils.stores.base import Activity, Vault

SHRINK_PERCENT = 20
REPORT = Path("logs", "active", "backup_report.json")
LOCK = Path("logs", "active", "backup.lock")


@dataclass
class Report:
    """What became of a backup.

    Args:
        outcome: `pushed`, `unchanged`, `would push`, `verified` or `failed`.
        rows, size: of the snapshot; `rows_before` of the one before.
        problems: what a person has to look at; notes: what one should know.
    """

    run: str
    at: datetime
    repository: str
    branch: str
    outcome: str = "failed"
    commit: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    rows_before: dict[str, int] = field(default_factory=dict)
    size: int = 0
    files: int = 0
    changes: Changes = field(default_factory=Changes)
    redactions: dict[str, int] = field(default_factory=dict)
    verified: bool = False
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def holds(self, made: Snapshot) -> None:
        """Takes the figures of a snapshot."""
        self.rows, self.redactions = dict(made.manifest["rows"]), dict(made.manifest["redactions"])
        self.size, self.files = sum(map(len, made.files.values())), len(made.files)

    def failed(self, why: str) -> None:
        """It ended with an error; what was pushed before stays pushed."""
        self.problems.append(why)
        self.outcome = "pushed" if self.outcome == "pushed" else "failed"

    def json(self) -> dict[str, Any]:
        """As `backup_report.json` and `--json` have it."""
        told = {name: value for name, value in vars(self).items() if name not in {"changes", "size"}}
        return {"schema": 1, **told, "at": self.at.isoformat(), "bytes": self.size, "changes": self.changes.json()}

    def activity(self) -> Activity:
        """As `agent_activity` has it."""
        kept = ("run", "outcome", "commit", "branch", "rows", "bytes", "redactions", "verified", "problems")
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"backup {self.run}"))
        details = {name: value for name, value in self.json().items() if name in kept}
        status = "failed" if self.outcome == "failed" else "problems" if self.problems else "done"
        return Activity(name, "run_backup_now", "backup", details, status)

    def closing_line(self) -> str:
        """What the person who waits reads."""
        total = f"{self.rows.get('decision_vault', 0)} decisions, {self.files} files, {self.size / 1e6:.1f} MB"
        hidden = sum(self.redactions.values())
        marks = f"{hidden} secrets redacted" if hidden else "no secret in it"
        where = f"{self.branch} of {self.repository}"
        proven = " and verified" if self.verified else ""
        return {
            "unchanged": f"nothing changed since {self.commit[:12]}, nothing committed: {total}",
            "pushed": f"{self.commit[:12]} pushed to {where}{proven}: {total}, {marks}",
            "would push": f"would push to {where}: {total}, {marks}",
            "verified": f"{self.commit[:12]} of {where} is what its manifest says: {total}, {marks}",
        }.get(self.outcome, "no backup was made")


@dataclass
class Backup:
    """What a backup works with. `lap` is told the name of each stage when it has ended."""

    settings: Settings
    wanted: BackupSettings
    remote: Remote
    redactor: Redactor
    report: Report
    lap: Callable[[str], None] = lambda _stage: None

    @property
    def folder(self) -> Path:
        """Where the clone and its memory are."""
        return self.settings.home / ".local" / "backup"

    def run(self, vault: Vault, *, dry_run: bool = False, allow_shrink: bool = False) -> None:
        """Makes a backup, or says what one would hold.

        Raises:
            SafetyError: a guard refused; nothing was pushed.
        """
        branch = Branch(self.folder, self.remote, self.redactor, self.report.notes)
        memory = clean.Memory(self.folder / f"{branch.clone.stem}.json", self.settings.secrets)
        try:
            self._make(branch, vault, memory, dry_run=dry_run, allow_shrink=allow_shrink)
        except RepositoryError as error:
            branch.renew(str(error))
            self._make(branch, vault, memory, dry_run=dry_run, allow_shrink=allow_shrink)
        if dry_run:
            return
        memory.keep()
        if self.report.outcome == "pushed" or memory.verified != self.report.commit:
            self.check()
            memory.verified = self.report.commit if self.report.verified else ""
            memory.keep()
            branch.repository.collect()
            self.lap("verify")
        sweep(self.folder, self.report.at)

    def _make(self, branch: Branch, vault: Vault, memory: clean.Memory, *, dry_run: bool, allow_shrink: bool) -> None:
        """All up to the push."""
        report = self.report
        branch.look(push=not dry_run)
        self.lap("look")
        reading = export.read(self.settings.need_vault(), vault)
        report.problems += reading.left_out
        self.lap("export")
        made = self._snapshot(branch, reading, memory)
        report.holds(made)
        report.rows_before = branch.last()
        report.changes = branch.changes(made)
        self.lap("redact")
        self._guard(made, allow_shrink=allow_shrink)
        stands = branch.base and not report.changes.judged and (branch.base == memory.verified or branch.is_whole())
        if branch.base and stands:
            report.outcome, report.commit = "pushed" if branch.pushed else "unchanged", branch.base
            return
        tree = branch.stage(made)
        report.outcome = "would push"
        self.lap("stage")
        if not dry_run:
            report.commit = branch.commit(tree, self._message(reading.at), report.at)
            report.outcome = "pushed"
            self.lap("push")

    def check(self) -> None:
        """Reads the newest snapshot from a fresh clone, hashes and scans it.

        Raises:
            SafetyError: it is damaged.
        """
        found = verify(self.folder, self.remote, self.redactor)
        self.report.problems += [f"a secret is seen in the repository: {finding}" for finding in found.findings]
        if self.report.commit and found.commit.id != self.report.commit:
            self.report.notes.append(f"another run pushed {found.commit.id[:12]} meanwhile")
        else:
            self.report.commit = found.commit.id
            self.report.holds(found.snapshot)
        self.report.verified = not found.findings
        if self.report.outcome == "failed":
            self.report.outcome = "verified"

    def _snapshot(self, branch: Branch, reading: export.Reading, memory: clean.Memory) -> Snapshot:
        """The snapshot of what was read."""
        raw, left_out = files.gather(self.settings.home, self.wanted.paths)
        self.report.notes += left_out
        for table in snapshot.TABLES:
            raw |= snapshot.shards(table, reading.rows[table.name])
        ready, memory.blobs = branch.cleaned(raw, memory.blobs)
        for path in sorted(set(raw) - set(ready)):
            self.report.notes.append(f"{path.removeprefix('files/')} is left out: it is no text and holds a secret")
        return snapshot.complete(
            ready,
            tool=version(),
            schema=read_folder()[-1].version,
            source="local mode" if self.settings.mode is Mode.LOCAL else export.source(self.settings.need_vault()),
            window=reading.window,
        )

    def _guard(self, made: Snapshot, *, allow_shrink: bool) -> None:
        sizes = {path: len(data) for path, data in made.files.items()}
        self.report.notes += [f"{told}; the repository refuses 100" for told in snapshot.too_large(sizes, WARN_BYTES)]
        if huge := snapshot.too_large(sizes, MOST_BYTES):
            raise SafetyError("backup", f"{'; '.join(huge)}, more than a file may have", "Take it out of BACKUP_PATHS")
        lost = snapshot.shrunk(self.report.rows_before, self.report.rows, SHRINK_PERCENT)
        if lost and not allow_shrink:
            raise SafetyError(
                "backup",
                f"rows fell by more than {SHRINK_PERCENT} %: {'; '.join(lost)}",
                "If that is meant, run once: python run_backup_now.py --allow-shrink",
            )

    def _message(self, at: datetime) -> str:
        """The commit's message: what the manifest must not say."""
        report = self.report
        lines = [f"{name}: +{a} ~{c} -{r}" for name, (a, c, r) in report.changes.rows.items() if a or c or r]
        title = f"Backup of {report.rows['decision_vault']} decisions, {at:%Y-%m-%d %H:%M} UTC"
        return "\n".join([title, "", *lines, "", f"Snapshot-At: {at.isoformat()}", f"Run: {report.run}", ""])


def remote(settings: Settings, wanted: BackupSettings) -> Remote:
    """The repository of the backups; local mode's own is made when it is missing.

    Raises:
        ConfigError: none is configured.
    """
    url = wanted.url
    if settings.mode is Mode.LOCAL:
        url = str(settings.home / ".local" / "backup.git")
        make_bare(Path(url))
    if not url:
        raise ConfigError("backup", "not configured", "Set REPO_URL and GITHUB_TOKEN (see .env.example)")
    return Remote(url, wanted.branch, wanted.token, wanted.name, wanted.email)


def version() -> str:
    """This program's version."""
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return found


def summary(changes: Changes) -> Sequence[str]:
    """What a dry run says, a line each."""
    rows = [
        f"{name}: {a} rows added, {c} changed, {r} removed" for name, (a, c, r) in changes.rows.items() if a + c + r
    ]
    kinds = {"added": changes.added, "changed": changes.changed, "removed": changes.removed}
    return rows + [f"{word} {path}" for word, paths in kinds.items() for path in paths if path.startswith("files/")]
