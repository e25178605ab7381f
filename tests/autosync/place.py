"""A watched folder with its home and state, scanned in this process or by the script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.world import ROOT
from utils.autosync import rules, session
from utils.autosync.drafts import Found
from utils.autosync.index import Folder
from utils.autosync.session import Options, Report
from utils.autosync.store import Store

DEFAULT = rules.load(rules.DEFAULT)
OLD = 1_700_000_000


@dataclass
class Place:
    """A folder `files` beside a home."""

    folder: Path
    options: Options

    @classmethod
    def at(cls, folder: Path, **options: Any) -> Place:
        """In a new folder."""
        folder = Path(os.path.realpath(folder))
        root, home = folder / "files", folder / "home"
        root.mkdir(parents=True)
        home.mkdir()
        state = home / "logs" / "active" / "files.db"
        given = {"roots": (str(root),), "state": state, "home": home, "rules": DEFAULT, "redact": str, **options}
        return cls(folder, Options(**given))

    @property
    def root(self) -> Path:
        """The watched folder."""
        return Path(self.options.roots[0])

    @property
    def state(self) -> Path:
        """The file of the state."""
        return self.options.state

    def write(self, path: str, text: str | bytes = "content") -> Path:
        """Writes a file, with its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def scan(self, **options: Any) -> Report:
        """One scan."""
        wanted = replace(self.options, **options)
        with Store(self.state, read_only=wanted.dry_run) as store:
            return session.sweep(wanted, store)

    def told(self, **options: Any) -> list[str]:
        """One scan's changes, a line each."""
        return [line.removesuffix(f" in {self.root}") for line in self.scan(**options).lines(999)]

    def settle(self) -> None:
        """Makes the stat of every file that is known prove something, as if all had been scanned much later."""
        for path, folder in self.folders().items():
            self.forge(path, replace(folder, seen=time.time_ns() + 10**12))

    def folders(self) -> dict[str, Folder]:
        """What the state has of the root."""
        with Store(self.state) as store:
            root = store.root(str(self.root))
            assert root is not None
            return store.folders(root)

    def forge(self, path: str, folder: Folder) -> None:
        """Puts a folder into the state."""
        with Store(self.state) as store:
            root = store.root(str(self.root))
            assert root is not None
            store.commit({str(self.root): Found(root.identity, {path: folder})}, lambda _instance, _serial: ())

    def outbox(self) -> list[Mapping[str, Any]]:
        """What waits for delivery, {decision, activity} each."""
        with Store(self.state) as store:
            return [{"decision": row.decision, "activity": row.activity} for row in store.waiting(10_000)]

    def actions(self) -> list[str]:
        """The actions that wait for delivery."""
        return [row["activity"]["action"] for row in self.outbox()]

    def command(self, *arguments: str) -> list[str]:
        """The script's command line."""
        return [sys.executable, str(ROOT / "autosync_files.py"), "--root", str(self.root), *arguments]

    def environment(self, **env: str) -> dict[str, str]:
        """The script's variables."""
        return {"PATH": os.environ["PATH"], "ANGLES_HOME": str(self.options.home), **env}

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """The script."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(**env),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def said(self, *arguments: str, **env: str) -> dict[str, Any]:
        """What the script says with --json."""
        ended = self.run("--json", *arguments, **env)
        assert ended.stdout, ended.stderr
        said: dict[str, Any] = json.loads(ended.stdout)
        assert said["exit_code"] == ended.returncode, ended.stderr
        return said

    @contextmanager
    def start(self, *arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
        """The script while it runs; it is killed where it still does at the end."""
        child = subprocess.Popen(
            self.command(*arguments),
            env=self.environment(**env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()
            child.communicate()


def tree(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below a folder with its inode, size and mtime."""
    found = ((path, path.lstat()) for path in sorted(folder.rglob("*")))
    return {str(path): (stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found}
