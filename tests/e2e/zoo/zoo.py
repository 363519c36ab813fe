"""Cases, the run, and the table.

A case is a task for mailmuster-probe, what must come of it, and a word on how
it is produced. All cases of a run go through one process, as in real life.
"""

import dataclasses
import json
import os
import resource
import subprocess
import time

import harness
from imapd import PASSWORD

QUICK = ("--connect-timeout", "5", "--answer-timeout", "5", "--login-timeout", "7")
UNTESTED = {"DNS_UNAVAILABLE", "NET_NO_ROUTE", "PREAUTH_NOT_A_TEST", "NO_SECRET", "BAD_SECRET", "NO_USERNAME",
            "NO_LOGIN_WANTED", "NO_TLS_WANTED", "MECH_DIFFERS", "MECH_NOT_TESTABLE", "LIBRARY_LIMIT",
            "CA_FILE_UNREADABLE", "ROUNDTRIP_NOT_TESTED", "TRIP_NOT_SEEN", "NO_TICKET", "NO_CLIENT_CERT",
            "KRB_NO_ANSWER", "LOCAL_TROUBLE", "REFUSED_ELSEWHERE"}
ANY = ("?",)
SCRIPTED = "here.wild.zoo.test"


@dataclasses.dataclass
class Case:
    """`cls` "" is a pass. `notes` are remarks that must come; where a login
    passes no others may, unless `more_notes`."""
    name: str
    how: str
    cls: object
    task: dict
    secret: object = PASSWORD
    certificate: object = None  # PEM of certificate and key
    notes: tuple = ()
    more_notes: bool = False
    reached: object = ANY
    says: tuple = ()      # words that user's or admin's text or the fix must hold
    silent: object = None  # a scripted server that must never see a credential
    least: float = 0      # seconds that it takes at least ...
    most: float = 40      # ... and at most
    answer: dict = None
    ms: int = 0

    def words(self):
        return (self.cls,) if isinstance(self.cls, str) else tuple(self.cls)



def result_of(word):
    if not word:
        return "passed"
    return "untested" if word in UNTESTED else "failed"


def task(protocol, security, host, port, **more):
    t = {"level": "login", "protocol": protocol, "host": host, "port": port, "security": security, "auth": "password",
         "username": "alice"}
    t.update(more)
    return {k: v for k, v in t.items() if v is not None}


def lines(cases, ca):
    """Tasks and secrets for one process; a secret is sent once for all that share it.

    Of one person's logins at a host one waits for another, so that a wrong password is said once: each
    scripted server, which takes everybody, is somebody else's.
    """
    tasks, secrets = [], []
    for i, c in enumerate(cases):
        t = {"id": i, "ca_file": ca, "survey": True, **c.task}
        if t["host"] == SCRIPTED and t.get("username") == "alice":
            t["username"] = f"alice.{i}"
        if t["ca_file"] == "":
            del t["ca_file"]
        for what, value in (("secret", c.secret), ("certificate", c.certificate)):
            if value is None:
                continue
            data = value if isinstance(value, bytes) else value.encode()
            if data not in secrets:
                secrets.append(data)
            t[what] = secrets.index(data)
        tasks.append(t)
    return tasks, secrets


def high_water(pid):
    """KiB that a process had resident at its most; None when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return None


class Run:
    """One process with all cases: answers, times, cost."""

    def __init__(self, cases, ca, options=QUICK, limit=150):
        self.cases, self.errors, self.kib = cases, [], 0
        tasks, secrets = lines(cases, ca)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        proc = harness.start(tasks, secrets, options)
        try:
            self._listen(proc, began, limit)
        finally:
            if proc.poll() is None:
                proc.kill()
            proc.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.wall = time.monotonic() - began
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.status = proc.returncode
        self.stderr = proc.stderr.read().decode("utf-8", "replace")
        proc.stderr.close()
        proc.stdout.close()

    def _listen(self, proc, began, limit):
        os.set_blocking(proc.stdout.fileno(), False)
        rest = b""
        while time.monotonic() - began < limit:
            more = proc.stdout.read()
            if more == b"":
                return
            self.kib = high_water(proc.pid) or self.kib
            if more is None:
                time.sleep(0.004)
                continue
            *done, rest = (rest + more).split(b"\n")
            for line in done:
                self._answer(json.loads(line), began)
        self.errors.append(f"not done after {limit} s")

    def _answer(self, a, began):
        c = self.cases[a["id"]]
        if c.answer is not None:
            self.errors.append(f"{c.name} was answered twice")
        c.answer, c.ms = a, round((time.monotonic() - began) * 1000)


def took(c):
    """What the steps of the case took; its time in queues and second looks is not among them."""
    return sum(max(0, step["ms"]) for step in (c.answer or {}).get("steps", []))


def complaints(c):
    """Everything that is not as it should be, as sentences."""
    a = c.answer
    if a is None:
        return ["no answer"]
    out = []
    if a["class"] not in c.words() or a["result"] != result_of(a["class"]):
        out.append(f"expected {'|'.join(c.words()) or 'pass'}, got {a['result']} {a['class']}")
    if c.reached is not ANY and a.get("reached") != c.reached:
        out.append(f"reached {a.get('reached')} instead of {c.reached}")
    notes = {n["class"] for n in a.get("notes", [])}
    missing = set(c.notes) - notes
    if missing:
        out.append("without the remark " + ", ".join(sorted(missing)))
    if "TLS_VERSION_TOO_OLD" in c.words() and "OLD_TLS_OFFERED" in notes:
        out.append("a remark says what the verdict says")
    surplus = notes - set(c.notes)
    if surplus and not c.words()[0] and not c.more_notes:
        out.append("with the remark " + ", ".join(sorted(surplus)))
    said = " ".join([a.get("text", ""), a.get("admin", ""), a.get("fix", "") or ""] +
                    [n["text"] + " " + n["admin"] for n in a.get("notes", [])])
    out += [f"does not say {w!r}: {said}" for w in c.says if w not in said]
    if "{" in said.replace(a.get("server_text", "{"), ""):
        out.append("an unfilled place: " + said)
    if a["result"] != "passed" and not (a.get("text") and a.get("admin")):
        out.append("a sentence is missing")
    if c.silent is not None and any(credential(line) for line in c.silent.lines):
        out.append("credentials went out")
    if c.ms / 1000 < c.least or took(c) / 1000 > c.most:
        out.append(f"answered after {c.ms} ms, took {took(c)} ms")
    return out


def credential(line):
    return line.upper().lstrip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ").lstrip().startswith(
        ("AUTHENTICATE", "LOGIN")) or line.upper().startswith(("AUTH ", "USER ", "PASS "))


def table(cases):
    """All cases for people."""
    rows = [("case", "how it is produced", "expected", "got", "ms")]
    for c in cases:
        a = c.answer or {}
        want = "|".join(c.words()) or "pass"
        got = a.get("class") or ("pass" if a else "-")
        notes = ",".join(n["class"] for n in a.get("notes", []))
        mark = "!" if complaints(c) else " "
        rows.append((mark + c.name, c.how, want + "".join(" +" + n for n in c.notes), got + (" +" + notes if notes else ""),
                     str(took(c))))
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    widths = [min(w, m) for w, m in zip(widths, (34, 60, 52, 52))]
    return "\n".join("  ".join([*(r[i].ljust(widths[i])[:widths[i]] for i in range(4)), r[4].rjust(6)]) for r in rows)


def peer(*argv, seconds=30, text=""):
    """What another program says: status and its last line."""
    try:
        p = subprocess.run(argv, input=text, capture_output=True, text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return None, "no answer"
    said = [x for x in (p.stdout + p.stderr).splitlines() if x.strip()]
    return p.returncode, said[-1] if said else ""
