#!/usr/bin/env python3
"""What follows a login: the mailbox with its quota, and the dry run of sending.

Postfix with Dovecot behind it, Dovecot's own submission service, and scripted
servers for what neither of them says.

    python3 tests/e2e/probe/test_probe_sender.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import mailsystem  # noqa: E402
import postfix  # noqa: E402
import scripted  # noqa: E402
from dovecot import PASSWORDS  # noqa: E402
from harness import Base  # noqa: E402

# what the server is told beside the login: MAIL, RCPT, and never DATA
SERVICES = {
    "greylisted": {"smtpd_recipient_restrictions": "check_recipient_access inline:{{alice@acme.example=450 4.2.0 "
                                                   "Greylisted, come back}}, permit_sasl_authenticated, reject"},
    "early": {"smtpd_delay_reject": "no"},
    "relayless": {"smtpd_relay_restrictions": "reject_unauth_destination"},
    "deferring": {"smtpd_relay_restrictions": "defer_unauth_destination"},
    "small": {"message_size_limit": "1500"},
    "helo": {"smtpd_helo_restrictions": "check_helo_access static:{504 5.5.2 no such name}"},
    "hostile": {"smtpd_client_restrictions": "check_client_access static:{554 5.7.1 blocked}"},
}


def note(answer, cls):
    return next((n for n in answer.get("notes", ()) if n["class"] == cls), None)


def step(answer, rung):
    return next((s for s in answer["steps"] if s["rung"] == rung), None)


@unittest.skipUnless(postfix.usable(), "needs Postfix and root")
class RealPostfix(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = mailsystem.MailSystem(cls.dovecot.pki, SERVICES)

    @classmethod
    def tearDownClass(cls):
        cls.system.stop()

    def dry(self, service="submission", sender="alice@acme.example", user="alice", **more):
        security = "tls" if service == "submissions" else "starttls"
        self.before = len(self.system.postfix.log())
        answer = self.one("smtp", security, self.system.port(service), sender=sender, username=user,
                          password=PASSWORDS[user], **more)
        self.assertEqual(answer["reached"], "login", answer)
        self.assertEqual(answer["timing"]["login"] >= 0, True)
        return answer

    def said(self):
        """What Postfix logged of the last connection."""
        self.system.wait_log("disconnect")
        end = time.monotonic() + 5
        while True:
            log = self.system.postfix.log()[self.before:]
            if "disconnect" in log or time.monotonic() > end:
                return log
            time.sleep(0.02)

    def refused(self, cls, *args, server=None, **more):
        a = self.dry(*args, **more)
        self.expect(a, "failed", cls, "login")
        self.assertEqual(step(a, "login")["state"], "held")
        self.assertEqual(step(a, "sender")["state"], "failed")
        self.assertRegex(a["server_text"], server or "^5")
        self.assertTrue(a["fix"], a)
        return a

    def test_own_address(self):
        for service in ("submission", "submissions"):
            a = self.dry(service)
            self.expect(a, "passed", "", "login")
            s = step(a, "sender")
            self.assertEqual((s["state"], s["text"]), ("held", "alice@acme.example"))
            self.assertGreaterEqual(s["ms"], 0)
            # asked, taken back, nothing sent
            self.assertRegex(self.said(), r"disconnect .* mail=1 rcpt=1 rset=1 quit=1 ")
        self.assertEqual(self.system.postfix.queued(), [])
        self.assertEqual(self.system.dovecot.mail("alice"), [])

    def test_without_an_address_nothing_is_asked(self):
        a = self.dry(sender=None)
        self.expect(a, "passed", "", "login")
        s = step(a, "sender")
        self.assertEqual((s["state"], s["text"]), ("untested", "no address to send from is known"))
        self.assertNotIn("mail=", self.said())

    def test_below_the_level_nothing_is_asked(self):
        a = self.one("smtp", "starttls", self.system.port("submission"), level="tls", sender="alice@acme.example")
        self.expect(a, "passed", "", "tls")
        self.assertIsNone(step(a, "sender"))

    def test_not_the_owner(self):
        # Postfix takes MAIL and tells at RCPT
        a = self.refused("SENDER_REJECTED", sender="bob@acme.example", server="^553 5.7.1 .*not owned by user alice")
        self.assertIn("bob@acme.example", a["text"])
        # ... or at once
        self.refused("SENDER_REJECTED", "early", sender="bob@acme.example", server="^553 5.7.1")
        self.assertRegex(self.said(), r"mail=0/1 ")
        # an address with a slip belongs to nobody
        self.refused("SENDER_REJECTED", sender="alice@exmaple.test")

    def test_relay(self):
        self.refused("RELAY_DENIED", "relayless", sender="alice@elsewhere.example", server="^554 5.7.1 .*Relay")
        self.refused("RELAY_DENIED", "deferring", sender="alice@elsewhere.example", server="^454 4.7.1")

    def test_unknown_recipient(self):
        self.refused("RCPT_REJECTED", sender="gone@acme.example", server="^550 5.1.1 .*unknown")

    def test_too_big(self):
        self.refused("TOO_BIG", "small", server="^552 5.3.4")

    def test_rules_about_neither_address(self):
        self.refused("SEND_REFUSED", "hostile", server="^554 5.7.1")
        self.refused("EHLO_REJECTED", "helo", server="^504")

    def test_greylisting_is_a_remark(self):
        a = self.dry("greylisted")
        self.expect(a, "passed", "", "login")
        self.assertIn("450 4.2.0", note(a, "SEND_TEMP")["admin"])
        # neither held nor failed
        self.assertEqual(step(a, "sender")["state"], "untested")

    def test_dovecots_submission_leaves_it_to_the_relay(self):
        # there is none behind it: it says so at MAIL, and the login held
        a = self.one("smtp", "tls", self.system.dovecot.ports["submissions"], sender="alice@acme.example")
        self.assertEqual(a["reached"], "login", a)
        self.assertIn(a["class"], ("", "SENDER_NO_ANSWER"), a)
        self.assertNotEqual(step(a, "sender")["state"], "held")

    def test_quota(self):
        box = self.system.dovecot
        for p, s, name in (("imap", "tls", "imaps"), ("pop3", "tls", "pop3s")):
            a = self.one(p, s, box.ports[name], username="bob", password=PASSWORDS["bob"])
            self.expect(a, "passed", "", "login")
            self.assertEqual(a["mailbox"]["messages"], 0)
            self.assertIsNone(note(a, "OVERQUOTA"))
        body = "Subject: filler\n\n" + "x" * 70 + "\n"
        box.put("bob", body)
        box.put("bob", body + ("y" * 70 + "\n") * int((mailsystem.QUOTA_KIB - 4) * 1024 / 72))
        a = self.one("imap", "tls", box.ports["imaps"], username="bob", password=PASSWORDS["bob"])
        self.expect(a, "passed", "", "login")
        self.assertEqual(a["mailbox"]["messages"], 2)
        self.assertEqual(a["mailbox"]["quota_limit"], mailsystem.QUOTA_KIB)
        self.assertGreater(a["mailbox"]["quota_used"], 0.95 * mailsystem.QUOTA_KIB)
        self.assertRegex(note(a, "OVERQUOTA")["admin"], r"2\d\d of 300 KiB")
        self.assertRegex(step(a, "mailbox")["text"], r"2 messages, 2\d\d of 300 KiB used")
        a = self.one("pop3", "tls", box.ports["pop3s"], username="bob", password=PASSWORDS["bob"])
        self.assertEqual(a["mailbox"], {"messages": 2})


def smtp(replies, caps=("SIZE 1000", "AUTH PLAIN")):
    """A server that takes every login; `replies` by verb, None hangs up, "" is silence."""
    def script(t):
        t.say("220 ready")
        t.verbs = []
        while True:
            line = t.line()
            verb = line.split(" ")[0].upper()
            script.lines.append(line)
            if verb == "EHLO":
                t.say("250-localhost", *["250-" + c for c in caps[:-1]], "250 " + caps[-1])
            elif verb == "AUTH":
                t.say("235 2.7.0 in")
            elif verb == "QUIT":
                return
            else:
                reply = replies.get(verb, "250 2.0.0 ok")
                if reply is None:
                    return
                if reply == "":
                    return t.wait()
                t.say(*reply.split("\n"))
    script.lines = []
    return script


def imap(replies, login="OK in", caps="IMAP4rev1 AUTH=PLAIN"):
    """`replies` by verb: lines, the last one without its tag; None hangs up, "" is silence."""
    def script(t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            verb = rest.split(" ")[0].upper()
            script.verbs.append(verb)
            if verb in ("AUTHENTICATE", "LOGIN"):
                if rest.count(" ") == 1:
                    t.say("+ ")
                    t.line()
                t.say(tag + " " + login)
            elif verb == "LOGOUT":
                return
            else:
                usual = {"CAPABILITY": "* CAPABILITY " + caps + "\nOK", "EXAMINE": "* 0 EXISTS\nOK done"}
                reply = replies.get(verb, usual.get(verb, "OK done"))
                if callable(reply):
                    reply(t)
                    continue
                if reply is None:
                    return
                if reply == "":
                    return t.wait()
                *lines, last = reply.split("\n")
                t.say(*lines, tag + " " + last)
    script.verbs = []
    return script


class Scripted(Base):
    OPTIONS = ("--connect-timeout", "3", "--answer-timeout", "2", "--login-timeout", "3")

    def sends(self, replies, sender="alice@acme.example", **more):
        script = smtp(replies, **more)
        port = self.serve(script, "good")
        self.answer = self.one("smtp", "tls", port, sender=sender, options=self.OPTIONS)
        self.lines = script.lines
        return self.answer

    def reads(self, replies, **more):
        script = imap(replies, **more)
        port = self.serve(script, "good")
        self.answer = self.one("imap", "tls", port, options=self.OPTIONS)
        self.verbs = script.verbs
        return self.answer

    def test_words_of_other_servers(self):
        for cls, replies in (
                ("AUTH_REQUIRED", {"MAIL": "530 5.7.0 Authentication required"}),
                ("AUTH_REQUIRED", {"RCPT": "530 5.7.1 Client was not authenticated"}),
                ("SENDER_REJECTED", {"MAIL": "550 5.7.60 SMTP; Client does not have permissions to send as this sender"}),
                ("SENDER_REJECTED", {"RCPT": "553-5.7.1 no\n553 5.7.1 <alice@acme.example>: not owned by user"}),
                ("RELAY_DENIED", {"RCPT": "550 relay not permitted"}),
                ("RELAY_DENIED", {"RCPT": "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"}),
                ("RCPT_REJECTED", {"RCPT": "550 Unrouteable address"}),
                ("TOO_BIG", {"MAIL": "552 5.3.4 Message size exceeds fixed limit"}),
                ("SEND_REFUSED", {"RCPT": "550 5.7.1 by policy"}),
                ("SENDER_NO_ANSWER", {"MAIL": None}),
                ("SENDER_NO_ANSWER", {"RCPT": ""}),
                ("SENDER_NO_ANSWER", {"MAIL": "250 ok\n421 4.3.2 going down"}),
                ("PROTOCOL_ERROR", {"RCPT": "what?"}),
                ("PROTOCOL_ERROR", {"MAIL": "250 ok\n250 and RCPT, too"})):
            with self.subTest(cls=cls, replies=replies):
                self.expect(self.sends(replies), "failed", cls, "login")
                self.assertNotIn("DATA", " ".join(self.lines))

    def test_temporary_and_full(self):
        for cls, replies in (("SEND_TEMP", {"MAIL": "451 4.3.0 try later"}), ("SEND_TEMP", {"RCPT": "450 greylisted"}),
                             ("SEND_TEMP", {"MAIL": "421 4.3.2 shutting down"}),
                             ("OVERQUOTA", {"RCPT": "552 5.2.2 mailbox full"}), ("OVERQUOTA", {"RCPT": "452 4.2.2 full"})):
            with self.subTest(cls=cls):
                a = self.sends(replies)
                self.expect(a, "passed", "", "login")
                self.assertTrue(note(a, cls), a)
                self.assertEqual(step(a, "sender")["state"], "untested")

    def test_commands(self):
        self.expect(self.sends({}), "passed", "", "login")
        self.assertEqual([l for l in self.lines if not re.match("EHLO|AUTH", l)],
                         ["MAIL FROM:<alice@acme.example> SIZE=2048", "RCPT TO:<alice@acme.example>", "RSET", "QUIT"])
        self.sends({}, caps=("AUTH PLAIN",))
        self.assertIn("MAIL FROM:<alice@acme.example>", self.lines)

    def test_an_address_cannot_hold_a_command(self):
        for sender in ("alice@acme.example> SIZE=1", "a>b@acme.example", "alice@acme.example\u007f"):
            script = smtp({})
            t = harness.task(1, "smtp", "tls", self.serve(script, "good"), sender=sender, ca_file=self.ca)
            proc = harness.start([t], (b"x",))
            out, err = proc.communicate(timeout=30)
            self.assertEqual((proc.returncode, out), (65, b""))
            self.assertRegex(err, b"not a mail address|control character")
            self.assertEqual(script.lines, [])

    def test_alerts(self):
        a = self.reads({"EXAMINE": "* OK [ALERT] Maintenance on Sunday\n* 3 EXISTS\nOK done"})
        self.expect(a, "passed", "", "login")
        self.assertEqual(note(a, "SERVER_ALERT")["text"], "The server says: Maintenance on Sunday")
        self.assertEqual(a["mailbox"]["messages"], 3)
        a = self.reads({}, login="OK [ALERT] Change your password soon")
        self.assertIn("Change your password soon", note(a, "SERVER_ALERT")["text"])

    def test_quota_forms(self):
        quota = "IMAP4rev1 AUTH=PLAIN QUOTA"
        for reply, near, used in (
                ("* QUOTAROOT INBOX u\n* QUOTA u (STORAGE 512 1024)\nOK", False, 512),
                ('* QUOTA "" (STORAGE 973 1024)\nOK', True, 973),
                ('* QUOTA a (STORAGE 1 1024)\n* QUOTA {3}\nb c (STORAGE 1024 1024 MESSAGE 1 10)\nOK', True, 1024),
                ("* QUOTA u (MESSAGE 10 10)\nOK", True, None),
                ("* QUOTA u (STORAGE 0 0)\nOK", False, None),
                ("* QUOTA u (STORAGE x y)\nOK", False, None),
                ("* QUOTA u (STORAGE 99999999999999999999 1)\nOK", False, None),
                ("NO none", False, None)):
            with self.subTest(reply=reply):
                a = self.reads({"GETQUOTAROOT": reply}, caps=quota)
                self.expect(a, "passed", "", "login")
                self.assertEqual(bool(note(a, "OVERQUOTA")), near, a)
                self.assertEqual(a.get("mailbox", {}).get("quota_used"), used)
        # not offered: not asked; offered in the answer to the login: not asked for
        self.reads({})
        self.assertNotIn("GETQUOTAROOT", self.verbs)
        self.reads({}, login="OK [CAPABILITY IMAP4rev1 QUOTA] in")
        self.assertEqual(self.verbs[2:4], ["EXAMINE", "GETQUOTAROOT"])

    def test_hostile_mailbox(self):
        def endless(t):
            for _ in range(3000):
                t.say("* 1 FETCH (FLAGS ())" + " " * 100)
            t.wait()

        def drip(t):
            for _ in range(600):
                t.sock.sendall(b"* OK still here\r\n"[:1])
                time.sleep(0.05)

        for what in ("* 1 FETCH {1073741824}\r\nOK", endless, drip, "", None, "* OK {99999999999999999999999}\n* 0 EXISTS\nOK"):
            with self.subTest(what=what):
                began = time.monotonic()
                a = self.reads({"EXAMINE": what})
                if isinstance(what, str) and "OK {9" in what:
                    self.expect(a, "passed", "", "login")
                else:
                    self.expect(a, "failed", "MAILBOX_NO_ANSWER", "login")
                self.assertLess(time.monotonic() - began, 6)
                # behind a mailbox that opened, they take nothing away
                a = self.reads({"GETQUOTAROOT": what}, caps="QUOTA AUTH=PLAIN")
                self.expect(a, "passed", "", "login")


if __name__ == "__main__":
    harness.main(__name__)
