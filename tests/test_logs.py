"""Every line arrives once, whole, and without a secret; a log that cannot be written ends nothing."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import secrets
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils import logs
from utils.redact import Redactor

ROOT = Path(__file__).resolve().parents[1]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) memory_sync run7 (.*)")


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Gives the process its loggers back."""
    root = logging.getLogger()
    level, before = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()


def setup(
    folder: Path | None,
    component: str = "memory_sync",
    *,
    known: tuple[str, ...] = (),
    run_id: str = "run7",
    json_lines: bool = False,
    verbose: bool = False,
) -> logging.Logger:
    redactor = Redactor(known).redact
    return logs.setup(component, folder, run_id=run_id, json_lines=json_lines, verbose=verbose, redactor=redactor)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def lines(folder: Path, component: str = "memory_sync") -> list[str]:
    return (folder / logs.log_file(component)).read_text().splitlines()


@pytest.mark.parametrize(
    ("component", "file"),
    [
        ("memory_sync", "active/memory_sync.log"),
        ("backend_monitor", "active/system_health.log"),
        ("scheduler", "active/scheduler.log"),
        ("autosync_files", "active/autosync.log"),
        ("run_migration", "active/migration.log"),
        ("run_all", "active/run_all.log"),
        ("run_backup_now", "backup.log"),
        ("restore_from_github", "backup.log"),
    ],
)
def test_each_component_has_its_file(tmp_path: Path, component: str, file: str) -> None:
    setup(tmp_path, component).info("hello")
    assert (tmp_path / file).read_text().endswith(f" INFO {component} run7 hello\n")


def test_folder_and_file_appear_with_the_first_line(tmp_path: Path) -> None:
    log = setup(tmp_path / "new folder")
    assert names(tmp_path) == []
    log.info("hello")
    assert len(lines(tmp_path / "new folder")) == 1


def test_without_a_folder_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    setup(None).info("hello")
    assert names(tmp_path) == []


def test_a_line_has_time_level_component_run_and_message(tmp_path: Path) -> None:
    log = setup(tmp_path)
    log.info("copied %d rows", 3)
    logging.getLogger("utils.sync.apply").error("a failure")
    found = [LINE.fullmatch(line) for line in lines(tmp_path)]
    assert [match and match.groups() for match in found] == [("INFO", "copied 3 rows"), ("ERROR", "a failure")]


@pytest.mark.parametrize(("given", "shown"), [("", "-"), ("a b\nc", "abc")])
def test_the_run_id_is_one_word(tmp_path: Path, given: str, shown: str) -> None:
    setup(tmp_path, run_id=given).info("hello")
    assert lines(tmp_path)[0].endswith(f" memory_sync {shown} hello")


@pytest.mark.parametrize(("verbose", "expected"), [(False, ["i"]), (True, ["d", "i"])])
def test_debug_lines_are_for_the_verbose(tmp_path: Path, verbose: bool, expected: list[str]) -> None:
    log = setup(tmp_path, verbose=verbose)
    log.debug("d")
    log.info("i")
    assert [line.rpartition(" ")[2] for line in lines(tmp_path)] == expected


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "notion_client", "psycopg.pool", "somebody.else"])
def test_other_programs_speak_from_warning_on_and_are_named(tmp_path: Path, name: str) -> None:
    setup(tmp_path, verbose=True)
    logging.getLogger(name).debug("headers")
    logging.getLogger(name).info("request")
    logging.getLogger(name).warning("slow")
    assert [line.split(" ", 4)[4] for line in lines(tmp_path)] == [f"{name}: slow"]


@pytest.mark.parametrize(
    "sign",
    ["\n", "\r", "\r\n", "\v", "\f", "\0", "\x1b[2J", "\x7f", "\x85", "\x9b", "\u2028", "\u202e", "\ud800"],
    ids=ascii,
)
def test_a_message_cannot_make_a_line_of_its_own_or_move_the_cursor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sign: str
) -> None:
    setup(tmp_path).warning("a%s2026-11-24T12:00:00.000Z ERROR memory_sync run7 forged", sign)
    text = (tmp_path / "active/memory_sync.log").read_text()
    for shown in (text, capsys.readouterr().err):
        assert shown.count("\n") == 1
        assert shown.endswith("\n")
        assert shown[:-1].isprintable()
    assert len(text.splitlines()) == 1


@given(st.text())
def test_any_text_is_one_line_that_can_be_encoded_and_plain_text_stays(text: str) -> None:
    shown = logs.escaped(text)
    assert len(shown.splitlines()) <= 1
    shown.encode()
    assert not any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in shown)
    assert shown == text or not text.isprintable()


def failing(secret: str) -> None:
    raise RuntimeError(f"cannot reach postgres://u:{secret}@host")


def test_a_traceback_is_indented_and_stays_with_its_line(tmp_path: Path) -> None:
    log = setup(tmp_path)
    try:
        failing("first\n2026-11-24T12:00:00.000Z ERROR memory_sync run7 forged \x1b[0m")
    except RuntimeError:
        log.exception("it failed")
    first, *rest = lines(tmp_path)
    assert LINE.fullmatch(first)
    assert rest[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


@pytest.mark.parametrize("json_lines", [False, True], ids=["text", "json"])
def test_no_secret_reaches_a_log_by_message_argument_traceback_or_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], json_lines: bool
) -> None:
    known, shaped, password = secrets.token_urlsafe(24), f"ntn_{secrets.token_hex(23)}", secrets.token_hex(8)
    log = setup(tmp_path, known=(known,), json_lines=json_lines)
    log.warning("with %s and %r", known, {"token": shaped})
    log.warning(f"{known!r}", stack_info=True)  # noqa: G004
    try:
        failing(password)
    except RuntimeError:
        log.exception("failed with %s", known)
    logging.getLogger("httpx").warning("Authorization: Bearer %s", password)
    texts = [path.read_text() for path in tmp_path.rglob("*.log")] + [capsys.readouterr().err]
    assert len(texts) == (1 if json_lines else 2)
    for text in texts:
        assert "[REDACTED:" in text
        assert not [secret for secret in (known, shaped, password) if secret in text]


def test_the_console_hears_warnings_in_plain_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = setup(tmp_path)
    log.info("not for the console")
    log.warning("look here")
    try:
        failing("x")
    except RuntimeError:
        log.exception("it failed")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "memory_sync: look here\nmemory_sync: it failed\n")


def test_json_lines_go_to_stderr_and_no_file_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = setup(tmp_path, json_lines=True)
    log.info("copied\n%d é", 3)
    try:
        failing("x")
    except RuntimeError:
        log.exception("it failed")
    first, second = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert first.pop("time").endswith("Z")
    assert first == {"level": "INFO", "component": "memory_sync", "run": "run7", "message": "copied\n3 é"}
    assert second["traceback"].startswith("Traceback")
    assert names(tmp_path) == []


def test_setting_up_twice_doubles_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup(tmp_path / "first", json_lines=True)
    setup(tmp_path / "first")
    setup(tmp_path).warning("once")
    assert len(lines(tmp_path)) == 1
    assert capsys.readouterr().err == "memory_sync: once\n"
    assert not (tmp_path / "first").exists()


def test_other_peoples_handlers_are_left_alone(tmp_path: Path) -> None:
    theirs = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(theirs)
    setup(tmp_path)
    assert theirs in logging.getLogger().handlers


class Nasty:
    def __str__(self) -> str:
        raise KeyError("no words")


@pytest.mark.parametrize(("message", "argument"), [("%d", "text"), ("%s", Nasty()), ("%s %s", "one")])
def test_a_line_that_cannot_be_formatted_says_where_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], message: str, argument: object
) -> None:
    for handler in list(logging.getLogger().handlers):
        logging.getLogger().removeHandler(handler)
    setup(tmp_path).info(message, argument)
    assert re.search(r"a log line of test_logs:\d+ cannot be formatted \(\w+Error\)", lines(tmp_path)[0])
    assert capsys.readouterr().err == ""


def blocked_by_a_file(folder: Path) -> None:
    (folder / "active").write_text("")


def full(folder: Path) -> None:
    (folder / "active").mkdir()
    (folder / "active" / "memory_sync.log").symlink_to("/dev/full")


def read_only(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder.chmod(0o500)


@pytest.mark.parametrize("spoil", [blocked_by_a_file, full, read_only])
def test_a_log_that_cannot_be_written_is_told_once_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: object
) -> None:
    spoil(tmp_path)  # type: ignore[operator]
    log = setup(tmp_path)
    for _ in range(3):
        log.info("hello")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.fullmatch(r"memory_sync: log .*memory_sync\.log cannot be written \(.+\); going on without it\.\n", said)


def test_a_log_that_can_be_written_again_goes_on(tmp_path: Path) -> None:
    blocked_by_a_file(tmp_path)
    log = setup(tmp_path)
    log.info("lost")
    (tmp_path / "active").unlink()
    log.info("kept")
    assert [line.rpartition(" ")[2] for line in lines(tmp_path)] == ["kept"]


@pytest.mark.parametrize("stderr", [None, io.StringIO()], ids=["none", "closed"])
def test_nobody_at_stderr_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO | None
) -> None:
    if stderr is not None:
        stderr.close()
    monkeypatch.setattr(sys, "stderr", stderr)
    setup(tmp_path).warning("hello")
    assert len(lines(tmp_path)) == 1


def writer(path: Path, *, max_bytes: int = 1000, backups: int = 3) -> logging.Logger:
    handler = logs.SharedFile(path, "x", max_bytes=max_bytes, backups=backups)
    logging.getLogger().addHandler(handler)
    log = logging.getLogger("utils.test")
    log.setLevel(logging.INFO)
    return log


def test_the_file_is_rotated_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    log = writer(path)
    for number in range(100):
        log.info("%099d", number)
    assert names(tmp_path) == ["x.log", "x.log.1", "x.log.2", "x.log.3"]
    kept = "".join((tmp_path / name).read_text() for name in ("x.log.3", "x.log.2", "x.log.1", "x.log"))
    assert [int(line) for line in kept.split()] == list(range(60, 100))


def test_a_line_longer_than_the_limit_is_kept_whole(tmp_path: Path) -> None:
    log = writer(tmp_path / "x.log")
    for sign in "abc":
        log.info(sign * 5000)
    texts = [(tmp_path / name).read_text() for name in ("x.log.2", "x.log.1", "x.log")]
    assert texts == [sign * 5000 + "\n" for sign in "abc"]


@pytest.mark.parametrize("away", [Path.unlink, lambda path: path.rename(f"{path}.old")], ids=["removed", "renamed"])
def test_a_file_taken_away_by_another_program_is_begun_anew(tmp_path: Path, away: object) -> None:
    path = tmp_path / "x.log"
    log = writer(path)
    log.info("before")
    away(path)  # type: ignore[operator]
    log.info("after")
    assert path.read_text() == "after\n"


def test_a_rotation_that_fails_is_told_once_and_the_lines_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.log"
    (tmp_path / "x.log.1" / "in the way").mkdir(parents=True)
    log = writer(path, backups=1)
    for number in range(30):
        log.info("%099d", number)
    assert len(path.read_text().splitlines()) == 30
    assert re.fullmatch(r"x: log .*x\.log cannot be rotated \(.+\); it grows on\.\n", capsys.readouterr().err)


WRITERS = """
import logging, os, sys
from pathlib import Path
from utils.logs import SharedFile
path, name, count, fork = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "fork"
logging.getLogger().addHandler(SharedFile(path, "x", max_bytes=20_000, backups=200))
log = logging.getLogger("utils.test")
log.setLevel(logging.INFO)
input()
if fork:
    name += "child" if os.fork() == 0 else "parent"
for number in range(count):
    log.info("%s-%06d %s end", name, number, "x" * (number % 200))
if fork and name.endswith("parent"):
    os.wait()
"""


@pytest.mark.parametrize("fork", ["", "fork"], ids=["started", "forked"])
def test_no_line_is_lost_or_torn_when_four_processes_write_and_rotate(tmp_path: Path, fork: str) -> None:
    count, starters = 3000, 2 if fork else 4
    path = tmp_path / "shared.log"
    commands = [[sys.executable, "-c", WRITERS, str(path), f"w{n}", str(count), fork] for n in range(starters)]
    children = [subprocess.Popen(command, cwd=ROOT, stdin=-1, stderr=-1) for command in commands]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()
    assert [child.communicate(timeout=60)[1] for child in children] == [b""] * starters
    files = list(tmp_path.iterdir())
    found = [line for file in files for line in file.read_text().splitlines()]
    assert all(re.fullmatch(r"w\d(child|parent)?-\d{6} x* end", line) for line in found)
    names = Counter(line.split()[0] for line in found)
    assert (len(names), set(names.values())) == (4 * count, {1})
    assert len(files) > 10
