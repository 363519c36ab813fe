"""inc and send of nmh log in to a real Dovecot with what the adapter wrote; nothing of it runs as a command."""

import unittest

from realclient import have, proves
from termcase import PLAIN_PASSWORD, PLAIN_USER, HostileCase, ServerCase

MH = "/usr/bin/mh/"


class Nmh(ServerCase):
    def account_of_nmh(self, security, **more):
        return self.account(security, "pop3", incoming__ca_file=None, outgoing__ca_file=None,
                            incoming__username=PLAIN_USER, outgoing__username=PLAIN_USER, **more)

    def provisioned(self, account):
        """There is no password command: passwords stand in a file in the manner of netrc."""
        self.provision("nmh", account)
        self.home.write(".netrc", f"machine localhost login {PLAIN_USER} password {PLAIN_PASSWORD}\n"
                        f"machine 127.0.0.2 login {PLAIN_USER} password {PLAIN_PASSWORD}\n")
        with (self.home.path / ".mh_profile").open("a") as profile:
            profile.write("Welcome: disable\n")
        (self.home.path / "Mail/inbox").mkdir(parents=True)

    def inc(self, **more):
        return self.home.run(MH + "inc", **{"SSL_CERT_FILE": str(self.server.ca.cert), **more})

    def send(self, **more):
        draft = self.home.write("draft", "From: alice@acme.example\nTo: bob@acme.example\nSubject: t\n\nx\n")
        return self.home.run(MH + "send", draft, **{"SSL_CERT_FILE": str(self.server.ca.cert), **more})

    @have(MH + "inc")
    @proves("nmh", "pop3 tls", "pop3 starttls", "smtp tls", "smtp starttls")
    def test_login(self):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account_of_nmh(security)
                self.provisioned(a)
                self.expect_incoming(a, self.inc)
                self.expect_outgoing(a, self.send)

    @have(MH + "inc")
    def test_mechanism(self):
        a = self.account_of_nmh("starttls", incoming__auth="plain", outgoing__auth="login")
        self.provisioned(a)
        self.expect_incoming(a, self.inc)
        self.expect_outgoing(a, self.send)

    @have(MH + "inc")
    def test_refused(self):
        """An authority that nobody knows."""
        self.provisioned(self.account_of_nmh("tls"))
        self.expect_refusal(lambda: self.inc(SSL_CERT_FILE="/nonexistent"))
        self.expect_refusal(lambda: self.send(SSL_CERT_FILE="/nonexistent"))

    @have(MH + "inc")
    def test_without_starttls(self):
        """A server that offers none: nothing goes over the line in clear."""
        self.provisioned({**self.account_of_nmh("starttls"), "incoming.host": "127.0.0.2",
                          "outgoing.host": "127.0.0.2"})
        self.expect_refusal(self.inc)
        self.expect_refusal(self.send)

    @have(MH + "inc")
    def test_adopted(self):
        a = self.account_of_nmh("starttls")
        self.provisioned(a)
        self.home.write(".mh_profile", "Path: Mail\nWelcome: disable\nLocal-Mailbox: alice@acme.example\n"
                        "INC: -ho localhost\n\t-initialtls -sasl -saslm gssapi -noch -user x\ninc: -port 9\n"
                        "send: -server localhost -port 465 -notls -user x\n")
        self.home.driver("apply", "nmh", {**self.sheet(a), "create": "existing"})
        self.expect_incoming(a, self.inc)
        self.expect_outgoing(a, self.send)

    @have(MH + "inc")
    def test_keeps(self):
        """Fetched mail stays on the server."""
        a = self.account_of_nmh("tls")
        self.provisioned(a)
        self.assertIn("-notruncate", self.home.path.joinpath(".mh_profile").read_text())


class NmhHostile(HostileCase):
    @have(MH + "inc")
    @proves("nmh", "hostile")
    def test_nmh(self):
        def act(_):
            (self.home.path / "Mail/inbox").mkdir(parents=True, exist_ok=True)
            with (self.home.path / ".mh_profile").open("a") as profile:
                profile.write("Welcome: disable\n")
            return self.home.run(MH + "inc", SSL_CERT_FILE=str(self.server.ca.cert))
        values = [v for v in self.values if " " not in v]
        self.assertGreater(len(values), 10)
        self.check("nmh", values, act, "pop3", command=False)


if __name__ == "__main__":
    unittest.main()
