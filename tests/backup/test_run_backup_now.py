"""The script `run_backup_now.py` against a real git server: what is pushed, what never is, and what is refused."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backup.conftest import Place
from tests.git_server import redirecting
from tests.local.test_postgres import small_disk
from utils.backup import clean, run
from utils.backup.snapshot import MANIFEST
from utils.errors import BUSY, OK, PROBLEMS, REFUSED, UNAVAILABLE, USAGE, AnglesError
from utils.files import hold_lock
from utils.git_helpers import make_bare
from utils.redact import Redactor


def test_a_backup_is_a_commit_of_redacted_rows_and_files_with_a_manifest(place: Place) -> None:
    first = place.insert("Ship on Friday", comment=f"with {place.github.token} in it")
    (place.home / "export").mkdir()
    (place.home / "export" / "notes.md").write_text(f"token = {place.github.token}\n")
    said = place.backup()
    assert said.code == OK, said.err
    assert re.search(r"run_backup_now: \w{12} pushed to angles-backup of http\S+ and verified: 1 decisions", said.out)
    files = place.github.files()
    assert sorted(files) == ["files/export/notes.md", MANIFEST, f"tables/decision_vault/{first[:2]}.jsonl"]
    row = json.loads(files[f"tables/decision_vault/{first[:2]}.jsonl"])
    assert (row["id"], row["decision"], row["comment"]) == (first, "Ship on Friday", "with [REDACTED:configured] in it")
    assert files["files/export/notes.md"] == "token = [REDACTED:configured]"
    manifest = json.loads(files[MANIFEST])
    assert manifest["rows"]["decision_vault"] == 1
    assert manifest["redactions"] == {"configured": 2}
    assert manifest["read"] == "one transaction"
    assert "20" + "26" not in json.dumps({name: manifest[name] for name in manifest if name != "schema"})
    assert place.report()["outcome"] == "pushed"
    assert place.report()["verified"] is True
    (activity,) = place.rows("agent_activity")
    assert (activity["agent_name"], activity["status"]) == ("run_backup_now", "done")
    assert "pushed to angles-backup" in (place.home / "logs" / "backup.log").read_text()


def test_nothing_changed_nothing_committed_whatever_the_agents_did(place: Place) -> None:
    decision = place.insert("One")
    assert place.backup().code == OK
    place.db.execute("insert into agent_activity (agent_name, action) values ('a', 'b')")
    again = place.backup()
    assert again.code == OK
    assert "nothing changed since" in again.out
    assert len(place.github.commits()) == 1
    place.db.execute("update decision_vault set comment = 'c' where id = %s", (decision,))
    assert place.backup().code == OK
    assert len(place.github.commits()) == 2
    assert any(path.startswith("tables/agent_activity/") for path in place.github.files()), "they go along then"
    changed = place.github.git("diff", "--name-only", "angles-backup~1", "angles-backup", "--", "tables/decision_vault")
    assert changed == f"tables/decision_vault/{decision[:2]}.jsonl"


def test_a_first_backup_of_an_empty_vault_begins_the_branch(place: Place) -> None:
    said = place.backup()
    assert said.code == OK, said.err
    assert "pushed to angles-backup" in said.out
    assert sorted(place.github.files()) == [MANIFEST]
    assert "would add 0 rows" in place.restore().out
    assert "nothing changed since" in place.backup().out


def test_the_rest_api_gives_the_same_files_and_the_manifest_states_when_it_read(rest_place: Place) -> None:
    for number in range(3):
        rest_place.insert(f"decision {number}", comment="ü\u2028\\ \"'")
    rest_place.db.execute("update decision_vault set comment = 'changed' where decision = 'decision 1'")
    assert rest_place.backup().code == OK
    by_rest = rest_place.github.files()
    window = json.loads(by_rest.pop(MANIFEST))["read"]
    assert window["began"] < window["ended"]
    directly = rest_place.backup("--dry-run", "--json", DATABASE_URL=rest_place.dsn)
    assert directly.json["outcome"] == "unchanged", "both ways read the very same bytes"


def test_a_dry_run_says_what_would_be_committed_and_writes_nothing(place: Place) -> None:
    place.insert("One", comment=place.github.token)
    said = place.backup("--dry-run")
    assert said.code == OK
    assert "decision_vault: 1 rows added, 0 changed, 0 removed" in said.out
    assert "would push to angles-backup" in said.out
    assert "1 secrets redacted" in said.out
    assert place.github.tip() == ""
    assert not (place.home / "logs" / "active" / "backup_report.json").exists()
    assert place.rows("agent_activity") == []
    document = place.backup("--dry-run", "--json").json
    assert document["changes"]["rows"]["decision_vault"] == {"added": 1, "changed": 0, "removed": 0}


def test_check_verifies_the_remote_without_the_vault_and_finds_what_was_tampered_with(place: Place) -> None:
    place.insert("One")
    assert place.backup().code == OK
    before = place.github.tip()
    checked = place.backup("--check", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert (checked.code, place.github.tip()) == (OK, before), checked.err
    (path,) = (path for path in place.github.files() if path.startswith("tables/"))
    place.github.put({path: "{}\n"})
    tampered = place.backup("--check")
    assert tampered.code == REFUSED
    assert f"{path}: is not what the manifest says" in tampered.err


@pytest.mark.parametrize("content", ["{}\n", "[]\n", "no JSON\n", b"\xff\n", "[" * 9999, "", None])
def test_whatever_somebody_made_of_a_shard_the_next_backup_mends_it(place: Place, content: str | bytes | None) -> None:
    decision = place.insert("One")
    assert place.backup().code == OK
    path = f"tables/decision_vault/{decision[:2]}.jsonl"
    whole = place.github.files()[path]
    place.github.put({path: content})
    said = place.backup()
    assert said.code == OK, said.err
    assert place.github.files()[path] == whole
    assert place.report()["verified"] is True


def test_what_was_pushed_and_not_yet_verified_is_verified_by_the_next_run_though_nothing_changed(place: Place) -> None:
    place.insert("One")
    with place.patch.context() as patch:
        patch.setattr(run, "verify", lambda *_: (_ for _ in ()).throw(AnglesError("here", "cut off")))
        assert place.backup().code == PROBLEMS
    assert (place.report()["outcome"], place.report()["verified"]) == ("pushed", False)
    said = place.backup()
    assert (said.code, "nothing changed" in said.out, place.report()["verified"]) == (OK, True, True)
    asked = len(place.github.asked)
    assert place.backup().code == OK
    assert len(place.github.asked) - asked <= 3, "no clone is made again: the branch is where it was"
    place.github.put({"notes.txt": place.github.token})
    for _ in range(2):
        said = place.backup()
        assert (said.code, "notes.txt line 1 (configured)" in said.err) == (PROBLEMS, True), said.err


def test_a_secret_that_somebody_pushed_beside_is_told_by_file_and_line(place: Place) -> None:
    place.insert("One")
    assert place.backup().code == OK
    place.github.put({"notes.txt": f"line\nand {place.github.token}\n"})
    checked = place.backup("--check")
    assert checked.code == PROBLEMS
    assert "notes.txt line 2 (configured)" in checked.err
    assert place.github.token not in checked.err


# --- the second look


def test_what_redaction_misses_stops_the_commit_with_file_and_line_and_never_the_value(place: Place) -> None:
    decision = place.insert("fine")
    place.db.execute("update decision_vault set comment = %s where id = %s", (place.github.token, decision))
    place.patch.setattr(clean, "cleaned", lambda _path, data, _redactor: data)
    place.patch.setattr("utils.backup.publish.cleaned", lambda _path, data, _redactor: data)
    said = place.backup()
    assert said.code == REFUSED
    assert (
        f"redaction failed, nothing was committed: tables/decision_vault/{decision[:2]}.jsonl line 1 (configured)"
        in said.err
    )
    assert place.github.tip() == ""
    assert place.github.token.encode() not in place.written(), "the clone that had it is gone too"
    assert place.report()["outcome"] == "failed"
    place.patch.undo()


def test_the_tokens_traces_are_nowhere(place: Place) -> None:
    """In no command line while git runs, no file, no log, no report, no object, not even when it is refused."""
    lines: list[bytes] = []

    def watch(_path: str) -> None:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                lines.append(process.read_bytes())

    place.github.meddle = watch
    place.insert("One")
    ended = place.child("backup").communicate(timeout=60)
    place.github.token = "another"
    refused = place.child("backup")
    said = refused.communicate(timeout=60)
    assert refused.returncode == UNAVAILABLE
    assert "refuses the token" in said[1]
    secret = place.env["GITHUB_TOKEN"].encode()
    spellings = [secret, base64.b64encode(b"x-access-token:" + secret)]
    assert any(b"git-remote-http" in line or b"ls-remote" in line for line in lines) or not Path("/proc").is_dir()
    everything = b"\n".join([*lines, place.written(), *(part.encode() for part in (*ended, *said))])
    assert [spelling for spelling in spellings if spelling in everything] == []


def test_the_token_does_not_follow_a_redirect(place: Place) -> None:
    place.insert("One")
    with redirecting(place.github.url) as moved:
        said = place.backup(REPO_URL=moved.url)
    assert said.code == UNAVAILABLE
    assert "has moved" in said.err
    assert moved.asked, "it was asked, and sent the client on"
    assert place.github.asked == [], "nobody went there"


def test_git_variables_hooks_and_configuration_of_the_user_have_no_say(place: Place, tmp_path: Path) -> None:
    trace, config = tmp_path / "trace", tmp_path / "gitconfig"
    config.write_text(
        f'[url "http://127.0.0.1:1/"]\n\tinsteadOf = {place.github.url}\n[credential]\n\thelper = store\n'
    )
    place.insert("One")
    env = {
        "GIT_TRACE": str(trace), "GIT_TRACE_CURL": str(trace), "GIT_TRACE2_EVENT": str(trace),
        "GIT_CURL_VERBOSE": "1", "GIT_CONFIG_GLOBAL": str(config), "GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere",
        "GIT_ASKPASS": "/bin/false", "GIT_SSL_NO_VERIFY": "1", "GIT_TRACE_REDACT": "0",
    }  # fmt: skip
    child = place.child("backup", env=env)
    _, err = child.communicate(timeout=60)
    assert child.returncode == OK, err
    said = trace.read_text() if trace.exists() else ""
    assert not re.search("push|fetch|ls-remote|http", said), "GitPython asks git's version, which is all that it tells"
    assert not (place.home / ".git-credentials").exists()


def test_what_did_not_change_is_not_redacted_again_until_a_secret_is_configured_later(place: Place) -> None:
    value = secrets.token_hex(12)
    place.insert("One", comment=f"looks harmless: {value[:8]}-{value[8:16]}")
    assert place.backup().code == OK
    redacted: list[str] = []

    def cleaned(path: str, data: bytes, redactor: Redactor) -> bytes | None:
        redacted.append(path)
        return clean.cleaned(path, data, redactor)

    with place.patch.context() as patch:
        patch.setattr("utils.backup.publish.cleaned", cleaned)
        assert "nothing changed" in place.backup().out
    assert all(path.startswith("tables/agent_activity/") for path in redacted)
    said = place.backup(SOME_SERVICE_TOKEN=f"{value[:8]}-{value[8:16]}")
    assert said.code == OK, said.err
    assert "[REDACTED:configured]" in "".join(place.github.files().values())


# --- odd repositories


def test_the_codes_repository_keeps_its_default_branch_and_the_backups_share_no_history_with_it(place: Place) -> None:
    place.github.put({"main.py": "code"}, "trunk")
    place.github.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    place.insert("One")
    assert place.backup().code == OK
    assert "main.py" not in place.github.files()
    assert place.github.files("trunk") == {"main.py": "code"}
    assert len(place.github.commits()) == 1


def test_a_branch_that_no_backup_made_is_refused_by_name(place: Place) -> None:
    place.github.put({"README": "mine", "a/b": "c"})
    place.insert("One")
    said = place.backup()
    assert said.code == REFUSED
    assert "its branch angles-backup holds files that no backup made (README, a/b)" in said.err
    assert "BACKUP_BRANCH" in said.err
    assert place.github.files() == {"README": "mine", "a/b": "c"}
    assert place.backup(BACKUP_BRANCH="of/its-own").code == OK


def test_files_of_others_beside_the_snapshot_are_left_alone_and_named(place: Place) -> None:
    decision = place.insert("One")
    assert place.backup().code == OK
    place.github.put({"LICENSE": "theirs", ".gitattributes": "* text eol=crlf ident filter=x\n"})
    place.db.execute("update decision_vault set comment = %s where id = %s", ("a\r\nb $Id$", decision))
    said = place.backup()
    assert said.code == OK, said.err
    assert "2 files that no backup made are left alone: .gitattributes, LICENSE" in said.err
    assert place.github.files()["LICENSE"] == "theirs"
    assert place.report()["verified"] is True


def test_a_branch_that_was_rewritten_is_gone_on_with_and_what_it_was_is_kept(place: Place) -> None:
    decision = place.insert("One")
    assert place.backup().code == OK
    lost = place.github.tip()
    files = {path: text + "\n" for path, text in place.github.files().items()}
    place.github.put(dict(files), onto="")
    place.db.execute("update decision_vault set comment = 'c' where id = %s", (decision,))
    said = place.backup()
    assert said.code == OK, said.err
    assert f"was rewritten by somebody; what it was is kept in {place.clone} as refs/kept/{lost}" in said.err
    assert len(place.github.commits()) == 2


def test_a_branch_that_was_deleted_is_begun_anew_without_its_history(place: Place) -> None:
    place.insert("One")
    assert place.backup().code == OK
    place.github.git("update-ref", "-d", "refs/heads/angles-backup")
    said = place.backup()
    assert said.code == OK
    assert "is gone from the repository" in said.err
    assert len(place.github.commits()) == 1


def test_commits_of_another_host_are_kept_and_ours_goes_on_top_without_force(place: Place) -> None:
    decision = place.insert("One")
    assert place.backup().code == OK
    place.db.execute("update decision_vault set comment = 'ours' where id = %s", (decision,))
    theirs: list[str] = []

    def push_first(path: str) -> None:
        if path.endswith("git-receive-pack") and "info" not in path and not theirs:
            theirs.append(place.github.put({"LICENSE": "theirs"}))

    place.github.meddle = push_first
    place.github.git("config", "receive.denyNonFastForwards", "true")
    said = place.backup()
    assert said.code == OK, said.err
    assert theirs
    assert place.github.git("rev-parse", "angles-backup~1") == theirs[0]
    assert "ours" in "".join(place.github.files().values())
    assert place.github.files()["LICENSE"] == "theirs"


# --- refusals, cuts, kills


def test_a_hook_that_rejects_is_told_and_the_next_run_pushes_what_could_not_be(place: Place) -> None:
    place.insert("One")
    hook = place.github.hook("pre-receive", "echo 'no backups on Wednesdays' >&2; exit 1")
    said = place.backup()
    assert said.code == REFUSED
    assert "refuses the push" in said.err
    assert "no backups on Wednesdays" in (place.home / "logs" / "backup.log").read_text()
    assert place.github.tip() == ""
    assert (place.report()["outcome"], place.rows("agent_activity")[0]["status"]) == ("failed", "failed")
    hook.unlink()
    place.insert("Two")
    assert place.backup().code == OK
    assert [re.sub(", .*", "", title) for title in place.github.commits()] == [
        "Backup of 2 decisions",
        "Backup of 1 decisions",
    ]


def test_what_a_run_could_not_push_is_pushed_and_verified_even_where_nothing_changed_since(place: Place) -> None:
    place.insert("One")
    hook = place.github.hook("pre-receive", "exit 1")
    assert place.backup().code == REFUSED
    looked = place.backup("--dry-run")
    assert "1 commits of a run that was cut off are still to be pushed" in looked.err
    hook.unlink()
    assert place.backup().code == OK
    assert (place.report()["outcome"], place.report()["verified"]) == ("pushed", True)
    assert len(place.github.commits()) == 1


def test_push_protection_means_that_redaction_failed_and_nothing_of_it_is_kept(place: Place) -> None:
    place.insert("One")
    refusal = "GH013: Repository rule violations found. Push cannot contain secrets"
    hook = place.github.hook("pre-receive", f"echo '{refusal}' >&2; exit 1")
    said = place.backup()
    assert said.code == REFUSED
    assert "redaction failed" in said.err
    assert list((place.home / ".local" / "backup").glob("*.git")) == []
    hook.unlink()
    assert place.backup().code == OK
    assert len(place.github.commits()) == 1


@pytest.mark.parametrize("when", ["first", "later"])
def test_a_cut_connection_is_told_and_the_next_run_completes_it(place: Place, when: str) -> None:
    decision = place.insert("One")
    if when == "later":
        assert place.backup().code == OK
        place.db.execute("update decision_vault set comment = 'c' where id = %s", (decision,))
    place.github.cut = 5
    said = place.backup()
    assert said.code == UNAVAILABLE, said.err
    assert "cannot be reached" in said.err
    place.github.cut = None
    assert place.backup().code == OK
    assert len(place.github.commits()) == (2 if when == "later" else 1)
    assert place.backup("--check").code == OK


@pytest.mark.parametrize(
    ("wrong", "code", "told"),
    [
        ({"REPO_URL": "http://127.0.0.1:1/x.git"}, UNAVAILABLE, "cannot be reached"),
        ({"REPO_URL": "/nowhere/at/all.git"}, UNAVAILABLE, "there is no such repository"),
        ({"REPO_URL": ""}, USAGE, "Set REPO_URL and GITHUB_TOKEN"),
        ({"DATABASE_URL": "postgresql://x@127.0.0.1:1/y"}, UNAVAILABLE, "database 127.0.0.1:1: cannot be reached"),
    ],
    ids=["nobody listens", "no such path", "not configured", "no vault"],
)
def test_what_is_wrong_is_one_line_with_a_remedy(place: Place, wrong: dict[str, str], code: int, told: str) -> None:
    said = place.backup(**wrong)
    assert said.code == code, said.err
    assert told in said.err


def test_an_unknown_repository_is_told(place: Place) -> None:
    said = place.backup(REPO_URL=place.github.url.replace("backups.git", "other.git"))
    assert said.code == UNAVAILABLE
    assert "there is no such repository, or the token may not see it" in said.err


def test_a_full_disk_is_told_and_the_next_run_completes_it(place: Place) -> None:
    import resource

    place.insert("One", comment="".join(secrets.token_hex(4) + " " for _ in range(40_000)))
    limit = 150_000
    child = place.child("backup", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    _, err = child.communicate(timeout=60)
    assert child.returncode == PROBLEMS, err
    assert "the disk is full" in err
    assert place.backup().code == OK
    assert len(place.github.commits()) == 1


def test_a_full_file_system_is_told_and_the_next_run_works_in_what_is_free(place: Place) -> None:
    decision = place.insert("One", comment="".join(secrets.token_hex(4) + " " for _ in range(250_000)))
    (place.home / ".local").mkdir()
    with small_disk(place.home / ".local" / "backup", 1):
        said = place.backup()
        assert (said.code, f"{place.clone}: the disk is full" in said.err) == (PROBLEMS, True), said.err
        assert place.github.tip() == ""
        place.db.execute("update decision_vault set comment = 'short' where id = %s", (decision,))
        place.db.execute("set session_replication_role = replica")
        place.db.execute("truncate decision_history")
        place.db.execute("set session_replication_role = origin")
        assert place.backup().code == OK
    assert len(place.github.commits()) == 1


def test_a_full_disk_of_the_repository_is_told_as_that(place: Place, tmp_path: Path) -> None:
    place.insert("One", comment="".join(secrets.token_hex(4) + " " for _ in range(250_000)))
    with small_disk(tmp_path / "there", 1):
        make_bare(tmp_path / "there" / "backups.git")
        said = place.backup(REPO_URL=str(tmp_path / "there" / "backups.git"))
    assert said.code == UNAVAILABLE, said.err
    assert "backups.git: cannot take what is pushed" in said.err


# --- guards


def test_a_loss_of_rows_is_refused_until_it_is_meant(place: Place) -> None:
    for number in range(10):
        place.insert(f"decision {number}")
    assert place.backup().code == OK
    place.db.execute("delete from decision_vault where decision in ('decision 1', 'decision 2')")
    assert place.backup().code == OK, "a fifth is not more than 20 %"
    place.db.execute("delete from decision_vault where decision in ('decision 3', 'decision 4')")
    said = place.backup()
    assert said.code == REFUSED
    assert "rows fell by more than 20 %: decision_vault: 6 rows, 8 in the last snapshot" in said.err
    assert len(place.github.commits()) == 2
    assert place.backup("--allow-shrink").code == OK
    assert len(place.github.commits()) == 3


def test_a_large_file_is_warned_of_and_a_huge_one_refused_before_the_push(place: Place) -> None:
    place.patch.setattr(run, "WARN_BYTES", 1_000)
    place.patch.setattr(run, "MOST_BYTES", 2_000)
    (place.home / "export").mkdir()
    path = place.home / "export" / "big.txt"
    path.write_text("a b " * 300)
    said = place.backup()
    assert (said.code, "files/export/big.txt has 0 MB" in said.err) == (OK, True)
    path.write_text("a b " * 600)
    refused = place.backup()
    assert refused.code == REFUSED
    assert "files/export/big.txt" in refused.err
    assert len(place.github.commits()) == 1
    place.patch.undo()


def test_a_file_of_over_100_mb_is_refused_before_it_is_read(place: Place) -> None:
    (place.home / "export").mkdir()
    with (place.home / "export" / "dump.bin").open("wb") as huge:
        huge.truncate(100_000_001)
    said = place.backup()
    assert said.code == REFUSED
    assert "export/dump.bin has 100 MB, more than a file may have. Take it out of BACKUP_PATHS" in said.err
    assert place.github.tip() == ""


def test_files_of_51_and_of_100_mb_go_with_a_warning_and_one_of_more_stops_the_push(
    place: Place, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    if not request.config.getoption("--long"):
        pytest.skip("half a minute and 300 MB: --long")
    (place.home / "export").mkdir()
    for name, size in (("some", 51_000_000), ("most", 100_000_000)):
        (place.home / "export" / f"{name}.bin").write_bytes(random.Random(size).randbytes(size))
    began = time.monotonic()
    said = place.backup()
    assert said.code == OK, said.err
    for told in ("some.bin has 51 MB", "most.bin has 100 MB"):
        assert f"files/export/{told}; the repository refuses 100" in said.err
    assert {len(place.github.contents()[f"files/export/{name}.bin"]) for name in ("some", "most")} == {
        51_000_000, 100_000_000,
    }  # fmt: skip
    figure(f"151 MB backed up and verified in {time.monotonic() - began:.0f} s")
    with (place.home / "export" / "most.bin").open("ab") as more:
        more.write(b"x")
    refused = place.backup()
    assert refused.code == REFUSED
    assert "export/most.bin has 100 MB, more than a file may have" in refused.err
    assert len(place.github.commits()) == 1


def test_clones_that_a_killed_run_left_are_removed_once_nobody_can_be_at_them(place: Place) -> None:
    old, young = (place.home / ".local" / "backup" / f"check-{name}" for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    assert place.backup().code == OK
    assert (old.exists(), young.exists()) == (False, True)


def test_a_report_that_cannot_be_written_is_a_problem_of_a_backup_that_was_made(place: Place) -> None:
    place.insert("One")
    (place.home / "logs" / "active" / "backup_report.json").mkdir(parents=True)
    said = place.backup()
    assert said.code == PROBLEMS
    assert "backup_report.json: cannot be written" in said.err
    assert "the result is not written down everywhere" in said.err
    assert len(place.github.commits()) == 1


def test_two_backups_do_not_meet(place: Place) -> None:
    place.insert("One")
    with hold_lock(place.home / "logs" / "active" / "backup.lock"):
        assert place.backup().code == BUSY


@pytest.mark.parametrize("damage", ["objects", "a blob", "refs", "everything"])
def test_a_damaged_clone_is_made_anew(place: Place, damage: str) -> None:
    decision = place.insert("One")
    assert place.backup().code == OK
    place.db.execute("update decision_vault set comment = 'c' where id = %s", (decision,))
    blob = place.github.git("rev-parse", f"angles-backup:tables/decision_vault/{decision[:2]}.jsonl")
    targets = {
        "objects": list((place.clone / "objects").rglob("*")),
        "a blob": [place.clone / "objects" / blob[:2] / blob[2:]],
        "refs": [place.clone / "HEAD"],
        "everything": list(place.clone.rglob("*")),
    }[damage]
    for path in targets:
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"\0damaged")
    said = place.backup()
    assert said.code == OK, said.err
    assert len(place.github.commits()) == 2
    assert place.backup("--check").code == OK


def test_a_damaged_clone_with_unpushed_commits_is_kept_aside(place: Place) -> None:
    place.insert("One")
    hook = place.github.hook("pre-receive", "exit 1")
    assert place.backup().code == REFUSED
    hook.unlink()
    for path in (place.clone / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"\0damaged")
    said = place.backup()
    assert said.code == OK, said.err
    assert "holds unpushed commits: it is kept as" in said.err
    assert len(place.github.commits()) == 1


# --- which files


def test_secrets_homes_links_and_our_own_reports_never_go_along(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    folder = place.home / "export"
    for name in (
        "ok.txt",
        ".env",
        "prod.env",
        "server.key",
        "id_rsa",
        ".local/x",
        "logs/active/a.json",
        "sub/.git/config",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("content")
    (folder / "link").symlink_to(outside)
    (folder / "folder").symlink_to(tmp_path)
    (folder / "bin.dat").write_bytes(b"\xff\xfe" + place.github.token.encode())
    (folder / "pic.png").write_bytes(b"\x89PNG\xff\x00")
    place.insert("One")
    said = place.backup(BACKUP_PATHS="export, export/ok.txt, missing.txt")
    assert said.code == OK, said.err
    assert sorted(path for path in place.github.contents() if path.startswith("files/")) == [
        "files/export/ok.txt",
        "files/export/pic.png",
    ]
    for told in (
        ".env is left out",
        "link is left out: it is a link",
        "bin.dat is left out: it is no text",
        "missing.txt is left out",
    ):
        assert told in said.err, told


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("REPO_URL", "https://user:pass@github.com/o/r.git", "REPO_URL holds a user, a token or a query"),
        ("REPO_URL", "https://ghp@github.com/o/r.git", "REPO_URL holds a user"),
        ("REPO_URL", "http://github.com/o/r.git", "http:// only on this machine"),
        ("REPO_URL", "git@github.com:o/r.git", "REPO_URL is neither"),
        ("REPO_URL", "ssh://git@github.com/o/r.git", "REPO_URL"),
        ("REPO_URL", "ext::sh -c touch% /tmp/x", "REPO_URL is neither"),
        ("REPO_URL", "--upload-pack=x", "REPO_URL is neither"),
        ("BACKUP_BRANCH", "--force", "BACKUP_BRANCH is"),
        ("BACKUP_BRANCH", "a..b", "BACKUP_BRANCH is"),
        ("GIT_EMAIL", "a>b", "GIT_EMAIL is"),
        ("BACKUP_PATHS", "../etc", "BACKUP_PATHS holds '../etc'"),
        ("BACKUP_PATHS", "/etc/passwd", "BACKUP_PATHS holds"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_settings_that_cannot_be_are_refused_by_name(place: Place, variable: str, value: str, told: str) -> None:
    said = place.backup(**{variable: value})
    assert said.code == USAGE
    assert told in said.err
    assert "pass@" not in said.err


def test_local_mode_has_a_repository_of_its_own(tmp_path: Path, place: Place) -> None:
    said = place.backup("--check", BACKEND_MODE="local")
    assert said.code == PROBLEMS
    assert "has no such branch: no backup was made yet" in said.err
    assert "Run: python run_backup_now.py" in said.err
    assert (place.home / ".local" / "backup.git" / "HEAD").is_file()
    assert place.github.asked == []


def test_the_author_is_who_the_settings_say(place: Place) -> None:
    place.insert("One")
    assert place.backup(GIT_USERNAME="Zoë Backup", GIT_EMAIL="zoe@example.org").code == OK
    assert place.github.git("log", "-1", "--format=%an <%ae>", "angles-backup") == "Zoë Backup <zoe@example.org>"
