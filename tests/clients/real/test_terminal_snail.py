"""s-nail logs in to a real Dovecot with what the adapter wrote; nothing of it runs as a command."""

import unittest

from realclient import argv_text, have, proves, sheet
from termcase import HostileCase, ServerCase


class Program:
    """Root's home is what the system says, whatever the environment does: the file is named."""

    def s_nail(self, *args, **options):
        return self.home.run("s-nail", "-:u", "-Ssendwait", "-SDEAD=/dev/null", *args,
                             MAILRC=str(self.home.path / ".mailrc"), **options)

    def open_inbox(self, *args):
        return self.s_nail("-H", *args)

    def send(self, *args):
        return self.s_nail(*args, "-s", "t", "bob@acme.example", stdin="x\n")


class SNail(Program, ServerCase):
    @have("s-nail")
    @proves("s_nail", "imap tls", "imap starttls", "pop3 tls", "pop3 starttls", "smtp tls", "smtp starttls")
    def test_login(self):
        for protocol in ("imap", "pop3"):
            for security in ("tls", "starttls"):
                with self.subTest(protocol=protocol, security=security):
                    a = self.account(security, protocol)
                    self.provision("s_nail", a)
                    self.expect_incoming(a, self.open_inbox)
                    self.expect_outgoing(a, self.send)
                    self.assertEqual(self.send().returncode, 0)
                    logins = [x for x in self.server.log.read_text().splitlines() if " Login: user=" in x]
                    self.assertIn("TLSv1", logins[-1])

    @have("s-nail")
    def test_mechanism_and_floor(self):
        a = self.account("starttls", outgoing__auth="login", incoming__auth="cram-md5",
                         incoming__tls_min="1.3", outgoing__ca_file=None)
        self.provision("s_nail", a)
        rc = (self.home.path / ".mailrc").read_text()
        self.assertIn("MinProtocol=TLSv1.3", rc)
        self.assertIn("imap-auth=cram-md5", rc)
        self.expect_refusal(self.send)  # the authority is known for the other server alone

    @have("s-nail")
    def test_refused(self):
        """An authority that nobody knows, and a server that offers no TLS."""
        self.provision("s_nail", self.account("tls", incoming__ca_file=None, outgoing__ca_file=None))
        self.expect_refusal(self.open_inbox)
        self.expect_refusal(self.send)
        self.provision("s_nail", {**self.account("starttls"), "incoming.host": "127.0.0.2",
                                  "outgoing.host": "127.0.0.2"})
        self.expect_refusal(self.open_inbox)
        self.expect_refusal(self.send)

    @have("s-nail")
    def test_adopted(self):
        """The obsolete way, in the old quoting; the password command comes in the same quoting."""
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security)
                self.fresh()
                self.home.write(".mailrc", "set hold from=\"Al <alice@acme.example>\" inbox=imap://x@localhost \\\n"
                                "   smtp=localhost smtp-auth=plain smtp-auth-user=x # not a comment\n")
                self.home.driver("apply", "s_nail", {**self.sheet(a), "create": "existing"})
                self.expect_incoming(a, self.open_inbox)
                self.expect_outgoing(a, self.send)

    @have("s-nail")
    def test_adopted_account(self):
        a = self.account("starttls")
        self.home.write(".mailrc", "set v15-compat=y hold; set from=nobody@acme.example\naccount mine {\n"
                        "  set from=alice@acme.example inbox=imaps://a@localhost/INBOX mta=smtp://localhost:1\n}\n")
        self.home.driver("apply", "s_nail", {**self.sheet(a), "create": "existing"})
        self.expect_incoming(a, lambda: self.open_inbox("-A", "mine"))
        self.expect_outgoing(a, lambda: self.send("-A", "mine"))

    @have("s-nail")
    def test_second_account(self):
        """What was read of one account's passwords is not taken for the other's."""
        a, b = self.account("tls"), self.account("tls", account__address="b@acme.example",
                                                 incoming__username="alice")
        self.fresh()
        self.home.apply("s_nail", sheet(a, b))
        rc = (self.home.path / ".mailrc").read_text()
        self.assertIn("\naccount work\n", rc)
        before = self.logins("imap", "alice", a["incoming.port"])
        self.s_nail("-#", stdin="account work1\nxit\n")
        self.assertGreater(self.logins("imap", "alice", a["incoming.port"]), before)

    @have("s-nail")
    def test_reading(self):
        """What the adapter reads is what the program has."""
        a = self.account("starttls")
        self.provision("s_nail", a)
        seen = self.home.seen("s_nail")["work"]
        said = self.s_nail("-#", stdin="varshow mta imap-use-starttls\nxit\n").stdout
        self.assertIn(f"smtp://{seen['outgoing.username']}@localhost:{seen['outgoing.port']}", said)
        self.assertIn("set imap-use-starttls", said)
        self.assertEqual(seen["incoming.security"], "starttls")


class SNailHostile(Program, HostileCase):

    def password_command(self, value):
        """Its own places: the program has another idea of the home."""
        p = self.home.write("bin/show", f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {self.home.path}/args\n"
                            f"cat {self.home.path}/password\n", 0o700)
        return argv_text([str(p), "show", value])

    @have("s-nail")
    @proves("s_nail", "hostile")
    def test_s_nail(self):
        self.check("s_nail", self.values, lambda _: self.open_inbox())

    @have("s-nail")
    def test_sending(self):
        self.check("s_nail", self.values[:10], lambda _: self.send(), side="outgoing")


if __name__ == "__main__":
    unittest.main()
