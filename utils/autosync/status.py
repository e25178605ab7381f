"""What is watched, and what waits: looked up without a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from utils import state
from utils.autosync import rows
from utils.autosync.session import Options, sound
from utils.autosync.store import Store
from utils.errors import BusyError
from utils.files import hold_lock


@dataclass(frozen=True)
class Status:
    """Where the autosync stands. `roots` are those that were ever scanned, with the numbers of folders and files."""

    roots: dict[str, tuple[int, int]]
    wanted: tuple[str, ...]
    waiting: int
    watching: bool
    last: state.RunRecord | None
    damaged: str

    def json(self) -> dict[str, Any]:
        """As `--json` says it."""
        roots = {rows.shown(root): {"folders": each[0], "files": each[1]} for root, each in self.roots.items()}
        last = self.last and {"started": self.last.started.isoformat(), "outcome": self.last.outcome}
        wanted = list(map(rows.shown, self.wanted))
        return {
            "roots": roots,
            "wanted": wanted,
            "waiting": self.waiting,
            "watching": self.watching,
            "last_run": last,
            "damaged": self.damaged,
        }

    @property
    def lines(self) -> list[str]:
        """In words."""
        ended = f"{self.last.outcome}, {self.last.started:%Y-%m-%d %H:%M} UTC" if self.last else "none yet"
        return [
            *(
                f"{rows.shown(root)}: {files:,} files in {folders:,} folders"
                for root, (folders, files) in self.roots.items()
            ),
            *(f"{rows.shown(root)}: never scanned" for root in self.wanted if root not in self.roots),
            *([f"the state is damaged ({self.damaged}); the next scan sets it aside"] if self.damaged else []),
            f"last run: {ended}",
            f"{self.waiting} rows wait for delivery; a watch is {'at it' if self.watching else 'not running'}",
        ]


def status(options: Options) -> Status:
    """Where it stands."""
    with Store(options.state, read_only=True) as store:
        found = sound(store, lambda: {root: _size(store, root) for root in store.roots()})
        waiting = sound(store, store.count)
    return Status(found, tuple(options.roots), waiting, _is_watching(options), _last(options), store.damaged)


def _size(store: Store, path: str) -> tuple[int, int]:
    root = store.root(path)
    folders = store.folders(root) if root else {}
    return len(folders), sum(len(folder.files()) for folder in folders.values())


def _is_watching(options: Options) -> bool:
    lock = options.state.with_name(f"{options.state.name}.watch")
    if not lock.exists():
        return False
    try:
        with hold_lock(lock):
            return False
    except BusyError:
        return True


def _last(options: Options) -> state.RunRecord | None:
    path = options.home / state.STATE_FILE
    if not path.exists():
        return None
    with state.open_state(path) as db:
        return state.last_run(db, "files")
