"""What the rules make of a message: the sentence, its date, type, reasoning, whether it holds, and what it replaces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.outputs import OUTPUTS
from utils.intake import dates
from utils.intake.blocks import Block, blocks, cells, front_matter, plain, sentences
from utils.intake.cues import LONGEST, cue
from utils.intake.labels import attribute_of, labelled, section
from utils.intake.model import THRESHOLD, TYPES, Found, Message
from utils.intake.reading import DECISION
from utils.intake.rules import COMMENT, REVIEW, find
from utils.intake.types import type_of

DAY = "2026-03-04T10:00:00+00:00"


def only(text: str, role: str = "assistant", at: str = DAY, **fields: str) -> Found:
    """The one decision of a message."""
    (found,) = find(Message(text, role, at, fields=fields))
    return found


# --- the sentence


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("Decision: use tea.", "use tea"),
        ("**Decision:** `uv` builds all", "uv builds all"),
        ("Security decision (2026-03-03): rotate keys", "rotate keys"),
        ("[DECISION] use tea", "use tea"),
        ("Kim: we decided to use tea", "we decided to use tea"),
        ("We decided to use tea because it is warm.", "We decided to use tea"),
        ("- [x] Agreed: use [tea](https://tea.example)", "use tea"),
        ('Decision: "Use tea"', "Use tea"),
        ("2026-03-03 10:00:00 INFO DECISION: use tea", "use tea"),
        ("It's settled. We use tea.", "We use tea"),
        ("Decision: use tea. It is warm.", "use tea"),
        ("Noted! Decision: use tea.", "use tea"),
        ("We'll drink tea. That's final.", "We'll drink tea"),
        ("Tea is kept hot. This supersedes the rule of March.", "Tea is kept hot"),
        ("Decisions\n\nUse tea.", "Use tea"),
        ("Decided\n- use tea\nNot decided\n- milk", "use tea"),
        ("Question | Decision\n--- | ---\nDrink? | Use tea", "Use tea"),
        ("|Item|Outcome|Status|\n|-|-|-|\n|1|Use tea|Accepted|\n|2|Milk|Proposed|", "Use tea"),
        ('level=info decision="use tea" status=final', "use tea"),
        ("Result of the vote: 7 to 2. We will use tea.", "We will use tea"),
        ("---\ntitle: Use tea\nstatus: accepted\n---\nIt is warm.", "Use tea"),
        ("---\ndecision: Use tea\n---\nIt is warm.", "Use tea"),
        ("Status: approved\nItem: use tea", "use tea"),
        ("## Outcome\n\nWe will use tea.", "We will use tea"),
        ("## Decision\n\nWhat: use tea", "use tea"),
        ("2026-03-03 | DECISION | use tea | approved", "use tea"),
    ],
)
def test_a_decision_is_its_sentence_without_label_markup_and_reason(text: str, decision: str) -> None:
    assert only(text).decision == decision


def test_a_decision_said_twice_in_a_message_is_one() -> None:
    assert only("Decision: use tea.\n\nDecision: Use tea").confidence == 0.95


# --- confidence


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] Decision: use tea",
        "Status: proposed\nDecision: use tea",
        "# Tea\n\n## Status\n\nDraft\n\n## Decision\n\nWe will use tea.",
        "We tentatively agreed to use tea.",
        "Agreed (in principle): use tea",
        "I think we decided to use tea.",
        "We decided to discuss tea next week.",
        "Resolved: the tea is cold.",
        "## Decision\n\n- Consider tea",
    ],
)
def test_what_is_not_sure_is_for_a_person_to_review(text: str) -> None:
    assert 0 < only(text).confidence < THRESHOLD


def test_what_a_user_says_is_for_a_person_to_review_and_what_a_tool_says_is_nothing() -> None:
    assert only("Decision: use tea", role="user").confidence == REVIEW
    for role in ("system", "tool", "developer", "function"):
        assert find(Message("Decision: use tea", role)) == []


# --- the date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("On March 3, 2026 we decided to use tea.", "2026-03-03"),
        ("We decided on 3 March 2026 to use tea.", "2026-03-03"),
        ("Decision (2026-03-03): use tea", "2026-03-03"),
        ("Decision: use tea\nDate: 3.3.2026", "2026-03-03"),
        ("Date: 2026/03/03\n\nDecision: use tea", "2026-03-03"),
        ("# Minutes of 2026-03-03\n\nDecision: use tea", "2026-03-03"),
        ("[2026-03-03 10:00] DECISION: use tea", "2026-03-03"),
        ("---\ndate: 2026-03-03\n---\n# Tea\n\n## Decision\n\nWe will use tea.", "2026-03-03"),
        ("Decision: use tea (date: 2026-03-03)", "2026-03-03"),
        ("Yesterday we agreed to use tea.", "2026-03-03"),
        ("Last Tuesday we agreed to use tea.", "2026-03-03"),
        ("Two weeks ago we agreed to use tea.", "2026-02-18"),
        ("This morning we agreed to use tea.", "2026-03-04"),
        ("We decided to launch on 1 June 2026.", ""),
        ("We decided to launch by 1 March 2026.", ""),
        ("We decided to use tea.", ""),
        ("Decided: 2026-03-03\nDecision: use tea", "2026-03-03"),
    ],
)
def test_the_date_is_the_day_of_deciding_not_one_that_is_planned_for(text: str, date: str) -> None:
    assert only(text).date == date


@pytest.mark.parametrize(
    ("text", "day", "date"),
    [
        ("13/04/2026", "", "2026-04-13"),
        ("04/13/2026", "", "2026-04-13"),
        ("04/04/2026", "", "2026-04-04"),
        ("03/04/2026", "", ""),
        ("2026-02-30", "", ""),
        ("2026-02-30", "2026-03-04", ""),
        ("1st of May, 2026", "", "2026-05-01"),
        ("Sept. 5 2026", "", "2026-09-05"),
        ("today", "", ""),
        ("today", "no date", ""),
        ("3 days ago", "2026-03-04", "2026-03-01"),
        ("last Wednesday", "2026-03-04", "2026-02-25"),
        ("yesterday", "0001-01-01", ""),
    ],
)
def test_a_date_is_taken_only_where_it_can_mean_one_day(text: str, day: str, date: str) -> None:
    assert dates.first(text, day) == date


# --- type, comment, status, what it replaces


@pytest.mark.parametrize(
    ("label", "decision", "kind"),
    [
        ("tech", "Enter the Nordic market", "technical"),
        ("Security decision", "x", "security"),
        ("Governance", "x", "process"),
        ("UX", "x", "product"),
        ("", "Encrypt all backups and rotate the keys", "security"),
        ("", "Enter the Nordic market with a partner", "strategy"),
        ("", "Split the monolith into microservices", "architecture"),
        ("", "Upgrade the backend to Python 3.13", "technical"),
        ("", "Every pull request needs two code reviews", "process"),
        ("", "Launch dark mode for mobile users", "product"),
        ("", "Do not train on data without consent of the people", "ethical"),
        ("", "Paint the door", "other"),
        ("no such label", "Paint the door", "other"),
    ],
)
def test_the_type_is_the_stated_one_else_that_of_its_words(label: str, decision: str, kind: str) -> None:
    assert type_of(label, decision) == kind


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("We decided to use tea because it is warm.", "because it is warm."),
        ("We decided to use tea. It is warm. Tom sang.", "It is warm."),
        ("Decision: use tea\nReason: it is warm", "it is warm"),
        ("Decision: use tea. It is warm.", "It is warm."),
        ("DECISION: use tea REASON: it is warm STATUS: ACTIVE", "it is warm"),
        ("- Decision: use tea\n  - Why: it is warm", "it is warm"),
        ("## Decision\n\nUse tea.\n\nIt is warm.", "It is warm."),
        ("| Decision | Reason |\n|---|---|\n| Use tea | it is warm |", "it is warm"),
    ],
)
def test_the_comment_is_the_reasoning(text: str, comment: str) -> None:
    assert only(text).comment == comment


def test_a_long_comment_is_cut_at_a_word_and_marked() -> None:
    comment = only("Decision: use tea\nReason: " + "warm " * 300).comment
    assert len(comment) <= COMMENT
    assert comment.endswith("warm …")


def test_a_decision_that_never_ends_is_cut_and_marked() -> None:
    assert len(only("Decision: use " + "tea " * 3000).decision) <= DECISION
    assert cue("We decided to use " + "tea " * LONGEST) is None


@pytest.mark.parametrize("status", ["rejected", "Declined", "turned down", "not approved", "❌"])
def test_what_was_rejected_is_no_decision_and_waits_for_a_person(status: str) -> None:
    found = only(f"Decision: use tea\nStatus: {status}")
    assert found.confidence < THRESHOLD
    assert not found.active


@pytest.mark.parametrize(
    ("text", "active"),
    [
        ("Decision: use tea\nStatus: accepted", True),
        ("Decision: use tea\nStatus: superseded", False),
        ("Decision: use tea\nSuperseded by: 7", False),
        ("Superseded by: 7\nDecision: use tea", False),
        ("Decision: use tea (superseded by: 7)", False),
        ("~~Decision: use tea~~", False),
        ("We decided to use tea, but this was later reversed.", False),
        ("# Tea\n\n## Status\n\nDeprecated\n\n## Decision\n\nWe will use tea.", False),
        ("# Tea\n\n## Decision\n\nWe will use tea.\n\n## Status\n\nRejected", False),
        ("# Tea\n\n## Status\n\nAccepted, supersedes ADR-2\n\n## Decision\n\nWe will use tea.", True),
    ],
)
def test_a_decision_that_holds_no_more_is_not_active(text: str, active: bool) -> None:
    assert only(text).active is active


@pytest.mark.parametrize(
    ("text", "revises"),
    [
        ("We decided to use tea instead of coffee.", "coffee"),
        ("We decided to use tea. This supersedes the decision to use coffee.", "use coffee"),
        ("We reversed the earlier decision to use coffee because it is cold.", "use coffee"),
        ("Decision: use tea\nSupersedes: ADR-2", "ADR-2"),
        ("# Tea\n\n## Status\n\nAccepted. Supersedes ADR-2\n\n## Decision\n\nWe will use tea.", "ADR-2"),
        ("- Decision: use tea\n- It replaces the earlier decision to use coffee.", "use coffee"),
        ("We decided to replace the cups.", ""),
    ],
)
def test_a_decision_says_what_it_replaces(text: str, revises: str) -> None:
    assert only(text).revises == revises


def test_a_second_paragraph_under_a_heading_is_a_decision_where_it_says_so() -> None:
    found = find(Message("## Decision\n\nUse tea.\n\nIt is warm.\n\nWe also agreed to buy cups."))
    assert [(each.decision, each.comment) for each in found] == [
        ("Use tea", "It is warm."),
        ("We also agreed to buy cups", ""),
    ]


def test_a_record_of_an_architecture_decision_is_one_decision_with_all_around_it() -> None:
    found = only(
        "---\nstatus: accepted\ndate: 2026-03-03\n---\n# 7. Where to keep sessions\n\n## Considered Options\n\n*"
        " Cookies\n"
        '* Redis\n\n## Decision Outcome\n\nChosen option: "Redis", because it expires them.\n\n### Consequences\n\n*'
        " Good"
    )
    assert found.decision == 'Chosen option: "Redis"'
    assert found.comment == "Where to keep sessions because it expires them."
    assert (found.date, found.confidence, found.active) == ("2026-03-03", 0.93, True)


def test_two_records_in_a_row_keep_their_own_dates_and_reasons() -> None:
    first, second = find(
        Message(
            "Date: 2026-03-01\nDecision: A is used\nReason: one\n\nDate: 2026-03-02\nDecision: B is used\nReason: two"
        )
    )
    assert (first.date, first.comment) == ("2026-03-01", "one")
    assert (second.date, second.comment) == ("2026-03-02", "two")


# --- structured decisions


def test_the_fields_of_a_structured_decision_are_taken_as_they_are() -> None:
    found = only("Use tea", role="", decision="Use tea", date="2026-03-03", type="tech", comment="warm", key="decision")
    assert (found.decision, found.date, found.type, found.comment) == ("Use tea", "2026-03-03", "technical", "warm")
    assert found.confidence == 0.95
    assert only("x", decision="Decision: use tea", revises="coffee").revises == "coffee"
    assert only("x", decision="Use tea", status="False").active is False


@pytest.mark.parametrize(
    ("fields", "sure"),
    [
        ({"key": "title", "decision": "Use tea"}, True),
        ({"key": "title", "decision": "We should use tea"}, False),
        ({"key": "title", "decision": "Tea"}, False),
        ({"key": "title", "decision": "Tea", "type": "process", "date": "2026-03-03"}, True),
        ({"key": "choice", "decision": "Tea", "comment": "warm"}, True),
        ({"key": "content", "decision": "Tea", "type": "decision"}, True),
        ({"key": "title", "decision": "Use tea", "status": "open"}, False),
    ],
)
def test_a_title_counts_where_it_looks_like_a_decision(fields: dict[str, str], sure: bool) -> None:
    assert (only(fields["decision"], **fields).confidence >= THRESHOLD) is sure


@pytest.mark.parametrize(
    "decision", ["TBD", "?", "none", "Should we use tea?", "Decision: pending", "We have not decided"]
)
def test_a_field_that_holds_no_decision_yields_none(decision: str) -> None:
    assert find(Message(decision, fields={"decision": decision, "key": "decision"})) == []


def test_a_content_with_several_decisions_yields_them_all() -> None:
    text = "We decided to use tea. We agreed to buy cups."
    fields = {"key": "content", "decision": text, "date": "2026-03-03", "comment": "long talk"}
    assert [(found.date, found.comment) for found in find(Message(text, fields=fields))] == [("2026-03-03", "")] * 2


# --- the parts


def test_blocks_leave_out_what_is_only_shown_or_quoted() -> None:
    text = (
        "# One\n\nText of\nthis.\n\n> quoted\nlazily so\n3 so too\n\nAa\nbb\n---\n\n- item\n  more\n  - inner\n- [x]"
        " on\n☐ off\n\n```\ncode\n~~~\n```\n"
        "\n    code\n\nTwo\n---\n\n| a | b |\n|---|---|\n| c | d "
        "|\n\n**Three:**\nlast\n\n<!-- no -->\n***\n\nend\n===\n~~~\nopen"
    )
    found = list(blocks(text))
    assert [(block.kind, block.text) for block in found] == [
        *[("heading", "One"), ("text", "Text of"
        " this."), ("text", "Aa bb"), ("item", "item more"), ("item", "inner"), ("item", "on"), ("item", "off")],
        *[("heading", "Two"), ("row", "a |"
        " b"), ("row", "---|---"), ("row", "c | d"), ("heading", "Three"), ("text", "last")],
        *[("text", "***"), ("heading", "end")],
    ]  # fmt: skip
    assert [block.box for block in found if block.kind == "item"] == ["", "", "x", "-"]
    assert found[-3].headings == ("one", "two", "three")


def test_short_lines_are_sentences_of_their_own_and_long_ones_go_on() -> None:
    assert [block.text for block in blocks("We came\nKim spoke\nand left")] == ["We came", "Kim spoke and left"]
    assert len(list(blocks("It was a long line that goes on for more than fifty signs\nBefore it ends"))) == 1
    assert list(blocks("- item\n\n    still its text")) == [Block("item", kind="item"), Block("still its text")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two? Three", ["One.", "Two?", "Three"]),
        ("Use it, e.g. Tea. Done.", ["Use it, e.g. Tea.", "Done."]),
        ("Version 1.2 is out", ["Version 1.2 is out"]),
        ("", []),
    ],
)
def test_sentences_end_where_they_do(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_front_matter_and_cells() -> None:
    assert front_matter("---\nstatus: 'on'\n# no: x\n---\nrest") == ({"status": "on"}, "rest")
    assert front_matter("no\n---") == ({}, "no\n---")
    assert cells("a | b") == ["a", "b"]
    assert cells("--- | :-:") == []
    assert plain("**a** ~~b~~ [c](d) __e__ f_g `h`") == "a b c e f_g `h`"


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("Decision: x", "decision"),
        ("Open decision: x", "closed"),
        ("Decision needed: x", "closed"),
        ("Agreed — x", "agreed"),
        ("Chosen option: x", "chosen"),
        ("Outcome: x", "weak"),
        ("[security] Decision: x", "decision"),
        ("[decision pending] x", "closed"),
        ("Decision by the members of the team: x", "decision"),
        ("We have agreed with them: x", None),
        ("Decisions", None),
        ("A verdict on all of the things: x", "closed"),
    ],
)
def test_a_label_announces_a_decision_or_says_that_there_is_none(text: str, noun: str | None) -> None:
    label = labelled(text)
    assert (label.noun if label else None) == noun


@pytest.mark.parametrize(
    ("headings", "kind"),
    [
        ((), ""),
        (("decision",), "decision"),
        (("key decisions made",), "decision"),
        (("decision outcome", "consequences"), ""),
        (("decisions", "database"), "decision"),
        (("options considered",), "closed"),
        (("decision drivers",), "closed"),
        (("status",), "status"),
        (("notes", "today"), ""),
    ],
)
def test_headings_say_what_stands_under_them(headings: tuple[str, ...], kind: str) -> None:
    assert section(headings) == kind


@pytest.mark.parametrize(
    ("key", "name"),
    [("DECISION_DATE", "date"), ("**Why**", "comment"), ("Superseded by", "ended"), ("Owner", "none"), ("Weather", "")],
)
def test_a_key_says_something_of_a_decision(key: str, name: str) -> None:
    assert attribute_of(key) == name


# --- invariants

PHRASES = st.sampled_from(
    ["We decided to use"
    " tea", "Decision:", "Agreed:", "because it is"
    " warm", "instead of"
    " coffee", "#"
    " Decision", "##"
    " Decisions", "-"
    " ", "- [x]"
    " ", "- [ ]"
    " ", "\n", "\n\n", ">"
    " ", "```", "~~", "**", "`", '"', "."
    " ", ":"
    " ", "?"
    " ", "Status:"
    " accepted", "Status:"
    " superseded", "Date:"
    " 2026-03-03", "Reason:"
    " warm", "", " a"
    " ", " Decision"
    " ", "", "we"
    " could", "if", "not", "the board approved the"
    " plan", "from now on, all tea is"
    " green", "---", "It's settled.", "Supersedes: ADR-2", "yesterday", "Kim: ", "[x]", "<!--", "-->"]
)  # fmt: skip
TEXTS = st.lists(PHRASES, max_size=14).map(" ".join) | st.lists(PHRASES, max_size=14).map("".join)


@given(TEXTS | st.text(max_size=200), st.sampled_from(["", "assistant", "user"]), st.sampled_from(["", DAY]))
def test_finding_is_the_same_each_time_and_yields_what_stands_in_the_text(text: str, role: str, at: str) -> None:
    message = Message(text, role, at)
    found = find(message)
    assert find(message) == found
    words = set(re.findall(r"\w+", f"{text} {plain(text).replace('`', '')}"))
    for each in found:
        assert each.decision
        assert set(re.findall(r"\w+", each.decision)) <= words
        assert 0 < each.confidence <= 1
        assert each.type in TYPES
        assert len(each.comment) <= COMMENT
        assert each.date == "" or each.date == dates.day_of(each.date)


def test_the_decisions_of_the_labelled_outputs_stand_in_them_word_for_word() -> None:
    for text, _ in OUTPUTS["plain"] + OUTPUTS["logs"] + OUTPUTS["markdown"]:
        for found in find(Message(text)):
            assert " ".join(found.decision.split()) in " ".join(plain(text).replace("`", "").replace("> ", "").split())


@pytest.mark.parametrize(
    "text",
    [
        "We will " * 20_000 + "decide",
        "a-" * 60_000 + ": decision",
        "[" * 100_000 + " decided",
        "we decided (" * 10_000,
        "- " * 50_000 + "decided",
        "Decision: " + '"' * 100_000,
        "_" * 100_000 + "decided_",
        "decision " * 20_000 + ":",
        "> " * 50_000 + "decided",
        "the the " * 20_000 + "team decided",
        "Superseded the " * 10_000,
        "Decision: x | " + "status: y | " * 10_000,
        "**" * 60_000 + "decided",
        "<!--" * 30_000 + "decided",
    ],
    ids=lambda text: text[:9],
)
def test_no_text_makes_the_rules_slow(text: str) -> None:
    find(Message(text, "assistant"))
