"""mutt, neomutt and msmtp log in to a real Dovecot with what the adapters wrote."""

import pathlib
import shutil
import tempfile
import unittest

from realclient import ClientCase, MailServer, argv_text, have, proves, sheet, wait_for

PASSWORD = "pa ss\"w\\ord#1$x;y'z`q"


class Login(ClientCase):
    @classmethod
    @have("dovecot")
    def setUpClass(cls):
        # Not in the class's temporary folder of the user: Dovecot's own users must reach it.
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="mmreal"))
        cls.dir.chmod(0o755)
        cls.server = MailServer(cls.dir / "srv", {"alice@acme.example": PASSWORD, "alice": PASSWORD}).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def setUp(self):
        super().setUp()
        p = self.home.write("password", PASSWORD + "\n")
        command = argv_text(["/bin/cat", str(p)])
        self.base = {"account.address": "alice@acme.example", "account.real_name": "Alice O'Hara \"Al\"",
                     "incoming.protocol": "imap", "incoming.host": "localhost", "incoming.auth": "password",
                     "incoming.username": "alice@acme.example", "incoming.password_command": command,
                     "incoming.tls_min": "1.2", "incoming.ca_file": str(self.server.ca.cert),
                     "outgoing.protocol": "smtp", "outgoing.host": "localhost", "outgoing.auth": "password",
                     "outgoing.username": "alice", "outgoing.password_command": command,
                     "outgoing.tls_min": "1.2", "outgoing.ca_file": str(self.server.ca.cert)}

    def account(self, incoming, outgoing, protocol="imap"):
        port = self.server.ports
        tls = protocol + "s" if incoming == "tls" else protocol
        return {**self.base, "incoming.protocol": protocol, "incoming.security": incoming,
                "incoming.port": str(port[tls]), "outgoing.security": outgoing,
                "outgoing.port": str(port["submissions" if outgoing == "tls" else "submission"])}

    def logins(self, count, *args):
        return len(self.server.logins(*args)) - count

    def expect(self, service, user, port, act):
        """`act` makes a login of this service and user on this port, as the server saw it."""
        def seen():
            return sum(1 for s, u, p in self.server.logins(user, service) if p == port)
        before = seen()
        p = act()
        wait_for(f"a login of {user} at {service}: {p.stdout} {p.stderr}", lambda: seen() > before, 10)

    def send(self, program, *args):
        return lambda: self.home.run(program, "-s", "test", *args, "bob@acme.example", stdin="hello\n")

    def mutt(self, program):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security, security)
                shutil.rmtree(self.home.path / ".config", ignore_errors=True)
                for name in (".muttrc", ".neomuttrc"):
                    (self.home.path / name).unlink(missing_ok=True)
                self.home.apply(program, sheet(a))
                self.expect("submission", "alice", int(a["outgoing.port"]), self.send(program))
                # A terminal of its own: looking into the mailbox is nothing for batch mode.
                self.expect("imap", "alice@acme.example", int(a["incoming.port"]), lambda: self.home.run(
                    "script", "-qec", f"{program} -e 'set sleep_time=0' -z", "/dev/null"))

    @have("mutt")
    @proves("mutt", "imap tls", "imap starttls", "smtp tls", "smtp starttls")
    def test_mutt(self):
        self.mutt("mutt")

    @have("neomutt")
    @proves("neomutt", "imap tls", "imap starttls", "smtp tls", "smtp starttls")
    def test_neomutt(self):
        self.mutt("neomutt")

    def pop3(self, program):
        (self.home.path / "Mail").mkdir()
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security, security, "pop3")
                self.home.apply(program, sheet({**a, "incoming.leave_on_server": "yes"}))
                self.expect("pop3", "alice@acme.example", int(a["incoming.port"]), lambda: self.home.run(
                    "script", "-qec", f"{program} -e 'set sleep_time=0' -e 'push <quit>'", "/dev/null"))

    @have("mutt")
    @proves("mutt", "pop3 tls", "pop3 starttls")
    def test_mutt_pop3(self):
        self.pop3("mutt")

    @have("neomutt")
    @proves("neomutt", "pop3 tls", "pop3 starttls")
    def test_neomutt_pop3(self):
        self.pop3("neomutt")

    @have("msmtp")
    @proves("msmtp", "smtp tls", "smtp starttls")
    def test_msmtp(self):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account(security, security)
                (self.home.path / ".msmtprc").unlink(missing_ok=True)
                self.home.apply("msmtp", sheet(a))
                self.expect("submission", "alice", int(a["outgoing.port"]), lambda: self.home.run(
                    "msmtp", "bob@acme.example", stdin="Subject: test\n\nhello\n"))

    @have("mutt", "msmtp")
    def test_unknown_ca_is_refused(self):
        """Without our CA file nobody logs in: TLS is verified."""
        a = self.account("tls", "tls")
        for key in ("incoming.ca_file", "outgoing.ca_file"):
            del a[key]
        self.home.apply("mutt", sheet(dict(a)))
        self.home.apply("msmtp", sheet(dict(a)))
        before = len(self.server.logins())
        self.assertNotEqual(self.send("mutt")().returncode, 0)
        self.assertNotEqual(self.home.run("msmtp", "bob@acme.example", stdin="\nhello\n").returncode, 0)
        self.assertEqual(len(self.server.logins()), before)


if __name__ == "__main__":
    unittest.main()
