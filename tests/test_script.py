"""One boundary: however a script ends, its exit code, its one line and its document are those that were promised."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from utils import errors, progress, state
from utils.errors import BUG, BUSY, INTERRUPTED, OK, PROBLEMS, REFUSED, UNAVAILABLE, USAGE

ROOT = Path(__file__).resolve().parents[1]
SECRET = "a-token-that-nobody-may-see"
SCRIPT = """
import argparse, os, sys, time
sys.path.insert(0, {root!r})
from utils import errors, script
from utils.config import ConfigProblemsError

def main(argv=None):
    parser = script.parser("probe", "Probes.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--number", type=int)
    options = parser.parse_args(argv)
    return script.run("probe", body, as_json=options.json)

def body(run):
{body}

if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    """A script of this test's own."""
    return Probe(tmp_path)


class Probe:
    """A script with a body, run as a user would; its home has no configuration."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {
            "PATH": os.environ["PATH"],
            "ANGLES_HOME": str(home),
            "NOTION_TOKEN": SECRET,
            "BACKEND_MODE": "local",
        }

    def command(self, body: str, arguments: Sequence[str] = ()) -> list[str]:
        """Writes the script; answers the command that starts it."""
        path = self.home / "probe.py"
        indented = "".join(f"    {line}\n" for line in body.splitlines())
        path.write_text(SCRIPT.format(root=str(ROOT), body=indented), encoding="utf-8", errors="surrogatepass")
        return [sys.executable, str(path), *arguments]

    def run(self, body: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end."""
        return subprocess.run(
            self.command(body, arguments),
            env={**self.env, **env},
            cwd="/",
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def start(self, body: str, *arguments: str) -> subprocess.Popen[str]:
        """Starts it and waits until it says that it is there."""
        child = subprocess.Popen(
            self.command(body, arguments), env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "there\n"
        return child

    def log(self) -> str:
        """What the log has."""
        return (self.home / "logs" / "active" / "probe.log").read_text(encoding="utf-8")


# --- every exit code


@pytest.mark.parametrize(
    ("body", "code", "lines"),
    [
        ("return errors.OK", OK, []),
        ("return errors.PROBLEMS", PROBLEMS, []),
        ("raise errors.AnglesError('x.csv', 'is too long')", PROBLEMS, ["x.csv: is too long."]),
        ("raise errors.ConfigError('vault', 'not configured', 'Set X')", USAGE, ["vault: not configured. Set X."]),
        ("raise errors.ServiceError('notion', 'is unreachable')", UNAVAILABLE, ["notion: is unreachable."]),
        ("raise errors.SafetyError('sync', 'refused')", REFUSED, ["sync: refused."]),
        ("raise errors.BusyError('lock', 'another run is at it')", BUSY, ["lock: another run is at it."]),
        ("raise KeyboardInterrupt", INTERRUPTED, ["interrupted"]),
        (
            "raise ConfigProblemsError(['A is wrong; set it', 'B is wrong; set it'])",
            USAGE,
            ["configuration: A is wrong; set it.", "configuration: B is wrong; set it."],
        ),
    ],
)
@pytest.mark.parametrize("as_json", [False, True], ids=["", "--json"])
def test_an_outcome_is_its_code_and_its_lines_on_stderr_and_in_the_log(
    probe: Probe, body: str, code: int, lines: Sequence[str], as_json: bool
) -> None:
    ended = probe.run(body, *["--json"] * as_json)
    assert ended.returncode == code
    assert ended.stderr.splitlines() == [f"probe: {line}" for line in lines]
    if as_json and lines:
        assert json.loads(ended.stdout) == {"exit_code": code, "error": "\n".join(lines)}
    else:
        assert ended.stdout == ""
    if lines:
        assert [line.split(" ", 4)[4] for line in probe.log().splitlines() if " ERROR " in line] == lines
        assert f"ended with {code} after " in probe.log()


def test_the_codes_are_those_that_were_promised() -> None:
    codes = {
        "OK": 0,
        "PROBLEMS": 1,
        "USAGE": 2,
        "UNAVAILABLE": 3,
        "REFUSED": 4,
        "BUG": 70,
        "BUSY": 75,
        "INTERRUPTED": 130,
    }
    assert {name: value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)} == codes


PLUGIN = """
import sys
sys.path.insert(0, {root!r})
from utils import errors, script
CODES = script.Codes({{0: "well", 2: "bad"}}, failure=3)
def body(run):
    {body}
parser = script.parser("probe", "Probes.", CODES)
parser.add_argument("--json", action="store_true")
options = parser.parse_args()
sys.exit(script.run("probe", body, as_json=options.json, job="monitor", codes=CODES))
"""


@pytest.mark.parametrize(
    ("body", "arguments", "code", "outcome"),
    [
        ("return 2", [], 2, "bad"),
        ("raise errors.ConfigError('x', 'is wrong')", [], 3, "ended with 3"),
        ("raise errors.BusyError('x', 'is held')", ["--json"], 3, "ended with 3"),
        ("raise KeyError('x')", [], 3, "ended with 3"),
        ("raise KeyboardInterrupt", [], INTERRUPTED, "ended with 130"),
        ("return 0", ["--bogus", "--json"], 3, None),
    ],
)
def test_codes_of_its_own_tell_every_failure_alike(
    probe: Probe, body: str, arguments: Sequence[str], code: int, outcome: str | None
) -> None:
    path = probe.home / "plugin.py"
    path.write_text(PLUGIN.format(root=str(ROOT), body=body))
    command = [sys.executable, str(path), *arguments]
    ended = subprocess.run(command, env=probe.env, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    if "--json" in arguments:
        assert json.loads(ended.stdout)["exit_code"] == code
    if outcome:
        with state.open_state(probe.home / state.STATE_FILE) as db:
            (run,) = state.runs(db, "monitor")
        assert (run.code, run.outcome) == (code, outcome)


NASTY = """class Nasty(Exception):
    def __str__(self):
        raise KeyError
raise Nasty"""


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("return 1 // 0", "ZeroDivisionError: integer division or modulo by zero"),
        ("raise ValueError('first\\nsecond \\x1b[31m')", r"ValueError: first\nsecond \x1b[31m"),
        ("raise BrokenPipeError(32, 'of a socket')", "BrokenPipeError: [Errno 32] of a socket"),
        (NASTY, "Nasty: <exception str() failed>"),
    ],
    ids=["division", "hostile text", "a pipe that is not stdout", "unprintable"],
)
def test_a_bug_is_one_line_and_its_traceback_is_in_the_log_alone(probe: Probe, body: str, named: str) -> None:
    ended = probe.run(body)
    assert ended.returncode == BUG
    [line] = ended.stderr.splitlines()
    assert line.startswith("probe: bug: ")
    assert named in line
    assert line.endswith(f"The traceback is in the log ({probe.home}/logs/active/probe.log)")
    assert ended.stdout == ""
    assert "    Traceback (most recent call last):\n" in probe.log()
    document = json.loads(probe.run(body, "--json").stdout)
    assert (document["exit_code"], "Traceback" in document["error"]) == (BUG, False)


def test_a_run_that_may_make_no_file_tells_stderr_alone(probe: Probe) -> None:
    code = (
        "import sys; from utils import script;"
        "sys.exit(script.run('probe', lambda run: run.note('beside') or 1 // 0, in_files=False))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=probe.env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == BUG
    assert ended.stderr.startswith("probe: beside\nprobe: bug: ZeroDivisionError")
    assert "The traceback is in the log (stderr)" in ended.stderr
    assert list(probe.home.iterdir()) == []


def test_an_exit_of_the_parser_within_the_body_passes(probe: Probe) -> None:
    assert probe.run("raise SystemExit(2)").returncode == 2


# --- secrets and hostile text


@pytest.mark.parametrize(
    "failure", ["errors.ServiceError('notion', SECRET)", "ValueError(SECRET)"], ids=["told", "bug"]
)
def test_no_secret_is_shown_or_logged(probe: Probe, failure: str) -> None:
    body = f"SECRET = {SECRET!r}\nrun.note(SECRET)\nrun.say('by ' + SECRET)\nraise {failure}"
    for arguments, env in (((), {}), (("--json",), {}), ((), {"LOG_FORMAT": "json"})):
        ended = probe.run(body, *arguments, **env)
        for text in (ended.stdout, ended.stderr, probe.log()):
            assert SECRET not in text
            assert "[REDACTED:configured]" in text
    assert SECRET not in probe.run("run.document({'a': [" + repr(SECRET) + "]})\nreturn 0", "--json").stdout


HOSTILE = "red \x1b[31m bell \x07 new\nline \u202e turned \ud800 half \x9b2J 型 é 😀"


@pytest.mark.parametrize(
    "env",
    [{}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["UTF-8", "latin-1", "LC_ALL=C"],
)
def test_no_text_moves_the_cursor_makes_a_line_or_cannot_be_said(probe: Probe, env: Mapping[str, str]) -> None:
    body = f"text = {HOSTILE!a}\nrun.say(text)\nrun.note(text)\nraise errors.AnglesError('x', text)"
    command = probe.command(body)
    ended = subprocess.run(command, env={**probe.env, **env}, capture_output=True, check=False)
    assert ended.returncode == PROBLEMS
    for said, count in ((ended.stdout, 1), (ended.stderr, 2)):
        assert said.count(b"\n") == count
        assert not set(said) & set(b"\x1b\x07\x9b\r")
        assert rb"red \x1b[31m bell \x07 new\nline \u202e turned \ud800 half \x9b2J" in said
    written = f"text = {HOSTILE!a}\nrun.document({{'text': text}})\nreturn 0"
    document = subprocess.run(
        probe.command(written, ["--json"]), env={**probe.env, **env}, capture_output=True, check=False
    )
    assert document.returncode == OK
    assert json.loads(document.stdout)["text"] == HOSTILE


# --- one document


@pytest.mark.parametrize(
    ("ending", "code"),
    [("return errors.PROBLEMS", PROBLEMS), ("raise errors.BusyError('x', 'is busy')", BUSY), ("return 1 // 0", BUG)],
    ids=["done", "failed", "bug"],
)
def test_json_is_exactly_one_document_even_when_the_body_fails_after_its_own(
    probe: Probe, ending: str, code: int
) -> None:
    ended = probe.run(f"run.say('beside')\nrun.document({{'done': 1}})\n{ending}", "--json")
    assert ended.returncode == code
    assert json.loads(ended.stdout) == {"done": 1}
    assert ended.stderr.startswith("beside\n")
    assert len(ended.stderr.splitlines()) == (1 if code == PROBLEMS else 2)


def test_without_json_what_is_said_is_on_stdout_and_what_is_noted_on_stderr(probe: Probe) -> None:
    ended = probe.run("run.say('result')\nrun.note('beside')\nreturn 0")
    assert (ended.stdout, ended.stderr) == ("result\n", "probe: beside\n")


def test_a_container_gets_json_lines_alone_on_stderr(probe: Probe) -> None:
    ended = probe.run("run.note('beside')\nreturn 1 // 0", LOG_FORMAT="json")
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["WARNING", "ERROR", "INFO"]
    assert "Traceback" in lines[1]["traceback"]
    assert lines[1]["message"].endswith("The traceback is in the log (stderr)")
    assert not (probe.home / "logs").exists()


# --- usage


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--num", "1"], "unrecognized arguments: --num 1"),
        (["--number", "one"], "argument --number: invalid int value: 'one'"),
        (["--number"], "argument --number: expected one argument"),
        (["a\x1b[31m\nb"], r"unrecognized arguments: a\x1b[31m\nb"),
        (["\udcff"], r"unrecognized arguments: \udcff"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True], ids=["", "--json"])
def test_usage_errors_are_one_line_in_our_form_and_2(
    probe: Probe, arguments: Sequence[str], told: str, as_json: bool
) -> None:
    ended = probe.run("return 0", *["--json"] * as_json, *arguments)
    assert ended.returncode == USAGE
    assert ended.stderr == f"probe: {told}. See: python probe.py --help\n"
    if as_json:
        assert json.loads(ended.stdout) == {"exit_code": USAGE, "error": ended.stderr.strip()}
    else:
        assert ended.stdout == ""
    assert not (probe.home / "logs").exists()


def test_on_windows_one_line_says_to_use_wsl_before_anything_is_imported_that_windows_lacks() -> None:
    code = (
        "import os, sys\n"
        "for name in ('fcntl', 'pwd', 'resource', 'termios'): sys.modules[name] = None\n"
        "os.name = 'nt'\n"
        "import {script}\n"
        "{script}.main([])\n"
    )
    for path in sorted(ROOT.glob("*.py")):
        ended = subprocess.run(
            [sys.executable, "-c", code.format(script=path.stem)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ended.returncode == USAGE, ended.stderr
        assert (
            ended.stderr == f"{path.stem}: does not run on Windows itself. Use WSL, the Windows Subsystem for Linux.\n"
        )


# --- signals


WAITING = """try:
    run.say('there')
    time.sleep(60)
finally:
    {cleanup}"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ctrl_c_and_sigterm_end_with_130_and_a_clean_up(probe: Probe, number: int) -> None:
    child = probe.start(WAITING.format(cleanup="run.say('cleaned')"))
    child.send_signal(number)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out, err) == (INTERRUPTED, "cleaned\n", "probe: interrupted\n")


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_sigterm_that_follows_does_not_disturb_the_clean_up(probe: Probe, first: int) -> None:
    child = probe.start(WAITING.format(cleanup="run.say('cleaning'); time.sleep(0.3); run.say('cleaned')"))
    assert child.stdout is not None
    child.send_signal(first)
    assert child.stdout.readline() == "cleaning\n"
    child.terminate()
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out, err) == (INTERRUPTED, "cleaned\n", "probe: interrupted\n")


def test_a_second_ctrl_c_ends_a_clean_up_that_hangs_without_a_traceback(probe: Probe) -> None:
    child = probe.start(WAITING.format(cleanup="run.say('cleaning'); time.sleep(60)"))
    assert child.stdout is not None
    child.send_signal(signal.SIGINT)
    assert child.stdout.readline() == "cleaning\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert (child.returncode, "Traceback" in err) == (INTERRUPTED, False)


def test_who_ignores_ctrl_c_keeps_ignoring_it(probe: Probe) -> None:
    body = "import signal\nrun.say(str(signal.getsignal(signal.SIGINT) is signal.SIG_IGN))\nreturn 0"
    shell = f"trap '' INT; exec {' '.join(repr(word) for word in probe.command(body))}"
    ended = subprocess.run(["sh", "-c", shell], env=probe.env, capture_output=True, text=True, check=False)
    assert ended.stdout == "True\n"


# --- streams that fail


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["", "--json"])
def test_a_reader_that_leaves_ends_it_quietly(probe: Probe, arguments: Sequence[str]) -> None:
    body = "for n in range(30_000):\n    run.say(str(n))\nrun.document(list(range(30_000)))\nreturn 0"
    piped = f"{' '.join(repr(word) for word in probe.command(body, arguments))} | head -1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", piped], env=probe.env, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines() == ["0" if not arguments else "[", str(INTERRUPTED)]
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr
    assert "nobody reads stdout any more" in probe.log()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["", "--json"])
def test_a_full_disk_under_stdout_is_one_line(probe: Probe, arguments: Sequence[str]) -> None:
    command = probe.command("run.say('x') if not run.as_json else run.document({})\nreturn 0", arguments)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, env=probe.env, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == PROBLEMS
    assert ended.stderr == "probe: stdout: cannot be written (No space left on device).\n"


@pytest.mark.parametrize(
    "closed",
    [">&-", "2>&-", ">&- 2>&-", "2>/dev/full", "2>&1 | true"],
    ids=["stdout", "stderr", "both", "full", "gone"],
)
def test_streams_that_nobody_holds_end_nothing(probe: Probe, closed: str) -> None:
    body = (
        "run.note('a')\nrun.say('b') if not os.environ.get('QUIET') else None\nraise errors.BusyError('x', 'is busy')"
    )
    piped = f"{' '.join(repr(word) for word in probe.command(body))} {closed}; exit ${{PIPESTATUS[0]}}"
    env = {**probe.env, "QUIET": "1" if "|" in closed else ""}
    ended = subprocess.run(["bash", "-c", piped], env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == BUSY
    assert "Traceback" not in ended.stderr
    assert "ended with 75" in probe.log()


@pytest.mark.parametrize("home", ["/proc", "/dev/null/x", "~nobody-of-this-name"])
def test_a_log_that_cannot_be_written_ends_nothing(probe: Probe, home: str) -> None:
    ended = probe.run("run.say('done')\nreturn 0", ANGLES_HOME=home)
    assert (ended.returncode, ended.stdout) == (OK, "done\n")
    failed = probe.run("raise errors.BusyError('x', 'is busy')", ANGLES_HOME=home)
    assert failed.returncode == BUSY
    assert failed.stderr.splitlines()[0] == "probe: x: is busy."
    assert len(failed.stderr.splitlines()) <= 2
    assert all("log /" in line and "going on without it" in line for line in failed.stderr.splitlines()[1:])


@pytest.mark.parametrize("stderr", [None, io.StringIO()], ids=["nobody", "a file"])
def test_progress_is_drawn_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO | None) -> None:
    monkeypatch.setattr("sys.stderr", stderr)
    with progress.bar("decisions") as draw:
        draw(1, 2)
    assert stderr is None or stderr.getvalue() == ""


# --- real scripts


@pytest.mark.parametrize("script", sorted(path.stem for path in ROOT.glob("*.py")))
def test_a_script_answers_from_any_folder_even_one_that_is_gone(tmp_path: Path, script: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"cd {gone} && rmdir {gone} && exec {sys.executable!r} {str(ROOT / script)!r}.py --help"
    ended = subprocess.run(
        ["sh", "-c", command], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == OK, ended.stderr
    assert ended.stdout.startswith(f"usage: {script}")
    assert ended.stdout.isascii()


def test_a_configuration_that_cannot_be_read_is_one_line_and_2(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NOTION_TOKEN ntn_01234567890123456789\n")
    ended = subprocess.run(
        [sys.executable, str(ROOT / "memory_sync.py"), "--json"],
        env={"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, json.loads(ended.stdout)["exit_code"]) == (USAGE, USAGE)
    assert re.fullmatch(r"memory_sync: .*/\.env: line 1 is not NAME=value\. .+\n", ended.stderr)
    assert "ntn_" not in ended.stdout + ended.stderr
    assert not (tmp_path / ".local").exists()
