"""What waits for a person: listed with what is like it, accepted, rejected."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.world import World
from utils.errors import OK, USAGE, ConfigError
from utils.intake import review
from utils.intake.book import Brief
from utils.intake.items import ACCEPTED, REJECTED
from utils.intake.keep import Terms
from utils.intake.model import Found, Message
from utils.intake.near import Words
from utils.intake.take import Taker
from utils.sync.explain import Told

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ALONE = {"NOTION_TOKEN": "", "NOTION_DATABASE_ID": ""}
pytestmark = pytest.mark.parametrize("world", ["postgres"], indirect=True)


def each_line(message: Message) -> list[Found]:
    """Every line of a message as a decision, one with a question mark as an uncertain one."""
    return [
        Found(text.strip("?"), "", "other", "", 0.4 if "?" in text else 0.9, message)
        for text in message.text.splitlines()
    ]


def take(world: World, text: str) -> dict[str, str]:
    """Takes lines in; the ids of all items by their text."""
    vault = world.vault()
    Taker(vault, uuid.uuid4().hex, Terms(0.6, str), each_line).process(["-"], io.BytesIO(text.encode()), NOW)
    vault.close()
    found = world.db.execute("select id::text, content ->> 'decision' as decision from intake_items").fetchall()
    return {row["decision"]: row["id"] for row in found}


def listed(world: World) -> Told:
    """What --review tells."""
    vault = world.vault()
    try:
        return review.review(vault)
    finally:
        vault.close()


def settle(world: World, accept: Sequence[str] = (), reject: Sequence[str] = ()) -> Told:
    """What --accept and --reject do."""
    vault = world.vault()
    try:
        return review.settle(vault, accept, reject)
    finally:
        vault.close()


def test_what_waits_is_listed_with_what_is_nearly_the_same(world: World) -> None:
    ids = take(world, "Use PostgreSQL for the billing service\nUse PostgreSQL for billing services?\nShip it?")
    told = listed(world)
    unsure = ids["Use PostgreSQL for billing services"]
    sure = ids["Use PostgreSQL for the billing service"]
    lines = "\n".join(told.lines)
    assert (
        f"{unsure[:8]} 'Use PostgreSQL for billing services': 2026-11-25 other, sure by 0.40, from stdin\n"
        f"  nearly the same as {sure[:8]} 'Use PostgreSQL for the billing service', taken in before"
    ) in lines
    assert f"{ids['Ship it'][:8]} 'Ship it': 2026-11-25 other" in lines
    assert told.closing.startswith("2 to review, 0 pairs that say nearly the same; settle with --accept ID")
    likes = {each["content"]["decision"]: each["nearly_the_same"] for each in told.json["review"]}
    assert likes == {"Use PostgreSQL for billing services": sure, "Ship it": None}


def test_two_in_the_vault_that_say_nearly_the_same_are_proposed_once_and_not_merged(world: World) -> None:
    ids = take(world, "Keep logs for thirty days\nKeep the logs for thirty days\nShip on Tuesdays")
    told = listed(world)
    assert {frozenset(pair) for pair in told.json["nearly_the_same"]} == {
        frozenset((ids["Keep logs for thirty days"], ids["Keep the logs for thirty days"]))
    }
    assert len(told.lines) == 1
    assert len(world.rows()) == 3
    assert (
        settle(world, reject=[ids["Keep logs for thirty days"]])
        .lines[0]
        .startswith("rejected and retired in the vault")
    )
    assert listed(world).lines == []
    assert world.row(ids["Keep logs for thirty days"])["active"] is False


def test_what_replaces_another_is_no_duplicate(world: World) -> None:
    ids = take(world, "Keep logs for thirty days\nKeep logs for thirty days now")
    world.db.execute(
        "update intake_items set supersedes = %s where id = %s",
        (ids["Keep logs for thirty days"], ids["Keep logs for thirty days now"]),
    )
    assert listed(world).lines == []


def test_accepted_goes_into_the_vault_and_rejected_never(world: World) -> None:
    ids = take(world, "Yes?\nNo?")
    told = settle(world, [ids["Yes"][:8]], [ids["No"].replace("-", "")[:10].upper()])
    assert told.lines == [f"accepted: {ids['Yes'][:8]} 'Yes'", f"rejected: {ids['No'][:8]} 'No'"]
    assert [content.decision for content in world.rows().values()] == ["Yes"]
    assert settle(world, [ids["Yes"]], [ids["No"]]).lines[0].startswith("accepted already")
    take(world, "Yes\nNo")
    assert [content.decision for content in world.rows().values()] == ["Yes"]
    assert listed(world).json["review"] == []


@pytest.mark.parametrize(
    ("prefix", "told"),
    [
        ("", "'' is no id"),
        ("abc", "'abc' is no id, nor 4 or more digits that one begins with"),
        ("wxyz", "'wxyz' is no id"),
        ("0000", "there is no item 0000"),
        (str(uuid.UUID(int=0)), "there is no item 00000000"),
    ],
)
def test_an_id_that_names_nothing_is_refused_before_anything_is_settled(world: World, prefix: str, told: str) -> None:
    ids = take(world, "Yes?")
    with pytest.raises(ConfigError, match=told):
        settle(world, [ids["Yes"], prefix])
    assert world.rows() == {}


def test_an_ambiguous_id_names_what_it_may_mean(world: World) -> None:
    ids = take(world, "One?\nTwo?")
    for number, key in enumerate(ids.values()):
        world.db.execute("update intake_items set id = %s where id = %s", (f"abcd{number}{key[5:]}", key))
    with pytest.raises(ConfigError, match=r"abcd is the beginning of abcd0\S+, abcd1\S+\. Give more digits"):
        settle(world, ["abcd"])
    assert settle(world, ["abcd0"]).lines[0].startswith("accepted: abcd0")


def test_one_id_is_not_accepted_and_rejected_at_once(world: World) -> None:
    ids = take(world, "Yes?")
    with pytest.raises(ConfigError, match="is to be rejected too"):
        settle(world, [ids["Yes"]], [ids["Yes"][:6]])
    assert world.rows() == {}


def test_the_script_lists_and_settles_with_the_vault_alone(world: World) -> None:
    ids = take(world, "Yes?\nNo?\nSpell \x1b[31m it?")
    shown = world.script("memory_sync.py", "--review", **ALONE)
    assert (shown.returncode, shown.stderr) == (OK, "")
    assert shown.stdout.splitlines()[-1].startswith("memory_sync: 3 to review")
    assert "\x1b" not in shown.stdout
    assert len(json.loads(world.script("memory_sync.py", "--review", "--json", **ALONE).stdout)["review"]) == 3
    done = world.script("memory_sync.py", "--accept", ids["Yes"][:8], "--reject", ids["No"][:8], **ALONE)
    assert (done.returncode, done.stderr) == (OK, "")
    assert done.stdout.splitlines()[-1] == ("memory_sync: 1 accepted, 1 rejected; Notion follows with the next sync")
    out, _ = world.start("memory_sync.py", "--reject", ids["Yes"][:8], "--json", **ALONE).communicate(timeout=60)
    assert json.loads(out) == {"settled": [{"id": ids["Yes"], "was": ACCEPTED, "state": REJECTED, "retired": True}]}
    unknown = world.script("memory_sync.py", "--accept", "0000", **ALONE)
    assert unknown.returncode == USAGE
    assert unknown.stderr == "memory_sync: --accept: there is no item 0000. See --review.\n"


def test_words_in_another_order_are_like_and_other_things_are_not(world: World) -> None:
    words = Words.of(
        [
            Brief("1", ACCEPTED, "Use Redis as the cache", "a.md"),
            Brief("2", REJECTED, "Use Redis as cache", "a.md"),
            Brief("3", ACCEPTED, "Write the runbook", "0042-runbook.md"),
        ]
    )
    assert words.like("x", "As the cache, use Redis") == "1"
    assert words.like("1", "Use Redis as the cache") is None, "never itself, never what was rejected"
    assert words.like("x", "Buy a coffee machine") is None
    assert words.named("ADR 42", but="x") == "3"
    assert words.named("ADR 42", but="3") is None
    assert words.named("redis as the cache", but="x") == "1"
