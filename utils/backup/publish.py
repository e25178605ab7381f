"""Puts snapshots on the branch of the backups: on top of what is there, scanned once more, checked by a fresh clone.

The clone in `.local/backup/` is a cache, made anew whenever something is wrong with it; only commits that a run made
and could not push any more are worth keeping: the next run puts them on the branch before its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from utils.backup import snapshot
from utils.backup.clean import checksum, cleaned, seen
from utils.backup.snapshot import MANIFEST, Changes, DamagedError, Snapshot
from utils.errors import AnglesError, SafetyError
from utils.git_helpers import Commit, Entry, MovedError, Remote, Repository, blob_id
from utils.redact import Redactor

TRIES = 4
"""How often a push is tried while others push to the branch too."""

ABANDONED_SECONDS = 3600

_TAKEN = re.compile(r"^Snapshot-At: (\d{4}-\d\d-\d\dT[\d:.]{8,15}\+00:00)$", re.MULTILINE)

_log = logging.getLogger(__name__)


class DamagedSnapshotError(SafetyError):
    """A snapshot that is not what its manifest says; `problems` has a line for each file."""

    def __init__(self, commit: Commit, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        told = "; ".join(self.problems[:5])
        super().__init__(f"snapshot {commit.id[:12]}", f"is damaged: {told}", "Take another one: --list, --commit")


@dataclass(frozen=True)
class Verified:
    """A snapshot as a fresh clone had it, which is what its manifest says.

    Args:
        commit: that it was read from.
        taken: when it was taken, by the vault's clock.
        snapshot: its files.
        findings: the secrets that are seen in it, a line each.
    """

    commit: Commit
    taken: datetime
    snapshot: Snapshot
    findings: tuple[str, ...] = ()


@dataclass
class Branch:
    """The branch of the backups, and its clone on this machine.

    Args:
        folder: where the clone is.
        remote: the repository.
        redactor: finds what must not be there.
        notes: what a person should know, a line each; is added to.
    """

    folder: Path
    remote: Remote
    redactor: Redactor
    notes: list[str] = field(default_factory=list)
    repository: Repository = field(init=False)
    base: str | None = field(init=False, default=None)
    tree: dict[str, Entry] = field(init=False, default_factory=dict)
    pushed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = hashlib.sha256(f"{self.remote.url} {self.remote.branch}".encode()).hexdigest()[:12]
        self.clone = self.folder / f"{name}.git"
        self.repository = Repository(self.clone, self.remote)

    # --- where the branch stands

    def renew(self, why: str) -> None:
        """Makes the clone anew; one with unpushed commits is set aside."""
        if self._holds_unpushed():
            aside = self.clone.with_name(f"{self.clone.name}.aside-{secrets.token_hex(3)}")
            self.clone.rename(aside)
            self.notes.append(f"the clone is damaged and holds unpushed commits: it is kept as {aside} ({why})")
        else:
            _log.info("the clone is made anew: %s", why)
            shutil.rmtree(self.clone, ignore_errors=True)
        self.repository = Repository(self.clone, self.remote)

    def look(self, *, push: bool = True) -> None:
        """Brings the clone to where the branch is; pushes first what an earlier run could not (unless `push` is false).

        Raises:
            SafetyError: the branch is not one of backups. ServiceError: the repository cannot be reached.
            RepositoryError: the clone is damaged.
        """
        repository, before = self.repository, self.repository.tip(self.repository.known)
        theirs = repository.remote_tip()
        if theirs is None:
            repository.point(repository.known, None)
        elif theirs != before:
            repository.fetch()
        if before and (theirs is None or not repository.is_ancestor(before, theirs)):
            repository.point(f"refs/kept/{before}", before)
            happened = "is gone from the repository" if theirs is None else "was rewritten by somebody"
            self.notes.append(f"the branch {happened}; what it was is kept in {self.clone} as refs/kept/{before}")
        self._on(theirs)
        left = self._unpushed(before)
        if left and push:
            self._finish(left, straight=theirs == before)
        elif left:
            self.notes.append(f"{len(left)} commits of a run that was cut off are still to be pushed")

    def _on(self, base: str | None) -> None:
        """Stands on a commit, whose files are ours to replace."""
        self.base, self.tree = base, self.repository.tree(base) if base else {}
        if base and MANIFEST not in self.tree:
            some = ", ".join(sorted(self.tree)[:3])
            raise SafetyError(
                f"repository {self.remote.url}",
                f"its branch {self.remote.branch} holds files that no backup made ({some})",
                "Set BACKUP_BRANCH to a branch of its own",
            )

    def _unpushed(self, before: str | None) -> list[Commit]:
        """The commits of earlier runs that the branch has not, the oldest first."""
        ours = self.repository.tip(self.repository.branch)
        if ours is None or ours in {before, self.base} or (self.base and self.repository.is_ancestor(ours, self.base)):
            return []
        return self.repository.commits(ours, but=before)[::-1]

    def _finish(self, left: list[Commit], *, straight: bool) -> None:
        """Pushes commits of earlier runs; drops those in which a secret is seen.

        Args:
            left: the oldest first.
            straight: they lead on from where the branch is; otherwise they are put on top of that.
        """
        trees = [self._owned(commit.id) for commit in left]
        seen_in = [bool(self.findings(tree)) for tree in trees]
        if straight and not any(seen_in):
            self.push(left[-1].id)
            return
        for commit, tree, is_seen in zip(left, trees, seen_in, strict=True):
            if is_seen:
                self.notes.append("an unpushed snapshot of an earlier run is dropped: today's rules see a secret in it")
            else:
                self.push(self.repository.commit(self.base, self._moves(tree), commit.message, commit.at))
        self.repository.point(self.repository.branch, self.base)

    def _owned(self, commit: str) -> dict[str, str]:
        """The blobs of a snapshot by path."""
        found = self.repository.tree(commit)
        return {path: entry.blob for path, entry in found.items() if snapshot.is_ours(path)}

    # --- a new snapshot

    def cleaned(self, raw: Mapping[str, bytes], blobs: Mapping[str, str]) -> tuple[dict[str, bytes], dict[str, str]]:
        """Files without secrets, those that cannot be without left out; and what is to be remembered of them.

        What is remembered in `blobs` and is on the branch is taken from there.
        """
        sums = {path: checksum(path, data) for path, data in raw.items()}
        known = {path: blobs[sums[path]] for path in raw if self._has(path, blobs.get(sums[path], ""))}
        made = dict(zip(known, self.repository.read(known.values()), strict=True))
        for path in raw.keys() - known.keys():
            if (content := cleaned(path, raw[path], self.redactor)) is not None:
                made[path] = content
        return made, {sums[path]: known.get(path) or blob_id(data) for path, data in made.items()}

    def contents(self, paths: Iterable[str] | None = None) -> dict[str, bytes]:
        """The contents of files of the last snapshot; all of them, or those named."""
        wanted = [
            path for path in (self.tree if paths is None else paths) if snapshot.is_ours(path) and path in self.tree
        ]
        return dict(zip(wanted, self.repository.read(self.tree[path].blob for path in wanted), strict=True))

    def changes(self, made: Snapshot) -> Changes:
        """What a snapshot differs in from the last one."""
        same = {path for path, data in made.files.items() if self._has(path, blob_id(data))}
        before = self.contents(path for path in self.tree if path not in same)
        return snapshot.changes(before, {path: data for path, data in made.files.items() if path not in same})

    def last(self) -> dict[str, int]:
        """The rows by table of the last snapshot."""
        try:
            return dict(snapshot.read_manifest(self.contents([MANIFEST]))["rows"]) if self.base else {}
        except DamagedError:
            self.notes.append("the last snapshot's manifest cannot be read: rows are compared with nothing")
            return {}

    def is_whole(self) -> bool:
        """Whether the last snapshot is what its manifest says, as the clone has it."""
        try:
            snapshot.verified(self.contents())
        except DamagedError as damaged:
            self.notes.append(f"the last snapshot is damaged, a new one takes its place: {damaged.problems[0]}")
            return False
        return True

    def stage(self, made: Snapshot) -> dict[str, str]:
        """Keeps a snapshot's files as blobs, and scans those that are new; answers the blobs by path.

        Raises:
            SafetyError: a secret is seen in one.
        """
        tree = {path: blob_id(data) for path, data in made.files.items()}
        there = {entry.blob for entry in self.tree.values()}
        self.repository.store(
            {tree[path]: data for path, data in made.files.items() if tree[path] not in there}.values()
        )
        if found := self.findings(tree):
            self.renew("it holds what must not be pushed")
            raise SafetyError(
                "backup",
                f"redaction failed, nothing was committed: {'; '.join(found[:5])}",
                "Take it out of there, and report the kind of secret",
            )
        return tree

    def findings(self, tree: Mapping[str, str]) -> list[str]:
        """The secrets that are seen in blobs that the branch has not, as they are in the clone: file, line and kind."""
        there = {entry.blob for entry in self.tree.values()}
        new = {blob: path for path, blob in tree.items() if blob not in there}
        return list(told(dict(zip(new.values(), self.repository.read(new), strict=True)), self.redactor))

    def commit(self, tree: Mapping[str, str], message: str, at: datetime) -> str:
        """Commits what was staged and pushes it; answers the branch's newest commit.

        Raises:
            SafetyError: the repository refuses it. AnglesError: others pushed again and again.
        """
        foreign = [path for path in self.tree if not snapshot.is_ours(path)]
        if foreign:
            self.notes.append(f"{len(foreign)} files that no backup made are left alone: {', '.join(foreign[:3])}")
        for _ in range(TRIES):
            made = self.repository.commit(self.base, self._moves(tree), message, at)
            try:
                self.push(made)
            except MovedError as error:
                _log.info("%s; put on top of them", error)
                self.repository.point(self.repository.branch, None)
                self.look()
            else:
                return made
        raise AnglesError("backup", "others push to the branch again and again", "Run again later")

    def push(self, commit: str) -> None:
        """Pushes a commit, and stands on it."""
        try:
            self.repository.push(commit)
        except SafetyError as refused:
            if "redaction failed" in refused.what:
                shutil.rmtree(self.clone, ignore_errors=True)
            raise
        self.pushed = True
        self._on(commit)

    def _moves(self, tree: Mapping[str, str]) -> dict[str, str | None]:
        """What has to be done to the files of the branch so that ours are those of a tree."""
        gone: dict[str, str | None] = {path: None for path in self.tree if snapshot.is_ours(path) and path not in tree}
        return gone | {path: blob for path, blob in tree.items() if not self._has(path, blob)}

    def _has(self, path: str, blob: str) -> bool:
        entry = self.tree.get(path)
        return entry is not None and (entry.mode, entry.blob) == ("100644", blob)

    def _holds_unpushed(self) -> bool:
        """Whether our branch is elsewhere than the remote's, as the files say: git itself may not be able to."""
        heads, remotes = (self.clone / "refs" / part / self.remote.branch for part in ("heads", "remotes/origin"))
        try:
            ours = heads.read_text()
        except OSError:
            return False
        return not remotes.exists() or remotes.read_text() != ours


def sweep(folder: Path, now: datetime) -> None:
    """Removes clones that a killed run left behind: those of a run that may still be at it are younger."""
    for left in folder.glob("check-*"):
        with contextlib.suppress(OSError):
            if now.timestamp() - left.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(left)


@contextmanager
def cloned(parent: Path, remote: Remote, depth: int | None = None) -> Iterator[Repository]:
    """A fresh clone of the branch, or of its newest commits, for the time of a `with` block.

    Raises:
        AnglesError: there is no such branch.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="check-", dir=parent) as name:
        clone = Repository(Path(name) / "clone.git", remote)
        clone.fetch(depth)
        yield clone


def verify(
    parent: Path, remote: Remote, redactor: Redactor, choose: Callable[[Repository], str] | None = None
) -> Verified:
    """Reads the newest snapshot, or the commit chosen, from a fresh clone, hashes it against its manifest and scans it.

    Args:
        parent: where the clone may be for so long.
        remote: the repository.
        redactor: finds what must not be there.
        choose: picks a commit of the whole history; without it only the newest is fetched.

    Raises:
        DamagedSnapshotError: it is not what its manifest says. AnglesError: there is none.
    """
    with cloned(parent, remote, None if choose else 1) as clone:
        commit = choose(clone) if choose else clone.tip(clone.known) or ""
        tree = clone.tree(commit)
        paths = [path for path, entry in tree.items() if entry.mode in {"100644", "100755"}]
        files = dict(zip(paths, clone.read(tree[path].blob for path in paths), strict=True))
        commits = clone.commits(commit)
    try:
        found = snapshot.verified(files)
    except DamagedError as damaged:
        raise DamagedSnapshotError(commits[0], damaged.problems) from None
    return Verified(commits[0], taken(commits), found, tuple(told(files, redactor)))


def taken(commits: Sequence[Commit]) -> datetime:
    """When the snapshot in the first of these was taken: the last that a backup made says so; others may follow it."""
    for commit in commits:
        if found := _TAKEN.search(commit.message):
            return datetime.fromisoformat(found[1])
    return commits[0].at


def told(files: Mapping[str, bytes], redactor: Redactor) -> Iterator[str]:
    """The secrets that are seen in files: path, line and kind, never the value."""
    for path, data in files.items():
        yield from (f"{path} line {line} ({kind})" for line, kind in seen(data, redactor))
