"""A restore from end to end: clone, check, plan, write down what undoes it, write; its undo; and the weekly test."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from utils.backup import apply, export, proof
from utils.backup.plan import Action, Plan, Wanted, plan
from utils.backup.proof import Proof
from utils.backup.publish import DamagedSnapshotError, Verified, cloned, taken, verify
from utils.backup.snapshot import Snapshot
from utils.config import Settings
from utils.errors import AnglesError, ConfigError
from utils.files import write_atomic
from utils.git_helpers import Commit, NoBranchError, Remote, Repository
from utils.redact import Redactor
from utils.stores.base import Activity, Vault
from utils.sync.lease import leased


@dataclass(frozen=True)
class Target:
    """Where files go.

    Args:
        folder: in which they get their paths back.
        overwrite: replaces those that are there.
    """

    folder: Path
    overwrite: bool = False


@dataclass
class Outcome:
    """What a restore would do, and what it did."""

    commit: str = ""
    taken: str = ""
    plan: Plan = field(default_factory=lambda: Plan(()))
    files: dict[str, str] = field(default_factory=dict)
    done: apply.Done | None = None
    undo: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def problems(self) -> bool:
        """Whether something asked for was not done: a row that moved, a path that was refused."""
        return self.done is not None and bool(self.done.problems)

    @property
    def lines(self) -> list[str]:
        """The plan, or what became of it, a line each."""
        lines = [
            f"{table}: {many} {what}" for table, counts in self.plan.counts().items() for what, many in counts.items()
        ]
        for step in self.plan.steps:
            if step.why:
                lines.append(f"{step.table} {step.id} {step.why}; to add it as it is: --accept-redacted")
            elif step.kept:
                lines.append(f"{step.table} {step.id} keeps its live {', '.join(step.kept)}: redacted in the backup")
        return [*lines, *(f"file {path} {what}" for path, what in self.files.items()), *self.plan.left_out]

    def json(self) -> dict[str, Any]:
        """As `--json` has it."""
        return {
            "commit": self.commit,
            "taken": self.taken,
            "rows": self.plan.counts(),
            "steps": [
                {"table": each.table, "id": each.id, "stands": each.kind.value, "action": each.action.value,
                 "kept": each.kept, "why": each.why}
                for each in self.plan.steps if each.action is not Action.LEAVE or each.why
            ],
            "files": self.files,
            "left_out": self.plan.left_out,
            "done": vars(self.done) if self.done else None,
            "undo": self.undo,
        }  # fmt: skip

    def details(self) -> dict[str, Any]:
        """As `agent_activity` has it: the figures alone."""
        return {
            name: value for name, value in self.json().items() if name in {"commit", "taken", "rows", "done", "undo"}
        }

    def closing_line(self) -> str:
        """What the person who waits reads."""
        if self.done is None:
            adds = sum(step.action is Action.ADD for step in self.plan.steps)
            acts = len(self.plan.acts) - adds
            return (
                f"{self.commit[:12]} of {self.taken}: would add {adds} rows and overwrite {acts}; nothing was written"
            )
        rows = ", ".join(f"{count} {what}" for what, count in self.done.rows.items()) or "no row written"
        tail = f"; to undo it: python restore_from_github.py --undo {self.undo}" if self.undo else ""
        return f"{rows}; {len(self.done.files)} files{tail}"


@dataclass
class Restore:
    """What a restore works with."""

    settings: Settings
    redactor: Redactor
    run: str
    now: datetime

    @property
    def folder(self) -> Path:
        """Where clones may be for a while."""
        return self.settings.home / ".local" / "backup"

    def snapshot(self, remote: Remote, choose: Callable[[Repository], str]) -> Verified:
        """A snapshot, checked against its manifest."""
        return verify(self.folder, remote, self.redactor, choose)

    def look(self, found: Verified, vault: Vault | None, wanted: Wanted, target: Target) -> Outcome:
        """What a restore would do; without a vault with the files alone."""
        outcome = Outcome(found.commit.id, found.taken.isoformat())
        outcome.notes += [f"a secret is seen in the snapshot: {finding}" for finding in found.findings]
        if vault is not None:
            live = export.read(self.settings.need_vault(), vault).rows
            outcome.plan = plan(found.snapshot, live, wanted, self.redactor.redact_json)
        for path, data in sorted(found.snapshot.documents().items()):
            where, why = apply.landing(path, data, target.folder, found.commit.id[:8], overwrite=target.overwrite)
            outcome.files[path] = f"goes to {where}" if where else why or "is there already"
        return outcome

    def rows(self, found: Verified, vault: Vault, wanted: Wanted, undo: apply.Undo) -> tuple[Plan, apply.Done]:
        """Restores rows while no sync runs; planned again then, since the vault may have changed."""
        with leased(vault, self.run, dry_run=False):
            live = export.read(self.settings.need_vault(), vault).rows
            made = plan(found.snapshot, live, wanted, self.redactor.redact_json)
            return made, apply.restore_rows(self.settings.need_vault(), vault, made, undo)

    def files(self, found: Verified, target: Target, undo: apply.Undo) -> apply.Done:
        """Restores files."""
        suffix = found.commit.id[:8]
        return apply.restore_files(found.snapshot.documents(), target.folder, undo, suffix, overwrite=target.overwrite)

    def undo(self, vault: Vault | None, run: str, *, dry_run: bool) -> tuple[apply.Undo, apply.Done]:
        """Undoes a restore; the file that says how is kept with another ending, unless something failed.

        Raises:
            ConfigError: it wrote rows, and there is no vault.
        """
        undo, done = apply.find_undo(self.settings.home, run), apply.Done()
        source = self.settings.need_vault() if undo.rows else None
        if source and vault:
            with leased(vault, self.run, dry_run=dry_run):
                items = apply.still_restored(undo, export.read(source, vault).rows)
                done.rows = {"rows to put back": len(items)}
                if not dry_run:
                    done = apply.undo_rows(source, vault, items, self.run)
        if dry_run:
            done.files = [f"{each['path']}: {what}" for each in undo.files if (what := apply.file_undo(each))]
            return undo, done
        done.add_files(apply.undo_files(undo))
        if not done.failed:
            undo.close()
        return undo, done

    def prove(self, remote: Remote, vault: Vault) -> Proof:
        """The weekly test."""
        found, began = Proof(self.run, self.now), time.monotonic()
        try:
            made = self.snapshot(remote, newest)
        except DamagedSnapshotError as damaged:
            found.differences += damaged.problems
        else:
            found.commit, found.taken = made.commit.id, made.taken.isoformat()
            self._restore_in_scratch(made.snapshot, found)
            live = export.read(self.settings.need_vault(), vault).rows
            proof.compare_live(made.snapshot, live, made.taken, self.redactor, found)
        found.seconds = round(time.monotonic() - began, 3)
        return found

    def _restore_in_scratch(self, snapshot: Snapshot, found: Proof) -> None:
        try:
            rows, known = proof.restored(snapshot, self.folder, self.now)
        except AnglesError as failure:
            found.differences.append(f"it cannot be restored: {failure}")
        else:
            proof.compare_restored(snapshot, rows, known, found)

    def keep(self, found: Proof) -> None:
        """Writes `restore_test.json`."""
        told = self.redactor.redact_json(found.json())
        write_atomic(self.settings.home / proof.REPORT, json.dumps(told, indent=2) + "\n")

    def record(self, vault: Vault, action: str, details: Mapping[str, Any], status: str) -> None:
        """Writes into `agent_activity` what was done."""
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{action} {self.run}"))
        told = self.redactor.redact_json({"run": self.run, **details})
        vault.record([Activity(name, "restore_from_github", action, told, status)])


def history(folder: Path, remote: Remote) -> list[Commit]:
    """The snapshots, the newest first."""
    try:
        with cloned(folder, remote) as clone:
            return clone.commits(newest(clone))
    except NoBranchError:
        return []


def newest(clone: Repository) -> str:
    """Chooses the newest snapshot."""
    return clone.tip(clone.known) or ""


def at(moment: datetime) -> Callable[[Repository], str]:
    """Chooses the newest snapshot of a moment."""

    def choose(clone: Repository) -> str:
        for commit in clone.commits(newest(clone)):
            if taken([commit]) <= moment:
                return commit.id
        raise ConfigError("--at", f"there is no snapshot as old as {moment:%Y-%m-%d %H:%M} UTC", "See --list")

    return choose


def of_commit(name: str) -> Callable[[Repository], str]:
    """Chooses a commit by its id, or the beginning of it."""

    def choose(clone: Repository) -> str:
        found = [each.id for each in clone.commits(newest(clone)) if each.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        raise ConfigError(
            "--commit", f"{name} is {'not one snapshot' if found else 'no snapshot'} of the branch", "See --list"
        )

    return choose
