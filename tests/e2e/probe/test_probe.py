#!/usr/bin/env python3
"""mailmuster-probe against a real Dovecot and against servers that misbehave.

    python3 tests/e2e/probe/test_probe.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import base64
import json
import os
import pty
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import scripted  # noqa: E402
from dovecot import PASSWORDS, Dovecot, free_ports  # noqa: E402

BIN = os.environ.get("MM_BIN", "")
ALICE = PASSWORDS["alice"]
QUICK = ("--connect-timeout", "4", "--answer-timeout", "6", "--login-timeout", "6")
KINDS = (("imap", "tls", "imaps"), ("imap", "starttls", "imap"), ("pop3", "tls", "pop3s"),
         ("pop3", "starttls", "pop3"), ("smtp", "tls", "submissions"), ("smtp", "starttls", "submission"))


def program():
    return os.path.join(BIN, "mailmuster-probe")


def sanitized():
    with open(program(), "rb") as f:
        return b"__asan_init" in f.read()


def environment():
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
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
        cls.dovecot = DOVECOT
        cls.ca = DOVECOT.pki.ca
        cls.servers = []

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
            self.assertNotIn("{", answer["text"] + answer["admin"])

    def fails(self, cls, *args, reached="reach", **more):
        answer = self.one(*args, **more)
        self.expect(answer, "failed", cls, reached)
        return answer

    def untested(self, cls, *args, reached="tls", **more):
        answer = self.one(*args, **more)
        self.expect(answer, "untested", cls, reached)
        return answer


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

    def test_name_that_does_not_exist(self):
        a = self.one("imap", "tls", 993, host="no-such-host.invalid")
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
        tasks = [task(0, "imap", "tls", silent, ca_file=self.ca)]
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


class Certificates(Base):
    def check(self, cert, cls):
        a = self.fails(cls, "imap", "tls", self.serve(scripted.imap(login="OK in"), cert))
        # seen although it was refused
        self.assertTrue(a["tls"]["subject"], a)
        self.assertTrue(a["tls"]["issuer"], a)
        self.assertGreater(a["tls"]["not_after"], 0)
        return a

    def test_expired(self):
        a = self.check("expired", "CERT_EXPIRED")
        self.assertIn("2021-01-01", a["text"])

    def test_not_yet_valid(self):
        self.assertIn("2099-01-01", self.check("future", "CERT_NOT_YET_VALID")["text"])

    def test_self_signed(self):
        self.check("selfsigned", "CERT_SELF_SIGNED")

    def test_unknown_ca(self):
        self.assertIn("Unknown CA", self.check("unknown", "CERT_UNKNOWN_CA")["admin"])

    def test_wrong_name(self):
        a = self.check("wrongname", "CERT_NAME_MISMATCH")
        self.assertIn("mail.acme.example", a["admin"])
        self.assertIn("localhost", a["text"])

    def test_starttls_too(self):
        step = scripted.then_tls(self.context("expired"))
        port = self.serve(scripted.smtp(("localhost", "STARTTLS"), starttls=step))
        self.fails("CERT_EXPIRED", "smtp", "starttls", port)

    def test_old_tls(self):
        port = self.serve(scripted.imap(), "good", lowest=ssl.TLSVersion.TLSv1, highest=ssl.TLSVersion.TLSv1_1)
        self.fails("TLS_VERSION_TOO_OLD", "imap", "tls", port)

    def test_floor(self):
        port = self.serve(scripted.imap(), "good", highest=ssl.TLSVersion.TLSv1_2)
        a = self.fails("TLS_OTHER", "imap", "tls", port, tls_min="1.3")
        self.assertIn("1.2", a["admin"])

    def test_client_certificate(self):
        for highest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            port = self.serve(scripted.imap(), "good", highest=highest, client_ca=self.ca)
            self.fails("TLS_CLIENT_CERT", "imap", "tls", port)

    def test_closed_in_handshake(self):
        self.fails("TLS_CLOSED", "imap", "tls", self.serve(scripted.hang_up))


class NeverAPassByInference(Base):
    """Where libcurl itself says that all is well."""

    def test_preauth(self):
        self.untested("PREAUTH_NOT_A_TEST", "imap", "tls", self.serve(scripted.imap(greeting="* PREAUTH hi"), "good"))
        # encryption cannot be had any more, and the password is not sent
        self.fails("STARTTLS_NOT_OFFERED", "imap", "starttls", self.serve(scripted.imap(greeting="* PREAUTH hi")))

    def test_smtp_without_auth(self):
        self.fails("AUTH_NOT_OFFERED", "smtp", "tls", self.serve(scripted.smtp(), "good"), reached="tls")
        self.fails("AUTH_NOT_OFFERED", "smtp", "none", self.serve(scripted.smtp()))
        step = scripted.then_tls(self.context("good"))
        port = self.serve(scripted.smtp(("localhost", "STARTTLS"), starttls=step))
        self.fails("AUTH_NOT_OFFERED", "smtp", "starttls", port, reached="tls")

    def test_smtp_auth_only_after_tls(self):
        self.fails("AUTH_NEEDS_TLS", "smtp", "none", self.serve(scripted.smtp(("localhost", "STARTTLS"))))

    def test_helo_instead_of_ehlo(self):
        self.fails("AUTH_NOT_OFFERED", "smtp", "tls", self.serve(scripted.smtp(ehlo=None), "good"), reached="tls")

    def test_offer_in_small_letters(self):
        port = self.serve(scripted.smtp(("localhost", "auth plain")), "good")
        self.untested("LIBRARY_LIMIT", "smtp", "tls", port)

    def test_success_with_another_code(self):
        port = self.serve(scripted.smtp(("localhost", "AUTH PLAIN"), auth="250 fine"), "good")
        self.assertNotEqual(self.one("smtp", "tls", port)["result"], "passed")

    def test_login_without_an_answer_about_the_mailbox(self):
        port = self.serve(scripted.imap(login="OK in", examine=None), "good")
        self.fails("MAILBOX_NO_ANSWER", "imap", "tls", port, reached="login")
        port = self.serve(scripted.imap(login="OK in", examine="NO [SERVERBUG] broken"), "good")
        self.fails("MAILBOX_UNUSABLE", "imap", "tls", port, reached="login")


class Scripted(Base):
    def test_servers_without_sasl(self):
        self.expect(self.one("imap", "tls", self.serve(scripted.imap("IMAP4rev1", "OK in"), "good")), "passed", "",
                    "login")
        for capa in (("USER",), None):
            port = self.serve(scripted.pop3(capa), "good")
            self.expect(self.one("pop3", "tls", port), "passed", "", "login")
        # "plain" means SASL PLAIN, which they do not have
        self.fails("AUTH_MECH_NOT_OFFERED", "pop3", "tls", self.serve(scripted.pop3(), "good"), auth="plain",
                   reached="tls")

    def test_pop3_name_refused(self):
        port = self.serve(scripted.pop3(user="-ERR no such user"), "good")
        self.fails("AUTH_REJECTED", "pop3", "tls", port, reached="tls")

    def test_reasons(self):
        rows = (("imap", "NO [CONTACTADMIN] disabled", "AUTH_ACCOUNT_DISABLED"),
                ("imap", "NO [EXPIRED] too old", "AUTH_PASSWORD_EXPIRED"),
                ("imap", "NO [UNAVAILABLE] later", "AUTH_TEMP"),
                ("imap", "BAD what", "AUTH_UNCLEAR"),
                ("smtp", "535 5.7.139 basic authentication is disabled", "AUTH_BASIC_DISABLED"),
                ("smtp", "534-5.7.9 Application-specific\n534 5.7.9 password required", "AUTH_APP_PASSWORD"),
                ("smtp", "454 4.7.0 Temporary authentication failure", "AUTH_TEMP"),
                ("pop3", "-ERR [IN-USE] mailbox is locked", "AUTH_TEMP"))
        tasks = []
        for i, (p, reply, _) in enumerate(rows):
            script = {"imap": lambda r: scripted.imap(login=r),
                      "smtp": lambda r: scripted.smtp(("localhost", "AUTH PLAIN"), auth=r),
                      "pop3": lambda r: scripted.pop3(password=r)}[p](reply)
            tasks.append(task(i, p, "tls", self.serve(script, "good"), ca_file=self.ca))
        answers = self.ask(tasks)
        for i, (_, _, cls) in enumerate(rows):
            self.expect(answers[i], "failed", cls, "tls")

    def test_slow_login(self):
        self.fails("AUTH_SLOW", "imap", "tls", self.serve(scripted.imap(login=None), "good"), reached="tls",
                   options=("--login-timeout", "2"))

    def test_greetings(self):
        for p, line, cls in (("imap", "* BYE go away", "SERVER_REFUSES"), ("pop3", "-ERR go away", "SERVER_REFUSES"),
                             ("smtp", "554 blocked", "SERVER_REFUSES"),
                             ("smtp", "421 4.7.0 Too many connections", "TOO_MANY_CONNECTIONS"),
                             ("imap", "* BYE Auth process broken", "AUTH_TEMP")):
            a = self.fails(cls, p, "tls", self.serve(scripted.greets(line), "good"), reached="tls")
            self.assertIn(line.split()[-1], a["server_text"])

    def test_no_mail_server(self):
        self.fails("NOT_MAIL_SERVER", "imap", "tls", self.serve(scripted.http))
        self.fails("NOT_MAIL_SERVER", "imap", "tls", self.serve(scripted.ssh))
        self.fails("NOT_MAIL_SERVER", "smtp", "starttls", self.serve(scripted.ssh))

    def test_hang_up(self):
        self.fails("CONN_DROPPED", "smtp", "none", self.serve(scripted.hang_up))

    def test_starttls(self):
        def inject(t):
            t.sock.sendall(b"220 go\r\n250 injected\r\n")
            t.tls(self.context("good"))
        offer = ("localhost", "STARTTLS")
        rows = ((scripted.smtp(("localhost", "XXXXXXXA")), "STARTTLS_STRIPPED"),
                (scripted.smtp(("localhost", "AUTH PLAIN")), "STARTTLS_NOT_OFFERED"),
                (scripted.smtp(offer, starttls="454 TLS not available"), "STARTTLS_REFUSED"),
                (scripted.smtp(offer, starttls=inject), "STARTTLS_INJECTION"),
                (scripted.imap("IMAP4rev1 AUTH=PLAIN"), "STARTTLS_NOT_OFFERED"))
        for script, cls in rows:
            self.fails(cls, "imap" if "imap" in script.__qualname__ else "smtp", "starttls", self.serve(script))
        self.untested("LIBRARY_LIMIT", "smtp", "starttls", self.serve(scripted.smtp(("localhost", "starttls"))),
                      reached="reach")

    def test_imap_demands_tls(self):
        port = self.serve(scripted.imap("IMAP4rev1 STARTTLS LOGINDISABLED"))
        self.fails("AUTH_NEEDS_TLS", "imap", "none", port)

    def test_endless(self):
        began = time.monotonic()
        self.fails("PROTOCOL_ERROR", "imap", "tls", self.serve(scripted.endless, "good"), reached="tls")
        self.assertLess(time.monotonic() - began, 30)


class Secrets(Base):
    PASSWORD = "correct-horse-\"battery\"-staple"

    def nothing_revealed(self, *texts):
        blob = "\0alice\0" + self.PASSWORD
        for text in texts:
            for secret in (self.PASSWORD, "correct-horse", "battery\"-staple", base64.b64encode(blob.encode()).decode(),
                           base64.b64encode(self.PASSWORD.encode()).decode()):
                self.assertNotIn(secret, text)

    def test_servers_that_repeat_it(self):
        rows = (("imap", scripted.imap(login="NO bad: {echo}")),
                ("imap", scripted.imap("IMAP4rev1", "BAD {echo}")),
                ("pop3", scripted.pop3(password="-ERR {echo}")),
                ("smtp", scripted.smtp(("localhost", "AUTH PLAIN"), auth="535 {echo}")))
        tasks = [task(i, p, "tls", self.serve(s, "good"), ca_file=self.ca) for i, (p, s) in enumerate(rows)]
        answers = self.ask(tasks, (self.PASSWORD.encode(),))
        for i in range(len(rows)):
            self.assertEqual(answers[i]["result"], "failed")
            self.assertIn("withheld", answers[i]["server_text"])
        self.nothing_revealed(self.output)

    def test_not_in_process_list(self):
        port = self.serve(scripted.imap(login=None), "good")
        proc = start([task(1, "imap", "tls", port, ca_file=self.ca)], (self.PASSWORD.encode(),))
        time.sleep(1)
        texts = []
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{proc.pid}/{name}", "rb") as f:
                    texts.append(f.read().decode("utf-8", "replace"))
            except PermissionError:  # better still: not even to its own user
                self.assertNotEqual(os.getuid(), 0)
        with open(f"/proc/{proc.pid}/status", encoding="ascii") as f:
            status = f.read()
        out, err = proc.communicate(timeout=60)
        self.assertEqual(json.loads(out)["class"], "AUTH_SLOW")
        self.nothing_revealed(*texts, out.decode(), err.decode())
        if not sanitized():
            self.assertIn("Seccomp:\t2", status)
            self.assertIn("NoNewPrivs:\t1", status)

    def test_no_key_log(self):
        path = os.path.join(self.dovecot.dir, "keylog")
        env = dict(environment(), SSLKEYLOGFILE=path)
        proc = subprocess.run([program(), "--level", "tls", "--ca-file", self.ca,
                               f"imaps://localhost:{self.dovecot.ports['imaps']}"], env=env, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual(proc.returncode, 0, proc.stderr)
        self.assertFalse(os.path.exists(path))

    def test_unusable_secrets(self):
        port = self.dovecot.ports["pop3s"]
        before = self.dovecot.log().count("pop3-login")
        for secret in ("", "two\r\nDELE 1"):
            a = self.one("pop3", "tls", port, password=secret)
            self.expect(a, "untested", "BAD_SECRET", None)
        self.assertEqual(self.dovecot.log().count("pop3-login"), before)


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


class ByHand(Base):
    def run_hand(self, *argv, password=None):
        r, w = os.pipe()
        os.write(w, (password or ALICE).encode() + b"\n")
        os.close(w)
        proc = subprocess.run([program(), "--ca-file", self.ca, "--password-fd", str(r), *argv], env=environment(),
                              pass_fds=(r,), capture_output=True, timeout=60, check=False, text=True)
        os.close(r)
        return proc

    def url(self, name, user="alice@"):
        return f"{name}://{user}localhost:{self.dovecot.ports[name]}"

    def test_ladder(self):
        for name in self.dovecot.ports:
            p = self.run_hand(self.url(name))
            self.assertEqual(p.returncode, 0, p)
            for rung in ("name", "connection", "encryption", "certificate", "greeting", "login", "PASSED"):
                self.assertIn(rung, p.stdout)

    def test_status(self):
        p = self.run_hand(self.url("imaps"), password="wrong")
        self.assertEqual(p.returncode, 2)
        self.assertIn("User name or password not accepted", p.stdout)
        self.assertEqual(self.run_hand("--level", "login", "--auth", "none", self.url("imaps")).returncode, 1)
        self.assertEqual(self.run_hand(self.url("imaps", "")).returncode, 0)
        self.assertEqual(self.run_hand("imaps://ho,st").returncode, 2)
        for bad in (("nonsense",), ("imaps://a:b@h",), ("--level", "x", "imaps://h"), ("--security", "none", "imaps://h"),
                    ("--auth", "x", "imaps://a@h"), ("--tls-min", "1.1", "imaps://h"), ("--nonsense", "imaps://h"),
                    ("--level", "login", "imaps://h")):
            p = self.run_hand(*bad)
            self.assertEqual((p.returncode, p.stdout), (64, ""), p)
            self.assertEqual(p.stderr.count("\n"), 1)
        self.assertEqual(self.run_hand("--help").returncode, 0)
        self.assertRegex(self.run_hand("--version").stdout, r"^mailmuster-probe \d")

    def test_several_and_json(self):
        p = self.run_hand("--json", self.url("imaps"), self.url("submission"))
        self.assertEqual(p.returncode, 0)
        self.assertEqual(sorted(json.loads(x)["protocol"] for x in p.stdout.splitlines()), ["imap", "smtp"])

    def test_password_is_asked_for_without_echo(self):
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(program(), [program(), "--ca-file", self.ca, self.url("imaps")], environment())
        seen = b""
        end = time.monotonic() + 60
        sent = False
        while time.monotonic() < end:
            if select.select([fd], [], [], 1)[0]:
                try:
                    more = os.read(fd, 4096)
                except OSError:
                    break
                if not more:
                    break
                seen += more
            if not sent and b"Password for alice at localhost: " in seen:
                os.write(fd, ALICE.encode() + b"\n")
                sent = True
        _, status = os.waitpid(pid, 0)
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, seen)
        self.assertIn(b"PASSED", seen)
        self.assertNotIn(ALICE.encode(), seen)


def main():
    global BIN, DOVECOT
    argv = sys.argv[:1]
    rest = iter(sys.argv[1:])
    for a in rest:
        if a == "--bin":
            BIN = next(rest)
        else:
            argv.append(a)
    if not os.access(program(), os.X_OK):
        sys.exit("test_probe: no mailmuster-probe in --bin or MM_BIN")
    BIN = os.path.abspath(BIN)
    DOVECOT = Dovecot()
    try:
        result = unittest.main(module=__name__, argv=argv, exit=False, warnings="ignore").result
    finally:
        DOVECOT.stop()
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
