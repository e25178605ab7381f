"""The state: exactly what was put in comes out, and whatever becomes of the file is noticed."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.autosync.place import Place
from utils import state
from utils.autosync.drafts import Found
from utils.autosync.session import scanning
from utils.autosync.store import MIGRATIONS, Store
from utils.errors import BusyError, ConfigError

BASELINE = ["files baseline"]


@pytest.fixture
def known(place: Place) -> Place:
    """A place whose state has folders, and two rows that wait."""
    for number in range(40):
        place.write(f"d{number % 4}/file-{number}", f"content {number}")
    place.scan()
    place.write("d1/new", "new")
    place.scan()
    assert place.actions() == ["files baseline", "file created"]
    return place


def page_size(path: Path) -> int:
    """How the file is divided."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma wal_checkpoint(truncate)")
        return int(db.execute("pragma page_size").fetchone()[0])


@pytest.mark.parametrize("how", ["zero", "short", "half", "random", "text", "another program's"])
def test_a_damaged_file_is_set_aside_and_a_new_baseline_is_said_loudly(known: Place, how: str) -> None:
    data = known.state.read_bytes()
    known.state.write_bytes(
        {
            "zero": b"",
            "short": data[:100],
            "half": data[: len(data) // 2],
            "random": random.Random(1).randbytes(len(data)),
            "text": b"not a database at all" * 100,
            "another program's": data[:68] + b"XXXX" + data[72:],
        }[how]
    )
    known.write("d2/unseen", "unseen")
    report = known.scan()
    assert report.lines(999) == []
    assert report.baselines == {str(known.root): 42}
    assert "was set aside, all files are taken as they are" in report.problems[0]
    assert known.actions()[-1:] == BASELINE
    assert "the state was damaged" in known.outbox()[-1]["activity"]["details"]["note"]
    assert len(list(known.state.parent.glob("files.db.corrupt-*Z"))) == 1
    known.write("d2/unseen", "seen")
    assert known.told() == ["modified d2/unseen"]


def test_the_outbox_of_a_file_whose_folders_are_damaged_is_kept_with_its_ids(known: Place) -> None:
    ids = [row["activity"]["id"] for row in known.outbox()]
    with closing(sqlite3.connect(known.state)) as db:
        db.execute("update folders set stats = zeroblob(length(stats)) where path = x'6432'")
        db.commit()
    report = known.scan()
    assert "2 rows of its outbox are kept" in report.problems[0]
    assert [row["activity"]["id"] for row in known.outbox()][:2] == ids
    assert known.actions() == ["files baseline", "file created", *BASELINE]
    assert known.scan().problems == []


def test_the_outbox_is_kept_where_a_run_was_killed_between_setting_aside_and_keeping(known: Place) -> None:
    state.set_aside(known.state)
    with state.open_state(known.state, MIGRATIONS):
        pass
    assert "2 rows of its outbox are kept" in known.scan().problems[0]
    assert known.actions() == ["files baseline", "file created", *BASELINE]


def test_a_row_of_the_outbox_that_is_damaged_is_left_behind_alone(known: Place) -> None:
    with closing(sqlite3.connect(known.state)) as db:
        db.execute("update outbox set rows = x'00' where serial = 1")
        db.commit()
    assert "the outbox fails its checksum" in known.scan().problems[0]
    assert known.actions() == ["file created", *BASELINE]


def test_whatever_bit_is_flipped_no_change_is_invented_and_none_of_the_outbox_is_doubled(
    known: Place, pytestconfig: pytest.Config
) -> None:
    page_size(known.state)
    data = known.state.read_bytes()
    told = {row["activity"]["id"] for row in known.outbox()}
    noticed = 0
    many = 1500 if pytestconfig.getoption("--long") else 60
    sound = [bit for bit in range(len(data) * 8) if not 60 <= bit // 8 < 64]  # the version, which has a test of its own
    for bit in random.Random(7).sample(sound, many):
        for beside in known.state.parent.glob("files.db*"):
            beside.unlink()
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        known.state.write_bytes(flipped)
        report = known.scan()
        assert report.lines(999) == [], bit
        noticed += bool(report.problems)
        waiting = [row["activity"]["id"] for row in known.outbox() if row["activity"]["action"] != "files baseline"]
        assert len(waiting) == len(set(waiting)), bit
        assert set(waiting) <= told, bit
        assert report.problems or len(waiting) == len(told) - 1, bit
    assert noticed


def test_a_state_that_claims_an_older_version_is_damaged_and_one_of_a_newer_is_refused(known: Place) -> None:
    data = known.state.read_bytes()
    known.state.write_bytes(data[:60] + bytes(4) + data[64:])
    assert "2 rows of its outbox are kept" in known.scan().problems[0]
    known.state.write_bytes(data[:60] + bytes([0, 0, 0, 9]) + data[64:])
    with pytest.raises(ConfigError, match="a newer version of this program wrote it"):
        known.scan()


def test_a_read_only_look_at_a_damaged_state_changes_nothing_and_says_what_a_scan_would_do(known: Place) -> None:
    known.state.write_bytes(b"x" * 5000)
    before = sorted(known.state.parent.iterdir())
    report = known.scan(dry_run=True)
    assert report.baselines == {str(known.root): 41}
    assert "it would be set aside" in report.problems[0]
    assert sorted(known.state.parent.iterdir()) == before


def test_a_scan_that_fails_half_way_leaves_state_and_outbox_as_they_were(known: Place) -> None:
    before, waiting = known.folders(), known.outbox()

    def fail(_instance: str, _serial: int) -> list[dict[str, object]]:
        raise RuntimeError("cut")

    with Store(known.state) as store:
        root = store.root(str(known.root))
        assert root
        with pytest.raises(RuntimeError, match="cut"):
            store.commit({str(known.root): Found(root.identity, {}, list(before))}, fail)
    assert (known.folders(), known.outbox()) == (before, waiting)


def test_only_one_scan_at_a_time(place: Place) -> None:
    with scanning(place.state), pytest.raises(BusyError), scanning(place.state, wait=0):
        pass


def test_a_root_that_is_forgotten_is_taken_anew_and_what_waits_still_waits(known: Place) -> None:
    with Store(known.state) as store:
        store.forget(str(known.root))
    known.write("d1/other", "1")
    assert known.told() == []
    assert known.actions() == ["files baseline", "file created", *BASELINE]
