#!/usr/bin/env python3
"""What many tests share: the look before the logins, the survey, what works instead, and good manners.

    python3 tests/e2e/probe/test_probe_survey.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import os
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import scripted  # noqa: E402
from dovecot import free_ports  # noqa: E402
from harness import ALICE, Base, task  # noqa: E402


def remarks(answer):
    return sorted(n["class"] for n in answer.get("notes", []))


class Counting:
    """A script that counts its connections and keeps what clients said."""

    def __init__(self, script):
        self.script = script
        self.connections = 0
        self.now = 0
        self.most = 0
        self.said = []
        self.lock = threading.Lock()

    def __call__(self, talk):
        with self.lock:
            self.connections += 1
            self.now += 1
            self.most = max(self.most, self.now)
        line = talk.line

        def heard():
            text = line()
            self.said.append(text)
            return text
        talk.line = heard
        try:
            self.script(talk)
        finally:
            with self.lock:
                self.now -= 1


class OneLook(Base):
    def many(self, port, n=20, **more):
        return self.ask([task(i, "imap", "tls", port, ca_file=self.ca, username=f"user{i}", **more)
                         for i in range(n)])

    def test_no_credentials_where_the_look_fails(self):
        count = Counting(scripted.imap(login="OK in"))
        answers = self.many(self.serve(count, "expired"))
        for a in answers.values():
            self.expect(a, "failed", "CERT_EXPIRED", "reach")
        self.assertEqual(count.said, [])
        for script, cls in ((scripted.greets("* BYE go away"), "SERVER_REFUSES"), (scripted.ssh, "NOT_MAIL_SERVER")):
            count = Counting(script)
            answers = self.many(self.serve(count, "good"))
            self.assertEqual({a["class"] for a in answers.values()}, {cls})
            self.assertLessEqual(count.connections, 3)

    def test_one_look_and_then_the_logins(self):
        count = Counting(scripted.imap(login="OK in"))
        answers = self.many(self.serve(count, "good"))
        for a in answers.values():
            self.expect(a, "passed", "", "login")
        self.assertEqual(count.connections, 21)
        self.assertEqual(sum("AUTHENTICATE" in x for x in count.said), 20)

    def test_one_test_is_its_own_look(self):
        count = Counting(scripted.imap(login="OK in"))
        self.expect(self.one("imap", "tls", self.serve(count, "good")), "passed", "", "login")
        self.assertEqual(count.connections, 1)

    def test_tests_without_login_need_one_connection(self):
        count = Counting(scripted.imap())
        answers = self.many(self.serve(count, "good"), level="tls")
        for a in answers.values():
            self.expect(a, "passed", "", "tls")
        self.assertEqual(count.connections, 1)

    def test_each_user_has_an_own_verdict(self):
        ports = self.dovecot.ports
        answers = self.ask([task(i, "imap", "tls", ports["imaps"], ca_file=self.ca, secret=i % 2) for i in range(4)],
                           secrets=(ALICE.encode(), b"wrong"))
        # what was refused is not said twice (test_probe_once.py)
        self.assertEqual([answers[i]["class"] for i in range(4)], ["", "AUTH_REJECTED", "", "REFUSED_ELSEWHERE"])

    def test_ehlo_name_and_timeouts_of_the_task(self):
        count = Counting(scripted.smtp(("localhost", "AUTH PLAIN"), auth="235 in"))
        self.one("smtp", "tls", self.serve(count, "good"), ehlo="ws7.acme.example")
        self.assertIn("EHLO ws7.acme.example", count.said)
        began = time.monotonic()
        self.fails("AUTH_SLOW", "imap", "tls", self.serve(scripted.imap(login=None), "good"), reached="tls",
                   timeouts={"login": 1})
        self.assertLess(time.monotonic() - began, 5)


class Policy(Base):
    KNOWN = [{"protocol": "imap", "host": "imap.acme.example", "port": 993, "security": "tls"}]

    def test_a_host_outside_gets_nothing(self):
        count = Counting(scripted.imap(login="OK in"))
        port = self.serve(count, "good")
        a = self.fails("NOT_IN_POLICY", "imap", "tls", port, reached=None, known=self.KNOWN)
        self.assertEqual(count.connections, 0)
        self.assertEqual(a["steps"][0]["state"], "failed")
        a = self.fails("NOT_IN_POLICY", "imap", "tls", 993, reached=None, known=self.KNOWN,
                       host="imap.acme.exmaple")
        self.assertIn("imap.acme.example", a["fix"])

    def test_what_would_have_worked(self):
        ports = self.dovecot.ports
        known = [{"protocol": "imap", "host": "localhost", "port": free_ports(1)[0], "security": "tls"},
                 {"protocol": "smtp", "host": "localhost", "port": ports["submission"], "security": "starttls"},
                 {"protocol": "imap", "host": "localhost", "port": ports["imap"], "security": "starttls"}]
        dead = free_ports(1)[0]
        before = self.dovecot.log().count("Login: user=")
        a = self.fails("CONN_REFUSED", "imap", "tls", dead, reached=None, known=known)
        self.assertIn(f"Port {ports['imap']} answers with STARTTLS; the settings say port {dead} with TLS.", a["fix"])
        a = self.fails("TLS_TO_PLAIN_PORT", "imap", "tls", ports["imap"])
        self.assertIn(f"Port {ports['imap']} answers with STARTTLS", a["fix"])
        a = self.fails("PLAIN_TO_TLS_PORT", "smtp", "starttls", ports["submissions"])
        self.assertIn(f"Port {ports['submissions']} answers with TLS", a["fix"])
        # a certificate that the settings do not accept would not have worked
        other = self.serve(scripted.imap(), "wrongname")
        known[2] = {"protocol": "imap", "host": "localhost", "port": other, "security": "tls"}
        a = self.fails("CONN_REFUSED", "imap", "tls", dead, reached=None, known=known)
        self.assertNotIn("answers", a["fix"])
        self.assertEqual(self.dovecot.log().count("Login: user="), before)


class Survey(Base):
    def survey(self, port, **more):
        return self.one("imap", "tls", port, survey=True, **more)

    def test_versions(self):
        v = ssl.TLSVersion
        for lowest, highest, want in ((v.TLSv1, v.TLSv1_3, "TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3"),
                                      (v.TLSv1_1, v.TLSv1_2, "TLSv1.1 TLSv1.2"), (v.TLSv1_3, v.TLSv1_3, "TLSv1.3")):
            port = self.serve(scripted.imap(login="OK in"), "good", lowest=lowest, highest=highest)
            a = self.survey(port)
            self.expect(a, "passed", "", "login")
            self.assertEqual(a["tls"]["offered"], want)
            self.assertEqual("OLD_TLS_OFFERED" in remarks(a), "TLSv1.1" in want)
        a = self.one("imap", "tls", port)
        self.assertNotIn("offered", a["tls"])

    def test_real_server(self):
        for p, s, name in harness.KINDS:
            a = self.one(p, s, self.dovecot.ports[name], survey=True)
            self.expect(a, "passed", "", "login")
            self.assertEqual(a["tls"]["offered"], "TLSv1.2 TLSv1.3")
            self.assertEqual(a["tls"]["ocsp"], "none")

    def test_what_is_not_proven_is_not_said(self):
        """A server that hangs up on every other connection refuses no version."""
        turn = [0]
        good = self.context("good")

        def script(t):
            turn[0] += 1
            if turn[0] > 2:
                return
            t.tls(good)
            scripted.imap(login="OK in")(t)
        a = self.survey(self.serve(script))
        self.expect(a, "passed", "", "login")
        self.assertNotIn("offered", a["tls"])

    def test_once_for_all(self):
        count = Counting(scripted.imap(login="OK in"))
        port = self.serve(count, "good")
        answers = self.ask([task(i, "imap", "tls", port, ca_file=self.ca, survey=True) for i in range(10)])
        for a in answers.values():
            self.assertEqual(a["tls"]["offered"], "TLSv1.2 TLSv1.3", a)
        # the look, ten logins, and the versions that it has
        self.assertEqual(count.connections, 13)
        self.assertEqual(sum("AUTHENTICATE" in x for x in count.said), 10)

    def test_many_endpoints(self):
        """More than are looked at at a time."""
        script = scripted.imap(login="OK in")
        tasks = [task(i, "imap", "tls", self.serve(script, "good"), ca_file=self.ca, survey=True) for i in range(70)]
        for a in self.ask(tasks, options=("--answer-timeout", "30")).values():
            self.expect(a, "passed", "", "login")
            self.assertEqual(a["tls"]["offered"], "TLSv1.2 TLSv1.3", a)

    def test_addresses(self):
        """localhost is 127.0.0.1 and ::1 here; the server listens on one of them."""
        with open("/etc/hosts", encoding="ascii") as f:
            if not any(line.split()[:1] == ["::1"] and "localhost" in line.split() for line in f):
                self.skipTest("localhost has no IPv6 address here")
        a = self.survey(self.serve(scripted.imap(login="OK in"), "good"))
        self.expect(a, "passed", "", "login")
        seen = {x["ip"]: x for x in a["endpoint"]["addresses"]}
        self.assertEqual(seen["127.0.0.1"]["error"], "")
        self.assertIn("refused", seen["::1"]["error"])
        self.assertIn("IPV6_BROKEN", remarks(a))

    def test_all_that_is_wrong_with_a_certificate(self):
        self.dovecot.pki.leaf("worst", "other", "DNS:elsewhere.example", "20200101000000Z", "20210101000000Z")
        a = self.one("imap", "tls", self.serve(scripted.imap(), "worst"))
        text = next(s["text"] for s in a["steps"] if s["rung"] == "tls")
        for words in ("unable to get local issuer", "expired", "not for this name"):
            self.assertIn(words, text)


class Stapling(Base):
    """openssl s_server staples what a file says; it is no mail server, which does not matter here."""

    def answer(self, signer="ca"):
        """An OCSP answer about the certificate "good"."""
        pki = self.dovecot.pki
        out = pki.path("ocsp.der")
        subprocess.run(["openssl", "ocsp", "-index", pki.path("index"), "-CA", pki.ca, "-rsigner",
                        pki.path(signer + ".crt"), "-rkey", pki.path(signer + ".key"), "-issuer", pki.ca, "-cert",
                        pki.path("good.crt"), "-respout", out, "-ndays", "1"], check=True, capture_output=True)
        return out

    def index(self, state):
        """As openssl ca keeps it: state, expiry, revocation, serial, file, subject."""
        serial = subprocess.run(["openssl", "x509", "-in", self.dovecot.pki.path("good.crt"), "-noout", "-serial"],
                                check=True, capture_output=True, text=True).stdout.strip().split("=")[1]
        revoked = "250101000000Z" if state == "R" else ""
        with open(self.dovecot.pki.path("index"), "w", encoding="ascii") as f:
            f.write(f"{state}\t350101000000Z\t{revoked}\t{serial}\tunknown\t/CN=good\n")

    def staple(self, der):
        port = free_ports(1)[0]
        pki = self.dovecot.pki
        proc = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", pki.path("good.crt"), "-key",
                                 pki.path("good.key"), "-status_file", der, "-quiet"], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(proc.wait)
        self.addCleanup(proc.kill)
        self.addCleanup(proc.stdin.close)
        time.sleep(0.5)
        return self.one("imap", "tls", port, survey=True, level="tls",
                        options=("--answer-timeout", "2"))

    def test_answers(self):
        for state, want, remark in (("V", "good", None), ("R", "revoked", "OCSP_REVOKED")):
            self.index(state)
            a = self.staple(self.answer())
            self.assertEqual(a["tls"]["ocsp"], want, a)
            self.assertEqual("OCSP_REVOKED" in remarks(a), remark is not None)
        self.index("V")
        a = self.staple(self.answer("other"))
        self.assertEqual(a["tls"]["ocsp"], "invalid", a)
        self.assertIn("OCSP_INVALID", remarks(a))


class Manners(Base):
    def test_slower_after_a_slow_login(self):
        """One login is not answered: from then on fewer at a time, and none at once."""
        slow = [True]

        def script(t):
            if slow[0] and count.connections > 2:
                slow[0] = False
                return scripted.imap(login=None)(t)
            return scripted.imap(login="OK in", delay=0.3)(t)
        count = Counting(script)
        answers = self.ask([task(i, "imap", "tls", self.serve_once(count), ca_file=self.ca) for i in range(24)],
                           options=("--login-timeout", "1"))
        classes = [a["class"] for a in answers.values()]
        self.assertEqual(classes.count("AUTH_SLOW"), 1, classes)
        self.assertEqual(classes.count(""), 23, classes)

    def serve_once(self, script):
        if not hasattr(self, "port"):
            self.port = self.serve(script, "good")
        return self.port

    def test_silent_close_of_a_crowded_server(self):
        good = self.context("good")

        def script(t):
            if count.now > 4:
                return
            t.tls(good)
            scripted.imap(login="OK in", delay=0.5)(t)
        count = Counting(script)
        port = self.serve(count)
        answers = self.ask([task(i, "imap", "tls", port, ca_file=self.ca) for i in range(16)])
        classes = [a["class"] for a in answers.values()]
        self.assertEqual(set(classes), {"", "TOO_MANY_CONNECTIONS"}, classes)
        # the rest was slower and came in
        self.assertLessEqual(classes.count("TOO_MANY_CONNECTIONS"), 5, classes)

    def test_per_server(self):
        count = Counting(scripted.imap(login="OK in", delay=0.1))
        port = self.serve(count, "good")
        self.ask([task(i, "imap", "tls", port, ca_file=self.ca) for i in range(10)],
                 options=(*harness.QUICK, "--per-server", "2"))
        self.assertLessEqual(count.most, 3)  # one may be closing


if __name__ == "__main__":
    harness.main(__name__)
