"""What nobody wishes for: rows that can hardly be read, snapshots that somebody made, folders in which nothing fits."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.backup.conftest import Place
from tests.backup.test_restore_from_github import backed_up, sealed
from tests.conftest import empty
from tests.git_server import PLAIN, redirecting
from tests.local.test_postgres import small_disk
from utils.backup.snapshot import MANIFEST
from utils.errors import BUG, OK, PROBLEMS, REFUSED, UNAVAILABLE, USAGE
from utils.files import write_atomic


@pytest.fixture(params=["place", "rest_place"])
def both(request: pytest.FixtureRequest) -> Place:
    """Each way to the vault in turn."""
    place: Place = request.getfixturevalue(request.param)
    return place


# --- rows

ODD = {
    "lists in lists": "[" * 190 + "]" * 190,
    "a number of 401 digits": '{"x": 1e400}',
    "any key": '{"": 1, "a\\"b\\n": 2, "\\u2028": "\\u2028", "id": "x", "\\ud83d\\ude00": [true, null]}',
    "over a megabyte": json.dumps({"x": "words " * 200_000}),
    "a text": '"x"',
    "null": "null",
}


@pytest.mark.parametrize("document", ODD)
def test_odd_documents_come_back_as_they_were(place: Place, document: str) -> None:
    statement = "insert into agent_activity (agent_name, action, details) values ('a', 'b', %s::jsonb)"
    place.db.execute(statement, (ODD[document],))
    before = place.rows("agent_activity")
    backed_up(place)
    empty(place.dsn)
    assert place.restore("--restore-decisions").code == OK
    assert [row for row in place.rows("agent_activity") if row["agent_name"] == "a"] == before
    assert place.restore("--test-restore").code == OK


@pytest.mark.parametrize(
    "document", ["[" * 201 + "]" * 201, '{"a":' * 5000 + "1" + "}" * 5000, f'{{"x": {"9" * 5000}}}'], ids=len
)
def test_a_row_that_cannot_be_read_is_left_out_by_name_and_all_others_are_backed_up(
    place: Place, document: str
) -> None:
    place.insert("One")
    statement = "insert into agent_activity (agent_name, action, details) values ('a', 'b', %s::jsonb) returning id"
    ((name,),) = (row.values() for row in place.db.execute(statement, (document,)))
    said = place.backup()
    assert said.code == PROBLEMS, said.err
    assert f"agent_activity {name} is left out: its JSON is too deep, or holds a number of too many digits" in said.err
    assert (place.report()["outcome"], place.report()["verified"]) == ("pushed", True)
    assert place.restore("--restore-decisions").code == OK
    assert place.restore("--test-restore").code == OK


def test_by_rest_a_row_that_is_too_deep_is_told(rest_place: Place) -> None:
    rest_place.insert("One")
    add = "insert into agent_activity (agent_name, action, details) values ('a', 'b', %s::jsonb)"
    rest_place.db.execute(add, ("[" * 201 + "]" * 201,))
    said = rest_place.backup()
    assert (said.code, "is left out: its JSON is too deep" in said.err) == (PROBLEMS, True), said.err


def test_moments_and_dates_that_only_postgresql_has(place: Place) -> None:
    place.insert("ever", created_at="infinity", updated_at="-infinity", date="infinity")
    place.insert("tomorrow", created_at="2999-01-01")
    place.insert("old", created_at="0044-03-15 BC", updated_at="12026-01-01", date="0044-03-15 BC")
    before = place.rows()
    backed_up(place)
    place.db.execute("update decision_vault set comment = 'changed'")
    assert place.restore("--restore-decisions", "--on-collision", "newest").code == OK
    assert place.restore("--test-restore").code == OK
    empty(place.dsn)
    assert place.restore("--restore-decisions").code == OK
    assert place.rows() == before


def test_markers_that_people_wrote_are_texts_as_any_other_but_are_added_only_when_accepted(both: Place) -> None:
    both.insert("quotes [REDACTED:github] out of a log")
    both.insert("tells of [REDACTED:kind]")
    before = both.rows()
    backed_up(both)
    assert "decision_vault: 2 same: leave" in both.restore().out
    assert both.restore("--test-restore").code == OK
    empty(both.dsn)
    assert both.restore("--restore-decisions").code == OK
    assert [row["decision"] for row in both.rows()] == ["tells of [REDACTED:kind]"]
    assert both.restore("--restore-decisions", "--accept-redacted").code == OK
    assert both.rows() == before


# --- snapshots


def planted(place: Place, path: str, data: bytes = b"planted\n") -> None:
    """Somebody puts a file into the newest snapshot, by a tree that git itself would not make, and a manifest."""
    backed_up(place)
    blob = place.github.git("hash-object", "-w", "--stdin", data=data.decode())
    files = place.github.contents() | {f"files/{path}": data}
    manifest = str(sealed(files)[MANIFEST])
    place.github.put({MANIFEST: manifest})
    tree = b"100644 " + path.encode("utf-8", "surrogateescape") + b"\0" + bytes.fromhex(blob)
    command = [
        "git",
        "--git-dir",
        str(place.github.folder),
        "hash-object",
        "-w",
        "-t",
        "tree",
        "--literally",
        "--stdin",
    ]
    made = subprocess.run(command, env=PLAIN, input=tree, capture_output=True, check=True).stdout.decode().strip()
    listed = [line for line in place.github.git("ls-tree", "angles-backup").splitlines() if "\tfiles" not in line]
    root = place.github.git("mktree", data="\n".join([*listed, f"040000 tree {made}\tfiles\n"]))
    commit = place.github.git("commit-tree", root, "-p", "angles-backup", "-m", "x")
    place.github.git("update-ref", "refs/heads/angles-backup", commit)


@pytest.mark.parametrize("name", ["..", ".git", "../../outside", "a/b", "/outside", ".GIT", ".git "])
def test_a_tree_that_leads_out_is_refused_as_a_whole(place: Place, tmp_path: Path, name: str) -> None:
    place.insert("One")
    planted(place, name)
    for arguments in (("--restore-files", "--to", str(tmp_path / "there")), ("--restore-files", "--overwrite")):
        said = place.restore(*arguments)
        assert said.code == REFUSED, said.err
        assert "holds what git itself refuses, such as a path that leads out of a folder" in said.err
    assert place.backup("--check").code == REFUSED
    assert b"planted" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "id_rsa", "server.key", ".local", "~", "C:", "a\\..\\b", "a\tb", "a\x7fb", "\u202e"]
)
def test_a_file_that_no_backup_holds_is_refused_by_name(place: Place, name: str) -> None:
    place.insert("One")
    planted(place, name)
    said = place.restore("--restore-files", "--overwrite")
    assert said.code == PROBLEMS, said.err
    assert "is refused: it " in said.err
    assert "0 files" in said.out
    assert not (place.home / name).is_file()


def test_names_that_differ_by_case_alone_or_are_no_utf_8(place: Place, tmp_path: Path) -> None:
    (place.home / "export").mkdir()
    for name in ("A.txt", "a.txt"):
        (place.home / "export" / name).write_text(name)
    backed_up(place)
    assert place.restore("--restore-files", "--to", str(tmp_path / "there")).code == OK
    assert {path.name: path.read_text() for path in (tmp_path / "there" / "export").iterdir()} == {
        "A.txt": "A.txt", "a.txt": "a.txt",
    }  # fmt: skip
    planted(place, "a\udc80")
    said = place.restore("--restore-files")
    assert said.code == REFUSED, said.err
    assert "is missing" in said.err, "no backup has such a name: its manifest could not say it"


def test_on_a_disk_where_case_makes_no_name_the_second_lands_beside(place: Place, tmp_path: Path) -> None:
    """As macOS has them: what was not there when it was planned is there when it is written."""
    from utils.backup import apply

    def as_if_case_made_none(target: Path, data: bytes) -> None:
        write_atomic(target, data)
        (target.parent / target.name.lower()).write_bytes(target.read_bytes())

    place.patch.setattr(apply, "write_atomic", as_if_case_made_none)
    undo = apply.Undo(tmp_path / "undo.json", "r")
    place.patch.setattr(apply.Undo, "keep", lambda _self: None)
    documents = {"A.txt": b"capital", "a.txt": b"small"}
    done = apply.restore_files(documents, tmp_path / "there", undo, "s", overwrite=False)
    place.patch.undo()
    assert done.files == ["A.txt restored", "a.txt restored as a.txt.restored-s"]
    assert (tmp_path / "there" / "A.txt").read_bytes() == b"capital"
    assert {Path(each["path"]).name for each in undo.files} == {"A.txt", "a.txt", "a.txt.restored-s"}


HAND: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a checksum": (lambda m: m["files"].popitem()[1].update(sha256="0" * 64), "is not in the manifest"),
    "a size": (lambda m: next(iter(m["files"].values())).update(bytes=-1), "its files cannot be read"),
    "the rows": (lambda m: m["rows"].update(decision_vault="all"), "its rows cannot be read"),
    "the redactions": (lambda m: m.pop("redactions"), "lacks 'redactions'"),
    "the format": (lambda m: m.update(format=2), "format 2 is of another version"),
}


@pytest.mark.parametrize("edited", HAND)
def test_a_manifest_that_was_edited_by_hand_stops_all_but_the_next_backup(place: Place, edited: str) -> None:
    place.insert("One")
    backed_up(place)
    manifest = json.loads(place.github.files()[MANIFEST])
    meddle, told = HAND[edited]
    meddle(manifest)
    place.github.put({MANIFEST: json.dumps(manifest)})
    for said in (place.backup("--check"), place.restore("--restore-decisions")):
        assert said.code == REFUSED, said.err
        assert told in said.err
    said = place.backup()
    assert said.code == OK, said.err
    assert "the last snapshot is damaged, a new one takes its place" in said.err
    assert told in said.err
    assert len(place.github.commits()) == 3
    assert place.backup("--check").code == OK


# --- folders


def with_export(place: Place, **files: str) -> None:
    (place.home / "export").mkdir(exist_ok=True)
    for name, text in files.items():
        (place.home / "export" / name).write_text(text)


def test_a_file_that_cannot_be_written_is_named_and_the_others_are(place: Place, tmp_path: Path) -> None:
    with_export(place, a="a", b="b", **{"x" * 245: "long"})
    (place.home / "export" / "sub").mkdir()
    (place.home / "export" / "sub" / "c").write_text("c")
    backed_up(place)
    target = tmp_path / "there" / "export"
    target.mkdir(parents=True)
    (target / "sub").write_text("a file where a folder should be")
    (target / ("x" * 245)).write_text("other")
    (target / "a").symlink_to("a")
    said = place.restore("--restore-files", "--to", str(tmp_path / "there"))
    assert said.code == PROBLEMS, said.err
    assert "export/sub/c cannot be written in" in said.err
    assert "xxx cannot be written in" in said.err
    assert "2 files; to undo it" in said.out
    assert (target / "b").read_text() == "b"
    assert (target / f"a.restored-{place.github.tip()[:8]}").read_text() == "a"
    assert place.restore("--undo").code == OK
    assert {path.name for path in target.iterdir()} == {"a", "sub", "x" * 245}


def test_a_circle_of_links_is_not_walked(place: Place, tmp_path: Path) -> None:
    with_export(place, a="a")
    backed_up(place)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "export").symlink_to("export")
    said = place.restore("--restore-files", "--to", str(tmp_path / "there"))
    assert said.code == PROBLEMS, said.err
    assert "export/a is refused: " in said.err


def test_a_full_disk_at_a_restore_of_files_is_told_by_name_and_undone_or_gone_on_with(
    place: Place, tmp_path: Path
) -> None:
    with_export(place, **{name: secrets.token_hex(100_000) for name in "abcdefgh"})
    backed_up(place)
    with small_disk(tmp_path / "there", 1) as full:
        said = place.restore("--restore-files", "--to", str(full))
        assert said.code == PROBLEMS, said.err
        assert "cannot be written (No space left on device). Free some space there" in said.err
        written = {path.name for path in (full / "export").iterdir()}
        assert 0 < len(written) < 8
        assert not [name for name in written if name.startswith(".")], "no file is half-written"
        assert f"{len(written)} files; to undo it" in said.out
        assert place.restore("--undo").code == OK
        assert list((full / "export").iterdir()) == []


def test_without_room_for_what_undoes_it_nothing_is_restored(place: Place, tmp_path: Path) -> None:
    with_export(place, a="old " * 100_000)
    gone = place.insert("gone", comment="".join(secrets.token_hex(4) for _ in range(100_000)))
    backed_up(place)
    empty(place.dsn)
    with_export(place, a="new " * 300_000)
    (place.home / ".local").mkdir(exist_ok=True)
    with small_disk(place.home / ".local" / "restore", 1) as full:
        said = place.restore("--restore-files", "--overwrite")
        assert said.code == PROBLEMS, said.err
        assert "What undoes it comes first: no file is written without" in said.err
        assert (place.home / "export" / "a").read_text() == "new " * 300_000
        (full / "other").write_bytes(b"x" * 900_000)
        said = place.restore("--restore-decisions")
        assert said.code == PROBLEMS, said.err
        assert "No space left on device" in said.err
        assert place.rows() == []
        assert [path.name for path in full.iterdir()] == ["other"]
        (full / "other").unlink()
        assert place.restore("--restore-decisions").code == OK
    assert [row["id"] for row in place.rows()] == [gone]


def test_a_full_disk_while_files_are_undone_keeps_what_undoes_them(place: Place, tmp_path: Path) -> None:
    with_export(place, a="old")
    backed_up(place)
    with small_disk(tmp_path / "there", 1) as full:
        (full / "export").mkdir()
        (full / "export" / "a").write_text("live " * 100_000)
        assert place.restore("--restore-files", "--overwrite", "--to", str(full)).code == OK
        (full / "other").write_bytes(b"x" * 900_000)
        said = place.restore("--undo")
        assert said.code == PROBLEMS, said.err
        assert "No space left on device" in said.err
        assert (full / "export" / "a").read_text() == "old"
        (full / "other").unlink()
        assert place.restore("--undo").code == OK
        assert (full / "export" / "a").read_text() == "live " * 100_000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_told(place: Place, tmp_path: Path) -> None:
    with_export(place, a="a")
    backed_up(place)
    (tmp_path / "there").mkdir(mode=0o500)
    said = place.restore("--restore-files", "--to", str(tmp_path / "there"))
    assert said.code == PROBLEMS
    assert "Make its folder writable for this user" in said.err


def test_files_restored_without_a_vault_are_undone_without_one(place: Place, tmp_path: Path) -> None:
    with_export(place, a="a")
    backed_up(place)
    (place.home / "export" / "a").unlink()
    assert place.restore("--restore-files", DATABASE_URL="").code == OK
    assert place.restore("--undo", DATABASE_URL="").code == OK
    assert not (place.home / "export" / "a").exists()


# --- the repository while a restore is at it


def test_a_restore_with_a_wrong_token_a_redirect_or_a_cut_connection_is_told_and_leaves_nothing(place: Place) -> None:
    gone = place.insert("gone")
    backed_up(place)
    empty(place.dsn)
    wrong = place.restore("--restore-decisions", GITHUB_TOKEN=f"ghp_{secrets.token_hex(18)}")
    assert (wrong.code, "refuses the token" in wrong.err) == (UNAVAILABLE, True), wrong.err
    with redirecting(place.github.url) as moved:
        elsewhere = place.restore("--restore-decisions", REPO_URL=moved.url)
    assert (elsewhere.code, "has moved" in elsewhere.err) == (UNAVAILABLE, True), elsewhere.err
    for cut in (0, 5, 200):
        place.github.cut = cut
        for arguments in (("--restore-decisions",), ("--restore-files",), ("--test-restore",), ("--list",)):
            said = place.restore(*arguments)
            assert (said.code, "cannot be reached" in said.err) == (UNAVAILABLE, True), (cut, arguments, said.err)
    place.github.cut = None
    assert place.rows() == []
    assert not list((place.home / ".local" / "backup").glob("check-*"))
    assert not list((place.home / ".local").glob("restore/*.json"))
    assert place.restore("--restore-decisions").code == OK
    assert [row["id"] for row in place.rows()] == [gone]


@pytest.mark.parametrize("request_number", [1, 2])
def test_a_branch_that_is_rewritten_while_a_restore_reads_it_is_read_as_it_was_at_one_moment(
    place: Place, request_number: int
) -> None:
    gone = place.insert("gone")
    backed_up(place)
    empty(place.dsn)
    asked: list[str] = []

    def rewrite(path: str) -> None:
        if path.endswith("git-upload-pack") and "info" not in path:
            asked.append(path)
            if len(asked) == request_number:
                place.github.put({"README": "somebody else's"}, onto="")

    place.github.meddle = rewrite
    said = place.restore("--restore-decisions")
    assert len(asked) >= request_number
    assert said.code == (REFUSED if request_number == 1 else OK), said.err
    assert [row["id"] for row in place.rows()] == ([] if request_number == 1 else [gone])
    later = place.restore("--restore-decisions")
    assert (later.code, "manifest.json: is missing" in later.err) == (REFUSED, True), later.err


# --- undo


def test_what_is_undone_already_or_was_never_done_is_no_problem_of_an_undo(both: Place) -> None:
    changed, gone = both.insert("changed", comment="old"), both.insert("gone")
    with_export(both, a="old")
    backed_up(both)
    both.db.execute("update decision_vault set comment = 'live' where id = %s", (changed,))
    both.db.execute("delete from decision_vault where id = %s", (gone,))
    with_export(both, a="live")
    before = both.rows()
    said = both.restore("--restore-decisions", "--restore-files", "--overwrite", "--on-collision", "backup")
    assert said.code == OK, said.err
    (undo,) = (both.home / ".local" / "restore").iterdir()
    kept = undo.read_bytes()
    assert both.restore("--undo").code == OK
    undo.write_bytes(kept)
    again = both.restore("--undo")
    assert again.code == OK, again.err
    assert "no row, 0 files; all was as before it already" in again.out
    assert both.rows() == before
    assert (both.home / "export" / "a").read_text() == "live"


def test_a_restore_that_wrote_nothing_does_not_hide_the_one_before_from_undo(place: Place) -> None:
    gone = place.insert("gone")
    backed_up(place)
    place.db.execute("delete from decision_vault where id = %s", (gone,))
    assert place.restore("--restore-decisions").code == OK
    said = place.restore("--restore-decisions", "--restore-files")
    assert "no row written; 0 files\n" in said.out
    assert place.restore("--undo").code == OK
    assert place.rows() == []


def test_a_restore_whose_record_cannot_be_written_is_told_with_what_it_did(place: Place) -> None:
    gone = place.insert("gone")
    backed_up(place)
    place.db.execute("delete from decision_vault")
    place.db.execute("alter table agent_activity add constraint none check (agent_name <> 'restore_from_github')")
    said = place.restore("--restore-decisions")
    undone = place.restore("--undo")
    place.db.execute("alter table agent_activity drop constraint none")
    assert said.code == undone.code == PROBLEMS
    assert "1 decision_vault added; 0 files; to undo it" in said.out
    assert "What was done is not written down there" in said.err
    assert gone
    assert place.rows() == []


def test_an_undo_that_names_nothing_known_is_told(place: Place) -> None:
    assert place.restore("--undo", "no-such-run").code == USAGE
    folder = place.home / ".local" / "restore"
    for text in ("", "[]", '{"run": 1}', "[" * 9999):
        (folder / "20260101T000000000000-r.json").write_text(text)
        said = place.restore("--undo")
        assert said.code not in {OK, BUG}, said.err
        assert "cannot be read" in said.err


def test_many_files_are_written_down_once(place: Place, tmp_path: Path) -> None:
    """What undoes them would else be written as often as there are files, each time with all before."""
    from utils.backup import apply

    kept: list[int] = []
    place.patch.setattr(apply.Undo, "keep", lambda undo: kept.append(len(undo.files)))
    documents = {f"export/{number}": b"x" for number in range(50)}
    apply.restore_files(documents, tmp_path / "there", apply.Undo(tmp_path / "u", "r"), "s", overwrite=True)
    place.patch.undo()
    assert kept == [50]
