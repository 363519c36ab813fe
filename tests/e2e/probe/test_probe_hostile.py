#!/usr/bin/env python3
"""mailmuster-probe against servers that mean harm: bounded memory, bounded time, and never a pass.

    python3 tests/e2e/probe/test_probe_hostile.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import scripted  # noqa: E402
from harness import ALICE, Base, task  # noqa: E402

CHUNK = 65536
MIB = 1024
QUICK = ("--connect-timeout", "4", "--answer-timeout", "3", "--login-timeout", "3")


def flood(block, first=b""):
    def script(t):
        t.sock.sendall(first)
        while True:
            t.sock.sendall(block)
    return script


def after(words, block):
    """Behaves until the client says the word, then floods."""
    def script(t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            verb = rest.split(" ")[0].upper()
            if verb == words:
                while True:
                    t.sock.sendall(block.replace(b"TAG", tag.encode()))
            t.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR", tag + " OK done")
    return script


def drip(t):
    for c in "* OK a server with a very long and slow greeting that never comes to its end " * 100:
        t.sock.sendall(c.encode())
        time.sleep(0.2)


LITERAL = b"* OK {1073741824}\r\n"
BINARY = bytes(range(256)) * (CHUNK // 256)
NO_LINE = b"x" * CHUNK
LINES = b"* OK more\r\n" * 5000

FLOODS = {
    "endless greeting line": flood(NO_LINE),
    "endless greeting after its start": flood(NO_LINE, b"* OK "),
    "endless lines": flood(LINES),
    "literal of 1 GiB as a greeting": flood(NO_LINE, LITERAL),
    "literal of 1 GiB among the capabilities": after("CAPABILITY", b"* CAPABILITY {1073741824}\r\n" + NO_LINE),
    "endless capabilities": after("CAPABILITY", b"* CAPABILITY " + b"AUTH=X " * 9000 + b"\r\n"),
    "binary": flood(BINARY),
    "zero bytes": flood(bytes(CHUNK)),
    "endless answer to the login": after("AUTHENTICATE", b"* NO more\r\n" * 1000),
    "endless challenges": after("AUTHENTICATE", b"+ eHh4\r\n" * 1000),
    "literal after the login": after("AUTHENTICATE", b"TAG OK in\r\n* 5 EXISTS {1073741824}\r\n" + NO_LINE),
}


class Hostile(Base):
    def run_one(self, tasks, secrets=(ALICE.encode(),)):
        began = time.monotonic()
        proc = harness.start(tasks, secrets, QUICK)
        out = proc.stdout.read()
        _, status, usage = os.wait4(proc.pid, 0)
        proc.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(proc.returncode, 0, proc.stderr.read())
        proc.stdout.close()
        proc.stderr.close()
        return ([json.loads(line) for line in out.decode().splitlines()], time.monotonic() - began, usage.ru_maxrss)

    def test_floods(self):
        """In TLS and in clear: all at once in one process, which has to stay small and to end."""
        tasks, names = [], {}
        for name, script in FLOODS.items():
            for security, cert in (("tls", "good"), ("none", None), ("starttls", None)):
                names[len(tasks)] = name + ", " + security
                tasks.append(task(len(tasks), "imap", security, self.serve(script, cert), ca_file=self.ca))
        answers, took, kib = self.run_one(tasks)
        self.assertEqual(len(answers), len(tasks))
        for a in answers:
            self.assertNotEqual(a["result"], "passed", names[a["id"]])
            self.assertLess(len(json.dumps(a)), 20000, names[a["id"]])
        self.assertLess(took, 120)
        self.assertLess(kib, (600 if harness.sanitized() else 100) * MIB)

    def test_other_protocols(self):
        tasks = []
        for p, block in (("pop3", b"+OK x\r\n" * 5000), ("pop3", b"-ERR " + NO_LINE), ("smtp", b"220-x\r\n" * 5000),
                         ("smtp", b"220 " + NO_LINE), ("smtp", b"250-AUTH PLAIN\r\n" * 5000)):
            for security, cert in (("tls", "good"), ("starttls", None)):
                tasks.append(task(len(tasks), p, security, self.serve(flood(block), cert), ca_file=self.ca))
        answers, took, kib = self.run_one(tasks)
        self.assertEqual(len(answers), len(tasks))
        self.assertFalse([a for a in answers if a["result"] == "passed"])
        self.assertLess(took, 60)
        self.assertLess(kib, (600 if harness.sanitized() else 100) * MIB)

    def test_survey_of_a_hostile_server(self):
        scripts = (FLOODS["endless lines"], FLOODS["binary"], drip)
        tasks = [task(i, "imap", "tls", self.serve(script, "good"), ca_file=self.ca, survey=True)
                 for i, script in enumerate(scripts)]
        answers, took, _ = self.run_one(tasks)
        self.assertEqual({a["result"] for a in answers}, {"failed"})
        self.assertLess(took, 60)

    def test_injection_before_tls(self):
        """What comes in clear behind the go-ahead must not count behind TLS."""
        offers = {"imap": (b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\nTAG OK\r\n",
                           b"TAG OK go\r\n* OK [ALERT] call 555-0100\r\nA003 OK in\r\n"),
                  "smtp": (b"220 ready\r\n", b"250-localhost\r\n250 STARTTLS\r\n",
                           b"220 go\r\n250-localhost\r\n250 AUTH PLAIN\r\n235 in\r\n")}
        for p, (greeting, offer, injected) in offers.items():
            def script(t, greeting=greeting, offer=offer, injected=injected):
                t.sock.sendall(greeting)
                while True:
                    line = t.line()
                    tag = line.split(" ")[0].encode()
                    if "STARTTLS" in line:
                        t.sock.sendall(injected.replace(b"TAG", tag))
                        t.tls(self.context("good"))
                        return t.wait()
                    t.sock.sendall(offer.replace(b"TAG", tag))
            a = self.fails("STARTTLS_INJECTION", p, "starttls", self.serve(script))
            self.assertNotIn("555", json.dumps(a.get("notes", [])))

    def test_alert_in_clear_is_not_shown(self):
        """Anybody in between could have said it."""
        def script(t):
            t.say("* OK [ALERT] call 555-0100")
            while True:
                tag, _, rest = t.line().partition(" ")
                if rest == "STARTTLS":
                    t.say(tag + " OK go")
                    t.tls(self.context("good"))
                    return scripted.imap(login="OK in")(Quiet(t))
                t.say("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED", tag + " OK")

        class Quiet:
            """Behind STARTTLS there is no second greeting."""

            def __init__(self, talk):
                self.talk, self.greeted = talk, False

            def say(self, *lines):
                if self.greeted:
                    self.talk.say(*lines)
                self.greeted = True

            def __getattr__(self, name):
                return getattr(self.talk, name)
        a = self.one("imap", "starttls", self.serve(script))
        self.expect(a, "passed", "", "login")
        self.assertEqual(a.get("notes", []), [])


if __name__ == "__main__":
    harness.main(__name__)
