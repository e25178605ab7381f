"""A backup or a restore that is killed at any moment: the next run completes it, nothing is lost or half-written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.backup.conftest import FILES, Place
from tests.conftest import empty
from utils.errors import OK, USAGE, AnglesError
from utils.git_helpers import Remote, Repository, blob_id

IDS = [f"{number:02x}000000-0000-4000-8000-000000000000" for number in range(5)]
TABLES = ("decision_vault", "decision_history", "sync_log")


@dataclass
class Killed:
    """A script that is killed again and again, each time from the same beginning. See `moments.py`."""

    place: Place
    folder: Path
    script: str
    arguments: tuple[str, ...] = ()

    def chosen(self, request: pytest.FixtureRequest, some: int, step: int = 1) -> list[int]:
        """The moments to kill it at: with --long all, or each so many; else some that are divided over all."""
        last = len(self._run(0, {OK}).splitlines())
        return list(range(last, 0, -step if request.config.getoption("--long") else -last // some))

    def at(self, number: int) -> None:
        """Kills it at one of them; where it waits once less for a database that starts, it may end before the last."""
        self._run(number, {-signal.SIGKILL, OK})

    def _run(self, number: int, expected: set[int]) -> str:
        count = self.folder / "count"
        count.unlink(missing_ok=True)
        command = [sys.executable, str(Path(__file__).with_name("moments.py")), str(number), str(count)]
        ended = subprocess.run(
            [*command, FILES[self.script], *self.arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(self.place.home), **self.place.env},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode in expected, (number, ended.stdout, ended.stderr)
        return count.read_text() if count.exists() else ""


@pytest.fixture(params=["place", "rest_place"], ids=["PostgreSQL", "REST"])
def both(request: pytest.FixtureRequest) -> Place:
    """Each way to the vault in turn."""
    place: Place = request.getfixturevalue(request.param)
    return place


@pytest.fixture
def tell(figure: Callable[[str], None], request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Says at how many moments a script was killed."""
    return lambda count: figure(f"killed at {count} moments, completed by the next run: {request.node.name}")


def test_a_backup_that_was_killed_is_completed(
    both: Place, tmp_path: Path, request: pytest.FixtureRequest, tell: Callable[[int], None]
) -> None:
    decision = both.insert("0")
    killed = Killed(both, tmp_path, "backup")
    points = killed.chosen(request, 3)
    for count, number in enumerate(points, 1):
        both.db.execute("update decision_vault set comment = %s where id = %s", (f"value {count}", decision))
        killed.at(number)
        said = both.backup()
        assert said.code == OK, (number, said.err)
        assert f"value {count}" in "".join(both.github.files().values()), number
        titles = both.github.git("log", "--format=%B", "angles-backup").count("decision_vault: +0 ~1 -0")
        assert titles == count, f"{number}: a snapshot for each change"
    assert both.backup("--check").code == OK
    left = {path.name for path in (both.home / ".local" / "backup").iterdir()}
    assert {Path(name).suffix for name in left if not name.startswith(("check-", ".angles-"))} == {".git", ".json"}
    damaged = subprocess.run(
        ["git", "--git-dir", str(both.github.folder), "fsck", "--full"], capture_output=True, check=False
    )
    assert damaged.returncode == 0
    tell(len(points))


def test_a_stream_to_git_that_is_cut_off_makes_no_commit_of_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process that writes it is killed: git has had the first lines, and sees its end."""
    repository = Repository(tmp_path / "r.git", Remote(str(tmp_path / "none.git"), "b"))
    contents = {f"tables/decision_vault/{number:02x}.jsonl": b"%d\n" % number for number in range(5)}
    repository.store(contents.values())
    files = {path: blob_id(data) for path, data in contents.items()}
    ask, streams = repository._ask, list[bytes]()

    def cut(command: str, *arguments: str, data: bytes = b"", **options: Any) -> bytes:
        if command == "fast_import":
            streams.append(data)
            data = data[:size]
        return ask(command, *arguments, data=data, **options)

    monkeypatch.setattr(repository, "_ask", cut)
    size = None
    whole = repository.commit(None, files, "Backup", datetime(2026, 1, 1, tzinfo=UTC))
    assert set(repository.tree(whole)) == set(files)
    repository.point(repository.branch, None)
    ends = [number for number, sign in enumerate(streams[0], 1) if sign == ord("\n")][:-1]
    for size in (*ends, *(end - 3 for end in ends)):
        with pytest.raises(AnglesError):
            repository.commit(None, files, "Backup", datetime(2026, 1, 1, tzinfo=UTC))
        assert repository.tip(repository.branch) is None, streams[0][:size]


# --- restore

ALL = ("--restore-decisions", "--restore-files", "--overwrite", "--on-collision", "backup")

State = tuple[list[dict[str, Any]], dict[str, str]]


def state(place: Place) -> State:
    """The decisions and the files; what a killed writer left beside is no file of anybody."""
    files = {path.name: path.read_text() for path in (place.home / "export").iterdir()}
    return place.rows(), {name: text for name, text in files.items() if not name.startswith(".angles-")}


def begin(place: Place, comment: str, *, lost: bool) -> None:
    """A vault and files afresh: as they were backed up, or edited since, with one of each lost."""
    shutil.rmtree(place.home / ".local" / "restore", ignore_errors=True)
    empty(place.dsn)
    for number, name in enumerate(IDS[lost:]):
        place.insert(f"decision {number}", id=name, comment=comment, updated_at="2026-01-01", created_at="2026-01-01")
    (place.home / "export").mkdir(exist_ok=True)
    for name in "abc":
        (place.home / "export" / name).write_text(comment)
    if lost:
        (place.home / "export" / "a").unlink()


def undone(place: Place) -> None:
    """Undoes all restores that can be."""
    while (said := place.restore("--undo")).code != USAGE:
        assert said.code == OK, said.err


def not_half(place: Place, number: int, before: State, after: State) -> None:
    """Each row and each file is as it was, or as it should be; by PostgreSQL itself all rows are either."""
    rows, files = state(place)
    if "DATABASE_URL" in place.env:
        assert rows in (before[0], after[0]), number
    assert [row for row in rows if row not in before[0] + after[0]] == [], number
    assert {name: text for name, text in files.items() if text not in (before[1].get(name), after[1][name])} == {}


def test_a_restore_that_was_killed_is_completed_and_undone(
    both: Place, tmp_path: Path, request: pytest.FixtureRequest, tell: Callable[[int], None]
) -> None:
    begin(both, "backup", lost=False)
    assert both.backup().code == OK
    begin(both, "live", lost=True)
    before, killed = state(both), Killed(both, tmp_path, "restore", ALL)
    points = killed.chosen(request, 3)
    after = state(both)
    undone(both)
    for number in points:
        killed.at(number)
        not_half(both, number, before, after)
        said = both.restore(*ALL)
        assert said.code == OK, (number, said.err)
        assert state(both) == after, number
        undone(both)
        assert state(both) == before, number
    tell(len(points))


def test_an_undo_that_was_killed_is_completed(
    both: Place, tmp_path: Path, request: pytest.FixtureRequest, tell: Callable[[int], None]
) -> None:
    begin(both, "backup", lost=False)
    assert both.backup().code == OK
    begin(both, "live", lost=True)
    before = state(both)
    assert both.restore(*ALL).code == OK
    after, killed = state(both), Killed(both, tmp_path, "restore", ("--undo",))
    points = killed.chosen(request, 2)
    for number in points:
        assert both.restore(*ALL).code == OK
        killed.at(number)
        not_half(both, number, after, (before[0], {**after[1], **before[1]}))
        undone(both)
        assert state(both) == before, number
    tell(len(points))


def test_a_restore_into_an_empty_vault_that_was_killed_brings_everything_back(
    both: Place, tmp_path: Path, request: pytest.FixtureRequest, tell: Callable[[int], None]
) -> None:
    begin(both, "older", lost=False)
    both.db.execute("update decision_vault set comment = 'backup'")
    both.db.execute("insert into sync_log (id, run, reason) values (gen_random_uuid(), 'r', 'why')")
    both.db.execute(
        "insert into sync_links (decision_id, page_id, state, base_row)"
        " select id, gen_random_uuid(), 'linked', public.sync_image(v) from decision_vault v"
    )
    assert both.backup().code == OK
    whole, killed = {table: both.rows(table) for table in TABLES}, Killed(both, tmp_path, "restore", ALL[:1])
    links = both.rows("sync_links")
    empty(both.dsn)
    points = killed.chosen(request, 3)
    for number in points:
        empty(both.dsn)
        killed.at(number)
        if "DATABASE_URL" in both.env:
            assert both.rows() in ([], whole["decision_vault"]), number
        said = both.restore("--restore-decisions")
        assert said.code == OK, (number, said.err)
        assert {table: both.rows(table) for table in TABLES} == whole, number
        assert both.rows("sync_links") == links, number
    tell(len(points))


def test_a_restore_test_that_was_killed_leaves_nothing_that_disturbs_the_next(
    both: Place, tmp_path: Path, request: pytest.FixtureRequest, tell: Callable[[int], None]
) -> None:
    begin(both, "backup", lost=False)
    assert both.backup().code == OK
    before, killed = state(both), Killed(both, tmp_path, "restore", ("--test-restore",))
    points = killed.chosen(request, 2, step=5)
    for number in points:
        killed.at(number)
        said = both.restore("--test-restore")
        assert said.code == OK, (number, said.err)
        assert both.report("restore_test")["passed"] is True
    assert state(both) == before
    tell(len(points))
