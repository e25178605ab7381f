"""Git, and nothing else knows git: a bare repository and one branch of one remote, through GitPython's `repo.git.*`.

Every git process gets an environment of its own: of the variables that this one has, none but `_KEPT`; no configuration
but the lines of `_configuration`, the token among them, bound to the remote's address. So the token is in no argument
list, no file, no URL and no error, is sent nowhere else, and no hook, helper, alias or trace of the user's runs.

There is no working tree: files are read from and written to the object store alone, so that no attribute, link or
ignore rule in the repository changes a byte. The branch of the remote is never forced.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from utils import config
from utils.errors import AnglesError, ConfigError, SafetyError, ServiceError

try:
    import git
except ImportError as missing:  # GitPython looks for git itself when it is imported
    raise ConfigError("git", "cannot be run", "Install git, version 2.31 or newer") from missing

LOCAL_SECONDS = 120.0
REMOTE_SECONDS = 600.0
"""After so long a git process is killed, with whatever it started."""

STALLED = ("1000", "30")
"""Bytes a second, and for how many seconds a transfer may be slower."""


class RepositoryError(AnglesError):
    """Something is wrong with a repository as it is here: damaged, or its disk full."""


class NoBranchError(AnglesError):
    """The remote has no such branch yet."""


_KEPT = ("PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_TOKEN = "Make a fine-grained token with write access to the contents of that repository, and set GITHUB_TOKEN"  # noqa: S105
_TOLD: Sequence[tuple[str, type[AnglesError], str, str]] = (
    (r"GH013|GH009|[Pp]ush [Pp]rotection|[Ss]ecrets? (?:detected|found)|contains? (?:a )?secrets?", SafetyError,
     "redaction failed: the repository found a secret in what was pushed, and refused it",
     "Look at what it says in the log, and report the kind of secret"),
    (r"could not read (?:User|Pass)|Authentication failed|error: 401", ServiceError, "refuses the token", _TOKEN),
    (r"error: 403|[Pp]ermission (?:to .* )?denied|Write access", ServiceError, "the token may not do this", _TOKEN),
    (r"error: 30\d|unable to update url base|redirect", ServiceError,
     "has moved: it answers from another address, to which the token is not sent", "Set REPO_URL to its new address"),
    (r"find remote ref", NoBranchError,
     "has no such branch: no backup was made yet ({})", "Run: python run_backup_now.py"),
    (r"error: 404|[Rr]epository .*not found|does not appear to be a git repository|does not exist", ServiceError,
     "there is no such repository, or the token may not see it", "Check REPO_URL and GITHUB_TOKEN"),
    (r"dubious ownership", ConfigError, "belongs to another user", "Run as its owner"),
    (r"fsck error", SafetyError,
     "holds what git itself refuses, such as a path that leads out of a folder ({})",
     "Take that commit off the branch, or set BACKUP_BRANCH to another one"),
    (r"unpacker error|remote unpack failed|remote: .*No space left", ServiceError,
     "cannot take what is pushed ({})", "Look at the disk there"),
    (r"No space left|Out of diskspace|[Dd]isk quota|File too large|unable to write|signal 25", RepositoryError,
     "the disk is full ({})", "Free some space there"),
    (r"file is (?:over|larger)|GH001|exceeds .*size limit", SafetyError,
     "refuses the size of a file ({})", "See the log"),
    (r"hook declined|remote rejected|protected branch", SafetyError,
     "refuses the push ({})", "See its rules and hooks"),
    (r"unable to access|unable to connect|hung up|early EOF|unexpected disconnect|RPC failed|took over", ServiceError,
     "cannot be reached ({})", "Check REPO_URL and the network, then run again"),
)  # fmt: skip
"""What git says, and how it is told; the first that matches."""


_MOVED = re.compile(
    r"\((?:fetch first|non-fast-forward|needs force|stale info)\)"
    r"|failed to update ref|reference already exists|cannot lock ref"
)
"""How a push is refused that was a moment too late."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """Where backups go.

    Args:
        url: `https://` without a user, `http://` on this machine itself, or the path of a bare repository.
        branch: of the backups.
        token: sent to `url` alone.
        name, email: who commits.
    """

    url: str
    branch: str
    token: str = field(default="", repr=False)
    name: str = "Angles AI Universe"
    email: str = "backup@angles.invalid"

    @property
    def address(self) -> str:
        """As git takes it: of a path a URL, or git would copy the whole repository instead of a part."""
        return self.url if "://" in self.url else Path(self.url).as_uri()


@dataclass(frozen=True)
class Entry:
    """A file in a commit: its mode, such as `100644`, its blob's id, and its size in bytes."""

    mode: str
    blob: str
    size: int


@dataclass(frozen=True)
class Commit:
    """A commit: its id, when it was made (aware, UTC), its message."""

    id: str
    at: datetime
    message: str

    @property
    def title(self) -> str:
        """The message's first line."""
        return self.message.partition("\n")[0]


class MovedError(AnglesError):
    """The remote's branch has commits that this repository has not: nothing was pushed."""


class _FailedError(Exception):
    """A git process that ended with an error: what it said."""


class _Git(git.Git):
    """GitPython's own way to call git, with our environment alone and an end to waiting."""

    def execute(  # type: ignore[override]
        self, command: Any, istream: Any = None, kill_after_timeout: Any = None, **_options: Any
    ) -> Any:
        """Runs it; answers its stdout as bytes."""
        process = subprocess.Popen(
            command,
            cwd=self.working_dir,
            env=dict(self.environment()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            said, complaint = process.communicate(istream.read() if istream else b"", kill_after_timeout)
        except BaseException as stopped:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(stopped, subprocess.TimeoutExpired):
                raise _FailedError(f"git took over {kill_after_timeout:.0f} s and was ended") from None
            raise
        if process.returncode:
            ended = f"\ngit ended by signal {-process.returncode}" if process.returncode < 0 else ""
            raise _FailedError(complaint.decode(errors="replace") + said.decode(errors="replace") + ended)
        return said


class Repository:
    """A bare repository on this machine, beside one branch of a remote.

    Args:
        folder: where it is; made when it is missing.
        remote: what it goes with.

    Raises:
        AnglesError: it cannot be made. So do all methods, for what git refuses.
    """

    def __init__(self, folder: Path, remote: Remote) -> None:
        self.folder, self.remote = folder, remote
        self.branch, self.known = f"refs/heads/{remote.branch}", f"refs/remotes/origin/{remote.branch}"
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        self._git = _Git(str(folder))
        self._git.update_environment(**_environment(remote, folder))
        self._git.set_persistent_git_options(git_dir=str(folder))
        if new:
            self._ask("init", "--bare", "--quiet", "--template=", "--object-format=sha1")

    # --- the remote

    def remote_tip(self, *, seconds: float = REMOTE_SECONDS) -> str | None:
        """The newest commit of the remote's branch; None where there is no such branch."""
        said = self._ask("ls_remote", "--", self.remote.address, self.branch, seconds=seconds).decode()
        return next((line.split("\t")[0] for line in said.splitlines() if line.endswith(f"\t{self.branch}")), None)

    def fetch(self, depth: int | None = None) -> str:
        """Fetches the remote's branch, or its newest commits; answers the newest."""
        cut = [f"--depth={depth}"] if depth else []
        wanted = f"+{self.branch}:{self.known}"
        self._ask(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", *cut, "--"),
            *(self.remote.address, wanted),
            seconds=REMOTE_SECONDS,
        )
        return self._sure(self.known)

    def push(self, commit: str) -> None:
        """Puts the remote's branch forward to a commit.

        Raises:
            MovedError: it has commits of others. SafetyError: the repository refuses, such as for a secret.
        """
        try:
            self._git.push(
                *("--porcelain", "--no-verify", "--", self.remote.address, f"{commit}:{self.branch}"),
                kill_after_timeout=REMOTE_SECONDS,
            )
        except _FailedError as failure:
            if _MOVED.search(str(failure)):
                raise MovedError("backup", "the branch has commits of another run") from failure
            raise self._explained(failure) from failure
        self.point(self.known, commit)

    def try_push(self, *, seconds: float = REMOTE_SECONDS) -> None:
        """Asks whether a push would be accepted, by one that does nothing: of a new branch, which is not made."""
        probe = self.commit(None, {}, "", datetime.fromtimestamp(0, UTC))
        wanted = f"{probe}:refs/heads/angles-push-probe-{probe[:12]}"
        self._ask("push", "--dry-run", "--porcelain", "--", self.remote.address, wanted, seconds=seconds)

    # --- what is here

    def tip(self, ref: str) -> str | None:
        """The commit that a ref names, or None."""
        said = self._ask("for_each_ref", "--format=%(objectname)", ref).decode().split()
        return said[0] if said else None

    def point(self, ref: str, commit: str | None) -> None:
        """Makes a ref name a commit, or nothing."""
        if commit is None and self.tip(ref) is None:
            return
        self._ask("update_ref", *(("-d", ref) if commit is None else (ref, commit)))

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether one commit leads to the other."""
        return older == newer or not self._ask("rev_list", "--max-count=1", older, f"^{newer}", "--")

    def commits(self, newest: str, *, but: str | None = None) -> list[Commit]:
        """Commits, the newest first; without those that lead to `but`."""
        limits = [f"^{but}"] if but else []
        said = self._ask("log", "--format=%H%x00%ct%x00%B%x01", newest, *limits, "--").decode(errors="replace")
        fields = [part.strip("\n").split("\x00") for part in said.split("\x01")[:-1]]
        return [Commit(name, datetime.fromtimestamp(int(at), UTC), text) for name, at, text in fields]

    def tree(self, commit: str) -> dict[str, Entry]:
        """Every file of a commit by its path."""
        found = {}
        said = self._ask("ls_tree", "-r", "-z", "--long", "--full-tree", commit).decode(errors="replace")
        for line in said.split("\0")[:-1]:
            head, path = line.split("\t", 1)
            mode, _, blob, size = head.split()
            found[path] = Entry(mode, blob, int(size) if size.isdigit() else 0)
        return found

    def read(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """The contents of blobs, in their order."""
        wanted = "".join(f"{blob}\n" for blob in blobs)
        if not wanted:
            return
        said = io.BytesIO(self._ask("cat_file", "--batch", "--buffer", data=wanted.encode()))
        for _ in range(wanted.count("\n")):
            head = said.readline().split()
            if len(head) != 3:
                raise RepositoryError(
                    str(self.folder), f"lacks the blob {head[0].decode() if head else '?'}", "Run again"
                )
            yield said.read(int(head[2]))
            said.read(1)

    def store(self, contents: Iterable[bytes]) -> None:
        """Keeps contents as blobs, which no commit has yet."""
        self._import([b"blob\ndata %d\n%b\n" % (len(data), data) for data in contents])

    def commit(self, base: str | None, files: Mapping[str, str | None], message: str, at: datetime) -> str:
        """Commits on top of another commit, on our own branch; answers the new commit.

        Args:
            base: None begins a history.
            files: by path the blob that a file has from now on; None removes it. The others stay.
            message: of the commit.
            at: when it was made, aware.
        """
        text = message.encode()
        who = f"{self.remote.name} <{self.remote.email}> {int(at.timestamp())} +0000"
        lines = [f"reset {self.branch}\n" + (f"from {base}\n" if base else "")]
        lines += [f"\ncommit {self.branch}\ncommitter {who}\ndata {len(text)}\n"]
        lines += [message, "\n"]
        lines += [f"M 100644 {blob} {path}\n" if blob else f"D {path}\n" for path, blob in files.items()]
        self._import(["".join(lines).encode()])
        return self._sure(self.branch)

    def collect(self) -> None:
        """Packs what has gathered, when it is much."""
        self._ask("gc", "--auto", "--quiet", seconds=REMOTE_SECONDS)

    # --- how

    def _sure(self, ref: str) -> str:
        """The commit that a ref names."""
        if (found := self.tip(ref)) is None:
            raise RepositoryError(f"repository {self.folder}", f"has no {ref}", "Run again")
        return found

    def _import(self, parts: Iterable[bytes]) -> None:
        """Makes objects of a stream, all of it or nothing; what is forced is our own branch here."""
        self._ask("fast_import", "--quiet", "--force", "--done", data=b"".join((*parts, b"done\n")))

    def _ask(self, command: str, *arguments: str, data: bytes = b"", seconds: float = LOCAL_SECONDS) -> bytes:
        try:
            answer: bytes = getattr(self._git, command)(
                *arguments, istream=io.BytesIO(data), kill_after_timeout=seconds
            )
        except _FailedError as failure:
            raise self._explained(failure) from failure
        except OSError as error:
            raise AnglesError(str(self.folder), f"git cannot be run there ({error.strerror})") from error
        return answer

    def _explained(self, failure: _FailedError) -> AnglesError:
        """The error that says what to do about what git said."""
        lines = [line.strip() for line in str(failure).splitlines() if line.strip()] or ["no word"]
        _log.info("git: %s", "; ".join(lines))
        telling = [line for line in lines if line.startswith(("fatal:", "!", "remote: error", "git ended"))]
        word = " ".join((telling or lines)[0].removeprefix("fatal: ").split())[:300]
        for pattern, kind, what, remedy in _TOLD:
            if re.search(pattern, str(failure)):
                where = str(self.folder) if kind is RepositoryError else f"repository {self.remote.url}"
                return kind(where, what.format(word), remedy)
        return RepositoryError(f"repository {self.remote.url}", f"git failed ({word})", "The log has the details")


def blob_id(data: bytes) -> str:
    """The id that git gives to contents."""
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


def make_bare(folder: Path) -> None:
    """Makes a bare repository that takes pushes, where there is none: local mode's own."""
    if not (folder / "HEAD").is_file():
        Repository(folder, Remote(str(folder), "main"))


def _environment(remote: Remote, folder: Path) -> dict[str, str]:
    given = config.environment_without_file()
    env = {name: value for name, value in given.items() if name in _KEPT or name.lower().endswith("_proxy")}
    env |= {"LC_ALL": "C", "LANGUAGE": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1"}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull}
    pairs = _configuration(remote, folder)
    env["GIT_CONFIG_COUNT"] = str(len(pairs))
    for number, (name, value) in enumerate(pairs):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def _configuration(remote: Remote, folder: Path) -> list[tuple[str, str]]:
    scheme = remote.address.split("://", 1)[0]
    pairs = [
        ("credential.helper", ""),
        ("core.askPass", ""),
        ("core.hooksPath", os.devnull),
        ("core.fsmonitor", "false"),
        ("http.followRedirects", "false"),
        ("http.sslVerify", "true"),
        ("http.lowSpeedLimit", STALLED[0]),
        ("http.lowSpeedTime", STALLED[1]),
        ("protocol.allow", "never"),
        (f"protocol.{scheme}.allow", "always"),
        ("transfer.fsckObjects", "true"),
        ("fetch.recurseSubmodules", "false"),
        ("gc.autoDetach", "false"),
        ("gc.pruneExpire", "1.hour.ago"),
        ("safe.directory", str(folder)),
    ]
    if remote.token:
        basic = base64.b64encode(f"x-access-token:{remote.token}".encode()).decode()
        pairs.append((f"http.{remote.address}.extraHeader", f"Authorization: Basic {basic}"))
    return pairs
