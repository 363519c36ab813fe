#!/usr/bin/env python3
"""The round trip: a message from the user to himself, found and removed again.

Postfix takes it, Dovecot delivers it by LMTP and shows it by IMAP and POP3;
a scripted server stands in for one without UIDPLUS. A proxy ends the program
with SIGKILL at chosen commands, and the next run has to clean up.

    python3 tests/e2e/probe/test_probe_trip.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import os
import re
import signal
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import mailsystem  # noqa: E402
import postfix  # noqa: E402
import scripted  # noqa: E402
from dovecot import PASSWORDS  # noqa: E402
from harness import Base, task  # noqa: E402

SERVICES = {
    "refusing": {"smtpd_data_restrictions": "check_sender_access inline:{{alice@acme.example=550 5.7.1 no tests here}}"},
    "later": {"smtpd_data_restrictions": "check_sender_access inline:{{alice@acme.example=450 4.7.1 not now}}"},
    "greylisted": {"smtpd_recipient_restrictions": "check_recipient_access inline:{{alice@acme.example=450 4.2.0 "
                                                   "Greylisted}}, permit_sasl_authenticated, reject"},
}
WHO = "alice@acme.example"


def note(answer, cls):
    return next((n for n in answer.get("notes", ()) if n["class"] == cls), None)


def step(answer, rung):
    return next((s for s in answer["steps"] if s["rung"] == rung), None)


class KillProxy:
    """Passes bytes on to a server in clear; ends the victim when the client says `word`.

    With `swallow` the word does not reach the server any more.
    """

    def __init__(self, target, word, swallow):
        self.target, self.word, self.swallow = target, word, swallow
        self.victim = None
        self.struck = threading.Event()
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            up = socket.create_connection(self.target)
            threading.Thread(target=self.pump, args=(conn, up, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(up, conn, False), daemon=True).start()

    def strike(self):
        os.kill(self.victim, signal.SIGKILL)
        self.struck.set()

    def pump(self, source, target, client):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                hit = client and self.word and self.word in data
                if hit and self.swallow:
                    self.strike()
                    break
                target.sendall(data)
                if hit:
                    time.sleep(0.3)  # the server has done it by then
                    self.strike()
                    break
        except OSError:
            pass
        for s in (source, target):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.sock.close()


class TripBase(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = mailsystem.MailSystem(cls.dovecot.pki, SERVICES)

    @classmethod
    def tearDownClass(cls):
        cls.system.stop()

    def setUp(self):
        self.system.before = None
        self.system.dovecot.empty("alice")

    def incoming(self, kind="imap", **more):
        name, port = {"imap": ("imap", "imaps"), "pop3": ("pop3", "pop3s")}[kind]
        return task(1, name, "tls", self.system.dovecot.ports[port], ca_file=self.ca, **more)

    def outgoing(self, service="submissions", seconds=20, user="alice", **more):
        security = "tls" if service == "submissions" else "starttls"
        t = task(2, "smtp", security, self.system.port(service), ca_file=self.ca, level="roundtrip", secret=0,
                 sender=f"{user}@acme.example", retrieve=1, timeouts={"roundtrip": seconds}, username=user)
        t.update(more)
        return t

    def trip(self, kind="imap", service="submissions", user="alice", seconds=20, **more):
        tasks = [self.incoming(kind, username=user), self.outgoing(service, seconds, user, **more)]
        return self.ask(tasks, (PASSWORDS[user].encode(),))[2]

    def arrived(self, a, folder="INBOX"):
        self.expect(a, "passed", "", "roundtrip")
        self.assertEqual(a["roundtrip"]["folder"], folder)
        self.assertGreater(a["roundtrip"]["delay_ms"], 0)
        self.assertEqual([s["state"] for s in a["steps"]], ["held"] * len(a["steps"]))
        self.assertEqual(a["steps"][-1]["rung"], "roundtrip")

    def all_mail(self, user="alice"):
        return [m for f in ("INBOX", "Spam", "Sent") for m in self.system.dovecot.mail(user, f)]

    def nothing_left(self, user="alice"):
        self.assertEqual(self.all_mail(user), [])
        self.assertEqual(self.system.postfix.queued(), [])

    def settle(self):
        """Until everything that was sent has been delivered."""
        end = time.monotonic() + 15
        while self.system.postfix.queued() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.1)

    def age(self, seconds=2 * 3600, user="alice"):
        """Make left-overs look as if they had been there for long; how many there were."""
        n = 0
        for f in self.system.dovecot.files(user):
            text = f.read_bytes()
            old = re.sub(rb"mailmuster-(\d+)-", lambda m: b"mailmuster-%d-" % (int(m[1]) - seconds), text)
            if old != text:
                n += 1
                new = f.with_name(f"{time.time_ns()}.aged.host" + (":2," + f.name.split(":2,")[1] if ":2," in f.name else ""))
                f.unlink()
                new.write_bytes(old)
                os.chown(new, *(os.stat(f.parent).st_uid, os.stat(f.parent).st_gid))
        return n


@unittest.skipUnless(postfix.usable(), "needs Postfix and root")
class RoundTrip(TripBase):
    def test_there_and_back(self):
        for kind in ("imap", "pop3"):
            for service in ("submissions", "submission"):
                with self.subTest(kind=kind, service=service):
                    a = self.trip(kind, service)
                    self.arrived(a)
                    self.assertIsNone(note(a, "TRIP_LEFT_OVER"))
                    self.nothing_left()

    def test_what_is_sent(self):
        seen = []
        self.system.before = lambda sender: (seen.append(sender), time.sleep(1.5))
        proc = harness.start([self.incoming(), self.outgoing(seconds=8)], (PASSWORDS["alice"].encode(),))
        self.system.wait_log("message-id=<mailmuster-")
        # delivered to nobody yet: read it from the queue
        end, text = time.monotonic() + 5, b""
        while b"X-Mailmuster" not in text and time.monotonic() < end:
            for folder, _, files in os.walk(self.system.postfix.dir / "queue" / "active"):
                for f in files:
                    try:
                        with open(os.path.join(folder, f), "rb") as q:
                            text = q.read()
                    except OSError:
                        pass
        proc.communicate(timeout=30)
        self.assertEqual(seen[0], WHO)
        self.assertLess(len(text), 4096)
        for field in (rb"From: <alice@acme.example>", rb"To: <alice@acme.example>", rb"Date: \w{3}, \d+ \w{3} \d{4}",
                      rb"Message-ID: <(mailmuster-\d{10}-[0-9a-f]{16}@acme.example)>", rb"X-Mailmuster-Check: mailmuster-",
                      rb"Auto-Submitted: auto-generated", rb"X-Auto-Response-Suppress: All",
                      rb"Subject: \[Mailmuster\] account check, deleted automatically"):
            self.assertRegex(text, field)
        self.nothing_left()

    def test_junk(self):
        # a rule of the server files by a header
        a = self.spam_trip()
        self.arrived(a, "Spam")
        self.assertEqual(a["roundtrip"]["state"], "junk")
        self.assertIn("Spam", note(a, "TRIP_JUNK")["admin"])
        self.nothing_left()

    def spam_trip(self):
        sieve = os.path.join(self.system.dovecot.dir, "sieve", "junk.sieve")
        with open(sieve, encoding="ascii") as f:
            before = f.read()
        time.sleep(1)
        try:
            with open(sieve, "w", encoding="ascii") as f:
                f.write('require ["fileinto"];\nif header :contains "Subject" "account check" {\n  fileinto "Spam";\n}\n')
            return self.trip()
        finally:
            time.sleep(1)
            with open(sieve, "w", encoding="ascii") as f:
                f.write(before)

    def test_late(self):
        self.system.before = lambda sender: time.sleep(3)
        for kind in ("imap", "pop3"):
            a = self.trip(kind)
            self.arrived(a)
            self.assertGreater(a["roundtrip"]["delay_ms"], 2900)
            self.nothing_left()

    def test_not_seen_is_no_failure_and_the_next_run_cleans_up(self):
        for kind in ("imap", "pop3"):
            held = threading.Event()
            self.system.before = lambda sender, held=held: held.wait(20)
            a = self.trip(kind, seconds=2)
            self.expect(a, "untested", "TRIP_NOT_SEEN", "login")
            self.assertEqual(a["roundtrip"]["state"], "not-seen")
            self.assertEqual(step(a, "roundtrip")["state"], "untested")
            self.assertEqual(step(a, "sender")["state"], "held")
            held.set()
            self.settle()
            self.assertEqual(len(self.all_mail()), 1)
            self.system.before = None
            # it may still be under way for another run of this hour
            self.arrived(self.trip(kind))
            self.assertEqual(len(self.all_mail()), 1)
            self.assertEqual(self.age(), 1)
            self.arrived(self.trip(kind))
            self.nothing_left()

    def fill(self, user):
        line = "x" * 70 + "\n"
        for size in (200, 60, 20, 10, 5, 3, 2, 1, 1, 0.5, 0.3, 0.2, 0.1, 0.1, 0.1):
            try:
                self.system.dovecot.put(user, "Subject: filler\n\n" + line * int(size * 1024 / 72))
            except RuntimeError:
                pass

    def test_bounce_of_a_full_mailbox(self):
        self.addCleanup(self.system.dovecot.empty, "bob")
        for kind in ("imap", "pop3"):
            self.system.dovecot.empty("bob")
            self.fill("bob")
            # the bounce finds room: the user has deleted something meanwhile
            self.system.before = lambda sender: sender == "" and self.system.dovecot.empty("bob")
            a = self.trip(kind, user="bob")
            self.expect(a, "failed", "TRIP_BOUNCED", "login")
            self.assertEqual(a["roundtrip"]["state"], "bounced")
            self.assertNotIn("folder", a["roundtrip"])
            self.assertRegex(a["admin"], "(?i)quota")
            self.assertEqual(step(a, "roundtrip")["state"], "failed")
            self.nothing_left("bob")

    def test_refused_at_data(self):
        a = self.trip(service="refusing")
        self.expect(a, "failed", "TRIP_REFUSED", "login")
        self.assertIn("no tests here", a["server_text"])
        # greylisted at RCPT, before there is a message
        a = self.trip(service="greylisted")
        self.expect(a, "untested", "ROUNDTRIP_NOT_TESTED", "login")
        self.assertTrue(note(a, "SEND_TEMP"))
        a = self.trip(service="later")
        self.expect(a, "untested", "ROUNDTRIP_NOT_TESTED", "login")
        self.assertIn("not now", a["admin"])
        self.nothing_left()

    def test_nothing_is_sent_without_a_way_to_remove_it(self):
        before = self.system.postfix.log().count("message-id=<mailmuster-")
        # wrong password at the incoming server
        tasks = [self.incoming(secret=1), self.outgoing()]
        a = self.ask(tasks, (PASSWORDS["alice"].encode(), b"wrong"))
        self.expect(a[1], "failed", "AUTH_REJECTED", "tls")
        self.expect(a[2], "untested", "ROUNDTRIP_NOT_TESTED", "login")
        self.assertEqual(self.system.dovecot.log().count("auth failed, 1 attempts"), 1)
        # incoming not tested, not named, not incoming
        a = self.ask([self.incoming(secret=None), self.outgoing()], (PASSWORDS["alice"].encode(),))
        self.expect(a[2], "untested", "ROUNDTRIP_NOT_TESTED", "login")
        for retrieve in (None, 77, 2):
            t = {k: v for k, v in self.outgoing(retrieve=retrieve).items() if v is not None}
            a = self.ask([self.incoming(), t], (PASSWORDS["alice"].encode(),))
            self.expect(a[2], "untested", "ROUNDTRIP_NOT_TESTED", "login")
        # nor without an address
        t = self.outgoing()
        del t["sender"]
        a = self.ask([self.incoming(), t], (PASSWORDS["alice"].encode(),))
        self.expect(a[2], "untested", "ROUNDTRIP_NOT_TESTED", "login")
        # nor as somebody else
        a = self.ask([self.incoming(), self.outgoing(sender="bob@acme.example")], (PASSWORDS["alice"].encode(),))
        self.expect(a[2], "failed", "SENDER_REJECTED", "login")
        self.assertEqual(self.system.postfix.log().count("message-id=<mailmuster-"), before)

    def test_by_hand(self):
        import subprocess
        r, w = os.pipe()
        os.write(w, PASSWORDS["alice"].encode())
        os.close(w)
        box = self.system.dovecot
        p = subprocess.run([harness.program(), "--round-trip", "--address", WHO, "--ca-file", self.ca, "--password-fd", str(r),
                            f"imaps://alice@localhost:{box.ports['imaps']}",
                            f"smtps://alice@localhost:{self.system.port('submissions')}"],
                           pass_fds=(r,), env=harness.environment(), capture_output=True, text=True, timeout=60)
        os.close(r)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        self.assertRegex(p.stdout, r"roundtrip .*found in INBOX after \d+ ms, removed")
        self.nothing_left()


MINE = """From: Boss <boss@acme.example>
To: alice@acme.example
Subject: what is this?
Message-ID: <original@acme.example>
Date: Mon, 23 Nov 2026 10:00:00 +0000

I found this:

From: <alice@acme.example>
Message-ID: <{id}>
X-Mailmuster-Check: {id}
Auto-Submitted: auto-generated
"""

FORWARDED = """From: alice@acme.example
To: alice@acme.example
Subject: Fwd: account check
Message-ID: <fwd@acme.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: message/rfc822

From: <alice@acme.example>
Message-ID: <{id}>
X-Mailmuster-Check: {id}
Auto-Submitted: auto-generated

text
--b--
"""

# a bounce of a message of the user's, in which he had written about ours
QUOTED_IN_BOUNCE = """From: MAILER-DAEMON@mail.acme.example
To: alice@acme.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; boss@acme.example
Action: failed
Status: 5.1.1

--b
Content-Type: message/rfc822

From: <alice@acme.example>
Subject: see below
Message-ID: <mine@acme.example>

X-Mailmuster-Check: {id}
--b--
"""

OTHERS = """From: <bob@acme.example>
To: <alice@acme.example>
Subject: [Mailmuster] account check, deleted automatically
Message-ID: <{id}>
X-Mailmuster-Check: {id}
Auto-Submitted: auto-generated

of another account, that comes together in this mailbox
"""

BOUNCE = """From: MAILER-DAEMON@mail.acme.example (Mail Delivery System)
To: alice@acme.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; alice@acme.example
Action: failed
Status: 5.2.2

--b
Content-Type: text/rfc822-headers

From: <alice@acme.example>
Message-ID: <{id}>
X-Mailmuster-Check: {id}
--b--
"""


@unittest.skipUnless(postfix.usable(), "needs Postfix and root")
class LeftAlone(TripBase):
    def test_what_only_looks_like_ours(self):
        old = f"mailmuster-{int(time.time()) - 90000}-0123456789abcdef@acme.example"
        young = f"mailmuster-{int(time.time()) - 60}-0123456789abcdef@acme.example"
        texts = [t.format(id=old) for t in (MINE, FORWARDED, QUOTED_IN_BOUNCE, OTHERS)]
        texts += [BOUNCE.format(id=young), "From: <alice@acme.example>\nX-Mailmuster-Check: mailmuster-1-x@y\n\nnot an id\n"]
        for text in texts:
            self.system.dovecot.put("alice", text)
        self.system.dovecot.put("alice", "Subject: going\n\nmarked by the user himself\n", flags="(\\Deleted)")
        self.system.dovecot.put("alice", "Subject: going, too\n\nmarked\n", "Spam", "(\\Deleted)")
        before = sorted(self.all_mail())
        for kind in ("imap", "pop3"):
            self.arrived(self.trip(kind))
            self.assertEqual(sorted(self.all_mail()), before)
        with self.system.dovecot.imap("alice") as c:
            c.select("INBOX", readonly=True)
            self.assertEqual(len(c.uid("SEARCH", "DELETED")[1][0].split()), 1)
            # nor did we read them
            self.assertEqual(c.uid("SEARCH", "SEEN")[1][0].split(), [])

    def test_old_ones_go(self):
        old = f"mailmuster-{int(time.time()) - 90000}-0123456789abcdef@acme.example"
        ours = MINE[MINE.index("From: <alice"):].format(id=old) + "\ntext\n"
        for kind in ("imap", "pop3"):
            self.system.dovecot.put("alice", "Subject: stays\n\n\n")
            self.system.dovecot.put("alice", ours)
            self.system.dovecot.put("alice", BOUNCE.format(id=old))
            if kind == "imap":
                self.system.dovecot.put("alice", ours, "Spam")
                self.system.dovecot.put("alice", ours, "Sent")
            self.arrived(self.trip(kind))
            self.assertEqual(["stays" in m for m in self.all_mail()], [True], kind)
            self.system.dovecot.empty("alice")


@unittest.skipUnless(postfix.usable(), "needs Postfix and root")
class Killed(TripBase):
    def run_until(self, side, word, swallow, kind="imap"):
        """A run over connections in clear, ended by SIGKILL when it says `word`."""
        box = self.system.dovecot
        target = ("127.0.0.2", box.ports[kind]) if side == "in" else ("127.0.0.1", self.system.port("plain"))
        proxy = KillProxy(target, word, swallow)
        self.addCleanup(proxy.close)
        inc = task(1, kind, "none", proxy.port if side == "in" else box.ports[kind],
                   host="127.0.0.1" if side == "in" else "127.0.0.2")
        out = self.outgoing(security="none", host="127.0.0.1",
                            port=proxy.port if side == "out" else self.system.port("plain"))
        proc = harness.start([inc, out], (PASSWORDS["alice"].encode(),))
        proxy.victim = proc.pid
        output = proc.communicate(timeout=60)
        self.assertTrue(proxy.struck.is_set(), output)
        self.assertEqual(proc.returncode, -signal.SIGKILL)
        self.settle()

    def test_at_any_point(self):
        for side, word, swallow, kind, left in (
                ("out", b"DATA\r\n", False, "imap", 0),
                ("out", b"X-Mailmuster-Check", True, "imap", 0),
                ("out", b"X-Mailmuster-Check", False, "imap", 1),
                ("in", b"OR HEADER Message-ID", True, "imap", 1),
                ("in", b"UID STORE", True, "imap", 1),
                ("in", b"UID STORE", False, "imap", 1),
                ("in", b"UID EXPUNGE", True, "imap", 1),
                ("in", b"UID EXPUNGE", False, "imap", 0),
                ("in", b"DELE 1", False, "pop3", 1),
                ("in", b"QUIT", True, "pop3", 1)):
            with self.subTest(side=side, word=word, swallow=swallow):
                self.system.dovecot.empty("alice")
                # what is killed a little after a message was taken must not have found it by then
                self.system.before = lambda sender, side=side: time.sleep(1 if side == "out" else 0)
                if word == b"QUIT":
                    # the first QUIT ends the test of the server itself, and DELE counts only with the last
                    self.run_until(side, b"DELE 1", True, kind)
                else:
                    self.run_until(side, word, swallow, kind)
                self.system.before = None
                self.assertEqual(len(self.all_mail()), left)
                self.system.dovecot.put("alice", "Subject: mine\n\nmarked by me\n", flags="(\\Deleted)")
                self.assertEqual(self.age(), left)
                self.arrived(self.trip(kind))
                self.assertEqual(["mine" in m for m in self.all_mail()], [True])


class Mailbox:
    """An IMAP server for one user, with what Dovecot cannot be told to leave out."""

    def __init__(self, caps="IMAP4rev1 AUTH=PLAIN", uidvalidity="7", broken=(), repeats=None, hostile=None,
                 holds="INBOX", special=()):
        self.repeats, self.hostile = repeats, hostile or {}
        self.caps, self.uidvalidity, self.broken = caps, uidvalidity, broken
        self.messages, self.deleted, self.verbs = {}, set(), []
        self.mode = self.folder = ""
        self.holds, self.special = holds, special

    def deliver(self, text):
        self.messages[max(self.messages, default=0) + 1] = text

    def search(self, rest):
        if self.folder != self.holds:
            return []
        ids = re.findall(r'X-Mailmuster-Check "([^"]+)"', rest)
        if "SEARCH UID " in rest:
            return [u for u in self.messages if u == int(rest.split(" ")[3])]
        return [u for u, m in self.messages.items()
                if ids and any(i in m for i in ids) and not ("UNDELETED" in rest and u in self.deleted)]

    def script(self, t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            verb = " ".join(rest.split(" ")[:2]).upper() if rest.upper().startswith("UID") else rest.split(" ")[0].upper()
            self.verbs.append(verb)
            if verb in self.hostile:
                self.hostile[verb](t)
                return
            if self.repeats and verb == self.repeats[1] and self.verbs.count(verb) > self.repeats[2]:
                t.say(tag + " NO I do not like " + self.repeats[0])
            elif verb in self.broken:
                t.say(tag + " NO broken")
            elif verb == "CAPABILITY":
                t.say("* CAPABILITY " + self.caps, tag + " OK")
            elif verb == "AUTHENTICATE":
                if rest.count(" ") == 1:
                    t.say("+ ")
                    t.line()
                t.say(tag + " OK in")
            elif verb in ("EXAMINE", "SELECT"):
                self.mode, self.folder = verb, rest.split(" ", 1)[1].strip('"')
                if self.folder not in ("INBOX", self.holds):
                    t.say(tag + " NO")
                    continue
                value = self.uidvalidity if verb == "EXAMINE" or self.uidvalidity != "changes" else "8"
                t.say(f"* {len(self.messages)} EXISTS", f"* OK [UIDVALIDITY {value}]", tag + " OK done")
            elif verb == "LIST":
                t.say(*(f'* LIST ({attribute}) "/" "{name}"' for attribute, name in self.special), tag + " OK")
            elif verb == "UID SEARCH":
                t.say("* SEARCH " + " ".join(map(str, self.search(rest))), tag + " OK")
            elif verb == "UID FETCH":
                uid = int(rest.split(" ")[2])
                text = self.messages[uid].split("\r\n\r\n")[0] + "\r\n\r\n"
                t.say(f"* 1 FETCH (UID {uid} BODY[HEADER.FIELDS (X)] {{{len(text)}}}")
                t.sock.sendall(text.encode())
                t.say(")", tag + " OK")
            elif verb == "UID STORE":
                self.deleted.add(int(rest.split(" ")[2]))
                t.say(tag + " OK")
            elif verb == "LOGOUT":
                return
            else:
                t.say(tag + " BAD what")


class ScriptedBox(Base):
    def smtp(self, box):
        def script(t):
            t.say("220 ready")
            while True:
                verb = t.line().split(" ")[0].upper()
                if verb == "EHLO":
                    t.say("250-localhost", "250 AUTH PLAIN")
                elif verb == "AUTH":
                    t.say("235 in")
                elif verb == "DATA":
                    t.say("354 go")
                    text = []
                    while (line := t.line()) != ".":
                        text.append(line)
                    box.deliver("\r\n".join(text))
                    t.say("250 taken")
                elif verb == "QUIT":
                    return
                else:
                    t.say("250 ok")
        return script

    def trip(self, box, seconds=3, password=None, options=harness.QUICK):
        secrets = (harness.ALICE.encode(), (password or harness.ALICE).encode())
        tasks = [task(1, "imap", "tls", self.serve(box.script, "good"), ca_file=self.ca, secret=1),
                 task(2, "smtp", "tls", self.serve(self.smtp(box), "good"), ca_file=self.ca, level="roundtrip", secret=0,
                      sender=WHO, retrieve=1, timeouts={"roundtrip": seconds})]
        return self.ask(tasks, secrets, options)[2]

    def test_the_incoming_password_is_not_repeated(self):
        # the server behaves while it is tested, and repeats the password later
        for verb, times in (("EXAMINE", 1), ("SELECT", 0)):
            box = Mailbox(caps="IMAP4rev1 AUTH=PLAIN UIDPLUS", repeats=("other-secret-77", verb, times))
            a = self.trip(box, password="other-secret-77")
            self.assertEqual(a["reached"], "login" if verb == "EXAMINE" else "roundtrip", a)
            self.assertNotIn("other-secret", self.output)
            self.assertIn("withheld" if verb == "EXAMINE" else "INBOX", self.output)

    def test_a_copy_of_what_was_sent_has_not_arrived(self):
        """Some servers keep in \\All what was sent through them."""
        for holds in ("All", "Sent"):
            box = Mailbox(caps="IMAP4rev1 AUTH=PLAIN UIDPLUS SPECIAL-USE", holds=holds,
                          special=((r"\All", "All"), (r"\Sent", "Sent")))
            a = self.trip(box)
            self.assertEqual((a["result"], a["class"], a["reached"]), ("untested", "TRIP_NOT_SEEN", "login"), a)
            self.assertFalse(box.deleted)

    def test_hostile_servers_take_neither_time_nor_memory(self):
        def flood(t):
            while True:
                t.say("* 1 FETCH (FLAGS ())" + " " * 1000)

        def drip(t):
            while True:
                t.sock.sendall(b"*")
                time.sleep(0.1)

        def literal(t):
            t.say("* 1 FETCH (UID 1 BODY[] {1073741824}")
            flood(t)

        quick = ("--connect-timeout", "3", "--answer-timeout", "1", "--login-timeout", "3")
        for verb, word in (("UID SEARCH", "ROUNDTRIP_NOT_TESTED"), ("UID FETCH", "TRIP_NOT_SEEN"),
                           ("UID STORE", ""), ("UID EXPUNGE", "")):
            for what in (flood, drip, literal, lambda t: t.wait(), lambda t: None):
                box = Mailbox(caps="IMAP4rev1 AUTH=PLAIN UIDPLUS", hostile={verb: what})
                began = time.monotonic()
                a = self.trip(box, 2, options=quick)
                # what was found is found; that it could not be removed is said
                self.assertEqual((a["class"], a["reached"]), (word, "login" if word else "roundtrip"), a)
                self.assertEqual(bool(note(a, "TRIP_LEFT_OVER")), not word)
                self.assertLess(time.monotonic() - began, 9)

    def test_without_uidplus_ours_is_only_marked(self):
        box = Mailbox()
        box.deliver("Subject: marked by the user\r\n\r\n")
        box.deleted.add(1)
        a = self.trip(box)
        self.expect(a, "passed", "", "roundtrip")
        self.assertIn("INBOX", note(a, "TRIP_LEFT_OVER")["admin"])
        self.assertEqual((sorted(box.messages), box.deleted), ([1, 2], {1, 2}))
        self.assertNotIn("EXPUNGE", " ".join(box.verbs))
        self.assertNotIn("CLOSE", box.verbs)

    def test_a_folder_that_was_made_anew_is_left_alone(self):
        box = Mailbox(caps="IMAP4rev1 AUTH=PLAIN UIDPLUS", uidvalidity="changes")
        a = self.trip(box)
        self.expect(a, "passed", "", "roundtrip")
        self.assertTrue(note(a, "TRIP_LEFT_OVER"))
        self.assertEqual(box.deleted, set())

    def test_a_server_that_will_not_delete(self):
        for verb in ("SELECT", "UID STORE", "UID EXPUNGE"):
            box = Mailbox(caps="IMAP4rev1 AUTH=PLAIN UIDPLUS", broken=(verb,))
            a = self.trip(box)
            self.expect(a, "passed", "", "roundtrip")
            self.assertTrue(note(a, "TRIP_LEFT_OVER"), verb)
            self.assertNotIn("EXPUNGE", box.verbs)

    def test_searches_that_are_not_understood_prove_nothing(self):
        box = Mailbox(broken=("UID SEARCH",))
        self.expect(self.trip(box, 1), "untested", "TRIP_NOT_SEEN", "login")


if __name__ == "__main__":
    harness.main(__name__)
