"""The page, `/health`, `/metrics` and the one action, as a Flask application."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from utils import config, script
from utils.dashboard import metrics, view
from utils.dashboard.guard import COOKIE, Guard, same_origin
from utils.dashboard.stored import Reader, Signature, Stored
from utils.sections import ScheduleSettings

LOOK_SECONDS = 0.25
"""How often it is looked whether anything was written."""

SHOWN_SECONDS = 5.0
"""How long what was rendered is shown again while nothing was written: ages are told in minutes."""

_MONITOR_PERIOD = timedelta(hours=1)


@dataclass
class Launcher:
    """Starts jobs as child processes, which outlive the page; `ended` has the exit codes of those that have ended."""

    home: Path
    ended: dict[str, int] = field(default_factory=dict)
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def start(self, job: str) -> None:
        """Starts a job, unless it runs from an earlier press."""
        with self._lock:
            if job in self.running():
                return
            nothing = subprocess.DEVNULL
            command = script.child("scheduler.py", ("--run-now", job))
            env = config.child_environment(ANGLES_HOME=str(self.home))
            self.ended.pop(job, None)
            self._children[job] = subprocess.Popen(
                command, cwd=config.ROOT, env=env, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
            )

    def running(self) -> frozenset[str]:
        """The jobs whose child lives; those that have ended are reaped."""
        with self._lock:
            for job, child in list(self._children.items()):
                if (code := child.poll()) is not None:
                    self.ended[job] = code
                    del self._children[job]
            return frozenset(self._children)


@dataclass
class Shown:
    """What was read and rendered last, kept while nothing was written and its ages are right."""

    reader: Reader
    launcher: Launcher
    clock: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _signature: Signature = ()
    _look_at: float = 0.0
    _key: tuple[Signature, frozenset[str]] | None = None
    _until: float = 0.0
    _answers: dict[str, bytes] = field(default_factory=dict)
    _stored: Stored = field(default_factory=Stored)
    _now: datetime = field(default_factory=lambda: datetime.fromtimestamp(0, UTC))

    def text(self, name: str, made: Callable[[Stored, datetime], str]) -> bytes:
        """An answer by its name, made where it is not there yet."""
        with self._lock:
            clock = time.monotonic()
            if clock >= self._look_at:
                self._signature, self._look_at = self.reader.signature(), clock + LOOK_SECONDS
            key = (self._signature, self.launcher.running())
            if key != self._key or clock >= self._until:
                self._now = self.clock()
                self._stored = self.reader.read(self._now)
                self._key, self._until = key, clock + SHOWN_SECONDS
                self._answers.clear()
            if name not in self._answers:
                self._answers[name] = made(self._stored, self._now).encode()
            return self._answers[name]


def create_app(
    home: Path,
    guard: Guard,
    plan: ScheduleSettings,
    redact: Callable[[str], str],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Flask:
    """The application; `guard.wrapped` belongs around it.

    Args:
        home: the home folder.
        guard: who may see and act.
        plan: the cadence of the jobs.
        redact: takes the secrets out of a log line.
        clock: what tells the time.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16_384
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        age=view.age, duration=view.duration, size=view.size, percent=view.percent, word=view.word
    )
    app.jinja_env.globals.update(points=view.points, path=view.path, ending=view.ending, lasted=view.lasted)
    launcher = Launcher(home)
    shown = Shown(Reader(home, plan, redact), launcher, clock)
    period = next((job.period for job in plan.jobs if job.name == "monitor"), _MONITOR_PERIOD)
    _questions(app, guard, shown, period)
    _actions(app, guard, launcher, {job.name for job in plan.jobs})
    return app


def _questions(app: Flask, guard: Guard, shown: Shown, period: timedelta) -> None:
    """What may be asked."""

    @app.get("/health")
    def health() -> Response:
        details = _sees(guard)

        def made(found: Stored, now: datetime) -> str:
            told = view.verdict(found.document, now, period)
            return json.dumps(view.health(found.document, told, details=details))

        body = shown.text(f"health {details}", made)
        code = 503 if body.startswith(b'{"status": "fail"') else 200
        return _fresh(Response(body, code, content_type="application/health+json"))

    @app.get("/metrics")
    def figures() -> Answer:
        if not _sees(guard):
            return _refused(guard)

        def made(found: Stored, now: datetime) -> str:
            return metrics.text(found, bool(view.verdict(found.document, now, period).stale))

        return _fresh(Response(shown.text("metrics", made), content_type=metrics.CONTENT_TYPE))

    @app.get("/")
    def page() -> Answer:
        if not _sees(guard):
            return _refused(guard)

        def made(found: Stored, now: datetime) -> str:
            return render_template("page.html", **_said(found, now, period, shown.launcher), guard=guard)

        return _fresh(Response(shown.text("page", made)))


def _said(found: Stored, now: datetime, period: timedelta, launcher: Launcher) -> dict[str, Any]:
    """What the template shows."""
    results = found.document["results"] if found.document else []
    by_name: Mapping[str, Any] = {each["name"]: each for each in results}
    counted = (found.document or {}).get("decisions")
    return {
        "now": now,
        "found": found,
        "told": view.verdict(found.document, now, period),
        "wrong": view.wrong(results),
        "cards": view.cards(results, found.days, found.seconds, now.date()),
        "tasks": view.tasks(found.jobs, found.runs, found.well, launcher.running(), launcher.ended),
        "checks": by_name,
        "counted": counted,
        "weeks": view.weeks(counted["weeks"], now.date()) if counted else [],
    }


def _actions(app: Flask, guard: Guard, launcher: Launcher, jobs: set[str]) -> None:
    """What may be done."""

    @app.post("/run/<job>")
    def run(job: str) -> Answer:
        if not guard.may_act(*_asking(), request.form.get("form_token", "")):
            return _plain("Not started: this was not sent from the page. Open it anew and press again.\n", 403)
        if job not in jobs:
            return _plain("There is no such job.\n", 404)
        launcher.start(job)
        return redirect(f"/#job-{job}", 303)

    @app.post("/sign-in")
    def sign_in() -> Answer:
        host, headers, _ = _asking()
        if not (same_origin(host, headers) and guard.opens(request.form.get("token", "").strip())):
            return _refused(guard, "This is not the token.")
        answer = redirect("/", 303)
        answer.set_cookie(COOKIE, guard.cookie, httponly=True, samesite="Strict", secure=request.is_secure)
        return answer


def _asking() -> tuple[str, dict[str, str], dict[str, str]]:
    """The Host, the headers and the cookies of the request."""
    return request.headers.get("Host", ""), dict(request.headers), dict(request.cookies)


def _sees(guard: Guard) -> bool:
    return guard.may_see(*_asking())


def _refused(guard: Guard, why: str = "") -> Answer:
    """Asks for the token; where there is none, says how to have one."""
    if not guard.settings.token:
        return _plain("From here only with a token: set DASHBOARD_TOKEN and start again.\n", 403)
    answer = Response(render_template("sign_in.html", why=why), 401)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return _fresh(answer)


def _plain(text: str, code: int) -> Answer:
    return _fresh(Response(text, code, content_type="text/plain; charset=utf-8"))


def _fresh(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
