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
    """What a restore or an undo did.

    Args:
        rows: how many, by what was done to them.
        files: those written, a line each.
        left: what was left as it is, a line each.
        failed: what could not be done, and may be by another run, a line each.
    """

    rows: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What was not done."""
        return [*self.left, *self.failed]

    def add_files(self, other: Done) -> None:
        """Takes what was done to files too."""
        self.files += other.files
        self.left += other.left
        self.failed += other.failed


@dataclass
class Undo:
    """What undoes a restore; a file of this user's alone, since it holds live values.

    Args:
        path: where it is kept.
        rows: {table, id, expect, row} as `restore_change` takes them.
        files: {path, sha256, before}: what is written, and in whose place (base64, or None).
    """

    path: Path
    run: str
    rows: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)

    def keep(self) -> None:
        """Writes it down; without anything in it there is no file."""
        if not (self.rows or self.files):
            self.path.unlink(missing_ok=True)
            return
        told = {"run": self.run, "rows": self.rows, "files": self.files}
        write_atomic(self.path, json.dumps(told), mode=0o600)

    def close(self) -> None:
        """Keeps it with another ending: it was carried out."""
        self.path.replace(self.path.with_suffix(".done"))


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
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AnglesError(str(found[-1]), "cannot be read", "Name another run") from error


def restore_rows(source: VaultSettings, vault: Vault, plan: Plan, undo: Undo) -> Done:
    """Writes a plan's rows: in one transaction where PostgreSQL is reached directly, else a batch a transaction."""
    steps, done = [_ready(step, plan) for step in plan.acts], Done()
    undo.rows = [_undoing(step) for step in reversed(steps)]
    undo.keep()
    left: set[tuple[str, str]] = set()
    with _writing(source, vault) as call:
        for table in TABLES:
            added = [step.row for step in steps if step.table == table.name and step.action is Action.ADD]
            left |= {(table.name, name) for name in _add(call, undo.run, table, added, done)}
        changed = [_item(step) for step in steps if step.action is Action.OVERWRITE]
        left |= {
            ("decision_vault", name) for name in _change(call, undo.run, changed, done, "decision_vault overwritten")
        }
    if left:
        undo.rows = [each for each in undo.rows if (each["table"], each["id"]) not in left]
        undo.keep()
    return done


def still_restored(undo: Undo, live: Mapping[str, Sequence[Row]]) -> list[Row]:
    """The rows of a restore that are not yet, or not any more, as they were before it.

    Args:
        undo: of the restore; of one that was cut off it names more than was written.
        live: the vault's rows by table.
    """
    rows = {(table.name, str(row[table.key])): row for table in TABLES for row in live.get(table.name, ())}

    def differs(now: Row | None, before: Row | None) -> bool:
        if now is None or before is None:
            return now is not before
        return any(now[name] != before[name] for name in (*FIELDS, "created_at", "updated_at"))

    return [each for each in undo.rows if differs(rows.get((each["table"], each["id"])), each["row"])]


def undo_rows(source: VaultSettings, vault: Vault, items: Sequence[Row], run: str) -> Done:
    """Puts back what a restore wrote, where it is still what that left."""
    done = Done()
    with _writing(source, vault) as call:
        _change(call, run, items, done, "rows put back")
    return done


def restore_files(documents: Mapping[str, bytes], folder: Path, undo: Undo, suffix: str, *, overwrite: bool) -> Done:
    """Writes files of a backup, never in the place of one that is there: beside it, with a suffix.

    Args:
        documents: contents by path.
        folder: where they go.
        undo: told of the files before the first is written.
        suffix: of files that land beside another.
        overwrite: replaces files that are there, unless the backup's has a redaction marker.
    """
    done = Done()
    for path, data in sorted(documents.items()):
        target, _ = landing(path, data, folder, suffix, overwrite=overwrite)
        undo.files += [_file_undoing(target, data)] if target else []
    try:
        undo.keep()
        for path, data in sorted(documents.items()):
            _restore_file(path, data, landing(path, data, folder, suffix, overwrite=overwrite), undo, done)
    except AnglesError as unwritable:
        done.failed.append(f"{unwritable} What undoes it comes first: no file is written without")
    return done


def _restore_file(path: str, data: bytes, lands: tuple[Path | None, str], undo: Undo, done: Done) -> None:
    target, why = lands
    if target is None:
        done.left += [f"{path} {why}"] if why else []
        return
    if (undoing := _file_undoing(target, data)) not in undo.files:  # the folder has changed since
        undo.files.append(undoing)
        undo.keep()
    try:
        write_atomic(target, data)
    except AnglesError as unwritable:
        done.failed.append(str(unwritable))
    else:
        done.files.append(f"{path} restored" + ("" if target.name == Path(path).name else f" as {target.name}"))


def _file_undoing(target: Path, data: bytes) -> Row:
    before = base64.b64encode(target.read_bytes()).decode() if target.exists() else None
    return {"path": str(target), "sha256": hashlib.sha256(data).hexdigest(), "before": before}


def landing(path: str, data: bytes, folder: Path, suffix: str, *, overwrite: bool) -> tuple[Path | None, str]:
    """Where a file of a backup lands; None where it is not written, with the reason unless it is there already."""
    if why := refused(path):
        return None, f"is refused: it {why}"
    try:
        if (folder / path).parent.resolve() != folder.resolve() / Path(path).parent:
            return None, "is refused: a link in its way leads out of the folder"
        return _landing(folder / path, data, suffix, overwrite=overwrite), ""
    except OSError as error:
        return None, f"cannot be written in {folder} ({error.strerror})"
    except RuntimeError:
        return None, "is refused: the links in its way lead in a circle"


def _landing(target: Path, data: bytes, suffix: str, *, overwrite: bool) -> Path | None:
    if not _is_there(target):
        return target
    if target.is_file() and not target.is_symlink():
        if target.read_bytes() == data:
            return None
        if overwrite and not has_mark(data.decode("utf-8", "replace")):
            return target
    for number in itertools.count(1):
        beside = target.with_name(f"{target.name}.restored-{suffix}{f'-{number}' if number > 1 else ''}")
        if not _is_there(beside):
            return beside
        if beside.is_file() and beside.read_bytes() == data:
            return None
    raise AssertionError


def _is_there(path: Path) -> bool:
    """Whether anything has that name, be it a link to nothing."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def undo_files(undo: Undo) -> Done:
    """Puts back what a restore wrote, where it is still what that left."""
    done = Done()
    for each in reversed(undo.files):
        path, before = Path(each["path"]), _before(each)
        try:
            match file_undo(each):
                case "changed":
                    done.left.append(f"{path} was changed since and is left as it is")
                case "remove":
                    path.unlink()
                    done.files.append(f"{path} removed")
                case "put back":
                    write_atomic(path, before or b"")
                    done.files.append(f"{path} put back")
        except (OSError, AnglesError) as error:
            done.failed.append(f"{error}" if isinstance(error, AnglesError) else f"{path}: {error.strerror}")
    return done


def file_undo(each: Row) -> str:
    """What undoes the restore of a file: `remove`, `put back`, or '' where it is as it was; `changed` where nothing."""
    path, before = Path(each["path"]), _before(each)
    if path.is_symlink():
        return "changed"
    now = path.read_bytes() if path.is_file() else None
    if now == before:
        return ""
    if now is None or hashlib.sha256(now).hexdigest() != each["sha256"]:
        return "changed"
    return "remove" if before is None else "put back"


def _before(each: Row) -> bytes | None:
    return None if each["before"] is None else base64.b64decode(each["before"])


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


def _add(call: Call, run: str, table: Table, rows: Sequence[Row], done: Done) -> list[str]:
    """Adds rows; answers the keys of those that others added meanwhile."""
    left: list[str] = []
    for some in batches(rows):
        added = {str(key) for key in call("restore_add", {"run": run, "table": table.name, "rows": some})["added"]}
        _count(done, f"{table.name} added", len(added))
        left += [name for row in some if (name := str(row[table.key])) not in added]
    done.left += [f"{table.name} {name} was added meanwhile and is left as it is" for name in left]
    return left


def _change(call: Call, run: str, items: Sequence[Row], done: Done, what: str) -> list[str]:
    """Changes rows; answers the ids of decisions that others changed meanwhile."""
    left: list[str] = []
    for some in batches(items):
        moved = call("restore_change", {"run": run, "items": some})["moved"]
        _count(done, what, len(some) - len(moved))
        left += moved
    done.left += [f"decision {name} was changed meanwhile and is left as it is" for name in left]
    return left


def _count(done: Done, what: str, number: int) -> None:
    if number:
        done.rows[what] = done.rows.get(what, 0) + number
