"""Reading outputs: formats by content, streams in bounded memory, and one line for what cannot be read."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.outputs import chatgpt, chatgpt_node, claude, claude_export, completion, lines, response, thread
from utils.errors import AnglesError
from utils.intake.formats import TOLD, archive, jsontext, prose, read
from utils.intake.formats.parts import moment, text_of
from utils.intake.model import Message, Problem

Read = list[Message | Problem]


class Pipe(io.RawIOBase):
    """A stream that cannot seek and gives little at a time, as a pipe does."""

    def __init__(self, data: bytes, step: int = 7) -> None:
        self.data, self.step = data, step

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        part = self.data[: min(self.step, size) if size >= 0 else self.step]
        self.data = self.data[len(part) :]
        return part


def reading(data: bytes | str) -> Read:
    return list(read(io.BytesIO(data.encode() if isinstance(data, str) else data), "x"))


def said(data: bytes | str) -> list[tuple[str, str]]:
    return [(each.role, each.text) for each in reading(data) if isinstance(each, Message)]


def problems(data: bytes | str) -> list[str]:
    return [f"{each.where}: {each.what}" for each in reading(data) if isinstance(each, Problem)]


def refused(data: bytes | str) -> str:
    with pytest.raises(AnglesError) as error:
        reading(data)
    assert len(error.value.lines) == 1
    assert "\n" not in str(error.value)
    return str(error.value)


def shown(error: AnglesError) -> None:
    """An error is one line."""
    assert "\n" not in str(error)


def zipped(*files: tuple[str, bytes | str]) -> bytes:
    """A zip of these files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files:
            made.writestr(name, data)
    return whole.getvalue()


TURNS = [("user", "And?"), ("assistant", "We chose tea.")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (chatgpt(*TURNS, other="We chose coffee."), TURNS),
        (completion("Yes."), [("assistant", "Yes.")]),
        (response("Yes."), [("assistant", "Yes.")]),
        (thread(*TURNS), TURNS),
        (claude("Yes."), [("assistant", "Yes.")]),
        (claude_export(("human", "And?"), TURNS[1]), TURNS),
        (json.dumps({"messages": [{"role": role, "content": text} for role, text in TURNS]}), TURNS),
        (json.dumps([{"role": role, "content": text} for role, text in TURNS]), TURNS),
        (lines(completion("One."), claude("Two.")), [("assistant", "One."), ("assistant", "Two.")]),
        (completion("One.") + response("Two."), [("assistant", "One."), ("assistant", "Two.")]),
        (f'{{"custom_id": "7", "response": {{"body": {completion("B.")}}}}}', [("assistant", "B.")]),
        (f'{{"custom_id": "7", "result": {{"type": "succeeded", "message": {claude("C.")}}}}}', [("assistant", "C.")]),
        (json.dumps({"conversations": json.loads(chatgpt(*TURNS))}), TURNS),
        ("user: And?\nassistant: We chose tea.", TURNS),
        ("**User**: And?\n\n**Assistant:** We chose\ntea.", [TURNS[0], ("assistant", "We chose\ntea.")]),
        ("## Human:\nAnd?\n## Claude 4:\nWe chose tea.", TURNS),
        ("You said:\nAnd?\nChatGPT said:\nWe chose tea.", TURNS),
        ("[2026-03-03 10:00] Human: And?\n[2026-03-03 10:01] AI: We chose tea.", TURNS),
        ("# Notes\n\nuser stories: many\n", [("", "# Notes\n\nuser stories: many\n")]),
        ("[2026-03-03] done\n", [("", "[2026-03-03] done\n")]),
        ("[[Page]] and more", [("", "[[Page]] and more")]),
        ("[x] done", [("", "[x] done")]),
        ('{"decision": "Use tea"}', [("", "Use tea")]),
    ],
    ids=[
        *("chatgpt", "completion", "response", "thread", "anthropic", "claude"
        " export", "request", "bare messages", "lines"),
        *("in a"
        " row", "batch", "anthropic"
        " batch", "wrapped", "transcript", "bold", "headings", "copied", "stamped", "markdown"),
        *("stamp is no list", "link is no list", "box is no list", "structured"),
    ],
)  # fmt: skip
def test_a_format_is_known_by_its_content(data: str, expected: list[tuple[str, str]]) -> None:
    assert said(data) == expected


def test_a_message_knows_where_and_when_and_by_whom_it_was_said() -> None:
    export = json.loads(chatgpt(*TURNS))
    export[0]["mapping"]["n1"]["message"]["metadata"] = {"model_slug": "gpt-5"}
    (_, answer) = reading(json.dumps(export))
    assert answer == Message("We chose tea.", "assistant", "2026-03-03T01:06:40+00:00", "n1", "Plans", "gpt-5")
    (asked, answered) = reading(thread(*TURNS))
    assert isinstance(asked, Message)
    assert isinstance(answered, Message)
    assert (asked.agent, answered.agent, answered.id, answered.conversation) == ("", "asst_1", "msg_1", "thread_1")
    (stamped,) = reading("2026-03-03 10:00 ResearchGPT: Yes.")
    assert stamped == Message("Yes.", "assistant", "2026-03-03T10:00", agent="ResearchGPT")


def test_an_object_says_what_it_is_in_its_own_words() -> None:
    value = {"Decision": "Use tea", "DecisionDate": "2026-03-03", "category": "process", "Why": ["warm", "cheap"]}
    (found,) = reading(json.dumps(value | {"id": 7, "madeBy": "Kim", "createdAt": 1772500000}))
    assert found == Message(
        "Use tea",
        "",
        "2026-03-03T01:06:40+00:00",
        "7",
        "",
        "Kim",
        {"decision": "Use tea", "key": "decision", "date": "2026-03-03", "type": "process", "comment": "warm; cheap"},
    )


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ({"decision": {"text": "Use tea", "type": "process"}}, ["Use tea"]),
        ({"decisions": ["Use tea", {"title": "Use cups"}, 3, ""]}, ["Use tea", "Use cups"]),
        ({"data": {"decision": "Use tea"}}, ["Use tea"]),
        ({"data": [{"decision": "Use tea"}]}, ["Use tea"]),
        ({"notes": ["One.", "Two."]}, ["One.\nTwo."]),
        ({"answer": "We chose tea."}, ["We chose tea."]),
        ([[{"decision": "Use tea"}]], ["Use tea"]),
    ],
    ids=["object", "list", "wrapped", "wrapped list", "notes", "answer", "nested"],
)
def test_decisions_stand_in_objects_of_many_shapes(value: Any, texts: list[str]) -> None:
    assert [text for _, text in said(json.dumps(value))] == texts


def test_an_answer_that_is_json_itself_is_read_as_the_decisions_in_it() -> None:
    (found,) = reading(completion('{"decision": "Use tea"}'))
    assert isinstance(found, Message)
    assert (found.role, found.agent, found.fields["decision"]) == ("assistant", "gpt-5", "Use tea")
    assert said(completion("[not json")) == [("assistant", "[not json")]
    assert said(completion('["a"]')) == [("assistant", '["a"]')]


def test_only_what_was_said_is_read_not_thoughts_tools_or_hidden_messages() -> None:
    hidden = chatgpt_node("h", "root", "assistant", "hidden")
    hidden["message"]["metadata"] = {"is_visually_hidden_from_conversation": True}
    tool = chatgpt_node("t", "h", "assistant", "call")
    tool["message"]["recipient"] = "python"
    code = chatgpt_node("c", "t", "assistant", "x = 1")
    code["message"]["content"]["content_type"] = "code"
    shown = chatgpt_node("s", "c", "assistant", "shown")
    shown["message"]["content"]["parts"] = ["shown", {"content_type": "image_asset_pointer"}]
    odd = {"message": 3, "parent": "s"}
    tree = {each["id"]: each for each in (hidden, tool, code, shown)} | {"o": odd, "x": 5}
    assert said(json.dumps({"mapping": tree, "current_node": "o"})) == [("assistant", "shown")]


def test_a_tree_without_a_current_node_or_with_a_loop_still_ends() -> None:
    export = json.loads(chatgpt(*TURNS))[0]
    del export["current_node"]
    export["mapping"]["x"] = 5
    assert said(json.dumps(export)) == TURNS
    export["mapping"]["n0"]["parent"] = "n1"
    export["current_node"] = "n1"
    assert said(json.dumps(export)) == TURNS


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (0, "1970-01-01T00:00:00+00:00"),
        (1772500000.5, "2026-03-03T01:06:40.500000+00:00"),
        (1772500000000, "2026-03-03T01:06:40+00:00"),
        ("1772500000", "2026-03-03T01:06:40+00:00"),
        (" 2026-03-03T01:06:40Z ", "2026-03-03T01:06:40Z"),
        ("yesterday", ""),
        ("123", ""),
        (True, ""),
        (None, ""),
        (1e300, ""),
        (float("nan"), ""),
        (-1e18, ""),
    ],
    ids=str,
)
def test_a_stamp_is_a_moment_or_nothing(stamp: Any, expected: str) -> None:
    assert moment(stamp) == expected


def test_the_text_of_a_content_leaves_out_what_is_no_text() -> None:
    parts = ["a", {"type": "text", "text": {"value": "b"}}, {"type": "tool_use", "text": "c"}, 4, {"type": "text"}]
    assert text_of(parts) == "a\nb"
    assert text_of({"content_type": "text", "parts": ["d"]}) == "d"
    assert text_of(None) == ""


# --- bytes


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)  # fmt: skip
@pytest.mark.parametrize("text", ["We chose café.\n", '{"decision": "Use café"}'], ids=["text", "json"])
def test_the_encoding_is_found_out(text: str, codec: str) -> None:
    assert said(text.encode(codec))[0][1] in (text, "Use café")


def test_a_byte_of_another_encoding_in_the_middle_is_no_reason_to_stop() -> None:
    assert said(b"We chose caf\xe9 and th\xc3\xa9.") == [("", "We chose café and thé.")]
    assert said("We chose tea.".encode("utf-16") + b"x") == [("", "We chose tea.�")]


def test_zeros_and_half_characters_do_not_come_through() -> None:
    assert said('{"decision": "a\\u0000b\\ud800c"}') == [("", "a�b�c")]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "x: is empty. Write the output into it again."),
        (b"\xef\xbb\xbf \n\t", "x: is empty. Write the output into it again."),
        (b"\0\0ab" * 9, "x: is binary, not text. Export it as text, Markdown or JSON."),
        (bytes(range(256)) * 9, "x: is binary, not text. Export it as text, Markdown or JSON."),
        (b"%PDF-1.7 text", "x: is a PDF, not text. Unpack it, or export it as text, Markdown or JSON."),
        (b"\x1f\x8b\x08rest", "x: is gzip, not text. Unpack it, or export it as text, Markdown or JSON."),
        (b"{", "x: value 1: is cut off. Export it again."),
        (b"[]", "x: has no format that is known. Give a chat export, JSON with decisions, Markdown or text."),
        (b'{"a": 1}', "x: has no format that is known. Give a chat export, JSON with decisions, Markdown or text."),
        (b"[" * 100_000, "x: item 1: is nested too deeply. Export it again."),
        (b'{"a":' * 100_000, "x: value 1: is nested too deeply. Export it again."),
        (b"PK\x03\x04 no zip", "x: is a broken zip (File is not a zip file). Download it again."),
    ],
    ids=["empty", "blank", "zeros", "binary", "pdf", "gzip", "cut", "nothing in"
    " it", "unknown", "deep list", "deep object", "zip"],
)  # fmt: skip
def test_what_cannot_be_read_at_all_is_one_line(data: bytes, line: str) -> None:
    assert refused(data) == line


def test_a_file_that_is_not_there_or_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(AnglesError, match=r"gone: cannot be read \(No such file or directory\)\. Look at its perm"):
        list(read(tmp_path / "gone", "gone"))
    (tmp_path / "notes.bin").write_text("We chose tea.")
    assert [each.text for each in read(tmp_path / "notes.bin", "x") if isinstance(each, Message)] == ["We chose tea."]


# --- JSON that is broken


def test_what_came_before_a_cut_counts() -> None:
    whole = json.dumps([{"decision": "Use tea"}, {"decision": "Use cups", "comment": "they hold, as cups do"}])
    cut = whole[: whole.index("as cups")]
    assert [text for _, text in said(cut)] == ["Use tea", "Use cups"]
    assert problems(cut) == [
        "x: item 2: is cut off; the rest is read",
        "x: is cut off after 2 items; export it again for the rest",
    ]
    assert said(chatgpt(*TURNS)[:-60]) == TURNS


def test_a_broken_item_is_passed_over() -> None:
    data = '[{"decision": "Use tea"}, {"a": nope, "b": "]}\\""}, nope, {"decision": "Use cups"}]'
    assert [text for _, text in said(data)] == ["Use tea", "Use cups"]
    assert said('[{"decision": "Use tea", "b": nope}]') == [("", "Use tea")]
    assert [line.partition(" (")[0] for line in problems(data)] == ["x: item 2: is no JSON", "x: item 3: is no JSON"]


def test_a_broken_line_of_json_lines_is_passed_over() -> None:
    data = lines(completion("One."), "{broken}", "just text", completion("Two."), '{"cut": ')
    assert said(data) == [("assistant", "One."), ("assistant", "Two.")]
    assert [line.partition(" (")[0] for line in problems(data)] == [
        "x: value 2: is no JSON",
        "x: value 3: is no JSON",
        "x: value 5: is cut off; the rest is read",
    ]


@pytest.mark.parametrize("key", ["message", "decision", "data"])
def test_an_object_that_json_takes_and_its_readers_do_not_is_nested_too_deeply(key: str) -> None:
    for depth in range(935, 960):
        deep = f'{{"{key}":' * depth + "1" + "}" * depth
        assert said(f'[{deep}, {{"decision": "Use tea"}}]') == [("", "Use tea")]


def test_what_is_no_message_in_a_list_of_messages_is_passed_over() -> None:
    turns = [3, {"sender": "human", "text": " "}, {"sender": "assistant", "text": "Yes."}]
    assert said(json.dumps({"chat_messages": turns})) == [("assistant", "Yes.")]
    turns = [3, {"role": "user", "content": " "}, {"role": "assistant", "content": "Yes."}]
    assert said(json.dumps({"messages": turns})) == [("assistant", "Yes.")]
    assert said("user:\nassistant: Yes.") == [("assistant", "Yes.")]


def test_a_word_that_is_no_json_is_one_problem_in_however_many_chunks() -> None:
    chunks = iter(["[nopenopenopenopenope", "nopenope", ' , {"a": 1}]'])
    problem, value = jsontext.values(chunks, "x", lambda each: each)
    assert (problem.where, value) == ("x: item 1", {"a": 1})


def test_many_problems_are_told_once() -> None:
    data = lines(completion("One."), *["{broken}"] * (TOLD + 3))
    assert len(problems(data)) == TOLD + 1
    assert problems(data)[-1] == "x: 3 more parts cannot be read"


@given(st.integers(min_value=1, max_value=400))
def test_a_json_text_cut_anywhere_gives_messages_or_one_line(at: int) -> None:
    try:
        for each in reading(chatgpt(*TURNS)[:at] + " "):
            assert isinstance(each, Problem) or each.text == "Plans" or (each.role, each.text) in TURNS
    except AnglesError as error:
        shown(error)


# --- size


def blocks_of(*parts: bytes) -> Iterator[bytes]:
    yield from parts


class Endless(io.RawIOBase):
    """So many bytes of one pattern between a head and a tail, made as they are read."""

    def __init__(self, head: bytes, pattern: bytes, size: int, tail: bytes = b"") -> None:
        self.parts, self.pattern, self.left = [head], pattern * (100_000 // len(pattern)), size
        self.tail = tail

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self.parts:
            return self.parts.pop()
        if self.left > 0:
            self.left -= len(self.pattern)
            return self.pattern
        tail, self.tail = self.tail, b""
        return tail


def peak(stream: Any) -> tuple[Read, float]:
    """What is read, and the megabytes it took at most."""
    tracemalloc.start()
    found = list(read(stream, "x"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return found, most / 1e6


@pytest.mark.parametrize(
    ("head", "pattern", "tail", "problem"),
    [
        (b"first\n", b"a", b"\nlast\n", "x: line 2: is longer than 1 MB and passed over"),
        (b'[{"decision": "first"}, {"content":'
        b' "', b"a", b'"}, {"decision": "last"}]', "x: item 2: is longer than 1 MB; the rest is read"),
        (b'[{"decision": "first"},'
        b' "', b"\\\"a", b'", {"decision": "last"}]', "x: item 2: is longer than 1 MB; the rest is read"),
        (b'[{"decision": "first"},'
        b' [', b"[1],", b'1], {"decision": "last"}]', "x: item 2: is longer than 1 MB; the rest is read"),
    ],
    ids=["text", "string in an object", "string", "list"],
)  # fmt: skip
def test_a_huge_line_is_passed_over_in_little_memory(
    head: bytes,
    pattern: bytes,
    tail: bytes,
    problem: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jsontext, "ITEM", 1_000_000)
    size = 1_000_000_000 if request.config.getoption("--long") else 5_000_000
    found, megabytes = peak(Endless(head, pattern, size, tail))
    assert [each.text.strip() for each in found if isinstance(each, Message)] == ["first", "last"]
    assert [f"{each.where}: {each.what}" for each in found if isinstance(each, Problem)] == [problem]
    assert megabytes < 60


def test_a_conversation_that_is_too_long_to_be_held_is_read_node_by_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsontext, "ITEM", 4_000)
    turns = [(("user", "assistant")[number % 2], f"turn {number}") for number in range(200)]
    conversation = chatgpt(*turns)
    assert said(conversation) == turns
    assert said(conversation[1:-1]) == turns
    wrapped = json.dumps(
        {"model": "m", "x": {"y": [1]}, "messages": [{"role": role, "content": text} for role, text in turns]}
    )
    assert said(wrapped) == turns
    assert said(wrapped[:-200])[:100] == turns[:100]
    assert said(f'{wrapped[:-1]}, "model" ') == turns
    assert len(said(conversation[: len(conversation) // 2])) > 80
    broken = wrapped.replace('"turn 150"', "nope").replace('{"y": [1]}', "[]")
    assert said(broken) == turns[:150]
    assert problems(broken) == ["x: value 1: is no JSON (expecting value); the rest is read"]


def test_a_long_text_comes_in_pieces_between_its_paragraphs_and_keeps_its_roles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prose, "PIECE", 100)
    text = "\n\n".join(f"Paragraph {number} says something." for number in range(30))
    pieces = said(text)
    assert "".join(piece for _, piece in pieces) == text
    assert said("first\n" + "a" * 300) == [("", "first\n")]
    assert [piece for _, piece in said("a" * 90 + "\n" + " " * 99 + "\n" + "b" * 90)] == ["a" * 90 + "\n", "b" * 90]
    assert all(len(piece) <= 100 for _, piece in pieces)
    talk = "user: hi\nassistant: " + "\n".join(f"line {number} of it" for number in range(30))
    assert {role for role, text in said(talk) if "line" in text} == {"assistant"}


@given(st.text(alphabet='[]{}",:\\ \nax1', max_size=60), st.integers(min_value=1, max_value=9))
def test_json_is_read_the_same_in_whatever_chunks_it_comes(tail: str, step: int) -> None:
    text = '[{"decision": "Use tea"}, ' + tail

    def outcome(chunks: Iterator[str]) -> list[Any]:
        return list(jsontext.values(chunks, "x", lambda value: value))

    whole = outcome(iter([text]))
    parted = outcome(iter([text[start : start + step] for start in range(0, len(text), step)]))
    assert parted == whole
    assert whole[0] == {"decision": "Use tea"}


# --- zips


def test_an_export_in_a_zip_is_read_its_other_files_are_not() -> None:
    data = zipped(("export/conversations.json", chatgpt(*TURNS)), ("user.json", "{}"), ("chat.html", "<p>We chose tea"))
    assert said(data) == TURNS
    assert [each for each in read(Pipe(data, 50), "x") if isinstance(each, Message)]  # type: ignore[arg-type]


def test_any_other_zip_is_read_file_by_file() -> None:
    data = zipped(("a.md", "We chose tea."), ("b.png", bytes(range(256))), ("c.json", completion("Yes.")), ("d", ""))
    assert said(data) == [("", "We chose tea."), ("assistant", "Yes.")]
    assert problems(data) == []


@pytest.mark.parametrize("name", ["../a.md", "a/../../b.md", "/etc/a.md", "C:a.md", "a\\..\\b.md", "a\nb.md"])
def test_a_path_that_leads_out_of_the_zip_is_passed_over(name: str) -> None:
    data = zipped((name, "We chose coffee."), ("b.md", "We chose tea."))
    assert said(data) == [("", "We chose tea.")]
    assert "leads out of the zip" in problems(data)[0]
    assert "\n" not in problems(data)[0]


def test_a_zip_in_a_zip_a_link_and_an_encrypted_file_are_passed_over() -> None:
    link = zipfile.ZipInfo("link.md")
    link.external_attr = 0o120777 << 16
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as made:
        made.writestr("in.zip", zipped(("a.md", "We chose coffee.")))
        made.writestr(link, "/etc/passwd")
        made.writestr("secret.md", "We chose coffee.")
        made.writestr("b.md", "We chose tea.")
    data = bytearray(whole.getvalue())
    at = data.rindex(b"secret.md")
    data[at - 38] |= 1
    assert said(bytes(data)) == [("", "We chose tea.")]
    told = " ".join(problems(bytes(data)))
    assert "is a zip in a zip" in told
    assert "is a link" in told
    assert "is encrypted" in told


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "RATIO_FROM", 100_000)
    data = zipped(("bomb.txt", b" " * 10_000_000), ("b.md", "We chose tea."))
    assert said(data) == [("", "We chose tea.")]
    assert "zip bomb" in problems(data)[0]
    monkeypatch.setattr(archive, "TOTAL", 1_000_000)
    assert "unpacks to more than" in refused(data)


def test_a_damaged_file_in_a_zip_is_passed_over() -> None:
    data = bytearray(zipped(("a.md", "We chose coffee, " * 50), ("b.md", "We chose tea.")))
    at = data.index(b"a.md") + 8
    data[at : at + 8] = b"\xff" * 8
    assert said(bytes(data)) == [("", "We chose tea.")]
    assert "cannot be unpacked" in problems(bytes(data))[0]


def test_a_zip_that_lies_about_a_size_is_no_bug() -> None:
    data = bytearray(zipped(("a.md", "We chose coffee."), ("b.md", "We chose tea.")))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02"))
    data[at + 24 : at + 28] = struct.pack("<I", 5)
    assert "We chose tea." in [text for _, text in said(bytes(data))]


# --- anything


@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(str.encode)
    | st.binary(max_size=50).map(lambda tail: b"PK\x03\x04" + tail)
)
def test_any_bytes_are_read_or_refused_in_one_line(data: bytes) -> None:
    try:
        first = reading(data)
    except AnglesError as error:
        shown(error)
        return
    assert first == reading(data)
    assert first == list(read(Pipe(data), "x"))  # type: ignore[arg-type]


KEYS = [
    "role",
    "content",
    "mapping",
    "choices",
    "message",
    "output",
    "data",
    "object",
    "decision",
    "decisions",
    "title",
    "chat_messages",
    "messages",
    "sender",
    "text",
    "parts",
    "parent",
    "current_node",
    "author",
    "status",
    "result",
    "body",
    "conversations",
]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(JSONS)
def test_any_json_with_the_words_of_the_formats_is_read_or_refused(value: Any) -> None:
    try:
        reading(json.dumps(value))
    except AnglesError as error:
        shown(error)
