"""Validate the frozen samples by the published JSON Schemas.

Usage: schemas.py SCHEMAS-FOLDER
"""

import base64
import copy
import json
import pathlib
import struct
import sys

import jsonschema

BODIES = {1: "envelope", 2: "sheet", 16: "hello", 17: "report", 18: "finding", 19: "login", 21: "end", 22: "refused"}
EMPTY = {3, 20}
PREFIX = "urn:mailmuster:v1:"


def inlined(node, raw):
    """The schema with each reference replaced by what it refers to."""
    if isinstance(node, list):
        return [inlined(item, raw) for item in node]
    if not isinstance(node, dict):
        return node
    merged = {key: inlined(value, raw) for key, value in node.items() if key != "$ref"}
    ref = node.get("$ref")
    if ref is not None:
        assert ref.startswith(PREFIX), ref
        name, _, word = ref[len(PREFIX):].partition("#/$defs/")
        target = raw[name]["$defs"][word] if word else raw[name]
        merged.update(inlined({key: value for key, value in target.items() if key != "$id"}, raw))
    return merged


def load(folder):
    raw = {p.name.split(".")[0]: json.loads(p.read_text("utf-8")) for p in sorted(folder.glob("*.schema.json"))}
    words = raw["words"]["$defs"]
    validators = {}
    for name, schema in raw.items():
        whole = schema if name == "words" else inlined(schema, raw)
        jsonschema.Draft202012Validator.check_schema(whole)
        validators[name] = jsonschema.Draft202012Validator(whole)
    validators["settings"] = jsonschema.Draft202012Validator(words["settings"])
    return validators


def frames(data):
    """(type, body) of each frame of a stream."""
    assert data[:8] == b"MMUSTR1\n"
    at = 8
    while at < len(data):
        kind, zero, length = struct.unpack(">HHI", data[at:at + 8])
        assert zero == 0 and at + 8 + length <= len(data)
        yield kind, data[at + 8:at + 8 + length]
        at += 8 + length


def documents(samples):
    """(where, schema, document) of everything in the samples."""
    one = samples / "v1"
    for name in ("request", "envelope"):
        yield name, name, json.loads((one / f"{name}.json").read_text("utf-8"))
    for name in ("sheet-alice", "sheet-bob"):
        sheet = json.loads((one / f"{name}.json").read_text("utf-8"))
        yield name, "sheet", sheet
        for account in sheet["accounts"]:
            yield f"{name} {account['name']}", "settings", dict(account["settings"])
    for stream in ("request", "answer", "refused"):
        for number, (kind, body) in enumerate(frames((one / f"{stream}.frames").read_bytes())):
            if kind in EMPTY:
                assert body == b"", (stream, number)
                continue
            yield f"{stream} frame {number}", BODIES[kind], json.loads(body)
            if kind == 1:
                yield f"{stream} payload", "request", json.loads(base64.b64decode(json.loads(body)["payload"]))
    two = samples / "v1.1"
    for name, schema in (("request", "request"), ("restore", "request"), ("sheet-bob", "sheet"), ("finding", "finding"), ("report", "report"), ("plan", "plan"),
                         ("preflight", "preflight"), ("preflight-local", "preflight-local"), ("rollout", "rollout"),
                         ("discover", "discover"), ("fleet-report", "fleet-report")):
        yield f"{name} of 1.1", schema, json.loads((two / f"{name}.json").read_text("utf-8"))
    three = samples / "v1.2"
    for name in ("request", "end", "checkpoint", "event", "audit-verify", "push"):
        yield f"{name} of 1.2", name, json.loads((three / f"{name}.json").read_text("utf-8"))
    for name in ("envelope", "check-list", "signing-key"):
        yield f"{name} of 1.3", name, json.loads((samples / f"v1.3/{name}.json").read_text("utf-8"))
    for name, schema in (("probe-tasks", "probe-task"), ("probe-answers", "probe-answer"),
                         ("probe-candidates", "probe-candidate")):
        for number, line in enumerate((one / f"{name}.jsonl").read_text("utf-8").splitlines()):
            yield f"{name} line {number + 1}", schema, json.loads(line)


def broken(name, document, schema):
    """Copies of a document, each with one thing wrong."""
    for key in schema.get("required", []):
        less = copy.deepcopy(document)
        del less[key]
        yield f"without {key}", less
    for key in schema["properties"]:
        if key in document:
            other = copy.deepcopy(document)
            other[key] = [["wrong"]] if isinstance(document[key], dict) else {"surely": "wrong"}
            yield f"wrong {key}", other
    if name in ("login", "probe-answer"):
        other = copy.deepcopy(document)
        other["result"] = "passed"
        other.pop("reached", None)
        yield "passed without a level", other


def main():
    folder = pathlib.Path(sys.argv[1])
    validators = load(folder / "json")
    good = bad = failed = 0
    seen = set()
    for where, name, document in documents(folder / "samples"):
        seen.add(name)
        good += 1
        for error in validators[name].iter_errors(document):
            print(f"{where}: {error.message}", file=sys.stderr)
            failed += 1
        for what, wrong in broken(name, document, validators[name].schema):
            bad += 1
            if validators[name].is_valid(wrong):
                print(f"{where}: {what} is valid", file=sys.stderr)
                failed += 1
    missing = set(validators) - seen - {"words"}
    if missing:
        print(f"no sample of: {', '.join(sorted(missing))}", file=sys.stderr)
    print(f"{good} documents valid, {bad} broken ones refused, {failed} failures")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
