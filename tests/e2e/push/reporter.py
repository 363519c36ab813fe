#!/usr/bin/python3
"""A scripted agent that knows the contract: answers requests for the users of
their manifest. Argument: a folder, where it notes what it was asked. How it
answers is told by the file modes/PORT there."""

import base64
import hashlib
import json
import os
import pathlib
import signal
import struct
import sys
import time

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
MAGIC = b"MMUSTR1\n"
ENVELOPE, REQUEST_END, HELLO, REPORT, FINDING, LOGIN, END, REFUSED = 1, 3, 16, 17, 18, 19, 21, 22


def hold():
    """Silent until the connection is gone."""
    parent = os.getppid()
    while parent != 1 and os.getppid() == parent:
        time.sleep(0.2)


def frame(kind, value):
    body = json.dumps(value).encode()
    return struct.pack(">HHI", kind, 0, len(body)) + body


def read_request():
    stdin, request = sys.stdin.buffer, None
    stdin.read(8)
    while True:
        kind, _, n = struct.unpack(">HHI", stdin.read(8))
        body = stdin.read(n)
        if kind == ENVELOPE:
            request = json.loads(base64.b64decode(json.loads(body)["payload"]))
        if kind == REQUEST_END:
            return request


def mode():
    port = os.environ["SSH_CONNECTION"].split()[3]
    return (FOLDER / "modes" / port).read_text() if (FOLDER / "modes" / port).exists() else "ok"


def finding(user, state="compliant", action="none", found="993"):
    return {"user": user, "client": "mutt", "path": f"/home/{user}/.muttrc", "account": "work", "setting": "incoming.port",
            "desired": "993", "found": found, "line": 3, "state": state, "action": action, "reason": ""}


def login(user, result, cls=""):
    return {"user": user, "account": "work", "side": "incoming", "protocol": "imap", "host": "mail.acme.example",
            "port": 993, "security": "tls", "auth": "password", "username": user, "level": "login", "result": result,
            "class": cls, "text": "", "admin": "the server refuses the password",
            "when": int(time.time())}


EVIL = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\uff1d1+1", "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>', "</table><iframe src=//evil.test>", "&#60;b&#62;", "'); DROP TABLE findings; --",
        "%s%s%n", 'a,b"c;d', "${IFS}`id`$(id)", "\u202egnp.exe"]


def evil(user, texts):
    """Whatever a workstation's files, and its mail servers, can say."""
    for i, t in enumerate(texts):
        yield frame(FINDING, {**finding(user, "drifted"), "path": t, "account": t, "desired": t, "found": t,
                              "override_path": t, "reason": t})
        yield frame(LOGIN, {**login(user, "failed", "AUTH_REJECTED"), "account": f"a{i}", "username": t, "text": t,
                            "admin": t, "server_text": t,
                            "tls": {"version": t, "cipher": t, "subject": t, "issuer": t, "san": t}})


def spooled(r, user, collected):
    """What a session of the user left behind: all is well."""
    return [frame(REPORT, {"id": os.urandom(16).hex(), "host": r["host"], "op": "login", "evidence": "attested", "epoch": 0,
                           "serial": 0, "revision": r["revision"], "collected": collected, "agent": "0.1.0", "user": user,
                           "users": [user]}),
            frame(FINDING, finding(user)), frame(LOGIN, {**login(user, "passed"), "reached": "login"})]


GIB = 1 << 30


def pour(how, first, user):
    """1 GiB of a report, as far as it is taken; notes in FOLDER/poured how far that was."""
    one = {"findings": lambda i: frame(FINDING, {**finding(user, "drifted"), "path": f"/home/{user}/{i}", "found": "x" * 16000}),
           "json": lambda i: json.dumps({**finding(user), "found": "x" * 60000}).encode() + b"\n",
           "noise": lambda i: b"Welcome to this workstation\n" * 2000}[how]
    sent = 0
    try:
        out = b"" if how == "noise" else MAGIC + b"".join(first)
        for i in range(GIB):
            out += one(i)
            sys.stdout.buffer.write(out)
            sent, out = sent + len(out), b""
            if sent > GIB:
                break
        sys.stdout.buffer.flush()
    except OSError:
        pass
    finally:
        (FOLDER / "poured").write_text(str(sent))
        os._exit(0)


def main():
    r = read_request()
    seen = FOLDER / "asked"
    seen.mkdir(exist_ok=True)
    (seen / f"{r['host']},{r['op']},{time.time_ns()}").write_text(r.get("expect", ""))
    how = mode()
    if how == "hang" and not (FOLDER / "answer").exists():
        hold()
    if how == "moves" and "expect" in r:
        sys.stdout.buffer.write(MAGIC + frame(REFUSED, {"code": 77, "reason": "moved", "text": "other changes than planned"}))
        sys.exit(77)
    if how == "refuse":
        sys.stdout.buffer.write(MAGIC + frame(REFUSED, {"code": 77, "reason": "replay", "text": "old"}))
        sys.exit(77)
    users = list(r["manifest"]) or ([r["host"].replace("h", "u")] if r["op"] == "verify" else [])
    frames = [frame(HELLO, {"agent": "0.1.0", "proto": [1, 0], "host": r["host"]}),
              frame(REPORT, {"id": os.urandom(16).hex(), "host": r["host"], "request_id": r["id"], "op": r["op"],
                             "evidence": "attested", "epoch": r["epoch"], "serial": r["serial"], "revision": r["revision"],
                             "collected": int(time.time()), "agent": "0.1.0", "users": users})]
    if how.startswith("pour "):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        pour(how[5:], frames, users[0])
    for u in users:
        if r["op"] == "plan":
            frames.append(frame(FINDING, finding(u, "pending", "would-change", "143")))
            if how == "leaves":
                frames.append(frame(FINDING, {**finding(u, "pending", "would-change", "account2"), "client": "thunderbird",
                                              "account": "old", "setting": "", "reason": "no longer in the policy"}))
                frames.append(frame(FINDING, {**finding(u, "pending", "would-change", "a.example"), "client": "kmail",
                                              "setting": "incoming.host", "costs": ["password", "fetch"]}))
            continue
        if how != "future":
            frames.append(frame(FINDING, finding(u)))
        second = finding(u, "pending", "corrected", "143")
        frames.append(frame(FINDING, {**second, "setting": "outgoing.port", "desired": "465"}))
        if how == "drift":
            frames.append(frame(LOGIN, login(u, "failed", "AUTH_REJECTED")))
        if how == "half":
            frames += [frame(LOGIN, login(u, "failed", "AUTH_REJECTED")),
                       frame(LOGIN, {**login(u, "passed"), "side": "outgoing", "protocol": "smtp", "port": 465, "reached": "login"})]
        if how == "untested":
            frames.append(frame(LOGIN, login(u, "untested", "NO_SECRET")))
        if how == "timeout":
            frames.append(frame(LOGIN, login(u, "failed", "CONN_TIMEOUT")))
        if how == "reverts":
            frames.append(frame(FINDING, {**finding(u, "pending", "reverted", "143"), "setting": "incoming.host",
                                          "desired": "mail.acme.example", "reason": "the certificate is for another name"}))
        if how == "nologin":
            frames.append(frame(LOGIN, login(u, "untested", "NO_LOGIN_WANTED")))
        if how == "passed":
            frames.append(frame(LOGIN, {**login(u, "passed"), "reached": "login"}))
        if how.startswith("evil"):
            frames += evil(u, EVIL)
        if how.startswith("dirty"):
            field, text = json.loads((FOLDER / "dirty").read_text())
            one = {**finding(u, "drifted"), field: text} if field in finding(u) else {**login(u, "failed"), field: text}
            frames.append(frame(FINDING if field in finding(u) else LOGIN, one))
        if how == "future":
            frames.append(frame(FINDING, finding(u, "drifted", "none", "143")))
            frames.append(frame(LOGIN, login(u, "failed", "AUTH_REJECTED")))
            frames += spooled(r, u, int(time.time()) + 10 ** 6)
        if how == "carried":
            frames += spooled(r, u, int(time.time()) + 10 ** 6)
    if how == "foreign":
        frames += [frame(REPORT, {"id": os.urandom(16).hex(), "host": "h0", "op": "login", "evidence": "claimed", "epoch": 0,
                                  "serial": 0, "revision": 1, "collected": int(time.time()), "agent": "0.1.0", "users": []})]
    sha = hashlib.sha256()
    for f in frames:
        sha.update(f[:2] + f[4:])
    sys.stdout.buffer.write(MAGIC + b"".join(frames) + frame(END, {"frames": len(frames), "sha256": sha.hexdigest()}))


if __name__ == "__main__":
    main()
