#!/usr/bin/env python3
"""Hostile servers: endless, huge, binary, slow. Bounded memory and time, and never a pass.

    MM_BIN=FOLDER python3 tests/e2e/zoo/test_zoo_cost.py      (a build without sanitizers)

One process for each server, so that its memory is its own; several at a time.
"""

import concurrent.futures
import os
import sys
import unittest

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]

import world  # noqa: E402

if __name__ == "__main__":
    world.enter()

import harness  # noqa: E402
import scripts  # noqa: E402
import zoo  # noqa: E402
from zoo import Case, task  # noqa: E402

HERE = "here.wild.zoo.test"
MIB = 64
LIMITS = ("--connect-timeout", "4", "--answer-timeout", "4", "--login-timeout", "6")
# nothing that a hostile server does may last longer than all of a talk
SECONDS = 100
STRANGE = ("PROTOCOL_ERROR", "NOT_MAIL_SERVER", "NO_GREETING", "SERVER_SLOW")


def before_login(z):
    """Nothing is known of the server, so it gets no credentials."""
    line = b"A" * 65536
    rows = (
        ("endless-greeting-line", "imap", "tls", scripts.floods(b"* OK ", line)),
        ("endless-greeting-lines", "smtp", "tls", scripts.floods(b"", b"220-and more\r\n" * 4096)),
        ("endless-greeting-clear", "smtp", "starttls", scripts.floods(b"", b"220-and more\r\n" * 4096)),
        ("endless-greeting-pop3", "pop3", "tls", scripts.floods(b"+OK ", line)),
        ("endless-capability-line", "imap", "tls", scripts.endless_capability),
        ("endless-capability-lines", "imap", "tls", scripts.floods(b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1 X\r\n" * 2048)),
        ("endless-ehlo", "smtp", "tls", scripts.endless_ehlo),
        ("endless-capa", "pop3", "tls", scripts.endless_capa),
        ("literal-1-GiB-capability", "imap", "tls", scripts.literal_before_login),
        ("binary", "imap", "tls", scripts.binary),
        ("binary-clear", "smtp", "starttls", scripts.binary),
        ("binary-endless", "pop3", "tls", scripts.floods(b"", scripts.TLS_JUNK)),
        ("tls-records-of-rubbish", "imap", "tls-clear", scripts.floods(b"\x16\x03\x03\x40\x00", scripts.TLS_JUNK)),
        ("drip-greeting", "imap", "tls", scripts.drips(b"* OK " + b"so slow " * 40)),
        ("drip-clear", "smtp", "starttls", scripts.drips(b"220 " + b"so slow " * 40)),
        ("drip-for-ever", "pop3", "tls", scripts.drips(b"+OK ready\r\n+OK\r\n" + b"SASL PLAIN " * 40)),
    )
    out = []
    for name, p, s, script in rows:
        server = z.server(script, "good" if s == "tls" else None)
        cls = STRANGE + ("TLS_OTHER", "TLS_CLOSED") if s == "tls-clear" else STRANGE
        out.append(Case(name, script.__qualname__.split(".")[0], cls, task(p, s.partition("-")[0], HERE, server.port),
                        silent=server, most=SECONDS))
    return out


def at_login(z):
    rows = (
        ("endless-challenges-imap", "imap", scripts.endless_challenges(False), None),
        ("endless-challenges-smtp", "smtp", scripts.endless_challenges(True), None),
        ("flood-at-login", "imap", scripts.flood_at_login, None),
        ("zeros-in-lines", "imap", scripts.zeros_in_lines, None),
        ("literal-1-GiB-mailbox", "imap", scripts.huge_literal, None),
        ("flood-at-ehlo-mail", "smtp", scripts.flood_at_mail("MAIL"), "alice@zoo.test"),
        ("flood-at-rcpt", "smtp", scripts.flood_at_mail("RCPT"), "alice@zoo.test"),
    )
    cls = STRANGE + ("AUTH_UNCLEAR", "AUTH_REJECTED", "AUTH_SLOW", "AUTH_CONN_DROPPED", "MAILBOX_NO_ANSWER", "MAILBOX_UNUSABLE",
                     "SENDER_NO_ANSWER", "AUTH_MECH_NOT_OFFERED", "CONN_DROPPED", "LIBRARY_LIMIT")
    return [Case(name, "after the greeting", cls, task(p, "tls", HERE, z.serve(script, "good"), sender=sender, address=sender),
                 most=SECONDS) for name, p, script, sender in rows]


class Hostile(unittest.TestCase):
    """One method for each case is added when the run is over."""

    def test_one_bad_server_among_many(self):
        """All of them in one process, and a good one that does not suffer."""
        self.assertEqual((self.all_.errors, self.all_.status, self.all_.stderr), ([], 0, ""))
        self.assertLess(self.all_.kib / 1024, MIB)
        self.assertEqual(self.all_.cases[-1].answer["result"], "passed")
        self.assertLess(self.all_.cases[-1].ms, 20000)
        self.assertLess(self.all_.wall, SECONDS)


def add(case, run):
    def test(self):
        self.assertEqual((run.errors, run.status, run.stderr), ([], 0, ""))
        self.assertEqual(zoo.complaints(case), [], case.answer)
        self.assertLess(run.kib / 1024, MIB)
    setattr(Hostile, "test_" + case.name.replace("-", "_"), test)


def main():
    harness.BIN[0] = os.path.abspath(harness.BIN[0])
    z = world.World()
    try:
        cases = before_login(z) + at_login(z)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            runs = list(pool.map(lambda c: zoo.Run([c], z.ca, LIMITS), cases))
        together = before_login(z) + at_login(z) + [Case("good", "", "", task("imap", "tls", "good.zoo.test", 993))]
        Hostile.all_ = zoo.Run(together, z.ca, LIMITS)
    finally:
        z.stop()
    for c, r in zip(cases, runs):
        add(c, r)
    done = unittest.main(exit=False, warnings="ignore").result.wasSuccessful()
    for c, r in zip(cases, runs):
        print(f"{c.name:<28} {(c.answer or {}).get('class', '-'):<20} {r.wall:6.1f} s  {r.kib / 1024:5.1f} MiB")
    print(f"{'all at once':<28} {'':<20} {Hostile.all_.wall:6.1f} s  {Hostile.all_.kib / 1024:5.1f} MiB")
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    main()
