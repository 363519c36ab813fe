"""What the tests of mailmuster-probe share: starting it as the agent does, and one Dovecot for all.

A test file ends with `harness.main(__name__)`; it takes --bin FOLDER or MM_BIN.
"""

import json
import os
import struct
import subprocess
import sys
import threading
import unittest

import scripted
from dovecot import PASSWORDS, Dovecot

ALICE = PASSWORDS["alice"]
QUICK = ("--connect-timeout", "4", "--answer-timeout", "6", "--login-timeout", "6")
KINDS = (("imap", "tls", "imaps"), ("imap", "starttls", "imap"), ("pop3", "tls", "pop3s"),
         ("pop3", "starttls", "pop3"), ("smtp", "tls", "submissions"), ("smtp", "starttls", "submission"))


HERE = os.path.dirname(os.path.abspath(__file__))
BIN = [os.environ.get("MM_BIN", "")]
DOVECOT = []


def program():
    return os.path.join(BIN[0], "mailmuster-probe")


def sanitized():
    with open(program(), "rb") as f:
        return b"__asan_init" in f.read()


def environment():
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
           "LSAN_OPTIONS": "print_suppressions=0:suppressions=" + os.path.join(HERE, "../../lib/lsan.supp")}
    # the leak checker attaches to the process, which forbids that to all but root
    if os.getuid() != 0:
        env["ASAN_OPTIONS"] = "detect_leaks=0"
    return env


def start(tasks, secrets=(), options=QUICK, stderr=subprocess.PIPE):
    """The program as the agent starts it; its standard input is a finished list."""
    r, w = os.pipe()
    data = b"".join(struct.pack(">I", len(s)) + s for s in secrets)
    proc = subprocess.Popen([program(), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
                            env=environment(), pass_fds=(3,), preexec_fn=lambda: os.dup2(r, 3))
    os.close(r)
    threading.Thread(target=feed, args=(w, data), daemon=True).start()
    for t in tasks:
        proc.stdin.write(json.dumps(t).encode() + b"\n")
    proc.stdin.close()
    proc.stdin = None
    return proc


def feed(fd, data):
    with os.fdopen(fd, "wb") as f:
        f.write(data)


def task(ident, protocol, security, port, host="localhost", level="login", **more):
    t = {"id": ident, "level": level, "protocol": protocol, "host": host, "port": port, "security": security,
         "auth": "password", "username": "alice"}
    if level == "login":
        t["secret"] = 0
    t.update(more)
    return {k: v for k, v in t.items() if v is not None}


class Base(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.dovecot = DOVECOT[0]
        cls.ca = DOVECOT[0].pki.ca

    def serve(self, script, cert=None, **more):
        ctx = self.context(cert, **more) if cert else None
        server = scripted.Server(script, ctx)
        self.addCleanup(server.close)
        return server.port

    def context(self, cert, **more):
        return scripted.context(self.dovecot.pki.path(cert + ".crt"), self.dovecot.pki.path(cert + ".key"), **more)

    def ask(self, tasks, secrets=(ALICE.encode(),), options=QUICK):
        proc = start(tasks, secrets, options)
        out, err = proc.communicate(timeout=120)
        self.assertEqual(proc.returncode, 0, err.decode())
        self.assertEqual(err.decode(), "")
        self.output = out.decode()
        answers = {}
        for line in self.output.splitlines():
            a = json.loads(line)
            answers[a["id"]] = a
        self.assertEqual(sorted(answers), sorted(t["id"] for t in tasks))
        return answers

    def one(self, *args, password=ALICE, options=QUICK, **more):
        more.setdefault("ca_file", self.ca)
        return self.ask([task(1, *args, **more)], (password.encode(),), options)[1]

    def expect(self, answer, result, cls, reached):
        self.assertEqual((answer["result"], answer["class"], answer.get("reached")), (result, cls, reached), answer)
        if result != "passed":
            self.assertRegex(answer["text"], r"\S.*[.?]$")
            self.assertRegex(answer["admin"], r"\S.*[.?]$")
            said = (answer["text"] + answer["admin"]).replace(answer.get("server_text") or "{{", "")
            self.assertNotIn("{", said)

    def fails(self, cls, *args, reached="reach", **more):
        answer = self.one(*args, **more)
        self.expect(answer, "failed", cls, reached)
        return answer

    def untested(self, cls, *args, reached="tls", **more):
        answer = self.one(*args, **more)
        self.expect(answer, "untested", cls, reached)
        return answer


def main(module, server=Dovecot):
    argv = sys.argv[:1]
    rest = iter(sys.argv[1:])
    for a in rest:
        if a == "--bin":
            BIN[0] = next(rest)
        else:
            argv.append(a)
    if not os.access(program(), os.X_OK):
        sys.exit(argv[0] + ": no mailmuster-probe in --bin or MM_BIN")
    BIN[0] = os.path.abspath(BIN[0])
    DOVECOT.append(server())
    try:
        # old TLS, which is what some tests are about, is deprecated in Python
        result = unittest.main(module=module, argv=argv, exit=False, warnings="ignore").result
    finally:
        DOVECOT[0].stop()
    sys.exit(0 if result.wasSuccessful() else 1)
