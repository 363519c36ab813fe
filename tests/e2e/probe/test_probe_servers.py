#!/usr/bin/env python3
"""mailmuster-probe against certificates that are wrong and servers that misbehave.

    python3 tests/e2e/probe/test_probe_servers.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import os
import ssl
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
import scripted  # noqa: E402
from harness import Base, task  # noqa: E402

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
        step = scripted.then_tls(self.context("good", lowest=ssl.TLSVersion.TLSv1, highest=ssl.TLSVersion.TLSv1_1))
        port = self.serve(scripted.smtp(("localhost", "STARTTLS"), starttls=step))
        self.fails("TLS_VERSION_TOO_OLD", "smtp", "starttls", port)

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
            tasks.append(task(i, p, "tls", self.serve(script, "good"), ca_file=self.ca, username=f"user{i}"))
        answers = self.ask(tasks)
        for i, (_, _, cls) in enumerate(rows):
            self.expect(answers[i], "failed", cls, "tls")

    def test_tokens(self):
        port = self.serve(scripted.smtp(("localhost", "AUTH XOAUTH2"), auth="235 in"), "good")
        self.expect(self.one("smtp", "tls", port, auth="xoauth2", password="a-token"), "passed", "", "login")

        def refuse(t):
            t.say("220 ready")
            t.line()
            t.say("250-localhost", "250 AUTH XOAUTH2")
            t.line()
            t.say("334 eyJzdGF0dXMiOiI0MDEifQ==")
            t.line()
            t.say("535 5.7.0 no")
            t.wait()
        self.fails("AUTH_TOKEN_REFUSED", "smtp", "tls", self.serve(refuse, "good"), reached="tls", auth="xoauth2")

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
            self.assertEqual("block list" in a["fix"], line.startswith("554"), a["fix"])

    def test_no_mail_server(self):
        self.fails("NOT_MAIL_SERVER", "imap", "tls", self.serve(scripted.http))
        self.fails("NOT_MAIL_SERVER", "imap", "tls", self.serve(scripted.ssh))
        self.fails("NOT_MAIL_SERVER", "smtp", "starttls", self.serve(scripted.ssh))
        # those that wait for us to speak, in clear and behind a certificate that is fine
        self.fails("NOT_MAIL_SERVER", "smtp", "starttls", self.serve(scripted.http))
        self.fails("NOT_MAIL_SERVER", "imap", "tls", self.serve(scripted.http, "good"), reached="tls")

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

    def test_forgotten_before_tls(self):
        """LOGINDISABLED in clear, LOGIN alone behind STARTTLS: libcurl does not forget, and we do not say denied."""
        def script(t):
            t.say("* OK ready")
            secure = False
            while True:
                tag, _, rest = t.line().partition(" ")
                if rest == "STARTTLS":
                    t.say(tag + " OK go")
                    t.tls(self.context("good"))
                    secure = True
                else:
                    t.say("* CAPABILITY IMAP4rev1" + ("" if secure else " STARTTLS LOGINDISABLED"), tag + " OK done")
        self.untested("LIBRARY_LIMIT", "imap", "starttls", self.serve(script))

    def test_imap_demands_tls(self):
        port = self.serve(scripted.imap("IMAP4rev1 STARTTLS LOGINDISABLED"))
        self.fails("AUTH_NEEDS_TLS", "imap", "none", port)

    def test_endless(self):
        began = time.monotonic()
        self.fails("PROTOCOL_ERROR", "imap", "tls", self.serve(scripted.endless, "good"), reached="tls")
        self.assertLess(time.monotonic() - began, 30)


if __name__ == "__main__":
    harness.main(__name__)
