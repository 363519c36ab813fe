#!/usr/bin/env python3
"""TLS sessions that tests share, by the word of the server (OpenSSL's), and those that they must not.

    python3 tests/e2e/probe/test_probe_sessions.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import base64
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import scripted  # noqa: E402
from authservers import client_certificate  # noqa: E402
from harness import ALICE, Base, task  # noqa: E402

ONE_BY_ONE = ("--per-server", "1", "--answer-timeout", "6")
PRE_SHARED_KEY = 41  # RFC 8446 4.2


def offers_session(hello):
    """Does a ClientHello (RFC 8446 4.1.2) hold the extension by which TLS 1.3 resumes?"""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + struct.unpack_from(">H", hello, at)[0]
    at += 1 + hello[at]
    at += 2
    while at + 4 <= len(hello):
        kind, size = struct.unpack_from(">HH", hello, at)
        if kind == PRE_SHARED_KEY:
            return True
        at += 4 + size
    return False


class Tls:
    """Stands for a server's context: which one a connection gets, by its number; keeps what became of each."""

    def __init__(self, *contexts, cannot_resume=False):
        self.contexts = contexts
        self.cannot_resume = cannot_resume
        self.seen, self.refused = [], 0

    def wrap_socket(self, sock, server_side):
        which = self.contexts[min(len(self.seen), len(self.contexts) - 1)]
        if self.cannot_resume:
            hello = sock.recv(4096, socket.MSG_PEEK)
            if offers_session(hello):
                self.refused += 1
                sock.close()
                raise OSError
        spot = len(self.seen)
        self.seen.append(None)
        sock = which.wrap_socket(sock, server_side=server_side)
        self.seen[spot] = sock.session_reused
        return sock


class Sessions(Base):
    def server(self, tls, script=None):
        server = scripted.Server(script or scripted.imap("IMAP4rev1 SASL-IR AUTH=PLAIN", login="OK done"), tls)
        self.addCleanup(server.close)
        self.lines = server.lines
        return server.port

    def users(self, port, n, **more):
        more.setdefault("ca_file", self.ca)
        return [task(i, "imap", "tls", port, username=f"user{i}", **more) for i in range(n)]

    def passed(self, answers, resumed):
        for ident, a in answers.items():
            self.expect(a, "passed", "", "login")
            self.assertEqual(a["tls"].get("resumed", False), resumed, (ident, a["tls"]))

    def fingerprint(self, name):
        with open(self.dovecot.pki.path(name + ".crt"), encoding="ascii") as f:
            der = ssl.PEM_cert_to_DER_cert(f.read())
        return hashlib.sha256(der).hexdigest()

    def test_two_users(self):
        tls = Tls(self.context("good"))
        answers = self.ask(self.users(self.server(tls), 2), options=ONE_BY_ONE)
        self.passed(answers, True)
        # the look without credentials negotiated in full, and nobody else had to
        self.assertEqual(tls.seen, [False, True, True])
        # each logged in by itself
        said = [base64.b64decode(line.split(" ")[3]).decode() for line in self.lines if "AUTHENTICATE PLAIN" in line]
        self.assertEqual(sorted(said), [f"\0user{i}\0{ALICE}" for i in range(2)])
        # and what is told of the certificate is all there
        alone = self.ask(self.users(self.server(Tls(self.context("good"))), 1), options=ONE_BY_ONE)[0]
        self.passed({0: alone}, False)
        for a in answers.values():
            tls = dict(a["tls"])
            self.assertIs(tls.pop("resumed"), True)
            self.assertEqual(tls, alone["tls"])
            self.assertEqual([n["class"] for n in a.get("notes", [])], [n["class"] for n in alone.get("notes", [])])
            rung = [s for s in a["steps"] if s["rung"] == "tls"][0]
            self.assertIn("TLSv1.3 resumed, certificate until 20", rung["text"])

    def agree(self, answers, seen):
        """An answer says resumed where the server says so, as often, and nowhere else."""
        self.assertFalse(seen[0])
        told = [a["tls"].get("resumed", False) for a in answers.values()]
        self.assertEqual(sum(told), sum(seen[1:]))
        for a in answers.values():
            self.expect(a, "passed", "", "login")
            self.assertEqual(a["tls"]["fingerprint"], self.fingerprint("good"))

    def test_tls_12(self):
        imap = scripted.imap("IMAP4rev1 SASL-IR AUTH=PLAIN", login="OK done")

        def script(t):
            imap(t)
            # OpenSSL forgets a session of 1.2 whose connection ends without this
            t.sock.unwrap()

        tls = Tls(self.context("good", highest=ssl.TLSVersion.TLSv1_2))
        self.agree(self.ask(self.users(self.server(tls, script), 4), options=ONE_BY_ONE), tls.seen)
        self.assertIn(True, tls.seen)

    def test_one_user_needs_none(self):
        tls = Tls(self.context("good"))
        self.passed(self.ask(self.users(self.server(tls), 1)), False)
        self.assertEqual(tls.seen, [False])

    def test_another_certificate_in_between(self):
        """A server that was started anew cannot resume: it shows what it has now."""
        self.dovecot.pki.leaf("new", "ca", "DNS:localhost")
        tls = Tls(self.context("good"), self.context("new"))
        answers = self.ask(self.users(self.server(tls), 2), options=ONE_BY_ONE)
        for a in answers.values():
            self.assertEqual(a["tls"]["fingerprint"], self.fingerprint("new"))
        # the first to come back negotiated in full, and the second resumed that session
        self.assertEqual(tls.seen, [False, False, True])
        self.assertEqual(sorted(a["tls"].get("resumed", False) for a in answers.values()), [False, True])

    def test_a_worse_certificate_in_between(self):
        for name, cls in (("unknown", "CERT_UNKNOWN_CA"), ("wrongname", "CERT_NAME_MISMATCH"),
                          ("expired", "CERT_EXPIRED")):
            with self.subTest(name):
                tls = Tls(self.context("good"), self.context(name))
                answers = self.ask(self.users(self.server(tls), 3), options=ONE_BY_ONE)
                for a in answers.values():
                    self.expect(a, "failed", cls, "reach")
                    self.assertNotIn("resumed", a["tls"])
                self.assertFalse([line for line in self.lines if "AUTH" in line])

    def test_other_trust_is_not_shared(self):
        """The same server at the same time: with a CA file that does not hold its issuer, and with another pin."""
        both = self.dovecot.pki.path("both.pem")
        with open(both, "w", encoding="ascii") as f:
            for name in ("ca", "other"):
                f.write(open(self.dovecot.pki.path(name + ".crt"), encoding="ascii").read())
        pin = self.one("imap", "tls", self.server(Tls(self.context("good"))))["tls"]["pin"]
        wrong = "sha256//" + base64.b64encode(b"\0" * 32).decode()
        kinds = [({}, ""), ({"ca_file": both}, ""), ({"ca_file": self.dovecot.pki.path("other.crt")}, "CERT_UNKNOWN_CA"),
                 ({"pin": pin}, ""), ({"pin": wrong}, "CERT_PIN"), ({"tls_min": "1.3"}, "")]
        tls = Tls(self.context("good"))
        port = self.server(tls)
        tasks = []
        for more, _ in kinds:
            for t in self.users(port, 2, **more):
                tasks.append(dict(t, id=len(tasks)))
        answers = self.ask(tasks, options=ONE_BY_ONE)
        for i, (_, cls) in enumerate(kinds):
            for a in (answers[2 * i], answers[2 * i + 1]):
                self.expect(a, "failed" if cls else "passed", cls, "reach" if cls else "login")
                self.assertEqual(a["tls"].get("resumed", False), not cls)
        # every kind negotiated for itself, at least once
        full = [s for s in tls.seen if s is False]
        self.assertGreaterEqual(len(full), sum(not cls for _, cls in kinds))
        self.assertEqual(tls.seen.count(True), 2 * sum(not cls for _, cls in kinds))

    def test_client_certificates_are_not_shared(self):
        pki = self.dovecot.pki
        pems = [client_certificate(pki, "client-" + u, u) for u in ("alice", "bob")]
        tls = Tls(self.context("good", client_ca=self.ca))
        port = self.server(tls, scripted.imap("IMAP4rev1 SASL-IR AUTH=EXTERNAL", login="OK done"))
        tasks = [dict(t, auth="external", certificate=i % 2, secret=None) for i, t in enumerate(self.users(port, 4))]
        answers = self.ask([{k: v for k, v in t.items() if v is not None} for t in tasks], pems, ONE_BY_ONE)
        self.passed(answers, False)
        self.assertEqual([s for s in tls.seen if s], [])

    def test_a_server_that_cannot_resume(self):
        """It hangs up when it is asked to: no fault of the settings, and nobody is told so."""
        tls = Tls(self.context("good"), cannot_resume=True)
        answers = self.ask(self.users(self.server(tls), 2), options=ONE_BY_ONE)
        self.passed(answers, False)
        self.assertEqual(tls.refused, 2)

    def test_starttls(self):
        """Version 1.3 in full for each: libcurl keeps the session under smtps, and looks under smtp."""
        for highest in (None, ssl.TLSVersion.TLSv1_2):
            with self.subTest(highest):
                tls = Tls(self.context("good", highest=highest))

                def script(t, tls=tls):
                    t.say("220 ready")
                    while not t.line().startswith("STARTTLS"):
                        t.say("250-localhost", "250 STARTTLS")
                    t.say("220 go")
                    t.tls(tls)
                    verb = ""
                    while verb != "QUIT":
                        verb = t.line().split(" ")[0]
                        t.say(*{"EHLO": ["250-localhost", "250 AUTH PLAIN"], "AUTH": ["235 2.7.0 ok"]}.get(verb, ["250 ok"]))
                    t.sock.unwrap()

                port = self.server(None, script)
                tasks = [task(i, "smtp", "starttls", port, ca_file=self.ca) for i in range(2)]
                self.agree(self.ask(tasks, options=ONE_BY_ONE), tls.seen)
                self.assertEqual(True in tls.seen, highest is not None)

    def test_by_hand_it_is_shown(self):
        port = self.server(Tls(self.context("good")))
        r, w = os.pipe()
        os.write(w, ALICE.encode() + b"\n")
        os.close(w)
        urls = [f"imaps://{u}@localhost:{port}" for u in ("alice", "bob")]
        p = subprocess.run([harness.program(), "--ca-file", self.ca, "--password-fd", str(r), *urls], pass_fds=(r,),
                           env=harness.environment(), capture_output=True, text=True, check=False, timeout=60)
        os.close(r)
        self.assertEqual(p.returncode, 0, p)
        self.assertEqual(p.stdout.count("TLSv1.3 resumed"), 2, p.stdout)
        self.assertIn("resumed: the certificate was seen by another test of this run", p.stdout)


if __name__ == "__main__":
    harness.main(__name__)
