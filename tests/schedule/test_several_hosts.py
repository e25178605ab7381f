"""Several schedulers on one database: every slot is completed once, whoever is killed or stopped meanwhile."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.schedule.host import job, to_json
from utils.errors import ServiceError
from utils.schedule.claims import Claim, Claims, Taken
from utils.schedule.messenger import Messenger
from utils.stores.base import Transport
from utils.stores.postgres import PostgresTransport
from utils.stores.supabase import RestTransport

HOST = Path(__file__).with_name("host.py")
SLOT = datetime(2026, 11, 25, 2, tzinfo=UTC)
BACKUP = job("backup", "none.py", grace=timedelta(days=40000))

_COUNTED = """
    truncate job_claims;
    create table completions(job text, slot timestamptz);
    create function count_completion() returns trigger language plpgsql security definer as $$ begin
      if new.state = 'done' and old.state is distinct from 'done' then
        insert into completions values (new.job, new.slot);
      end if;
      return null; end $$;
    create trigger counted after update on job_claims for each row execute function count_completion()
"""


@pytest.fixture(params=["postgres", "supabase"])
def transport(request: pytest.FixtureRequest, one_tls_context: None) -> Iterator[tuple[Transport, str]]:
    """Either way to a database without claims, and its DSN."""
    opened: Transport
    if request.param == "postgres":
        dsn = request.getfixturevalue("dsn")
        opened = PostgresTransport(dsn)
    else:
        dsn, project = request.getfixturevalue("rest")
        opened = RestTransport(project.url, project.secret)
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute("delete from job_claims")
    yield opened, dsn
    opened.close()


def expire(dsn: str) -> None:
    """All holders gave no sign of life for long enough."""
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute("update job_claims set expires_at = clock_timestamp() where state = 'running'")


def test_a_slot_is_given_to_one_host_until_it_is_settled(transport: tuple[Transport, str]) -> None:
    way, _ = transport
    one, two = Claims(way, "one"), Claims(way, "two")
    mine = one.claim(BACKUP, SLOT)
    assert mine == Claim("backup", SLOT, fence=1, attempt=1)
    assert two.claim(BACKUP, SLOT) == Taken("running", "one")
    assert one.keep(mine)
    assert one.settle(mine, "done", "ok")
    assert one.settle(mine, "done", "ok"), "may be repeated after an unclear answer"
    assert two.claim(BACKUP, SLOT) == one.claim(BACKUP, SLOT) == Taken("done", "one")
    assert not one.keep(mine)
    assert not one.settle(mine, "failed", "killed")
    assert two.claim(BACKUP, SLOT + timedelta(days=-1)) == Claim("backup", SLOT - timedelta(days=1), 1, 1)


def test_the_slot_of_a_dead_holder_is_taken_over_and_the_fence_keeps_the_old_one_out(
    transport: tuple[Transport, str],
) -> None:
    way, dsn = transport
    one, two = Claims(way, "one"), Claims(way, "two")
    old = one.claim(BACKUP, SLOT)
    assert isinstance(old, Claim)
    expire(dsn)
    taken = two.claim(BACKUP, SLOT + timedelta(hours=1))
    assert taken == Claim("backup", SLOT, fence=2, attempt=2), "the older slot first"
    assert not one.keep(old)
    assert not one.settle(old, "done", "ok")
    assert two.settle(taken, "done", "ok")
    assert two.claim(BACKUP, SLOT + timedelta(hours=1)) == Claim("backup", SLOT + timedelta(hours=1), 1, 1)


def test_a_slot_that_was_given_back_is_free_at_once(transport: tuple[Transport, str]) -> None:
    way, _ = transport
    one, two = Claims(way, "one"), Claims(way, "two")
    mine = one.claim(BACKUP, SLOT)
    assert isinstance(mine, Claim)
    assert one.settle(mine, "running", "given back")
    assert two.claim(BACKUP, SLOT) == Claim("backup", SLOT, fence=2, attempt=2)


def test_a_scheduler_that_starts_again_gets_its_own_slot_back(transport: tuple[Transport, str]) -> None:
    way, _ = transport
    one = Claims(way, "one")
    assert isinstance(one.claim(BACKUP, SLOT), Claim)
    assert one.claim(BACKUP, SLOT) == Claim("backup", SLOT, fence=2, attempt=2)


def test_the_databases_clock_says_what_has_come(transport: tuple[Transport, str]) -> None:
    way, _ = transport
    assert Claims(way, "ten years ahead").claim(BACKUP, SLOT + timedelta(days=3653)) == Taken("early")


def test_a_dead_holder_of_a_slot_beyond_its_grace_is_left_alone(transport: tuple[Transport, str]) -> None:
    way, dsn = transport
    one, two = Claims(way, "one"), Claims(way, "two")
    one.claim(BACKUP, SLOT)
    expire(dsn)
    hourly = job("backup", "none.py", grace=timedelta(seconds=1))
    assert two.claim(hourly, SLOT + timedelta(hours=1)) == Claim("backup", SLOT + timedelta(hours=1), 1, 1)


def test_the_messenger_carries_calls_and_says_why_it_cannot(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    world.db.execute("delete from job_claims")
    messenger = Messenger()
    try:
        assert isinstance(Claims(messenger, "one").claim(BACKUP, SLOT + timedelta(days=-400)), Claim)
        assert messenger._child is not None
        messenger._child.kill()
        messenger._child.wait()
        assert Claims(messenger, "two").claim(BACKUP, SLOT + timedelta(days=-400)) == Taken("running", "one")
        with pytest.raises(ServiceError, match=r"function public\.nothing|nothing"):
            messenger.call("nothing", {})
        messenger.seconds = 0.0
        messenger._child.send_signal(signal.SIGSTOP)
        with pytest.raises(ServiceError, match="none within 0 s"):
            messenger.call("job_claim", {})
    finally:
        messenger.close()


class Host:
    """A scheduler as a process, which is started again when it was killed."""

    def __init__(self, folder: Path, world: Any, table: Path) -> None:
        folder.mkdir()
        more = {"SCHEDULER_COORDINATION": "database", "SCHEDULER_JITTER_SECONDS": "0"}
        self.env = world.environment(ANGLES_HOME=str(folder), **more)
        self.table = table
        self.start()

    def start(self) -> None:
        nothing = subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, str(HOST), str(self.table), "--ttl=2"],
            env=self.env,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
        )

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()


def test_four_schedulers_complete_every_slot_once_while_they_are_killed_and_stopped(
    world: Any, tmp_path: Path, figure: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    # over REST a claim costs more: what comes faster than it can be run is coalesced, as it should be
    count, period = (5, timedelta(seconds=6)) if world.project else (10, timedelta(seconds=3))
    slots = 200 // count if request.config.getoption("--long") else 2
    script = tmp_path / "job.py"
    script.write_text("import time; time.sleep(0.2)\n", encoding="utf-8")
    jobs = [
        job(
            f"job-{number}",
            script,
            period=period,
            offset=period * number / count,
            grace=timedelta(minutes=1),
            queue=True,
        )
        for number in range(count)
    ]
    table = tmp_path / "jobs.json"
    table.write_text(to_json(jobs), encoding="utf-8")
    world.db.execute(_COUNTED)
    hosts = [Host(tmp_path / f"host {number}", world, table) for number in range(4)]
    harm = random.Random(10)
    killed = stopped = 0
    try:
        _until(lambda: bool(_completed(world)))
        first = datetime.now(UTC) + timedelta(seconds=1)
        last = first + period * slots
        while datetime.now(UTC) < last:
            kill = harm.random() < 0.5
            victim = harm.choice(hosts[1:])  # one is left alone: a slot that no host sees is a slot missed
            victim.signal(signal.SIGKILL if kill else signal.SIGSTOP)
            time.sleep(harm.uniform(0.1, period.total_seconds() / 2))
            if kill:
                victim.start()
            else:
                victim.signal(signal.SIGCONT)
            killed, stopped = killed + kill, stopped + (not kill)
            time.sleep(harm.uniform(0.1, 0.5))
        wanted = {(each.name, slot) for each in jobs for slot in _slots(each, first, slots)}
        _until(lambda: wanted <= _completed(world))
        completions = world.db.execute("select job, slot, count(*) n from completions group by 1, 2").fetchall()
    finally:
        for host in hosts:
            host.signal(signal.SIGKILL)
        world.db.execute("drop function count_completion cascade; drop table completions")
    counts = {(row["job"], row["slot"]): row["n"] for row in completions}
    again = world.db.execute("select count(*) n from job_claims where fence > 1").fetchone()["n"]
    twice = [key for key in wanted if counts[key] > 1]
    done = len(wanted & set(counts))
    figure(
        f"scheduler by {request.node.callspec.id}: {len(wanted)} slots, 4 hosts, {killed} kills, {stopped} stops,"
        f" {again} taken over: {done} completed, {len(wanted) - done} missed, {len(twice)} twice"
    )
    assert len(wanted) == count * slots
    assert not twice


def _slots(each: Any, first: datetime, count: int) -> list[datetime]:
    from utils.schedule.slots import next_due

    start = next_due(each, first)
    return [start + each.period * number for number in range(count)]


def _completed(world: Any) -> set[tuple[str, datetime]]:
    return {(row["job"], row["slot"]) for row in world.db.execute("select job, slot from completions")}


def _until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
