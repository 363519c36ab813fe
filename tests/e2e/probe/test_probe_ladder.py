#!/usr/bin/env python3
"""What an answer tells beside its verdict: rungs, remarks, facts, and what to do.

    python3 tests/e2e/probe/test_probe_ladder.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import scripted  # noqa: E402
from dovecot import free_ports  # noqa: E402
from harness import KINDS, Base  # noqa: E402


def rungs(answer):
    return [(s["rung"], s["state"]) for s in answer["steps"]]


def held(*names):
    return [(n, "held") for n in names]


def untested(*names):
    return [(n, "untested") for n in names]


def remarks(answer):
    return sorted(n["class"] for n in answer.get("notes", []))


class Ladder(Base):
    def test_everything_holds(self):
        for p, s, name in KINDS:
            a = self.one(p, s, self.dovecot.ports[name])
            self.expect(a, "passed", "", "login")
            order = ("tls", "greeting") if s == "tls" else ("greeting", "tls")
            want = held("settings", "dns", "tcp", *order, "login")
            self.assertEqual(rungs(a)[:len(want)], want)
            if p != "smtp":
                self.assertIn(("mailbox", "held"), rungs(a))
            self.assertNotIn("fix", a)
            steps = {x["rung"]: x for x in a["steps"]}
            for rung in ("dns", "tcp", "tls", "greeting", "login"):
                self.assertGreaterEqual(steps[rung]["ms"], 0, a)
                self.assertTrue(steps[rung]["text"], a)

    def test_it_stops_at_the_first_that_fails(self):
        port = self.dovecot.ports["imaps"]
        a = self.one("imap", "tls", port, password="wrong")
        self.assertEqual(rungs(a), held("settings", "dns", "tcp", "tls", "greeting") + [("login", "failed")] +
                         untested("mailbox"))
        self.assertTrue(a["fix"])
        a = self.fails("CONN_REFUSED", "imap", "tls", free_ports(1)[0], reached=None)
        self.assertEqual(rungs(a), held("settings", "dns") + [("tcp", "failed")] +
                         untested("tls", "greeting", "login", "mailbox"))
        self.assertTrue(all(x["error"] for x in a["endpoint"]["addresses"]), a)
        a = self.fails("CERT_EXPIRED", "imap", "tls", self.serve(scripted.imap(), "expired"))
        self.assertEqual(rungs(a)[3], ("tls", "failed"))
        self.assertIn("Renew", a["fix"])
        a = self.fails("STARTTLS_NOT_OFFERED", "imap", "starttls", self.serve(scripted.imap()))
        self.assertEqual(rungs(a)[3:5], [("greeting", "held"), ("tls", "failed")])

    def test_what_was_not_tested(self):
        port = self.dovecot.ports["imaps"]
        a = self.untested("NO_SECRET", "imap", "tls", port, secret=None)
        self.assertEqual(rungs(a)[-2:], untested("login", "mailbox"))
        a = self.untested("BAD_SECRET", "imap", "tls", port, reached=None, password="")
        self.assertEqual(rungs(a), held("settings") + untested("dns", "tcp", "tls", "greeting", "login", "mailbox"))
        a = self.one("imap", "tls", port, level="tls")
        self.assertEqual(rungs(a), held("settings", "dns", "tcp", "tls", "greeting"))
        a = self.one("imap", "tls", port, level="reach")
        self.assertEqual(rungs(a), held("settings", "dns", "tcp"))


class Facts(Base):
    def test_endpoint(self):
        a = self.one("imap", "tls", self.dovecot.ports["imaps"])
        e = a["endpoint"]
        self.assertTrue(e["greeting"].startswith("* OK"), e)
        self.assertIn("IMAP4rev1", e["capabilities"].split())
        self.assertIn("PLAIN", e["mechanisms"].split())
        self.assertEqual(e["mechanism"], "PLAIN")
        self.assertNotIn("cleartext_login", e)
        self.assertIn("127.0.0.1", [x["ip"] for x in e["addresses"] if not x["error"]])
        script = scripted.smtp(("localhost", "SIZE 12345678", "AUTH PLAIN X-NEW", "PIPELINING"), auth="235 in")
        a = self.one("smtp", "tls", self.serve(script, "good"))
        self.assertEqual(a["endpoint"]["size"], 12345678)
        self.assertEqual(a["endpoint"]["capabilities"].split(), ["SIZE=12345678", "AUTH=PLAIN,X-NEW", "PIPELINING"])
        self.assertEqual(a["endpoint"]["mechanisms"].split(), ["PLAIN", "X-NEW"])

    def test_certificate(self):
        t = self.one("imap", "tls", self.dovecot.ports["imaps"])["tls"]
        self.assertRegex(t["key"], r"^(RSA \d+|EC \S+)$")
        self.assertTrue(t["signature"])
        self.assertIs(t["name_match"], True)
        self.assertEqual(t["chain"][0]["subject"], t["subject"])
        t = self.fails("CERT_NAME_MISMATCH", "imap", "tls", self.serve(scripted.imap(), "wrongname"))["tls"]
        self.assertIs(t["name_match"], False)

    def test_no_password_in_the_facts(self):
        word = "so-secret-a-word"
        script = scripted.imap("IMAP4rev1 AUTH=PLAIN X-" + word, greeting="* OK " + word, login="OK in")
        self.one("imap", "tls", self.serve(script, "good"), password=word)
        self.assertNotIn(word, self.output)


class Remarks(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        now = datetime.datetime.now(datetime.timezone.utc)
        for name, days in (("soon", 10), ("tomorrow", 2)):
            until = (now + datetime.timedelta(days=days, hours=1)).strftime("%Y%m%d%H%M%SZ")
            cls.dovecot.pki.leaf(name, "ca", "DNS:localhost", "20200101000000Z", until)
        cls.dovecot.pki.leaf("cnonly", "ca", None, cn="localhost")

    def upgrading(self, before, after):
        """Offers `before` in clear and `after` behind STARTTLS."""
        def script(t):
            t.say("220 ready")
            while not t.line().startswith("STARTTLS"):
                t.say(*before)
            t.say("220 go")
            t.tls(self.context("good"))
            while True:
                verb = t.line().split(" ")[0]
                t.say(*(after if verb == "EHLO" else ("235 in",) if verb == "AUTH" else ("250 ok",)))
        return self.serve(script)

    def test_login_before_tls(self):
        after = ("250-localhost", "250 AUTH PLAIN")
        a = self.one("smtp", "starttls", self.upgrading(("250-localhost", "250-AUTH PLAIN", "250 STARTTLS"), after))
        self.expect(a, "passed", "", "login")
        self.assertEqual(remarks(a), ["CLEARTEXT_LOGIN"])
        self.assertIs(a["endpoint"]["cleartext_login"], True)
        a = self.one("smtp", "starttls", self.upgrading(("250-localhost", "250 STARTTLS"), after))
        self.assertEqual(remarks(a), [])
        self.assertIs(a["endpoint"]["cleartext_login"], False)

    def test_alert(self):
        port = self.serve(scripted.imap(login="OK [ALERT] read the news"), "good")
        a = self.one("imap", "tls", port)
        self.expect(a, "passed", "", "login")
        self.assertEqual(remarks(a), ["SERVER_ALERT"])
        self.assertIn("read the news", a["notes"][0]["text"])

    def test_certificate(self):
        for name, want in (("soon", "CERT_EXPIRES_SOON"), ("cnonly", "CERT_NO_SAN")):
            a = self.one("imap", "tls", self.serve(scripted.imap(login="OK in"), name))
            self.expect(a, "passed", "", "login")
            self.assertEqual(remarks(a), [want])

    def test_mechanism_that_cannot_work(self):
        port = self.serve(scripted.imap("IMAP4rev1 AUTH=PLAIN AUTH=EXTERNAL", login="OK in"), "good")
        a = self.one("imap", "tls", port)
        self.assertEqual(remarks(a), ["MECH_UNUSABLE"])
        self.assertIn("EXTERNAL", a["notes"][0]["admin"])


if __name__ == "__main__":
    harness.main(__name__)
