"""The tool calls of a streamed chat, as blocks that come one after the other."""

from tests.support.message_events import blocks, deltas, ended, piece, start, stop


def call(index: int | None, arguments: object = None, **fields: object) -> dict[str, object]:
    """Return a piece of a call; `id` and `name` begin one."""
    name = fields.pop("name", None)
    function = {"name": name, "arguments": arguments}
    given = {key: value for key, value in function.items() if value is not None}
    return {**({} if index is None else {"index": index}), "function": given, **fields}


def told(*pieces: object) -> list[dict[str, object]]:
    """Return the events that these pieces lead to; a list holds pieces that come together."""
    come: list[dict[str, object]] = [
        {"tool_calls": one if isinstance(one, list) else [one]} for one in pieces
    ]
    return blocks(ended(deltas(*come, finish="tool_calls")))


def use(index: int, call_id: str, name: str = "f", **fields: object) -> dict[str, object]:
    return start(index, **fields, type="tool_use", id=call_id, name=name, input={})


def part(index: int, text: str) -> dict[str, object]:
    return piece(index, "input_json_delta", partial_json=text)


A, B = call(0, "", id="a", name="f"), call(1, "", id="b", name="g")


def test_a_call_is_told_as_it_comes():
    assert told(A, call(0, '{"x"'), call(0, ":1}")) == [
        use(0, "a"),
        part(0, '{"x"'),
        part(0, ":1}"),
        stop(0),
    ]


def test_a_call_without_arguments_is_a_block():
    assert told(A) == [use(0, "a"), stop(0)]


def test_the_next_call_ends_one_that_is_whole():
    assert told(A, call(0, "{}"), B, call(1, '{"y"'), call(1, ":2}")) == [
        use(0, "a"),
        part(0, "{}"),
        stop(0),
        use(1, "b", "g"),
        part(1, '{"y"'),
        part(1, ":2}"),
        stop(1),
    ]


def test_mixed_pieces_come_in_order():
    third = call(2, "{}", id="c", name="h")
    assert told(A, B, call(1, '{"y":'), call(0, "{"), call(1, "2}"), call(0, "}"), third) == [
        use(0, "a"),
        part(0, "{"),
        part(0, "}"),
        stop(0),
        use(1, "b", "g"),
        part(1, '{"y":2}'),
        stop(1),
        use(2, "c", "h"),
        part(2, "{}"),
        stop(2),
    ]


def test_whole_calls_that_come_together():
    pair = [call(None, "{}", id="a", name="f"), call(None, "{}", id="b", name="g")]
    assert told(pair) == [
        use(0, "a"),
        part(0, "{}"),
        stop(0),
        use(1, "b", "g"),
        part(1, "{}"),
        stop(1),
    ]


def test_what_waits_is_told_at_the_end():
    assert told(A, B, call(1, "{}"), call(0, "{")) == [
        use(0, "a"),
        part(0, "{"),
        stop(0),
        use(1, "b", "g"),
        part(1, "{}"),
        stop(1),
    ]


def test_a_call_begins_with_its_name():
    assert told(call(0, "{", id="a"), call(0, "}", name="f"), call(0, name="other")) == [
        use(0, "a"),
        part(0, "{}"),
        stop(0),
    ]


def test_a_call_without_a_name_is_told_at_the_end():
    assert told(call(0, "{}", id="a")) == [use(0, "a", ""), part(0, "{}"), stop(0)]


def test_a_call_without_an_id_gets_one():
    assert told(call(3, "{}", name="f"))[0] == use(0, "toolu_msg_r1_3")


def test_arguments_may_be_an_object():
    assert told(call(0, {"x": "ü"}, id="a", name="f"))[1] == part(0, '{"x":"ü"}')


def test_other_members_of_a_call_stay():
    begun = call(0, "{}", id="a", name="f", type="function", caller={"type": "direct"})
    assert told(begun)[0] == use(0, "a", caller={"type": "direct"})


def test_text_ends_the_calls_before_it():
    come: list[dict[str, object]] = [
        {"tool_calls": [A]},
        {"tool_calls": [B]},
        {"content": "x"},
        {"tool_calls": [A]},
    ]
    assert blocks(ended(deltas(*come))) == [
        use(0, "a"),
        stop(0),
        use(1, "b", "g"),
        stop(1),
        start(2, type="text", text=""),
        piece(2, "text_delta", text="x"),
        stop(2),
    ]
