"""Carries a restore out, with what undoes it written down first; and undoes one."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from utils.backup.direct import transaction
from utils.backup.plan import Action, Plan, Step, refused
from utils.backup.snapshot import TABLES, Row, Table, has_mark
from utils.config import VaultSettings
from utils.decision import FIELDS
from utils.errors import AnglesError, ConfigError
from utils.files import write_atomic
from utils.stores.base import BATCH_BYTES, BATCH_ITEMS, Vault

Call = Callable[[str, Mapping[str, Any]], Any]


@dataclass
class Done:
    """What a restore or an undo did: rows by what was done to them, files written, and what was left, a line each."""

    rows: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass
class Undo:
    """What undoes a restore; a file of this user's alone, since it holds live values.

    Args:
        path: where it is kept.
        rows: {table, id, expect, row} as `restore_change` takes them.
        files: {path, sha256, before}: what was written, and in whose place (base64, or None).
    """

    path: Path
    run: str
    rows: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)

    def keep(self) -> None:
        """Writes it down."""
        told = {"run": self.run, "rows": self.rows, "files": self.files}
        write_atomic(self.path, json.dumps(told), mode=0o600)


def new_undo(home: Path, run: str, at: datetime) -> Undo:
    """An empty one for this run."""
    return Undo(undo_folder(home) / f"{at:%Y%m%dT%H%M%S%f}-{run}.json", run)


def undo_folder(home: Path) -> Path:
    """Where they are, in the order of their names."""
    folder = home / ".local" / "restore"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def find_undo(home: Path, run: str) -> Undo:
    """What undoes a restore: the last one, or that of a run.

    Raises:
        ConfigError: there is none.
    """
    found = sorted(undo_folder(home).glob(f"*-{run}.json" if run != "last" else "*.json"))
    if not found:
        raise ConfigError("--undo", "there is nothing to undo", f"The restores that can be are in {undo_folder(home)}")
    try:
        told = json.loads(found[-1].read_bytes())
        return Undo(found[-1], told["run"], told["rows"], told["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnglesError(str(found[-1]), "cannot be read", "Name another run") from error


def restore_rows(source: VaultSettings, vault: Vault, plan: Plan, undo: Undo) -> Done:
    """Writes a plan's rows: in one transaction where PostgreSQL is reached directly, else a batch a transaction."""
    steps = [_ready(step, plan) for step in plan.acts]
    undo.rows = [_undoing(step) for step in reversed(steps)]
    undo.keep()
    done = Done()
    with _writing(source, vault) as call:
        for table in TABLES:
            added = [step.row for step in steps if step.table == table.name and step.action is Action.ADD]
            _add(call, undo.run, table, added, done)
        changed = [step for step in steps if step.action is Action.OVERWRITE]
        _change(call, undo.run, [_item(step) for step in changed], done, "decision_vault overwritten")
    return done


def undo_rows(source: VaultSettings, vault: Vault, undo: Undo, run: str) -> Done:
    """Puts back what a restore wrote, where it is still what that left."""
    done = Done()
    with _writing(source, vault) as call:
        _change(call, run, undo.rows, done, "rows put back")
    return done


def restore_files(documents: Mapping[str, bytes], folder: Path, undo: Undo, suffix: str, *, overwrite: bool) -> Done:
    """Writes files of a backup, never in the place of one that is there: beside it, with a suffix.

    Args:
        documents: contents by path.
        folder: where they go.
        undo: told of each file before it is written.
        suffix: of files that land beside another.
        overwrite: replaces files that are there, unless the backup's has a redaction marker.
    """
    done = Done()
    for path, data in sorted(documents.items()):
        target, why = landing(path, data, folder, suffix, overwrite=overwrite)
        if target is None:
            done.left += [f"{path} {why}"] if why else []
            continue
        before = base64.b64encode(target.read_bytes()).decode() if target.exists() else None
        undo.files.append({"path": str(target), "sha256": hashlib.sha256(data).hexdigest(), "before": before})
        undo.keep()
        write_atomic(target, data)
        done.files.append(f"{path} restored" + ("" if target == folder / path else f" as {target.name}"))
    return done


def landing(path: str, data: bytes, folder: Path, suffix: str, *, overwrite: bool) -> tuple[Path | None, str]:
    """Where a file of a backup lands; None where it is not written, with the reason unless it is there already."""
    if why := refused(path):
        return None, f"is refused: it {why}"
    target = folder / path
    if target.parent.resolve() != folder.resolve() / Path(path).parent:
        return None, "is refused: a link in its way leads out of the folder"
    if not (target.exists() or target.is_symlink()):
        return target, ""
    if target.is_file() and not target.is_symlink():
        if target.read_bytes() == data:
            return None, ""
        if overwrite and not has_mark(data.decode("utf-8", "replace")):
            return target, ""
    for number in itertools.count(1):
        beside = target.with_name(f"{target.name}.restored-{suffix}{f'-{number}' if number > 1 else ''}")
        if not (beside.exists() or beside.is_symlink()):
            return beside, ""
        if beside.is_file() and beside.read_bytes() == data:
            return None, ""
    raise AssertionError


def undo_files(undo: Undo) -> Done:
    """Puts back what a restore wrote, where it is still what that left."""
    done = Done()
    for each in reversed(undo.files):
        path = Path(each["path"])
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != each["sha256"]:
            done.left.append(f"{path} was changed since and is left as it is")
        elif each["before"] is None:
            path.unlink()
            done.files.append(f"{path} removed")
        else:
            write_atomic(path, base64.b64decode(each["before"]))
            done.files.append(f"{path} put back")
    return done


def batches(items: Sequence[Row]) -> Iterator[list[Row]]:
    """Runs of at most 500 rows and about 1 MB."""
    batch: list[Row] = []
    size = 0
    for item in items:
        length = len(json.dumps(item))
        if batch and (len(batch) == BATCH_ITEMS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


@contextmanager
def _writing(source: VaultSettings, vault: Vault) -> Iterator[Call]:
    if source.dsn:
        with transaction(source.dsn) as one:
            yield one.call
    else:
        yield vault.call


def _ready(step: Step, plan: Plan) -> Step:
    """A decision counts as synced only if its link comes along."""
    if step.table != "decision_vault" or step.action is not Action.ADD:
        return step
    linked = {each.id for each in plan.acts if each.table == "sync_links"}
    return step if step.id in linked else Step(**{**vars(step), "row": {**step.row, "synced": False}})


def _item(step: Step) -> Row:
    return {"table": step.table, "id": step.id, "expect": step.expect, "row": step.row}


def _undoing(step: Step) -> Row:
    left = {name: step.row[name] for name in FIELDS} if step.table == "decision_vault" else None
    return {"table": step.table, "id": step.id, "expect": left, "row": step.live}


def _add(call: Call, run: str, table: Table, rows: Sequence[Row], done: Done) -> None:
    for some in batches(rows):
        added = {str(key) for key in call("restore_add", {"run": run, "table": table.name, "rows": some})["added"]}
        _count(done, f"{table.name} added", len(added))
        left = [name for row in some if (name := str(row[table.key])) not in added]
        done.left += [f"{table.name} {name} was added meanwhile and is left as it is" for name in left]


def _change(call: Call, run: str, items: Sequence[Row], done: Done, what: str) -> None:
    for some in batches(items):
        moved = call("restore_change", {"run": run, "items": some})["moved"]
        _count(done, what, len(some) - len(moved))
        done.left += [f"decision {name} was changed meanwhile and is left as it is" for name in moved]


def _count(done: Done, what: str, number: int) -> None:
    if number:
        done.rows[what] = done.rows.get(what, 0) + number
