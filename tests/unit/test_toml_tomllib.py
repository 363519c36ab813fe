#!/usr/bin/env python3
"""The TOML editor against Python's own reader (tomllib, 3.11).

Texts put together of the pieces at which readers part company are read by
both, and one thing in each is changed by the editor: what tomllib then reads
is what it read before, with that one thing changed.

Usage: test_toml_tomllib.py TOML-DRIVER
"""
import copy
import datetime
import json
import math
import random
import re
import subprocess
import sys
import tomllib

TEXTS = 6000
PIECES = [
    "[a]\n", "[a.b]\n", "[ a . b ]  # c\n", '[a."x y"]\n', "[[t]]\n", "[[t]]\r\n", "[t.u]\n", "[[t.u]]\n", "[b]\n",
    "k = 1\n", "k = 'v'\n", 'k = "v"\n', "b.c = 2\n", "b.d.e = true\n", "'q r' = 0x1F\n", '"" = 1_000\n', "l = [1, 2]\n",
    "m = { x = 1, y.z = 'w' }\n", "m = {}\n", "m = { }\n", "n = { a = { b = {} }, c = [ {d=1}, {d=2} ] }\n",
    "s = '''\na'b\n'''\n", 's = """\\\n   x\\u00e4"""\n', 's = """""a""""\n', "s = ''''quoted'''''\n", "f = -1.5e+3\n", "f = inf\n",
    "f = 1e6\n", "d = 1979-05-27\n", "d = 1979-05-27 07:32:00Z\n", "d = 1979-05-27T00:32:00.999-07:00\n", "d = 07:32:00\n",
    "# comment\n", "\n", "\r\n", "  k = 1\n", "\tk\t=\t1\n", "k = 01\n", "k = 1__0\n", "k =\n", "= 1\n", "k = 1 2\n", "k", " ",
    "=", "1", "[", "]", "{", "}", ",", "'", '"', "\\", "\\u0041", "\\ud800", "#", ".", "a", "ä", "\x01", "\x7f", "\n", "k2 = '\t'\n",
    "k3 = [\n  'x', # one\n  'y',\n]\n", "k4 = [ [], {} ]\n", "k5 = 1979-02-30\n", "k6 = +0b11\n", "k7 = 0b11\n", "k8 = 24:00:00\n",
    "a.b.c = 1\n", "a.b = 1\n", "t.x = 1\n", "g = 1.\n", "g = .5\n", "h = -0\n", "h = +99\n", "h = 0o17\n",
]
VALUES = ["", "x", "it's", 'a "b"\\', "\t\n\r\x01\x7f", "ä €", "`id`\"; $(x) | y", " '' "]


def compose(dice):
    if dice.random() < 0.7:  # whole lines: most of them can be read
        lines = [piece for piece in PIECES if piece.endswith("\n")]
        text = "".join(dice.choice(lines) for _ in range(dice.randrange(8)))
    else:
        text = "".join(dice.choice(PIECES) for _ in range(dice.randrange(14)))
    return text.removesuffix("\n") if dice.random() < 0.2 else text


def theirs(text):
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def spell(name):
    if re.fullmatch("[A-Za-z0-9_-]+", name):
        return name
    escapes = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return '"%s"' % "".join(escapes.get(c, c) for c in name)


def flatten(tree, path=""):
    """(section, key) -> value, tables taken apart; arrays of tables too where a header made them."""
    flat = {}
    for name, value in tree.items():
        below = f"{path}.{spell(name)}" if path else spell(name)
        if isinstance(value, dict):
            flat.update(flatten(value, below))
        else:
            flat[path, spell(name)] = value
    return flat


def same(kind, text, value):
    if kind == "s":
        return value == text and isinstance(value, str)
    if kind == "i":
        return not isinstance(value, bool) and isinstance(value, int) and str(value) == text
    if kind == "b":
        return isinstance(value, bool) and str(value).lower() == text
    again = tomllib.loads("k=" + text)["k"]
    if isinstance(value, float):
        return isinstance(again, float) and (again == value or math.isnan(again) and math.isnan(value))
    return again == value and isinstance(value, (str, list, datetime.date, datetime.time))


def resolve(tree, section):
    """The table of a section as our items call it; tables made by the way."""
    for name in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9_-]+)(?:\[\d+\])?', section):
        name, _, index = name.partition("[") if not name.startswith('"') else (name, "", "")
        name = json.loads(name) if name.startswith('"') else name
        tree = tree.setdefault(name, {})
        if index:
            tree = tree[int(index[:-1])]
    return tree


def forget(tree, section, key):
    """A table is no value, and is left alone."""
    try:
        table = resolve(tree, section)
        if not isinstance(table.get(key), dict) and not is_tables(table.get(key)):
            table.pop(key, None)
    except (KeyError, IndexError, AttributeError, TypeError):
        pass


def is_tables(value):
    return isinstance(value, list) and value and isinstance(value[0], dict)


def check_items(text, tree, items):
    seen = 0
    for section, key, kind, value in items:
        if kind == "c":
            continue
        table = resolve(copy.deepcopy(tree), section)
        name = json.loads(key) if key.startswith('"') else key
        assert same(kind, value, table[name]), (text, section, key, kind, value)
        seen += 1
    assert any(is_tables(v) for v in flatten(tree).values()) or seen == len(flatten(tree)), (text, items)


def check_edit(text, tree, edit, after):
    want = copy.deepcopy(tree)
    if edit["op"] == "delete":
        forget(want, edit["section"], edit["key"])
    else:
        table = resolve(want, edit["section"])
        table[edit["key"]] = {"s": str, "i": int, "b": lambda v: v == "true"}[edit["kind"]](edit["value"])
    got = tomllib.loads(after)
    assert without_empty(got) == without_empty(want), (text, edit, after)


def without_empty(tree):
    """Dotted tables come and go with their last key; a NaN equals itself."""
    if isinstance(tree, list):
        return [without_empty(v) for v in tree]
    if isinstance(tree, float) and math.isnan(tree):
        return "nan"
    if not isinstance(tree, dict):
        return tree, type(tree).__name__
    new = {k: without_empty(v) for k, v in tree.items()}
    return {k: v for k, v in new.items() if v != {}}


def some_edit(dice):
    kind, value = dice.choice([("s", v) for v in VALUES] + [("i", "-7"), ("b", "true")])
    return {"op": dice.choice(["set", "set", "delete"]), "kind": kind, "value": value,
            "section": dice.choice(["", "a", "a.b", "b", "m", "m.y", "n.a.b", "t[0]", "t[0].u", "new.x", 'a."x y"']),
            "key": dice.choice(["k", "c", "s", "x", "z", "new", "l", "d"])}


def main():
    dice = random.Random(20261123)
    good = edited = 0
    with subprocess.Popen(sys.argv[1:2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        for _ in range(TEXTS):
            text = compose(dice)
            tree, edit = theirs(text), some_edit(dice)
            driver.stdin.write(json.dumps({"text": text, "edit": edit}) + "\n")
            driver.stdin.flush()
            ours = json.loads(driver.stdout.readline())
            assert (tree is None) == ("error" in ours), (text, tree, ours)
            if tree is None:
                continue
            good += 1
            check_items(text, tree, ours["items"])
            if "after" in ours:
                check_edit(text, tree, edit, ours["after"])
                edited += 1
        driver.stdin.close()
    print(f"{TEXTS} texts, {good} good ones, {edited} edited")
    assert driver.returncode in (0, None) and good > TEXTS / 5 and edited > TEXTS / 10


if __name__ == "__main__":
    main()
