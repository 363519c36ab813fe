#!/usr/bin/env python3
"""mailmuster-probe against a real Dovecot, as the agent starts it.

    python3 tests/e2e/probe/test_probe.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import base64
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import scripted  # noqa: E402
from dovecot import PASSWORDS, free_ports  # noqa: E402
from harness import ALICE, KINDS, Base, environment, program, task  # noqa: E402


class RealServer(Base):
    def test_good_logins(self):
        tasks = [task(i, p, s, self.dovecot.ports[name], ca_file=self.ca, username=user, secret=k)
                 for i, (p, s, name, user, k) in enumerate(
                     (p, s, name, user, k) for p, s, name in KINDS for k, user in enumerate(("alice", "bob", "carol")))]
        answers = self.ask(tasks, [PASSWORDS[u].encode() for u in ("alice", "bob", "carol")])
        for t in tasks:
            a = answers[t["id"]]
            self.expect(a, "passed", "", "login")
            self.assertEqual(a["side"], "outgoing" if t["protocol"] == "smtp" else "incoming")
            self.assertEqual(a["tls"]["version"], "TLSv1.3")
            self.assertEqual(a["tls"]["subject"], "CN=good")
            self.assertEqual(a["tls"]["issuer"], "CN=Test CA")
            self.assertEqual(a["tls"]["san"], "DNS:localhost, IP:127.0.0.1")
            self.assertAlmostEqual(a["tls"]["not_after"], time.time() + 30 * 86400, delta=86400)
            for phase in ("dns", "tcp", "tls", "greeting", "login"):
                self.assertGreaterEqual(a["timing"][phase], 0, a)
        self.assertNotIn("Disconnected (disconnected", self.dovecot.log())

    def test_wrong_password_and_wrong_name(self):
        for p, s, name in KINDS:
            port = self.dovecot.ports[name]
            wrong = self.fails("AUTH_REJECTED", p, s, port, reached="tls", password="not this")
            nobody = self.fails("AUTH_REJECTED", p, s, port, reached="tls", username="nobody")
            # the server does not tell which it was, and neither do we
            self.assertEqual(wrong["text"], nobody["text"])
            self.assertTrue(wrong["server_text"])

    def test_levels(self):
        port = self.dovecot.ports["imaps"]
        a = self.one("imap", "tls", port, level="reach")
        self.expect(a, "passed", "", "reach")
        self.assertEqual(a["timing"]["tls"], -1)
        for p, s, name in KINDS:
            a = self.one(p, s, self.dovecot.ports[name], level="tls")
            self.expect(a, "passed", "", "tls")
            self.assertEqual(a["timing"]["login"], -1)
        self.untested("NO_SECRET", "imap", "tls", port, secret=None)
        self.untested("NO_LOGIN_WANTED", "smtp", "tls", self.dovecot.ports["submissions"], auth="none")
        self.untested("MECH_NOT_TESTABLE", "imap", "tls", port, auth="scram-sha-256")
        self.untested("NO_TLS_WANTED", "imap", "none", self.dovecot.ports["imap"], level="tls", reached="reach")

    def test_no_login_below_level_login(self):
        before = self.dovecot.log().count("Login: user=<alice>")
        self.one("imap", "tls", self.dovecot.ports["imaps"], level="tls", secret=0)
        self.assertEqual(self.dovecot.log().count("Login: user=<alice>"), before)

    def test_mechanisms(self):
        for word in ("plain", "login"):
            self.expect(self.one("imap", "tls", self.dovecot.ports["imaps"], auth=word), "passed", "", "login")
        a = self.fails("AUTH_MECH_NOT_OFFERED", "imap", "tls", self.dovecot.ports["imaps"], auth="cram-md5",
                       reached="tls")
        self.assertIn("PLAIN", a["admin"])

    def test_mailbox_that_cannot_be_opened(self):
        for p, s, name in KINDS[:4]:
            a = self.one(p, s, self.dovecot.ports[name], username="homeless", password=PASSWORDS["homeless"])
            # Dovecot's POP3 hangs up at once; whether its last words are still heard is a race
            words = ("MAILBOX_UNUSABLE",) if p == "imap" else ("MAILBOX_UNUSABLE", "MAILBOX_NO_ANSWER")
            self.assertIn(a["class"], words, a)
            self.assertEqual((a["result"], a["reached"]), ("failed", "login"), a)

    def test_cleartext(self):
        # Dovecot takes a connection from an address to itself for safe, hence 127.0.0.2
        a = self.one("imap", "none", self.dovecot.ports["imap"], host="127.0.0.2")
        self.expect(a, "passed", "", "login")
        self.assertNotIn("tls", a)
        for p, name in (("imap", "imap"), ("pop3", "pop3"), ("smtp", "submission")):
            before = self.dovecot.log().count("Login: user=")
            self.fails("STARTTLS_NOT_OFFERED", p, "starttls", self.dovecot.ports[name], host="127.0.0.2")
            self.assertEqual(self.dovecot.log().count("Login: user="), before)

    def test_mixed_up_ports(self):
        ports = self.dovecot.ports
        for p, plain, tls in (("imap", "imap", "imaps"), ("pop3", "pop3", "pop3s"),
                              ("smtp", "submission", "submissions")):
            self.fails("TLS_TO_PLAIN_PORT", p, "tls", ports[plain])
            self.fails("PLAIN_TO_TLS_PORT", p, "starttls", ports[tls])
        a = self.fails("WRONG_PROTOCOL", "imap", "starttls", ports["pop3"])
        self.assertIn("POP3", a["text"])
        self.fails("WRONG_PROTOCOL", "smtp", "tls", ports["imaps"], reached="tls")
        self.fails("WRONG_PROTOCOL", "pop3", "tls", ports["submission"])

    def test_ca(self):
        port = self.dovecot.ports["imaps"]
        self.fails("CERT_UNKNOWN_CA", "imap", "tls", port, ca_file=self.dovecot.pki.path("other.crt"))
        self.fails("CERT_UNKNOWN_CA", "imap", "tls", port, ca_file=None)
        self.untested("CA_FILE_UNREADABLE", "imap", "tls", port, ca_file="/nonexistent/ca.pem", reached="reach")

    def test_floor_and_pin(self):
        port = self.dovecot.ports["imaps"]
        self.expect(self.one("imap", "tls", port, tls_min="1.3"), "passed", "", "login")
        der = subprocess.run(["openssl", "x509", "-in", self.dovecot.cert + ".crt", "-pubkey", "-noout"], check=True,
                             capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=der, check=True,
                             capture_output=True).stdout
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, check=True,
                                capture_output=True).stdout
        pin = "sha256//" + base64.b64encode(digest).decode()
        self.expect(self.one("imap", "tls", port, pin=pin), "passed", "", "login")
        before = self.dovecot.log().count("Login: user=")
        self.fails("CERT_PIN", "imap", "tls", port, pin="sha256//" + base64.b64encode(bytes(32)).decode())
        self.assertEqual(self.dovecot.log().count("Login: user="), before)


class Network(Base):
    def test_refused(self):
        a = self.fails("CONN_REFUSED", "imap", "tls", free_ports(1)[0], reached=None)
        self.assertEqual(a["timing"]["tcp"], -1)

    def test_many_users_of_a_dead_server(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen(0)
            parked = [socket.socket() for _ in range(3)]
            for p in parked:
                p.setblocking(False)
                p.connect_ex(s.getsockname())
            began = time.monotonic()
            answers = self.ask([task(i, "imap", "tls", s.getsockname()[1], host="127.0.0.1") for i in range(40)],
                               options=("--connect-timeout", "2"))
            self.assertLess(time.monotonic() - began, 8)
            for p in parked:
                p.close()
        self.assertEqual({a["class"] for a in answers.values()}, {"CONN_TIMEOUT"})

    def test_name_that_does_not_exist(self):
        a = self.one("imap", "tls", 993, host="no-such-host.invalid")
        began = time.monotonic()
        answers = self.ask([task(i, "imap", "tls", 993, host="no-such-host.invalid") for i in range(40)])
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(len({a["class"] for a in answers.values()}), 1)
        # without any name service both are right
        self.assertIn((a["result"], a["class"]), (("failed", "DNS_NO_SUCH_NAME"), ("untested", "DNS_UNAVAILABLE")))
        self.assertNotIn("reached", a)

    def test_connection_timeout(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen(0)
            parked = [socket.socket() for _ in range(3)]
            for p in parked:
                p.setblocking(False)
                p.connect_ex(s.getsockname())
            time.sleep(0.2)
            a = self.fails("CONN_TIMEOUT", "imap", "tls", s.getsockname()[1], host="127.0.0.1", reached=None,
                           options=("--connect-timeout", "2"))
            for p in parked:
                p.close()
        self.assertIn("firewall", a["text"])

    def test_silent_server(self):
        port = self.serve(scripted.silent)
        for p, s in (("imap", "tls"), ("imap", "starttls"), ("smtp", "none")):
            began = time.monotonic()
            self.fails("NO_GREETING", p, s, port)
            self.assertLess(time.monotonic() - began, 25)
        self.fails("NO_GREETING", "imap", "tls", self.serve(scripted.silent, "good"), reached="tls")

    def test_two_hundred_at_once_and_one_is_silent(self):
        silent = self.serve(scripted.silent)
        # somebody else: of one person one login waits for the other (test_probe_once.py)
        tasks = [task(0, "imap", "tls", silent, ca_file=self.ca, username="bob")]
        for i in range(1, 200):
            p, s, name = KINDS[i % len(KINDS)]
            tasks.append(task(i, p, s, self.dovecot.ports[name], ca_file=self.ca))
        began = time.monotonic()
        answers = self.ask(tasks, options=("--answer-timeout", "30"))
        took = time.monotonic() - began
        order = [json.loads(line)["id"] for line in self.output.splitlines()]
        self.assertEqual(order[-1], 0)
        self.expect(answers[0], "failed", "NO_GREETING", "reach")
        for i in range(1, 200):
            self.expect(answers[i], "passed", "", "login")
        self.assertLess(took, 75)

    def test_limit_per_server(self):
        now, most, lock = [0], [0], threading.Lock()

        def script(t):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.05)
            try:
                scripted.imap(login="OK in")(t)
            finally:
                with lock:
                    now[0] -= 1
        port = self.serve(script, "good")
        answers = self.ask([task(i, "imap", "tls", port, ca_file=self.ca) for i in range(40)])
        self.assertTrue(all(a["result"] == "passed" for a in answers.values()))
        self.assertLessEqual(most[0], 9)  # one may be closing
        self.assertGreaterEqual(most[0], 4)


class Input(Base):
    def refused(self, lines, secrets=()):
        r, w = os.pipe()
        os.write(w, b"".join(struct.pack(">I", len(s)) + s for s in secrets))
        os.close(w)
        proc = subprocess.run([program()], input=lines.encode(), env=environment(), pass_fds=(3,), capture_output=True,
                              preexec_fn=lambda: os.dup2(r, 3), timeout=60, check=False)
        os.close(r)
        self.assertEqual(proc.returncode, 65, proc)
        self.assertEqual(proc.stdout, b"")
        self.assertEqual(proc.stderr.count(b"\n"), 1)

    def test_bad_input(self):
        good = json.dumps(task(1, "imap", "tls", 993))
        self.refused("hello\n")
        self.refused(good)
        self.refused(good + "\n")
        self.refused(json.dumps(task(1, "imap", "tls", 993, host="a\r\nb")) + "\n", (b"x",))
        self.refused(json.dumps(task(1, "nntp", "tls", 993)) + "\n", (b"x",))
        self.refused(good + "\n" + "x" * 70000 + "\n", (b"x",))

    def test_no_tasks(self):
        self.assertEqual(self.ask([], ()), {})

    def test_without_descriptor_3(self):
        t = json.dumps(task(1, "imap", "tls", self.dovecot.ports["imaps"], secret=None, ca_file=self.ca)) + "\n"
        proc = subprocess.run([program()], input=t.encode(), env=environment(), capture_output=True, timeout=60,
                              check=False)
        self.assertEqual(json.loads(proc.stdout)["class"], "NO_SECRET")


if __name__ == "__main__":
    harness.main(__name__)
