#!/usr/bin/env python3
"""A Kerberos service that is silent, slow or gone, and everybody else's logins beside it.

    python3 tests/e2e/probe/test_probe_kdc.py --bin FOLDER     (or MM_BIN=FOLDER)

The KDC is a real one, and is stopped by SIGSTOP; this needs root.
"""

import json
import os
import re
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import authservers  # noqa: E402
import harness  # noqa: E402
from harness import ALICE, Base, task  # noqa: E402

PORTS = {"imap": "imaps", "pop3": "pop3s", "smtp": "submissions"}
LIMIT = 5
KDC = [authservers.Kdc() if os.getuid() == 0 and os.path.exists("/etc/krb5.conf") else None]


@unittest.skipUnless(KDC[0], "needs root, and krb5-kdc")
class Kerberos(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ticket = KDC[0].ticket("alice")

    def setUp(self):
        self.addCleanup(KDC[0].resume)

    def login(self, ident, protocol, **more):
        return task(ident, protocol, "tls", self.dovecot.ports[PORTS[protocol]], ca_file=self.ca, **more)

    def by_ticket(self, ident, protocol, **more):
        return self.login(ident, protocol, auth="gssapi", secret=None, ccache=self.ticket, **more)

    def run_all(self, tasks, *options):
        """The answers in the order in which they came, each with the time that had gone."""
        began = time.monotonic()
        proc = harness.start(tasks, [ALICE.encode()], options or ("--answer-timeout", str(LIMIT)))
        came = []
        for line in proc.stdout:
            came.append((json.loads(line), time.monotonic() - began))
        err = proc.stderr.read().decode()
        self.assertEqual((proc.wait(timeout=60), err), (0, ""))
        proc.stdout.close()
        proc.stderr.close()
        self.assertEqual(sorted(a["id"] for a, _ in came), sorted(t["id"] for t in tasks))
        return came

    def silent(self, answer):
        self.expect(answer, "untested", "KRB_NO_ANSWER", "tls")
        self.assertIn("No answer from the ticket service", answer["admin"])
        login = [s for s in answer["steps"] if s["rung"] == "login"][0]
        self.assertEqual((login["state"], login["text"]), ("failed", "No answer from the ticket service"))
        # what can be seen without a ticket is seen all the same
        held = [s["rung"] for s in answer["steps"] if s["state"] == "held"]
        self.assertEqual(held, ["settings", "dns", "tcp", "tls", "greeting"])

    def test_silent(self):
        """Passwords do not wait; the ticket is waited for once, and not by each user of each service."""
        KDC[0].pause()
        before = len(self.dovecot.log())
        tasks = [self.by_ticket(i, p) for i, p in enumerate(["imap", "pop3", "smtp"] * 3)]
        tasks += [self.login(i, p) for i, p in enumerate(["imap", "pop3", "smtp"] * 4, len(tasks))]
        came = self.run_all(tasks)
        words, tickets = came[:12], came[12:]
        for answer, _ in words:
            self.expect(answer, "passed", "", "login")
            self.assertEqual(answer["auth"], "password")
        for answer, at in tickets:
            self.silent(answer)
            self.assertGreaterEqual(at, LIMIT)
        # 9 logins, 3 services, one wait
        self.assertLess(tickets[-1][1], 2 * LIMIT)
        self.assertNotIn("GSSAPI", self.dovecot.log()[before:])

    def test_the_limit_is_the_task_s(self):
        KDC[0].pause()
        came = self.run_all([self.by_ticket(1, "imap", timeouts={"answer": 1}), self.by_ticket(2, "imap")])
        self.assertEqual([a["id"] for a, _ in came], [1, 2])
        self.assertLess(came[0][1], LIMIT)
        for answer, _ in came:
            self.silent(answer)

    def test_slow(self):
        """It answers late, and in time."""
        KDC[0].pause()
        threading.Timer(2, KDC[0].resume).start()
        tasks = [self.by_ticket(i, p) for i, p in enumerate(PORTS)] + [self.login(3, "imap")]
        came = self.run_all(tasks, "--answer-timeout", "30")
        self.assertEqual(came[0][0]["id"], 3)
        for answer, _ in came:
            self.expect(answer, "passed", "", "login")

    def test_gone(self):
        """Nobody listens: known at once."""
        KDC[0].end()
        self.addCleanup(KDC[0].start)
        came = self.run_all([self.by_ticket(1, "imap"), self.login(2, "imap")], "--answer-timeout", "60")
        answers = {a["id"]: a for a, _ in came}
        self.expect(answers[1], "untested", "KRB_NO_ANSWER", "tls")
        self.assertIn("Cannot contact any KDC for realm 'ACME.TEST'", answers[1]["admin"])
        self.expect(answers[2], "passed", "", "login")

    def test_each_service_is_asked_for_once(self):
        before = KDC[0].log()
        for answer, _ in self.run_all([self.by_ticket(i, p) for i, p in enumerate(["imap", "smtp"] * 4)]):
            self.expect(answer, "passed", "", "login")
        asked = re.findall(r"TGS_REQ .* ISSUE: .* for (\S+)/localhost@", KDC[0].log()[len(before):])
        self.assertEqual(sorted(asked), ["imap", "smtp"])

    def test_no_ticket_no_question(self):
        """Without a usable cache nobody is asked, and a silent service is not to blame."""
        KDC[0].pause()
        self.ticket = "/nonexistent/ticket"
        for answer, at in self.run_all([self.by_ticket(1, "imap")]):
            self.expect(answer, "untested", "NO_TICKET", "tls")
            self.assertLess(at, LIMIT)


if __name__ == "__main__":
    try:
        harness.main(__name__, lambda: authservers.AuthDovecot(KDC[0]))
    finally:
        if KDC[0]:
            KDC[0].stop()
