"""Prints the figures of the scheduler with its page: overhead of a child, memory, idle CPU, time to stop.

python tests/bench/bench_scheduler.py              all of it (about 3 minutes)
python tests/bench/bench_scheduler.py --runs 100   fewer runs for the memory
python tests/bench/bench_scheduler.py --idle 20    a shorter look at the idle scheduler
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402

from tests.schedule.host import free_port, job, to_json  # noqa: E402
from utils import state  # noqa: E402
from utils.schedule import process  # noqa: E402
from utils.schedule.history import History, Memory, Moment  # noqa: E402
from utils.sections import ScheduleSettings  # noqa: E402

NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/none"


def main() -> None:
    """Prints everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-scheduler-") as folder:
        if options.memory:
            _many_runs(Path(folder), options.runs)
            return
        _overhead(Path(folder))
        subprocess.run([sys.executable, __file__, "--memory", "--runs", str(options.runs)], check=True)
        _idle(Path(folder), options.idle)
        _hung(Path(folder))


def _overhead(folder: Path, count: int = 40) -> None:
    """A child by `subprocess.run`, and as a job, in turns."""
    line = [sys.executable, "-S", "-c", "print('done')"]
    plain, ours = [], []
    for number in range(count):
        plain.append(_timed(lambda: subprocess.run(line, capture_output=True, check=True)))
        command = process.Command(line, {}, folder / "logs" / f"{number}.log", 60)
        ours.append(_timed(lambda command=command: process.run(command, str)))  # type: ignore[misc]
    bare, whole = statistics.median(plain), statistics.median(ours)
    print(f"child by subprocess.run {1000 * bare:.1f} ms, as a job {1000 * whole:.1f} ms: {whole / bare:.2f} times")


def _many_runs(folder: Path, runs: int) -> None:
    """Many runs of real children in one process that serves the page, with all that a scheduler writes down."""
    os.environ.update(ANGLES_HOME=str(folder), DASHBOARD_PORT=str(free_port()))
    import utils.schedule.service  # noqa: F401 - as a scheduler does
    from utils import dashboard
    from utils.schedule.carrier import Carrier, child_runner
    from utils.schedule.engine import Engine
    from utils.schedule.tell import Teller
    from utils.sections import AlertSettings

    logging.disable()  # the played clock leaps
    script = folder / "job.py"
    script.write_text("print('done')\n", encoding="utf-8")
    now = [datetime(2027, 1, 1, tzinfo=UTC)]
    ended = threading.Semaphore(0)
    carrier = Carrier(
        folder,
        Memory(History(folder / state.STATE_FILE)),
        child_runner(folder, str),
        Teller(folder, logging.getLogger("bench"), AlertSettings(), str).tell,
        clocks=lambda: Moment(now[0], "boot", (now[0] - datetime(2027, 1, 1, tzinfo=UTC)).total_seconds()),
    )
    jobs = tuple(job(f"job-{number}", script) for number in range(4))
    engine = Engine(ScheduleSettings(jobs), carrier, wake=ended.release)
    served = dashboard.start()
    seen: dict[int, float] = {}
    for done in range(0, runs, 4):
        seen[done] = _megabytes()
        now[0] += timedelta(hours=1)
        for _ in range(engine.tick(carrier.clocks())):
            ended.acquire()
        with urlopen(served.address) as answer:
            answer.read()
    seen[runs] = _megabytes()
    told = (f"{seen[min(seen, key=lambda each: abs(each - runs * part / 10))]:.1f}" for part in (1, 4, 7, 10))
    print(f"memory with the page: {', '.join(told)} MB after 10, 40, 70 and 100 % of {runs} runs")


def _idle(folder: Path, seconds: float) -> None:
    """The real script with nothing due."""
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(folder / "idle"), "DATABASE_URL": NOWHERE}
    env["DASHBOARD_PORT"] = str(free_port())
    off = {f"SCHEDULE_{name}": "off" for name in ("MONITOR", "SYNC", "FILES", "BACKUP")}
    with subprocess.Popen(
        [sys.executable, str(ROOT / "scheduler.py")], env={**env, **off}, stdout=subprocess.DEVNULL
    ) as scheduler:
        while not (folder / "idle" / "logs" / "active" / "dashboard.json").exists():
            time.sleep(0.1)
        time.sleep(5)
        watched = psutil.Process(scheduler.pid)
        before = sum(watched.cpu_times()[:2])
        time.sleep(seconds)
        used = sum(watched.cpu_times()[:2]) - before
        print(f"idle with the page: {100 * used / seconds:.3f} % of a core, {watched.memory_info().rss / 2**20:.1f} MB")
        took = _timed(lambda: _stop(scheduler))
        print(f"stop with nothing at it: {took:.2f} s")


def _hung(folder: Path) -> None:
    """A job that does not hear TERM, and a scheduler that gives it 2 seconds: KILL comes 10 s after TERM."""
    home = folder / "hung"
    home.mkdir()
    script = home / "deaf.py"
    script.write_text(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\n"
        "time.sleep(600)\n",
        encoding="utf-8",
    )
    table = home / "jobs.json"
    table.write_text(to_json([replace(job("deaf", script), limit=timedelta(hours=1))]), encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(home), "DATABASE_URL": NOWHERE}
    host = [sys.executable, str(ROOT / "tests" / "schedule" / "host.py"), str(table)]
    settings = {"SCHEDULER_STOP_SECONDS": "2", "SCHEDULER_JITTER_SECONDS": "0"}
    with subprocess.Popen(
        host, env={**env, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as scheduler:
        while not any(path.read_text(encoding="utf-8") for path in home.rglob("jobs/deaf/*.log")):
            time.sleep(0.05)
        took = _timed(lambda: _stop(scheduler))
    print(f"stop with a hung job: {took:.1f} s, of which 2 s to end by itself and 10 s between TERM and KILL")


def _stop(scheduler: subprocess.Popen[bytes]) -> None:
    scheduler.send_signal(signal.SIGTERM)
    scheduler.wait()


def _megabytes() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
