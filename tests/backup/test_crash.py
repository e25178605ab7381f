"""A backup that is killed at any moment: the next run completes it, with nothing lost, doubled or left behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backup.conftest import Place
from utils.errors import OK

SHIM = """#!/bin/sh
echo call >> {counter}
if [ "$(wc -l < {counter})" -eq {number} ]; then
    if [ {when} = after ]; then {git} "$@" < /dev/stdin > /dev/null 2>&1; fi
    kill -9 $PPID
    exit 1
fi
exec {git} "$@"
"""


def killed(place: Place, folder: Path, number: int, when: str) -> int:
    """Runs a backup whose process is killed before or after its n-th call of git; answers how many calls it made."""
    folder.mkdir(exist_ok=True)
    counter = folder / "calls"
    counter.unlink(missing_ok=True)
    shim = folder / "git"
    shim.write_text(SHIM.format(counter=counter, number=number, when=when, git=shutil.which("git")))
    shim.chmod(0o755)
    child = place.child("backup", env={"PATH": f"{folder}:/usr/bin:/bin"})
    child.communicate(timeout=60)
    assert child.returncode == (OK if number == 0 else -signal.SIGKILL)
    return len(counter.read_text().splitlines())


def test_killed_before_and_after_calls_of_git_the_next_run_completes_it(
    place: Place, tmp_path: Path, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    decision = place.insert("0")
    calls = killed(place, tmp_path / "shim", 0, "before")
    points = [(number, when) for number in range(2, calls + 1) for when in ("before", "after")]
    chosen = points if request.config.getoption("--long") else points[5::9]
    for count, (number, when) in enumerate(chosen, 1):
        place.db.execute("update decision_vault set comment = %s where id = %s", (f"value {count}", decision))
        killed(place, tmp_path / "shim", number, when)
        said = place.backup()
        assert said.code == OK, (number, when, said.err)
        assert f"value {count}" in "".join(place.github.files().values()), (number, when)
        titles = place.github.git("log", "--format=%B", "angles-backup").count("decision_vault: +0 ~1 -0")
        assert titles == count, f"{number} {when}: a snapshot for each change"
    assert place.backup("--check").code == OK
    left = {path.name for path in (place.home / ".local" / "backup").iterdir()}
    assert {Path(name).suffix for name in left if not name.startswith("check-")} == {".git", ".json"}
    damaged = subprocess.run(
        ["git", "--git-dir", str(place.github.folder), "fsck", "--full"], capture_output=True, check=False
    )
    assert damaged.returncode == 0
    figure(f"{len(chosen)} of {len(points)} moments of a backup to be killed at: the next run completes it")
