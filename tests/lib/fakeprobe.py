#!/usr/bin/env python3
"""A stand-in for mailmuster-probe: no network, answers that a test chooses.

Reads tasks and secrets as the real one does, and appends what it was asked to $HOME/.probe.jsonl.
$HOME/.probe-script may hold JSON {"HOST": answer}: "failed" (AUTH_REJECTED), "silent", "garbage",
"unasked", "lies", "lower", "hang", "slow", "claims" (a login that was not made), or a class in capitals, by which it fails; everything else passes. A password that is wrong for $HOME/.probe-password fails.
"""
import json
import os
import pathlib
import struct
import sys
import time

home = pathlib.Path(os.environ["HOME"])
secrets = []
with open(3, "rb") as f:
    while head := f.read(4):
        secrets.append(f.read(struct.unpack(">I", head)[0]).decode())
script = home / ".probe-script"
script = json.loads(script.read_text()) if script.exists() else {}
right = home / ".probe-password"
right = right.read_text() if right.exists() else None
with open(home / ".probe.jsonl", "a", encoding="utf-8") as log:
    for line in sys.stdin:
        t = json.loads(line)
        log.write(json.dumps({**t, "password": secrets[t["secret"]] if "secret" in t else None, "records": secrets})
                  + "\n")
        log.flush()
        lacking = {"gssapi": ("ccache", "NO_TICKET"), "external": ("certificate", "NO_CLIENT_CERT")}
        member, word = lacking.get(t["auth"], ("secret", "NO_SECRET"))
        how = script.get(t["host"], "passed")
        if how == "passed" and right is not None and "secret" in t and secrets[t["secret"]] != right:
            how = "failed"
        a = {"id": t["id"], "side": "incoming", "protocol": t["protocol"], "host": t["host"], "port": t["port"],
             "security": t["security"], "auth": t["auth"], "username": t.get("username", ""), "level": t["level"],
             "reached": t["level"], "result": "passed", "class": "", "text": "", "admin": "",
             "timing": {"dns": 0, "tcp": 0, "tls": 0, "greeting": 0, "login": 0}, "when": int(time.time())}
        if t["level"] == "login" and member not in t and how != "claims":
            a.update(result="untested", **{"class": word})
        if how == "failed":
            a.update(result="failed", reached="tls", text="refused", admin="refused", **{"class": "AUTH_REJECTED"})
        elif how.isupper():
            a.update(result="failed", reached="tls", text="It failed.", admin="It failed.", **{"class": how})
        elif how == "silent":
            continue
        elif how == "garbage":
            print("this is no JSON", flush=True)
            continue
        elif how == "unasked":
            a["id"] = 77
        elif how == "lies":
            a.update(host="evil.test", username="root", port=1, side="outgoing")
        elif how == "lower":
            a.update(level="reach", reached="reach")
        elif how == "slow":
            time.sleep(5)
        elif how == "hang":
            time.sleep(600)
        print(json.dumps(a), flush=True)
