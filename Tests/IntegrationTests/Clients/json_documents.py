"""Documents for the comparison of two JSON readers: sound ones, hostile ones, and damaged ones.

Each line of the output is the document in hexadecimal, and what Python's json makes of it: `-` when
it refuses it, or the value written in the one spelling that both sides write, in hexadecimal.
"""
import json
import random
import sys

DEPTH = 128


class Number(str):
    """A number as it was written."""


def refuse(text):
    raise ValueError(text)


def members(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("the same name twice")
    return dict(pairs)


def written(value, depth=0):
    """The one spelling, for what is nested no deeper than both sides read."""
    if isinstance(value, (dict, list)) and depth == DEPTH:
        raise ValueError("too deep")
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return string(value)
    if isinstance(value, dict):
        inner = (string(name) + ":" + written(part, depth + 1) for name, part in value.items())
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(part, depth + 1) for part in value) + "]"
    return {True: "true", False: "false", None: "null"}[value]


def string(text):
    text.encode("utf-8")  # half a surrogate pair is no text
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(
        short.get(c) or ("\\u%04x" % ord(c) if ord(c) < 0x20 else c) for c in text) + '"'


def verdict(document):
    try:
        text = document.decode("utf-8")
        if text.startswith("\ufeff"):
            raise ValueError("a byte order mark")
        value = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=refuse,
            object_pairs_hook=members)
        return written(value).encode("utf-8").hex()
    except (ValueError, RecursionError):
        return "-"


def value(rng, depth):
    kind = rng.randrange(9 if depth < 6 else 6)
    if kind == 0:
        return rng.choice(["null", "true", "false"])
    if kind in (1, 2):
        return rng.choice(["0", "-0", "1.50", "1e5", "-1E-7", "12345678901234567890",
                           "0.1e+1", str(rng.randrange(-10**6, 10**6))])
    if kind in (3, 4, 5):
        return text(rng)
    parts = [value(rng, depth + 1) for _ in range(rng.randrange(5))]
    space = rng.choice(["", " ", "\t", "\n", "\r\n", "  "])
    if kind == 6:
        return "[" + ("," + space).join(parts) + space + "]"
    return "{" + space + ("," + space).join(
        text(rng) + space + ":" + space + part for part in parts) + "}"


def text(rng):
    pieces = ["a", "b", "é", "\u2028", "😀", "\\n", "\\u0041", "\\u00e9", "\\ud83d\\ude00", "\\/",
              "\\\\", '\\"', "\\b\\f\\r\\t", "\x7f", "\u0085", "k" * 9]
    if rng.random() < 0.03:
        pieces += ["\\ud800", "\\udc00", "\x00", "\x1f", "\\x", "\\u12", "\n"]
    return '"' + "".join(rng.choice(pieces) for _ in range(rng.randrange(6))) + '"'


def damaged(rng, document):
    document = bytearray(document)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(document) + 1)
        action = rng.randrange(4)
        if action == 0:
            document[at:at] = bytes(
                [rng.choice(b'{}[]",:\\0-.eE \t\n\r\x00\x1f\x80\xc0\xed\xf4\xff')])
        elif action == 1 and document:
            del document[min(at, len(document) - 1)]
        elif action == 2 and document:
            document[min(at, len(document) - 1)] = rng.randrange(256)
        else:
            document = document[:at]
    return bytes(document)


HOSTILE = [
    b"", b" ", b"{", b"}", b"[1,]", b"{,}", b"[,1]", b"01", b"-", b"+1", b"1.", b".5", b"1e",
    b"1e+",
    b"NaN", b"Infinity", b"-Infinity", b"nul", b"True", b"'a'", b'"a', b'"\\', b'"\\u', b'"\\u12',
    b'"\x00"', b'"\x1f"', b'"\x7f"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud800\\u0041"',
    b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x82"',
    b"\xef\xbb\xbf{}", b"\xfe\xff\x00{", b"[1 2]", b'{"a" 1}', b'{"a":1 "b":2}', b"{a:1}",
    b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"\xc3\xa9":1,"e\xcc\x81":2}', b"[1]x", b"1 2",
    b"// c\n1", b"/**/1", b"\x0b1", b"\x0c1", b"\xc2\xa01", b"\xe2\x80\xa81", b"0x10", b"1_000",
    b"[" * 128 + b"]" * 128, b"[" * 129 + b"]" * 129, b"[" * 5000,
    b'{"a":' * 128 + b"1" + b"}" * 128,
    b"1" * 5000, b"1e999999", b"-0.0", b'"' + b"\\\\" * 3000 + b'"',
]


def main():
    rng = random.Random(int(sys.argv[1]))
    documents = list(HOSTILE)
    for _ in range(int(sys.argv[2])):
        document = value(rng, 0).encode("utf-8")
        documents += [document, damaged(rng, document)]
    for document in documents:
        print(document.hex(), verdict(document))


main()
