"""The script `verify_deployment.py`: it passes where all is well, names what is broken, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

import verify_deployment
from tests.conftest import forget_local
from tests.health.conftest import Receiver, receiver
from tests.world import ROOT, World
from utils.errors import INTERRUPTED, OK, PROBLEMS, USAGE
from utils.local.notion import serve
from utils.verify import FAIL, PASS, SKIP, Step, judged, results

__all__ = ["receiver"]

postgres = pytest.mark.parametrize("world", ["postgres"], indirect=True)
SCRIPT = "verify_deployment.py"
NAMES = [step.name for step in verify_deployment.STEPS]
SERVED = find_spec("utils.dashboard") is not None


def outcomes(ended: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The outcome of each step of a run with --json."""
    return {each["step"]: each["outcome"] for each in json.loads(ended.stdout)["steps"]}


def repository(folder: Path) -> Path:
    """An empty repository for backups."""
    made = folder / "backups.git"
    subprocess.run(["git", "init", "-q", "--bare", str(made)], check=True)
    return made


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


# --- where all is well


@pytest.fixture
def own(dsn: str, tmp_path: Path, one_tls_context: None) -> Iterator[World]:
    """Both services, empty, in a database whose schema this test may change."""
    with serve(tmp_path / "notion.db") as sandbox, World(dsn, sandbox, tmp_path) as both:
        yield both


def test_everything_passes_and_nothing_is_left_behind(own: World, receiver: Receiver) -> None:
    env = {"ALERT_URLS": receiver.alerts_url}
    ended = verified(own, **env)
    found = outcomes(ended)
    assert list(found) == NAMES
    assert {name for name, outcome in found.items() if outcome != PASS} == (set() if SERVED else {"page"}), ended.stdout
    assert not receiver.requests
    assert json.loads((own.folder / verify_deployment.REPORT).read_text())["steps"] == json.loads(ended.stdout)["steps"]
    assert own.sandbox.token not in ended.stdout + ended.stderr


@pytest.mark.parametrize("world", ["supabase"], indirect=True)
def test_by_the_rest_api_alone_only_the_history_of_the_schema_is_skipped(world: World) -> None:
    asked = [f"--check={name}" for name in ("migrations", "schema", "vault", "sync", "intake", "restore-test")]
    found = outcomes(verified(world, *asked, DATABASE_URL=""))
    assert {name for name in found if found[name] != PASS} == {"migrations", "schema"}
    assert {found["migrations"], found["schema"]} == {SKIP}


def verified(world: World, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A run with a backup; whatever became of it, it left nothing in the vault, in Notion and in the repository."""
    backups = repository(world.folder)
    env["REPO_URL"] = str(backups)
    world.insert("One")
    for name in ("memory_sync.py", "run_backup_now.py"):
        assert world.script(name, **env).returncode == OK
    page = world.folder / "logs" / "active" / "dashboard.json"
    page.write_text("of the page that is served")

    def all_there_is() -> tuple[object, ...]:
        vault_and_notion = world.everything("sync_state", "leases", "intake_items")
        return vault_and_notion, git(backups, "for-each-ref"), page.read_text()

    before = all_there_is()
    ended = world.script(SCRIPT, "--json", *arguments, **env)
    assert all_there_is() == before
    assert not (page.parent / "restore_test.json").exists(), "the proof is not taken for the weekly one"
    return ended


def test_in_a_fresh_home_it_names_the_command_that_comes_first(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path), "LANG": "C.UTF-8"}
    command = [sys.executable, str(ROOT / SCRIPT), "--check", "migrations", "--check", "vault", "--check", "alerts"]
    try:
        ended = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False)
    finally:
        forget_local(tmp_path)
    assert ended.returncode == PROBLEMS
    first, second, third, last = ended.stdout.splitlines()
    assert first.startswith("FAIL migrations")
    assert first.endswith("| Run: python run_migration.py")
    assert second.split() == ["SKIP", "vault", "needs", "migrations", "|", "Mend", "migrations", "first"]
    assert third.startswith("SKIP alerts")
    assert "ALERT_URLS: not set" in third
    assert last.startswith("verify_deployment: 0 PASS, 1 FAIL, 2 SKIP; ")
    assert not (tmp_path / verify_deployment.REPORT).exists(), "some steps are no report of all"


@postgres
def test_what_is_not_configured_is_skipped_with_what_to_set(world: World) -> None:
    asked = ["--check=notion", "--check=sync", "--check=backup", "--check=restore", "--check=restore-test"]
    ended = world.script(SCRIPT, *asked, NOTION_TOKEN="", NOTION_DATABASE_ID="")
    assert ended.returncode == OK, ended.stdout
    lines = ended.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [SKIP] * 5
    assert "Set NOTION_TOKEN and NOTION_DATABASE_ID" in lines[0]
    assert "Set REPO_URL and GITHUB_TOKEN" in lines[2]


# --- where something is broken


def meddled(code: str) -> Callable[[World], dict[str, str]]:
    """Every Python of the run executes some code before it begins."""

    def meddle(world: World) -> dict[str, str]:
        (world.folder / "meddle").mkdir()
        (world.folder / "meddle" / "sitecustomize.py").write_text(code)
        return {"PYTHONPATH": str(world.folder / "meddle")}

    return meddle


def other_package(world: World) -> dict[str, str]:
    """A package is there in a version that is not asked for."""
    info = world.folder / "packages" / "requests-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: requests\nVersion: 1.0\n")
    return {"PYTHONPATH": str(info.parent)}


def sql(statement: str) -> Callable[[World], dict[str, str]]:
    """A statement was executed in the vault."""

    def meddle(world: World) -> dict[str, str]:
        world.db.execute(statement.encode())
        return {}

    return meddle


def env(**given: str) -> Callable[[World], dict[str, str]]:
    """Variables are set."""
    return lambda _world: given


def damaged_backup(world: World) -> dict[str, str]:
    """The snapshot in the repository is no longer what its manifest says."""
    backups = repository(world.folder)
    world.insert("One")
    assert world.script("run_backup_now.py", REPO_URL=str(backups)).returncode == OK
    work, other = world.folder / "work", ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", "clone", "-q", "-b", "angles-backup", str(backups), str(work)], check=True)
    next(work.rglob("*.jsonl")).write_text("{}\n")
    git(work, *other, "commit", "-qam", "damage")
    git(work, "push", "-q", "origin", "HEAD:angles-backup")
    return {"REPO_URL": str(backups)}


BROKEN: dict[str, tuple[Callable[[World], dict[str, str]], str]] = {
    "packages": (other_package, "requests 1.0 (wanted"),
    "configuration": (env(HEALTH_CLOCK_WARN="many"), "HEALTH_CLOCK_WARN is 'many'"),
    "migrations": (sql("delete from supabase_migrations.schema_migrations where version like '%1000'"), "1 pending"),
    "schema": (sql("alter table decision_vault add column strange text"), "1 differences"),
    "vault": (sql("alter table agent_activity add check (action <> 'probe')"), "agent_activity"),
    "notion": (env(NOTION_TOKEN="ntn_00000000000000000000000000000000"), "notion: "),
    "sync": (sql("drop function sync_changes(text)"), "sync_changes"),
    "intake": (sql("alter table intake_items rename to gone"), "intake_items"),
    "files": (env(AUTOSYNC_PATHS="/nowhere/at/all"), "/nowhere/at/all"),
    "redaction": (
        meddled(
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); from utils.redact import Redactor;"
            " Redactor.redact = lambda _self, text: text"
        ),
        "x9Kq2LmP7wZt4R",
    ),
    "backup": (env(REPO_URL="/nowhere/at/all.git"), "/nowhere/at/all.git"),
    "restore": (damaged_backup, "is damaged"),
    "restore-test": (damaged_backup, "restore test failed"),
    "scheduler": (env(SCHEDULE_SYNC="sometimes"), "SCHEDULE_SYNC is 'sometimes'"),
    "page": (meddled("import sys; sys.modules['waitress'] = None"), "it does not serve"),
    "alerts": (env(ALERT_URLS="nonsense://x"), "holds no address that apprise knows"),
}


@pytest.mark.parametrize("step", verify_deployment.STEPS, ids=NAMES)
def test_what_is_broken_is_named(step: Step, own: World, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it, told = BROKEN[step.name]
    given = own.environment(**break_it(own))
    for name in {*os.environ, *given} - {"PATH"}:
        monkeypatch.setenv(name, given.get(name, ""))
    (found,) = results([step])
    assert (found.step, found.outcome) == (step.name, FAIL), found
    assert told in found.said
    assert found.hint


def test_what_takes_too_long_is_ended_with_what_it_started() -> None:
    hangs = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    (found,) = results([Step("slow", ("-c", hangs), seconds=0.5)])
    assert (found.outcome, found.said) == (FAIL, "took over 0 s and was ended")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_who_stops_it_stops_its_children(number: signal.Signals) -> None:
    asked = (
        "import sys; from utils import script; from utils.verify import Step, results;"
        "hangs = Step('slow', ('-c', 'import time; time.sleep(60)'));"
        "sys.exit(script.run('verify_deployment', lambda run: len(list(results([hangs]))), in_files=False))"
    )
    child = subprocess.Popen([sys.executable, "-c", asked], cwd=ROOT, stderr=subprocess.DEVNULL)
    (theirs,) = eventually(lambda: psutil.Process(child.pid).children())
    child.send_signal(number)
    assert child.wait(20) == INTERRUPTED
    assert not theirs.is_running()


def eventually(look: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    """What it sees, as soon as it sees something."""
    ends = time.monotonic() + 20
    while not (found := look()) and time.monotonic() < ends:
        time.sleep(0.05)
    return found


# --- its forms


LOOKED = "Look: python backend_monitor.py --json"
DONE = Step("x", ("x.py",), shows="done", hint="Do it")
LOOK = Step("x", ("backend_monitor.py", "--json"), good=(0, 1))


def seen(*states: str) -> str:
    """The document of a monitor that found these states."""
    return json.dumps({"results": [{"state": each, "fact": f"it is {each}", "hint": "Do it"} for each in states]})


@pytest.mark.parametrize(
    ("step", "code", "said", "noted", "expected"),
    [
        (DONE, 0, "x: done, 3 of 3\n", "", (PASS, "done, 3 of 3", "")),
        (DONE, 0, "x: nothing\n", "", (FAIL, "nothing", "Do it")),
        (DONE, 2, "", "x: a: is wrong. Mend a.\n", (FAIL, "ended with 2: a: is wrong", "Mend a")),
        (DONE, 2, "", "x: a: not configured. Set A.\n", (SKIP, "a: not configured", "Set A")),
        (DONE, 1, "x: done\n", "x: local mode: no\n", (FAIL, "ended with 1: done", "Do it")),
        (DONE, -9, "", "", (FAIL, "ended with -9", "Do it")),
        (LOOK, 0, seen("up", "up"), "", (PASS, "it is up; it is up", "")),
        (LOOK, 1, seen("up", "warn"), "", (PASS, "it is up; it is warn", "")),
        (LOOK, 2, seen("up", "down"), "", (FAIL, "ended with 2: it is down", "Do it")),
        (LOOK, 0, seen("skipped"), "", (FAIL, "it is skipped", "Do it")),
        (LOOK, 3, '{"exit_code": 3}', "", (FAIL, 'ended with 3: {"exit_code": 3}', LOOKED)),
    ],
    ids=["well", "says another thing", "fails", "not configured", "problems", "killed", "up", "warn", "down", "skipped",
         "monitor fails"],
)  # fmt: skip
def test_what_an_ended_child_means(step: Step, code: int, said: str, noted: str, expected: tuple[str, ...]) -> None:
    assert judged(step, code, said, noted) == expected


def test_its_steps_can_be_listed(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / SCRIPT), "--list"]
    ended = subprocess.run(command, env={"ANGLES_HOME": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in ended.stdout.splitlines()] == NAMES
    assert set(BROKEN) == set(NAMES)


def test_on_a_terminal_the_results_are_a_table(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path), "COLUMNS": "100", "TERM": "xterm"}
    command = [sys.executable, str(ROOT / SCRIPT), "--check", "redaction", "--check", "alerts"]
    child = subprocess.Popen(command, env=env, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    shown = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    assert child.wait(60) == OK
    assert b"what is seen, and what to do" in shown
    assert b"\x1b[32mPASS" in shown


def _read(ours: int) -> bytes:
    try:
        return os.read(ours, 65536)
    except OSError:
        return b""


def test_an_unknown_step_is_bad_usage(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / SCRIPT), "--check", "nothing"]
    assert (
        subprocess.run(command, env={"ANGLES_HOME": str(tmp_path)}, capture_output=True, check=False).returncode
        == USAGE
    )
