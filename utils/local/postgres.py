"""The embedded PostgreSQL of local mode: one server for all scripts, started by the first and stopped by the last.

Users hold a shared lock; starting, joining and stopping hold an exclusive one. The server runs in a session of its own,
so that ending a job's process group never ends it. What a crash left (a recorded port, a pid file, a half-made data
folder) is never believed: a server is ours when it answers our password and shows our data folder.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import hmac
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil
import psycopg

from utils.errors import AnglesError, BusyError, ConfigError, ServiceError
from utils.files import hold_lock, write_atomic
from utils.local.binaries import ROOT_FOLDER, Programs, make_public_folder, programs
from utils.local.home import Home, open_home

DATABASE = "angles"
START_SECONDS = 30.0
STOP_SECONDS = 30.0
LOG_BYTES = 5_000_000
TRIES = 5
_PORT_FILE = "postgres.port"
_NEW = "new-postgres-"
"""How the name of a data folder in the making begins; a killed run leaves it behind."""
_SCRATCH, _HELD = "scratch-", "held.lock"
"""How the name of a scratch server's folder begins, and the lock in it that its user holds."""

_SETTINGS = {
    "shared_buffers": "32MB",
    "max_connections": "50",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "max_wal_size": "256MB",
}


@contextmanager
def running(local: Path) -> Iterator[str]:
    """The embedded server, started if need be; stopped when its last user leaves.

    Args:
        local: the folder `.local/`.

    Yields:
        A DSN of the database `angles`.

    Raises:
        ConfigError, ServiceError, BusyError: it cannot be started; the line says why.
    """
    home = open_home(local.resolve())
    data = _data(home)
    server = Server(programs(), data, home.password)
    with _user(data.parent) as users:
        with _alone_at(data.parent):
            fcntl.flock(users, fcntl.LOCK_SH)
            dsn = server.join() or server.start()
        try:
            yield dsn
        finally:
            with _alone_at(data.parent):
                if _is_last(users):
                    server.stop()


def is_running(local: Path) -> bool:
    """Whether the embedded server of this `.local/` listens; starts and makes nothing."""
    if not (local / "instance.json").is_file():
        return False
    port = _port(_data(open_home(local.resolve())).with_name(_PORT_FILE))
    return port is not None and _listens(port)


@contextmanager
def scratch(parent: Path) -> Iterator[str]:
    """A throw-away server with a folder of its own, stopped and removed at the end; what a killed run left goes first.

    Args:
        parent: where its folder goes; as root it goes where an unprivileged user can reach it.

    Yields:
        A DSN of its database `angles`.
    """
    found = programs()
    if found.user is not None:
        make_public_folder(ROOT_FOLDER)
        parent = ROOT_FOLDER
    with ExitStack() as held:
        with hold_lock(parent / "scratch.lock", wait=START_SECONDS + STOP_SECONDS):
            _sweep(found, parent)
            folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
            held.enter_context(hold_lock(folder / _HELD))
            held.callback(shutil.rmtree, folder, ignore_errors=True)
        found.own(folder)
        server = Server(found, folder / "data", secrets.token_urlsafe(24), durable=False)
        held.callback(server.stop)
        yield server.start()


def _sweep(found: Programs, parent: Path) -> None:
    """Ends the scratch servers whose users are gone, and removes their folders."""
    for held in parent.glob(f"{_SCRATCH}*/{_HELD}"):
        with contextlib.suppress(BusyError), hold_lock(held):
            Server(found, held.parent / "data", "", durable=False).stop()
            shutil.rmtree(held.parent, ignore_errors=True)


@dataclass
class Server:
    """One server on one data folder. Its port is told to others by a file beside that.

    Args:
        durable: whether its data must survive a crash of the machine.
    """

    programs: Programs
    data: Path
    password: str
    durable: bool = True
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def port_file(self) -> Path:
        """Where its port is told."""
        return self.data.with_name(_PORT_FILE)

    def join(self) -> str | None:
        """The DSN of the server if it runs already."""
        port = _port(self.port_file)
        return self._dsn(port) if port is not None and self._answers(port) else None

    def start(self) -> str:
        """Starts the server, after clearing what a crash left; answers the DSN.

        Raises:
            ConfigError, ServiceError: it cannot be started.
        """
        self._make_data()
        self._clear_pid_file()
        failure = ""
        for attempt in range(TRIES):
            port = _free_port()
            try:
                failure = self._launch(port)
                if not failure:
                    self._make_database(port)
                    write_atomic(self.port_file, str(port), mode=0o600)
                    return self._dsn(port)
            except psycopg.Error as error:
                failure = str(error)
                self.stop()
            except BaseException:
                self.stop()
                raise
            if "already in use" not in failure and "still in use" not in failure:
                break
            time.sleep(0.2 * 2**attempt)
        raise _explained(failure, self.data)

    def stop(self) -> None:
        """Stops the server: at once, as clients' transactions are over; waits until it is gone."""
        pid = self._live_pid() or self._child()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if self.durable else signal.SIGQUIT)
        end = time.monotonic() + STOP_SECONDS
        while pid in (self._live_pid(), self._child()) and time.monotonic() < end:
            time.sleep(0.005)

    def _make_data(self) -> None:
        """Makes the data folder beside its place and renames it; a half-made one is set aside."""
        version = self.data / "PG_VERSION"
        try:
            if version.is_file():
                self._check_version(version.read_text(encoding="ascii").strip())
                return
            if self.data.exists():
                self.data.rename(self.data.with_name(f"{self.data.name}.incomplete-{secrets.token_hex(3)}"))
            for left in self.data.parent.glob(f"{_NEW}*"):
                shutil.rmtree(left, ignore_errors=True)
            self._initdb()
        except OSError as error:
            raise _explained(str(error), self.data) from error

    def _check_version(self, found: str) -> None:
        if found != self.programs.major:
            raise ConfigError(
                f"data folder {self.data}",
                f"is of PostgreSQL {found}, this is {self.programs.major}",
                f"Move it away to start afresh, or dump it with PostgreSQL {found} first",
            )

    def _initdb(self) -> None:
        beside = Path(tempfile.mkdtemp(prefix=_NEW, dir=self.data.parent))
        try:
            self.programs.own(beside)
            secret = beside / "password"
            write_atomic(secret, _verifier(self.password), mode=0o600)
            self.programs.own(secret)
            for locale in ("C.UTF-8", "C"):
                made = self.programs.run(
                    self.programs.command(
                        "initdb", "-D", str(beside / "data"), "-U", "postgres", "--auth=scram-sha-256",
                        f"--pwfile={secret}", "-E", "UTF8", f"--locale={locale}", "--no-instructions",
                        *(() if self.durable else ("--no-sync",)),
                    )
                )  # fmt: skip
                if made.returncode == 0:
                    (beside / "data").rename(self.data)
                    return
                shutil.rmtree(beside / "data", ignore_errors=True)
                if "invalid locale" not in made.stderr:
                    break
            raise _explained(made.stderr, self.data)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _launch(self, port: int) -> str:
        """Starts the process and waits until it answers; answers what it said if it did not."""
        log = self.data / "server.log"
        settings = {**_SETTINGS, "port": str(port)}
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = self.programs.command("postgres", "-D", str(self.data), *arguments)
        options = self.programs.options()
        with _opened(log) as out:
            before = out.tell()
            self.programs.own(log)
            process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, **options)
        self._process = process
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                with log.open(encoding="utf-8", errors="replace") as said:
                    said.seek(before)
                    return said.read() or f"ended with {process.returncode}"
            if _listens(port) and self._answers(port):
                return ""
            time.sleep(0.01)
        self.stop()
        return f"did not answer within {START_SECONDS:.0f} s"

    def _make_database(self, port: int) -> None:
        with psycopg.connect(self._dsn(port, "postgres"), autocommit=True, connect_timeout=10) as connection:
            if not connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone():
                connection.execute(f"create database {DATABASE}")

    def _answers(self, port: int) -> bool:
        """Whether the server at a port takes our password and has our data."""
        if not port:
            return False
        try:
            with psycopg.connect(self._dsn(port, "postgres"), connect_timeout=5, autocommit=True) as connection:
                row = connection.execute("show data_directory").fetchone()
        except psycopg.Error:
            return False
        return row is not None and Path(row[0]).resolve() == self.data.resolve()

    def _dsn(self, port: int, database: str = DATABASE) -> str:
        return f"postgresql://postgres:{self.password}@127.0.0.1:{port}/{database}"

    def _pid_in_file(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _live_pid(self) -> int | None:
        """The process of the pid file, if it is a server on our data."""
        pid = self._pid_in_file()
        return pid if pid is not None and self._is_ours(pid) else None

    def _child(self) -> int | None:
        """The server as our own child, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def _is_ours(self, pid: int) -> bool:
        """Whether a process is a PostgreSQL server that works in our data folder."""
        try:
            process = psutil.Process(pid)
            ours = process.name().startswith("postgres") and Path(process.cwd()).samefile(self.data)
            return ours and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError, ValueError):
            return False

    def _clear_pid_file(self) -> None:
        """Deals with a pid file of a server that could not be joined: ends what hangs, forgets what is another's.

        A pid file whose process is no more is left to PostgreSQL, which looks for orphans by it.
        """
        pid = self._pid_in_file()
        if pid is None:
            return
        if self._live_pid() is not None:
            self.stop()
            if self._live_pid() is not None:
                raise ServiceError("local mode", f"PostgreSQL {pid} neither answers nor ends", "End it, then run again")
        elif psutil.pid_exists(pid):
            (self.data / "postmaster.pid").unlink(missing_ok=True)


@contextmanager
def _user(folder: Path) -> Iterator[int]:
    """The file whose shared lock the server's users hold."""
    try:
        make_public_folder(folder)
        users = os.open(folder / "postgres.users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(str(folder), f"cannot be used ({error.strerror})", "Check its owner and mode") from error
    try:
        yield users
    finally:
        os.close(users)


def _alone_at(folder: Path) -> AbstractContextManager[int]:
    """The lock of whoever starts, joins or stops the server."""
    return hold_lock(folder / "postgres.lock", wait=START_SECONDS + STOP_SECONDS)


def _is_last(users: int) -> bool:
    """Whether nobody else holds the users' lock: turns ours into an exclusive one, or lets it go."""
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(log: Path) -> IO[bytes]:
    """The server's log, to be added to; begun anew when it has grown large."""
    if log.is_file() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


def _verifier(password: str) -> str:
    """What PostgreSQL keeps of a password (RFC 5803). One iteration: a random one gains nothing by more.

    Every connection costs its client all of them, which is most of what a connection on this machine takes.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    parts = (base64.b64encode(part).decode() for part in (salt, stored, hmac.digest(salted, b"Server Key", "sha256")))
    return "SCRAM-SHA-256$1:{}${}:{}".format(*parts)


def _data(home: Home) -> Path:
    """Where the server's data are: as root, where an unprivileged user can reach them."""
    return ROOT_FOLDER / home.instance / "data" if os.geteuid() == 0 else home.folder / "postgres"


def _port(file: Path) -> int | None:
    """The port that a file tells."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _explained(said: str, data: Path) -> AnglesError:
    """The error for what a program said."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    telling = next((line for line in lines if "FATAL" in line or "error:" in line), lines[-1] if lines else "no word")
    if "No space left" in said or "free disk space" in said:
        return ConfigError(f"data folder {data}", "the disk is full", "Free some space there, then run again")
    if "Permission denied" in said:
        return ConfigError(f"data folder {data}", f"no permission ({telling})", "Check the owner of the folder")
    if "still in use" in said:
        return BusyError("local mode", "PostgreSQL of a run that was killed is still ending", "Run again in a moment")
    return ServiceError("local mode", f"PostgreSQL did not start ({telling.strip()})", f"See {data}/server.log")
