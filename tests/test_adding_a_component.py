"""The README's "Adding a component", followed literally with its scratch component: it runs, is watched and shown."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.schedule.host import free_port

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("README.md", ".env.example", "pyproject.toml", "requirements.txt", "utils", "tests", "supabase")
PAGE = """\
from urllib.request import urlopen
from utils import dashboard
served = dashboard.start()
print(urlopen(served.address).read().decode())
served.stop()
"""
EXAMPLE = "test_the_example_explains_every_variable_and_no_other"
NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/none"


def section() -> str:
    """The section's text."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition("## Adding a component\n")[2].partition("\n## ")[0]


def entries() -> Iterator[tuple[str, str, str]]:
    """What the steps say: a file, the table of it that gets an entry (or ''), and the snippet."""
    for step in re.split(r"^(?=\d\. )", section(), flags=re.MULTILINE)[1:]:
        sentence = step.partition("```")[0]
        snippets = re.findall(r"^   ```\w+\n(.*?)^   ```$", step, re.MULTILINE | re.DOTALL)
        files = re.findall(r"`([\w/]*\.[\w.]+)`", sentence)
        table = re.search(r"`([A-Z]+)`", sentence)
        for file, snippet in zip(files, snippets, strict=False):
            yield file, table[1] if table else "", textwrap.dedent(snippet)


def enter(path: Path, table: str, snippet: str) -> None:
    """Makes the file; or adds the snippet at the end of one of its tables, or else of itself."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if table:
        begin = re.search(rf"^{table}\b.*= \($", text, re.MULTILINE)
        assert begin, f"{path} has no table {table}"
        end = text.index("\n)\n", begin.end()) + 1
        snippet = textwrap.indent(snippet, "    ")
    elif path.suffix == ".md":
        end = text.index("\n\n", text.index("\n| ---")) + 1
    else:
        end = len(text)
    path.write_text(text[:end] + snippet + text[end:], encoding="utf-8")


class Copy:
    """The project with the component, and a home folder for it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home = folder / "project", folder / "home"
        self.root.mkdir()
        self.home.mkdir()
        for path in [*ROOT.glob("*.py"), *(ROOT / name for name in COPIED)]:
            if path.is_dir():
                shutil.copytree(path, self.root / path.name, ignore=shutil.ignore_patterns("__pycache__", "node"))
            else:
                shutil.copy(path, self.root)
        for file, table, snippet in entries():
            enter(self.root / file, table, snippet)

    def python(self, *arguments: str, code: int = 0) -> str:
        """What Python says in the copy."""
        env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(self.home), "DATABASE_URL": NOWHERE}
        env["DASHBOARD_PORT"] = str(free_port())
        ended = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=env, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The copy, its component run once by the scheduler."""
    made = Copy(tmp_path_factory.mktemp("component"))
    assert "hello by hand: ok" in made.python("scheduler.py", "--run-now", "hello")
    return made


def test_there_are_five_steps() -> None:
    assert re.findall(r"^(\d)\. Its ([\w ]+)", section(), re.MULTILINE) == [
        ("1", "file"),
        ("2", "job"),
        ("3", "health check"),
        ("4", "test"),
        ("5", "documentation"),
    ]


def test_the_scheduler_runs_it_and_it_has_a_log(copy: Copy) -> None:
    (log,) = (copy.home / "logs" / "active" / "jobs" / "hello").glob("*.log")
    assert log.read_text(encoding="utf-8").endswith("hello: 1 greeting\n")
    assert " a greeting\n" in (copy.home / "logs" / "active" / "hello.log").read_text(encoding="utf-8")
    jobs = {row["job"]: row for row in json.loads(copy.python("scheduler.py", "--list", "--json"))["jobs"]}
    assert (jobs["hello"]["outcome"], jobs["hello"]["every"]) == ("ok", "1h")


def test_the_monitor_and_the_page_show_it(copy: Copy) -> None:
    copy.python("backend_monitor.py", code=2)
    document = json.loads((copy.home / "logs" / "active" / "system_health.json").read_text(encoding="utf-8"))
    assert {check["name"]: check["state"] for check in document["results"]}["hello"] == "up"
    page = copy.python("-c", PAGE)
    assert 'id="card-hello"' in page
    assert 'id="job-hello"' in page


def test_its_own_test_passes_and_so_does_that_of_the_variables(copy: Copy) -> None:
    copy.python("-m", "pytest", "-p", "no:cacheprovider", "tests/test_hello.py", f"tests/test_config.py::{EXAMPLE}")
