"""Alpine logs in to a real Dovecot with what the adapter wrote, on a terminal of its own."""

import email
import email.utils
import imaplib
import os
import pathlib
import pty
import select
import shutil
import signal
import ssl
import tempfile
import time
import unittest

from realclient import DRIVER, HOSTILE, ClientCase, MailServer, RunningHost, have, proves, sheet
from oldtls import Machine, OldServer, issue_rsa  # behind it: it knows where that is

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
        return {"account.address": "alice@acme.example", "account.real_name": "Alice O'Hara `id` | y",
                "incoming.protocol": protocol, "incoming.host": "localhost", "incoming.security": security,
                "incoming.port": str(port[protocol + "s" if tls else protocol]), "incoming.auth": "password",
                "incoming.username": "alice@acme.example", "incoming.tls_min": "1.2", "outgoing.protocol": "smtp",
                "outgoing.host": "localhost", "outgoing.security": security,
                "outgoing.port": str(port["submissions" if tls else "submission"]), "outgoing.auth": "password",
                "outgoing.username": "alice", "outgoing.tls_min": "1.2", **more}

    def play(self, argv, answers, until, trust=True, seconds=12):
        """Run it on a terminal, answer what it asks, until something has come to pass (or not, in that time)."""
        env = self.home.env(TERM="xterm", LINES="40", COLUMNS="120")
        if trust:
            env["SSL_CERT_FILE"] = str(self.server.ca.cert)
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.home.path)
            os.execvpe(argv[0], argv, env)
        screen, end, done = "", time.monotonic() + seconds, False
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
                self.screen = screen
                done = until()
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(fd)
        return done or until(), screen[-2000:]

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

    @proves("alpine", "imap tls", "smtp tls")
    def test_imap_tls(self):
        self.log_in("imap", "tls")

    @proves("alpine", "imap starttls", "smtp starttls")
    def test_imap_starttls(self):
        self.log_in("imap", "starttls")

    @proves("alpine", "pop3 tls", "smtp tls")
    def test_pop3_tls(self):
        self.log_in("pop3", "tls")

    @proves("alpine", "pop3 starttls", "smtp starttls")
    def test_pop3_starttls(self):
        self.log_in("pop3", "starttls")

    def test_user_name_with_signs(self):
        """A name full of the grammar's own signs reaches the server as it is (Dovecot lets no such user in)."""
        name = "a/b,c d=e@acme.example"
        a = self.account("imap", "tls", **{"incoming.username": name})
        self.home.write(".pinerc", "last-version-used=6.26\n")
        self.home.apply("alpine", sheet(a))
        self.server.log.write_text("")
        self.assertTrue(*self.play(["alpine"], self.PASSWORDS,
                                   lambda: name in self.server.log.read_text()))

    @proves("alpine", "hostile")
    def test_hostile(self):
        """Names that look like commands, one after the other: the program starts, asks for the password of that
        user, and nothing runs. What its grammar cannot hold is refused before."""
        for value in HOSTILE:
            with self.subTest(value=value):
                a = self.account("imap", "tls", **{"incoming.username": value, "outgoing.username": value,
                                                   "account.real_name": value})
                self.home.write(".pinerc", "last-version-used=6.26\n")
                if any(c in value for c in ('"', "\\", "$", "{")):
                    with self.assertRaises(AssertionError):
                        self.home.apply("alpine", sheet(a))
                    continue
                self.home.apply("alpine", sheet(a))
                seen = next(iter(self.home.seen("alpine").values()))
                self.assertEqual([seen["account.real_name"], seen["incoming.username"]], [value, value])
                self.assertTrue(*self.play(["alpine"], [], lambda: "PASSWORD" in self.screen))
                self.assertFalse(list(self.home.path.rglob("marker")))

    def box(self, name):
        """How many messages the folder has."""
        context = ssl.create_default_context(cafile=self.server.ca.cert)
        with imaplib.IMAP4_SSL("localhost", self.server.ports["imaps"], ssl_context=context) as c:
            c.login("alice@acme.example", PASSWORD)
            done, data = c.select(f'"{name}"', readonly=True)
            return int(data[0]) if done == "OK" else 0

    def test_folders(self):
        """The copy of what is sent, and what is put off, go where the policy has it. It makes folders that are not there."""
        sent, drafts = "Out `touch marker` (x) 'y'", "INBOX.Later | touch marker; z"
        self.home.write(".pinerc", "last-version-used=6.26\n")
        self.home.apply("alpine", sheet(self.account("imap", "tls", **{"account.folder_sent": sent, "account.folder_drafts": drafts})))
        write = ["alpine", "-url", "mailto:bob@acme.example?subject=test&body=hello"]
        yes = [("Create", b"y"), ("Send message", b"y")]
        for folder, key in ((sent, b"\x18"), (drafts, b"\x0f")):
            done, screen = self.play(write, [*self.PASSWORDS, *yes, ("Get Help", key)], lambda: self.box(folder) == 1, seconds=20)
            self.assertTrue(done, f"{folder}: {screen}")
        self.assertEqual([self.box(sent), self.box(drafts)], [1, 1])
        self.assertFalse(list(self.home.path.rglob("marker")))

    def sender(self, **wanted):
        """Of what it sends with this, as it lies in the folder for copies."""
        self.home.write(".pinerc", "last-version-used=6.26\n")
        a = {**self.account("imap", "tls"), "account.folder_sent": "Copies", **wanted}
        self.home.apply("alpine", sheet(a))
        seen = next(iter(self.home.seen("alpine").values()))
        self.assertEqual([seen[k] for k in wanted], list(wanted.values()))
        before = self.box("Copies")
        self.assertTrue(*self.play(
            ["alpine", "-url", "mailto:bob@acme.example?subject=test&body=hello"],
            [*self.PASSWORDS, ("Create", b"y"), ("Send message", b"y"), ("Get Help", b"\x18")], lambda: self.box("Copies") > before, seconds=20))
        newest = max((self.server.dir / "mail/alice@acme.example/Maildir/.Copies").glob("*/*"), key=lambda p: p.stat().st_mtime_ns)
        return email.message_from_string(newest.read_text())["From"]

    def test_the_sender(self):
        """Alpine makes it of the login; an address with another name takes a From, with the name as it is written there."""
        for name in ("Alice O'Hara `id` | y", "Smith, A. (x); <y>"):
            with self.subTest(name=name):
                (seen_name, address), = email.utils.getaddresses([self.sender(**{
                    "account.address": "al.smith@acme.example", "account.real_name": name})])
                self.assertEqual([seen_name, address], [name, "al.smith@acme.example"])

    @proves("alpine", "running")
    def test_running(self):
        """What it would overwrite waits until it has ended."""
        self.home.write(".pinerc", "last-version-used=6.26\n")
        a = self.account("imap", "tls")
        host = RunningHost(self, "alpine", a)
        self.home.apply("alpine", sheet(a))
        asked = []

        def waits():
            if "PASSWORD" in self.screen and not asked:
                host.waits()
                asked.append(True)
            return bool(asked)
        self.assertTrue(*self.play(["alpine"], [], waits))
        host.is_done()

    def fact(self, name):
        out = self.home.run(DRIVER, "facts", self.home.dir, "alice", "/home", "alpine").stdout
        return next(line.split(" = ")[1].split(" ")[0] for line in out.splitlines() if f" {name} = " in line)

    def test_passwords_that_it_keeps_are_encrypted(self):
        a = self.account("imap", "tls")
        self.home.write(".pinerc", "last-version-used=6.26\nuser-domain=acme.example\n")
        self.home.apply("alpine", sheet(a))
        kept = self.home.write(".pine-passfile", "")
        self.assertEqual(self.fact("client.password"), "no")
        again = b"a long enough one\r"
        self.assertTrue(*self.play(["alpine"], [("ENTER PASSWORD", PASSWORD.encode() + b"\r"), ("Preserve", b"y"), ("aster", again),
                                                ("onfirm", again), ("gain", again), ("password (attempt", again)],
                                   lambda: kept.read_text().endswith("-----END PKCS7-----\n"), seconds=20))
        self.assertEqual(self.fact("client.password"), "no")
        (key,) = (self.home.path / ".alpine-smime/.pwd").glob("*.key")
        key.write_text(key.read_text().replace("ENCRYPTED ", ""))
        self.assertEqual(self.fact("client.password"), "?")

    def test_lowest_tls_version(self):
        """As it is installed, and where OpenSSL's own file allows TLS 1.2 and newer only."""
        for raised, version, lowest in ((False, "1.0", "1.0"), (True, "1.1", "1.2")):
            with self.subTest(raised=raised):
                machine = Machine(self.home.dir, raised)
                server = OldServer(issue_rsa(self.server.ca, "old", ["localhost"]), version, "imap")
                self.addCleanup(server.stop)
                a = self.account("imap", "tls", **{"incoming.port": str(server.port)})
                for side in ("incoming", "outgoing"):
                    del a[f"{side}.tls_min"]
                self.home.write(".pinerc", "last-version-used=6.26\nuser-domain=acme.example\n")
                self.home.apply("alpine", sheet(a))
                self.assertTrue(*self.play(["env", *(f"{k}={v}" for k, v in machine.env.items()), "alpine"], [], lambda: server.seen))
                self.assertEqual((server.lowest(), server.taken()), (lowest, not raised))
                self.assertEqual(self.fact("client.tls_min"), lowest)

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
