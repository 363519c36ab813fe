"""Alpine logs in to a real Dovecot with what the adapter wrote, on a terminal of its own."""

import os
import pathlib
import pty
import select
import shutil
import signal
import tempfile
import time
import unittest

from realclient import ClientCase, MailServer, have, sheet

PASSWORD = "pw-alice-1"


class Alpine(ClientCase):
    @classmethod
    @have("dovecot", "alpine")
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="mmreal"))
        cls.dir.chmod(0o755)
        cls.server = MailServer(cls.dir / "srv", {"alice@acme.example": PASSWORD, "alice": PASSWORD}).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def account(self, protocol, security, **more):
        tls = security == "tls"
        port = self.server.ports
        return {"account.address": "alice@acme.example", "account.real_name": "Alice O'Hara `id` $(x) | y",
                "incoming.protocol": protocol, "incoming.host": "localhost", "incoming.security": security,
                "incoming.port": str(port[protocol + "s" if tls else protocol]), "incoming.auth": "password",
                "incoming.username": "alice@acme.example", "incoming.tls_min": "1.2", "outgoing.protocol": "smtp",
                "outgoing.host": "localhost", "outgoing.security": security,
                "outgoing.port": str(port["submissions" if tls else "submission"]), "outgoing.auth": "password",
                "outgoing.username": "alice", "outgoing.tls_min": "1.2", **more}

    def play(self, argv, answers, until, trust=True):
        """Run it on a terminal, answer what it asks, until something has come to pass (or not, in 12 s)."""
        env = self.home.env(TERM="xterm", LINES="40", COLUMNS="120")
        if trust:
            env["SSL_CERT_FILE"] = str(self.server.ca.cert)
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.home.path)
            os.execvpe(argv[0], argv, env)
        screen, end, done = "", time.monotonic() + 12, False
        try:
            while not done and time.monotonic() < end:
                if select.select([fd], [], [], 0.1)[0]:
                    try:
                        screen += os.read(fd, 65536).decode(errors="replace")
                    except OSError:
                        break
                for words, keys in answers:
                    if words in screen:
                        screen = screen.split(words, 1)[1]
                        os.write(fd, keys)
                        break
                done = until()
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(fd)
        return done, screen[-2000:]

    def seen(self, service, user, port):
        return lambda: any(p == int(port) for _, _, p in self.server.logins(user, service))

    PASSWORDS = [("ENTER PASSWORD", PASSWORD.encode() + b"\r"), ("Password:", PASSWORD.encode() + b"\r"),
                 ("Preserve password", b"n")]

    def log_in(self, protocol, security):
        a = self.account(protocol, security)
        self.home.write(".pinerc", "last-version-used=6.26\n")
        self.home.apply("alpine", sheet(a))
        self.server.log.write_text("")
        self.assertTrue(*self.play(["alpine"], self.PASSWORDS,
                                   self.seen(protocol, "alice@acme.example", a["incoming.port"])))
        self.assertTrue(*self.play(
            ["alpine", "-url", "mailto:bob@acme.example?subject=test&body=hello"],
            [*self.PASSWORDS, ("Get Help", b"\x18"), ("Send message", b"y"), ("Create?", b"y")],
            self.seen("submission", "alice", a["outgoing.port"])))

    def test_imap_tls(self):
        self.log_in("imap", "tls")

    def test_imap_starttls(self):
        self.log_in("imap", "starttls")

    def test_pop3_tls(self):
        self.log_in("pop3", "tls")

    def test_user_name_with_signs(self):
        """A name full of the grammar's own signs reaches the server as it is (Dovecot lets no such user in)."""
        name = "a/b,c d=e@acme.example"
        a = self.account("imap", "tls", **{"incoming.username": name})
        self.home.write(".pinerc", "last-version-used=6.26\n")
        self.home.apply("alpine", sheet(a))
        self.server.log.write_text("")
        self.assertTrue(*self.play(["alpine"], self.PASSWORDS,
                                   lambda: name in self.server.log.read_text()))

    def test_unknown_ca_is_refused(self):
        a = self.account("imap", "tls")
        self.home.write(".pinerc", "last-version-used=6.26\n")
        self.home.apply("alpine", sheet(a))
        self.server.log.write_text("")
        done, screen = self.play(["alpine"], self.PASSWORDS, self.seen("imap", "alice@acme.example",
                                                                      a["incoming.port"]), trust=False)
        self.assertFalse(done, screen)


if __name__ == "__main__":
    unittest.main()
