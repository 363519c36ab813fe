#!/usr/bin/python3
"""A scripted agent for the tests of the push: reads a request, answers as its
first argument says."""

import hashlib
import json
import os
import struct
import sys
import time

MAGIC = b"MMUSTR1\n"
REQUEST_END, HELLO, REPORT, FINDING, KEEPALIVE, END, REFUSED = 3, 16, 17, 18, 20, 21, 22
out = sys.stdout.buffer


def hold():
    """Silent until the connection is gone."""
    parent = os.getppid()
    while parent != 1 and os.getppid() == parent:
        time.sleep(0.2)


def frame(kind, body=b""):
    return struct.pack(">HHI", kind, 0, len(body)) + body


class Answer:
    def __init__(self):
        self.sha, self.count = hashlib.sha256(), 0
        self.bytes = MAGIC

    def add(self, kind, value):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.bytes += frame(kind, body)
        if kind != KEEPALIVE:
            self.sha.update(struct.pack(">HI", kind, len(body)) + body)
            self.count += 1
        return self

    def end(self, spoil=False):
        sha = "0" * 64 if spoil else self.sha.hexdigest()
        self.bytes += frame(END, json.dumps({"frames": self.count, "sha256": sha}).encode())
        return self

    def send(self):
        out.write(self.bytes)
        out.flush()
        self.bytes = b""


def read_request():
    stdin = sys.stdin.buffer
    if stdin.read(8) != MAGIC:
        sys.exit("no magic")
    total = 0
    while True:
        kind, _, n = struct.unpack(">HHI", stdin.read(8))
        body = stdin.read(n)
        total += len(body)
        if kind == REQUEST_END:
            return total


def hello():
    return Answer().add(HELLO, {"agent": "0.1.0", "proto": [1, 0], "host": "h"})


def good(frames=2):
    a = hello()
    for i in range(frames):
        a.add(FINDING, {"n": i})
    return a.end()


def main():
    mode = sys.argv[1]
    if mode == "notfound":
        sys.stderr.write("sh: 1: mailmuster-agent: not found\n")
        sys.exit(127)
    if mode == "early":  # refuses without reading
        out.write(MAGIC + frame(REFUSED, b'{"code":77,"reason":"busy","text":"another run"}'))
        out.flush()
        sys.exit(77)
    if mode == "abort":
        sys.stderr.write("agent: cannot go on\nsecond line\n")
        sys.exit(1)
    if mode == "noise":
        out.write(b"Welcome!\n" * 2000)
        out.flush()
    if mode == "motd":
        out.write(b"Welcome to this host\n")
        out.flush()
    size = read_request()
    if mode in ("ok", "motd"):
        good().send()
    elif mode == "big":
        a = hello()
        for _ in range(20):
            a.add(FINDING, b"x" * 200000)
        a.end().send()
    elif mode == "size":
        hello().add(FINDING, {"size": size}).end().send()
    elif mode == "slow":
        hello().send()
        time.sleep(float(os.environ.get("AGENT_SLEEP", "2")))
        good_rest = Answer()
        good_rest.bytes = b""
        h = hello()
        h.bytes = b""
        h.end().send()
    elif mode == "keepalive":
        a = hello()
        a.send()
        for _ in range(4):
            time.sleep(0.5)
            a.add(KEEPALIVE, b"").send()
        a.end().send()
    elif mode == "hang":
        hello().send()
        hold()
    elif mode == "refuse":
        Answer().add(REFUSED, {"code": 77, "reason": "replay", "text": "serial 5 is older than 7"}).send()
        sys.exit(77)
    elif mode == "garbage":
        out.write(MAGIC + b"\x00\x10\xff\xff\xff\xff\xff\xff")
        out.flush()
        hold()
    elif mode == "huge":
        out.write(MAGIC + struct.pack(">HHI", HELLO, 0, 1 << 30))
        out.flush()
        hold()
    elif mode == "noend":
        hello().add(FINDING, {}).send()
        sys.exit(0)
    elif mode == "badend":
        a = hello()
        a.end(spoil=True).send()
    elif mode == "afterend":
        a = hello().end()
        a.bytes += frame(FINDING, b"{}")
        a.send()
    elif mode == "flood":
        a = hello()
        a.send()
        while True:
            a.add(FINDING, b"x" * 1000000).send()


main()
