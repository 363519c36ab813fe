"""A wrong password is presented to a server once, whatever its ports, in whatever order the tests come.

Run with --bin FOLDER or MM_BIN.
"""

import os
import re
import subprocess
import threading
import time
import unittest

import harness
import scripted
from harness import ALICE, Base, environment, program, task

WRONG = b"not-the-password-4711"
REFUSES = {"imap": "NO [AUTHENTICATIONFAILED] no", "smtp": "535 5.7.8 no", "pop3": "-ERR [AUTH] no"}
TAKES = {"imap": "OK in", "smtp": "235 2.7.0 in", "pop3": "+OK in"}
LATER = {"imap": "NO [UNAVAILABLE] later", "smtp": "454 4.7.0 later", "pop3": "-ERR [SYS/TEMP] later"}


class Once(Base):
    def setUp(self):
        self.servers = []

    def start(self, protocol, replies, **more):
        script = {"imap": lambda r: scripted.imap(login=r, **more),
                  "smtp": lambda r: scripted.smtp(("localhost", "AUTH PLAIN"), auth=r, **more),
                  "pop3": lambda r: scripted.pop3(password=r)}[protocol](replies[protocol])
        server = scripted.Server(script, self.context("good"))
        self.addCleanup(server.close)
        self.servers.append(server)
        return server.port

    def presented(self):
        """How many logins each server heard."""
        login = re.compile(r"([A-Z]\d+ )?(AUTHENTICATE|LOGIN|AUTH|PASS)( |$)", re.IGNORECASE)
        return [sum(1 for x in s.lines if login.match(x)) for s in self.servers]

    def tasks(self, *kinds, **more):
        return [task(i, p, "tls", self.start(p, r, **m), ca_file=self.ca, **more) for i, (p, r, m) in enumerate(kinds)]

    def outcomes(self, tasks, secrets=(WRONG,), **more):
        answers = self.ask(tasks, secrets, **more)
        return [(answers[i]["result"], answers[i]["class"]) for i in range(len(tasks))], answers

    REJECTED, ELSEWHERE = ("failed", "AUTH_REJECTED"), ("untested", "REFUSED_ELSEWHERE")

    def once(self, got):
        """The first of them is refused, whichever it is; the others are not tried. Returns its index."""
        self.assertEqual(sorted(got), [self.REJECTED] + [self.ELSEWHERE] * (len(got) - 1))
        first = got.index(self.REJECTED)
        self.assertEqual(self.presented(), [int(i == first) for i in range(len(self.servers))])
        return first

    def test_a_refused_password_is_not_said_to_the_next_port(self):
        tasks = self.tasks(("imap", REFUSES, {"delay": 1}), ("smtp", REFUSES, {}), ("pop3", REFUSES, {}))
        got, answers = self.outcomes(tasks)
        first = self.once(got)
        for i in {0, 1, 2} - {first}:
            a = answers[i]
            # the server was looked at, and nothing is said of its login that was not seen
            self.assertEqual(a["reached"], "tls")
            self.assertEqual({s["rung"]: s["state"] for s in a["steps"]}["login"], "untested")
            for words in (a["text"], a["admin"], a["fix"]):
                self.assertIn(f"port {tasks[first]['port']} ({tasks[first]['protocol'].upper()})", words)
            self.assertNotIn("wrong", a["text"])
        self.assertNotIn(WRONG.decode(), self.output)

    def test_a_trouble_of_the_second_port_is_still_told(self):
        tasks = self.tasks(("imap", REFUSES, {}))
        tasks.append(task(1, "smtp", "tls", self.serve(scripted.smtp(), "expired"), ca_file=self.ca))
        got, _ = self.outcomes(tasks)
        self.assertEqual(got, [self.REJECTED, ("failed", "CERT_EXPIRED")])
        self.assertEqual(self.presented(), [1])

    def test_what_is_no_matter_of_the_password_holds_nobody_up(self):
        for first in (LATER, {"imap": "NO [CONTACTADMIN] disabled"}):
            self.servers = []
            got, _ = self.outcomes(self.tasks(("imap", first, {}), ("smtp", TAKES, {})))
            self.assertEqual((got[1], self.presented()), (("passed", ""), [1, 1]))
        # nothing was presented at all: nobody listens, another protocol, an expired certificate
        for port in (1, self.serve(scripted.greets("220 ready"), "good"), self.serve(scripted.imap(), "expired")):
            self.servers = []
            tasks = [task(0, "imap", "tls", port, ca_file=self.ca),
                     task(1, "smtp", "tls", self.start("smtp", REFUSES), ca_file=self.ca),
                     task(2, "pop3", "tls", self.start("pop3", REFUSES), ca_file=self.ca)]
            got, _ = self.outcomes(tasks)
            self.once(got[1:])

    def test_others_are_not_concerned(self):
        """Another user, another password, another mechanism, another host."""
        changes = ({"username": "bob"}, {"secret": 1}, {"auth": "cram-md5"}, {"host": "127.0.0.1"})
        for change in changes:
            self.servers = []
            tasks = self.tasks(("imap", REFUSES, {"capability": "IMAP4rev1 AUTH=PLAIN AUTH=CRAM-MD5"}),
                               ("imap", REFUSES, {"capability": "IMAP4rev1 AUTH=PLAIN AUTH=CRAM-MD5"}))
            tasks[1].update(change)
            got, _ = self.outcomes(tasks, (WRONG, b"another"))
            if "host" not in change:
                self.assertEqual((got, self.presented()), ([self.REJECTED] * 2, [1, 1]), change)
            else:  # its certificate is for the name
                self.assertEqual(got[0], self.REJECTED)
        # in capital letters, or by a word that means the same, it is no other
        for change in ({"host": "LOCALHOST"}, {"auth": "plain"}, {"auth": "login"}):
            self.servers = []
            tasks = self.tasks(("imap", REFUSES, {}), ("imap", REFUSES, {"capability": "IMAP4rev1 AUTH=PLAIN AUTH=LOGIN"}))
            tasks[1].update(change)
            got, _ = self.outcomes(tasks)
            self.once(got)

    def test_tokens_are_made_for_a_service(self):
        kinds = [("smtp", {"smtp": "535 5.7.8 no"}, {})] * 2
        tasks = []
        for i, _ in enumerate(kinds):
            server = scripted.Server(scripted.smtp(("localhost", "AUTH XOAUTH2"), auth="535 5.7.8 no"), self.context("good"))
            self.addCleanup(server.close)
            self.servers.append(server)
            tasks.append(task(i, "smtp", "tls", server.port, ca_file=self.ca, auth="xoauth2"))
        got, _ = self.outcomes(tasks, (b"a-token",))
        self.assertEqual((got, self.presented()), ([("failed", "AUTH_TOKEN_REFUSED")] * 2, [1, 1]))

    def test_a_success_lets_the_others_go_at_once(self):
        """As soon as the login is answered, not when the mailbox is."""
        opened = threading.Event()
        began = []

        def imap(t):
            scripted.imap(login="OK in", examine="OK done")(Late(t, opened))

        def smtp(t):
            began.append(opened.is_set())
            opened.set()
            scripted.smtp(("localhost", "AUTH PLAIN"), auth="235 in")(t)
        tasks = [task(0, "imap", "tls", self.serve(imap, "good"), ca_file=self.ca),
                 task(1, "smtp", "tls", self.serve(smtp, "good"), ca_file=self.ca)]
        got, _ = self.outcomes(tasks)
        self.assertEqual(got, [("passed", "")] * 2)
        self.assertEqual(began, [False])

    def test_right_on_one_port_and_wrong_on_others(self):
        tasks = self.tasks(("imap", TAKES, {}), *[("smtp", REFUSES, {})] * 4)
        got, _ = self.outcomes(tasks)
        # IMAP may come after the one that refuses
        self.assertIn(got[0], (("passed", ""), self.ELSEWHERE))
        self.assertEqual(sorted(got[1:]), [self.REJECTED] + [self.ELSEWHERE] * 3)
        self.assertEqual(sum(self.presented()[1:]), 1)

    def test_eighty_of_one_person_with_the_right_password(self):
        """The first is answered, and the others go together."""
        port = self.start("imap", TAKES, delay=0.5)
        began = time.monotonic()
        got, _ = self.outcomes([task(i, "imap", "tls", port, ca_file=self.ca) for i in range(80)],
                               options=(*harness.QUICK, "--per-server", "200"))
        self.assertEqual(got, [("passed", "")] * 80)
        self.assertLess(time.monotonic() - began, 50)

    def test_eighty_of_one_person(self):
        """A wrong password, in a mass verification: one attempt in all."""
        port = self.start("imap", REFUSES)
        got, _ = self.outcomes([task(i, "imap", "tls", port, ca_file=self.ca) for i in range(80)])
        self.assertEqual(sorted(got), [self.REJECTED] + [self.ELSEWHERE] * 79)
        self.assertEqual(self.presented(), [1])

    def test_eighty_people(self):
        """Nobody waits for anybody else: eight at a time, half a second each."""
        port = self.start("imap", REFUSES, delay=0.5)
        began = time.monotonic()
        got, _ = self.outcomes([task(i, "imap", "tls", port, ca_file=self.ca, username=f"user{i}") for i in range(80)],
                               options=(*harness.QUICK, "--per-server", "200"))
        self.assertEqual(got, [self.REJECTED] * 80)
        self.assertLess(time.monotonic() - began, 50)

    def test_by_hand(self):
        imap, smtp = self.start("imap", REFUSES), self.start("smtp", REFUSES)
        r, w = os.pipe()
        os.write(w, WRONG + b"\n")
        os.close(w)
        p = subprocess.run([program(), "--ca-file", self.ca, "--password-fd", str(r), f"imaps://alice@localhost:{imap}",
                            f"smtps://alice@localhost:{smtp}"], pass_fds=(r,), env=environment(), capture_output=True,
                           text=True, timeout=60, check=False)
        os.close(r)
        self.assertEqual(p.returncode, 2, p.stderr)
        words = " ".join(p.stdout.split())
        self.assertIn("FAILED AUTH_REJECTED", words)
        self.assertIn("UNTESTED REFUSED_ELSEWHERE", words)
        self.assertRegex(words, rf"the same server refused the same password on port ({imap} .IMAP.|{smtp} .SMTP.)\.")
        self.assertEqual(sum(self.presented()), 1)


class Late:
    """A talk whose server does not answer EXAMINE before something has happened."""

    def __init__(self, talk, event):
        self.talk, self.event = talk, event

    def say(self, *lines):
        if any("EXISTS" in x for x in lines):
            self.event.wait(20)
        self.talk.say(*lines)

    def line(self):
        return self.talk.line()

    def wait(self):
        self.talk.wait()


if __name__ == "__main__":
    harness.main(__name__)
