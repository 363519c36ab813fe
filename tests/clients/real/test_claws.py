"""Claws Mail and Sylpheed log in to a real Dovecot with what the adapters wrote.

Both run on an X server of the test's own. They trust the system's authorities
only, so that the test's CA is laid over the system's list, in a mount
namespace of their own.
"""

import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import unittest

from realclient import DRIVER, HOSTILE, ClientCase, MailServer, RunningHost, have, proves, sheet, wait_for
from oldtls import Machine, OldServer, issue_rsa  # behind it: it knows where that is

PASSWORD = "pw-alice-1"  # Claws Mail's store takes one in clear only where it has no blank
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
FOLDERS = ('<?xml version="1.0" encoding="UTF-8"?>\n<folderlist>\n'
           '<folder type="mh" name="Mailbox" path="Mail" />\n</folderlist>\n')
QUEUED = {
    "claws": "AF:\nNF:0\nPS:10\nSRH:1\nSFN:\nDSR:\nMID:\nCFG:\nPT:0\nS:{a}\nRQ:\nSSV:{h}\nNSV:\nSSH:\nR:<{a}>\nMAID:1\n"
             "X-Claws-End-Special-Headers: 1\n",
    "sylpheed": "AF:\nNF:0\nPS:10\nSRH:1\nSFN:\nDSR:\nMID:\nCFG:\nPT:0\nS:{a}\nRQ:\nSSV:{h}\nNSV:\nSSH:\nR:<{a}>\nAID:1\n\n",
}
PROGRAMS = {"claws": ("claws-mail", ".claws-mail"), "sylpheed": ("sylpheed", ".sylpheed-2.0")}


class Graphical(ClientCase):
    @classmethod
    @have("dovecot", "Xvfb", "unshare")
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root: the CA is laid over the system's list")
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="mmreal"))
        cls.dir.chmod(0o755)
        cls.server = MailServer(cls.dir / "srv", {"alice@acme.example": PASSWORD, "alice": PASSWORD}).start()
        cls.bundle = cls.dir / "bundle.crt"
        cls.bundle.write_text(pathlib.Path(BUNDLE).read_text() + cls.server.ca.cert.read_text())
        r, w = os.pipe()
        cls.x = subprocess.Popen(["Xvfb", "-displayfd", str(w), "-screen", "0", "1000x700x24", "-nolisten", "tcp", "-noreset"],
                                 pass_fds=[w], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        os.close(w)
        with os.fdopen(r) as f:  # to the line's end: it would die of a pipe that is closed too early
            cls.display = ":" + f.readline().strip()

    @classmethod
    def tearDownClass(cls):
        cls.x.terminate()
        cls.x.wait(10)
        cls.server.stop()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def setUp(self):
        super().setUp()
        self.run_dir = self.home.dir / "run"
        self.run_dir.mkdir(mode=0o700)

    def env(self):
        return self.home.env(DISPLAY=self.display, XDG_RUNTIME_DIR=str(self.run_dir), TMPDIR=str(self.run_dir),
                             NO_AT_BRIDGE="1", GSETTINGS_BACKEND="memory")

    def argv(self, *argv):
        return ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c",
                'mount --bind "$0" "$1" && shift && exec "$@"', str(self.bundle), BUNDLE, *map(str, argv)]

    def tell(self, program, *args):
        subprocess.run(self.argv(program, *args), env=self.env(), cwd=self.home.path, timeout=20,
                       stdin=subprocess.DEVNULL, capture_output=True)

    def start(self, program):
        where = {"claws-mail": self.run_dir / "claws-mail", "sylpheed": self.run_dir}[program]
        for left in where.iterdir() if where.is_dir() else ():  # by one that was killed
            if left.is_socket():
                left.unlink()
        p = subprocess.Popen(self.argv(program), env=self.env(), cwd=self.home.path, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, p)
        wait_for(f"{program} to listen", lambda: where.is_dir() and any(f.is_socket() for f in where.iterdir()), 20)
        return p

    @staticmethod
    def end(p):
        if p.poll() is None:
            p.kill()
            p.wait(10)

    def account(self, protocol, security, **more):
        tls = security == "tls"
        port = self.server.ports
        a = {"account.address": "alice@acme.example", "account.real_name": "Alice O'Hara \"Al\" `id` $(x)",
             "account.organisation": "Acme | Söhne", "incoming.protocol": protocol, "incoming.host": "localhost",
             "incoming.security": security, "incoming.port": str(port[protocol + "s" if tls else protocol]),
             "incoming.auth": "password", "incoming.username": "alice@acme.example", "outgoing.protocol": "smtp",
             "outgoing.host": "localhost", "outgoing.security": security,
             "outgoing.port": str(port["submissions" if tls else "submission"]), "outgoing.auth": "password",
             "outgoing.username": "alice", **more}
        if protocol == "pop3":
            a["incoming.leave_on_server"] = "yes"
        else:  # what the program writes at its end is what it has understood
            a.update({"account.folder_sent": "INBOX/Gesendet & Söhne", "account.folder_drafts": "Entwürfe/`id` $(x)",
                      "account.folder_trash": "Müll \"x\\\\; #"})
        return a

    def prepare(self, client, a, queued=True):
        program, folder = PROGRAMS[client]
        for name in ("inbox", "sent", "draft", "queue", "trash"):
            (self.home.path / "Mail" / name).mkdir(parents=True, exist_ok=True)
        self.home.write(f"{folder}/folderlist.xml", FOLDERS)
        self.home.apply(client, sheet(a))
        if client == "claws":
            self.home.write(f"{folder}/passwordstorerc",
                            f"[config_version:4]\n[account:1]\nrecv {PASSWORD}\nsend {PASSWORD}\n")
            self.home.write(f"{folder}/clawsrc", "[Common]\nconfig_version=4\nno_receive_error_panel=1\n")
        else:
            rc = self.home.path / folder / "accountrc"
            rc.write_text(rc.read_text() + f"password={PASSWORD}\nsmtp_password={PASSWORD}\n")
        if not queued:  # it would be asked about before the end
            return program
        head = QUEUED[client].format(a=a["account.address"], h=a["outgoing.host"])
        self.home.write("Mail/queue/1", f"{head}From: <alice@acme.example>\nTo: <alice@acme.example>\nSubject: test\n"
                        "Date: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <1@acme.example>\n\nhello\n")
        return program

    def logged_in(self, service, user, port):
        return any(p == int(port) for _, _, p in self.server.logins(user, service))

    def until_login(self, program, option, service, user, port):
        """A program that is not yet at its ease when it is told forgets it."""
        def told():
            self.tell(program, option)
            try:
                return wait_for("", lambda: self.logged_in(service, user, port), 3)
            except TimeoutError:
                return False
        wait_for(f"{program}: a login of {user} at {service}", told, 30)

    def exit(self, program, p):
        self.tell(program, "--exit")
        wait_for(f"{program} to end", lambda: p.poll() is not None, 20)

    def log_in(self, client, protocol, security):
        a = self.account(protocol, security)
        program = self.prepare(client, a)
        before = self.home.seen(client)
        self.server.log.write_text("")
        p = self.start(program)
        self.until_login(program, "--receive-all", protocol, "alice@acme.example", a["incoming.port"])
        self.until_login(program, "--send", "submission", "alice", a["outgoing.port"])
        wait_for("the queue to be empty", lambda: not list((self.home.path / "Mail/queue").glob("[0-9]*")), 20)
        # The name by which the adapter knows that it runs.
        self.assertEqual(pathlib.Path(f"/proc/{p.pid}/comm").read_text().strip(), program)
        self.exit(program, p)
        # It wrote the whole file anew: nothing that is ours became something else.
        after = self.home.seen(client)
        for setting in a:
            self.assertEqual(after["Account: 1"].get(setting), before["Account: 1"].get(setting), setting)
        if client == "claws":
            self.look_at_certificates(a)

    def look_at_certificates(self, a):
        """It keeps those that were valid, too; one that signs itself in the same place is told of."""
        for side in ("incoming", "outgoing"):
            stored = self.home.path / f".claws-mail/certs/localhost.{a[side + '.port']}.cert"
            self.assertNotIn("signs itself", self.home.driver("show", "claws"))
            valid = stored.read_bytes()
            stored.write_bytes(ssl.PEM_cert_to_DER_cert(self.server.ca.cert.read_text()))
            self.assertIn(f"trap {stored}:0: 'Work' takes a certificate of localhost that signs itself", self.home.driver("show", "claws"))
            stored.write_bytes(valid)

    @have("claws-mail")
    @proves("claws", "imap tls", "smtp tls")
    def test_claws_imap_tls(self):
        self.log_in("claws", "imap", "tls")

    @have("claws-mail")
    @proves("claws", "imap starttls", "smtp starttls")
    def test_claws_imap_starttls(self):
        self.log_in("claws", "imap", "starttls")

    @have("claws-mail")
    @proves("claws", "pop3 tls", "smtp tls")
    def test_claws_pop3_tls(self):
        self.log_in("claws", "pop3", "tls")

    @have("claws-mail")
    @proves("claws", "pop3 starttls", "smtp starttls")
    def test_claws_pop3_starttls(self):
        self.log_in("claws", "pop3", "starttls")

    @have("sylpheed")
    @proves("sylpheed", "imap tls", "smtp tls")
    def test_sylpheed_imap_tls(self):
        self.log_in("sylpheed", "imap", "tls")

    @have("sylpheed")
    @proves("sylpheed", "imap starttls", "smtp starttls")
    def test_sylpheed_imap_starttls(self):
        self.log_in("sylpheed", "imap", "starttls")

    @have("sylpheed")
    @proves("sylpheed", "pop3 tls", "smtp tls")
    def test_sylpheed_pop3_tls(self):
        self.log_in("sylpheed", "pop3", "tls")

    @have("sylpheed")
    @proves("sylpheed", "pop3 starttls", "smtp starttls")
    def test_sylpheed_pop3_starttls(self):
        self.log_in("sylpheed", "pop3", "starttls")

    @have("claws-mail")
    def test_claws_floor_of_the_policy_is_taken(self):
        """With a floor of 1.3 Claws Mail still logs in; a string that GnuTLS does not know would end that."""
        a = self.account("pop3", "tls", **{"incoming.tls_min": "1.3", "outgoing.tls_min": "1.3"})
        program = self.prepare("claws", a)
        self.server.log.write_text("")
        self.start(program)
        self.until_login(program, "--receive-all", "pop3", "alice@acme.example", a["incoming.port"])

    def takes(self, client, protocol, **more):
        """Does it complete a handshake of TLS 1.0? With what is told of it."""
        Machine(self.home.dir, False)
        server = OldServer(issue_rsa(self.server.ca, "old", ["localhost"]), "1.0", protocol)
        self.addCleanup(server.stop)
        shutil.rmtree(self.home.path / PROGRAMS[client][1], ignore_errors=True)
        program = self.prepare(client, self.account(protocol, "tls", **{"incoming.port": str(server.port), **more}), queued=False)
        p = self.start(program)

        def came():
            told = subprocess.Popen(self.argv(program, "--receive-all"), env=self.env(), cwd=self.home.path, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(self.end, told)  # it waits for one that asks a person something
            try:
                return wait_for("", lambda: server.seen, 3)
            except TimeoutError:
                return False
        wait_for(f"{program} at the server", came, 30)
        self.end(p)
        out = self.home.run(DRIVER, "facts", self.home.dir, "alice", "/home", client).stdout
        return server.taken(), next(line.split(" = ")[1].split(" ")[0] for line in out.splitlines() if " client.tls_min = " in line)

    @have("claws-mail")
    def test_claws_lowest_tls_version(self):
        """What is set holds for POP3 and SMTP; IMAP is another library's, which knows nothing of it."""
        floor = {"incoming.tls_min": "1.2", "outgoing.tls_min": "1.2"}
        self.assertEqual(self.takes("claws", "pop3"), (True, "1.0"))
        self.assertEqual(self.takes("claws", "pop3", **floor), (False, "1.2"))
        self.assertEqual(self.takes("claws", "imap", **floor), (True, "1.0"))

    @have("sylpheed")
    def test_sylpheed_lowest_tls_version(self):
        self.assertEqual(self.takes("sylpheed", "imap"), (True, "1.0"))

    def hostile(self, client):
        """Names that look like commands, one account each: the program reads them, and writes them as they were."""
        program = self.prepare(client, self.account("pop3", "tls"), queued=False)
        self.home.apply(client, sheet(*[self.account("pop3", "tls", **{
            "account.real_name": v, "account.organisation": v, "incoming.username": v, "outgoing.username": v,
            "account.address": f"a{i}@acme.example"}) for i, v in enumerate(HOSTILE)]))
        before = self.home.seen(client)
        rc = self.home.path / PROGRAMS[client][1] / "accountrc"
        written = rc.read_bytes()
        p = self.start(program)
        self.exit(program, p)
        self.assertTrue(rc.read_bytes() != written)  # it did write
        after = self.home.seen(client)
        self.assertGreater(len(after), 20)
        for name, settings in after.items():
            for key in ("account.real_name", "incoming.username", "outgoing.username", "account.organisation"):
                self.assertEqual(settings.get(key), before[name].get(key), name)
        self.assertEqual({a["incoming.username"] for a in after.values()} & set(HOSTILE), set(HOSTILE))
        self.assertFalse(list(self.home.path.rglob("marker")))

    @have("claws-mail")
    @proves("claws", "hostile")
    def test_claws_hostile(self):
        self.hostile("claws")

    @have("sylpheed")
    @proves("sylpheed", "hostile")
    def test_sylpheed_hostile(self):
        self.hostile("sylpheed")

    def running(self, client):
        """What it would overwrite waits until it has ended."""
        host = RunningHost(self, client, self.account("imap", "tls"))
        program = self.prepare(client, self.account("imap", "tls"), queued=False)
        p = self.start(program)
        host.waits()
        self.exit(program, p)
        host.is_done()

    @have("claws-mail")
    @proves("claws", "running")
    def test_claws_running(self):
        self.running("claws")

    @have("sylpheed")
    @proves("sylpheed", "running")
    def test_sylpheed_running(self):
        self.running("sylpheed")


if __name__ == "__main__":
    unittest.main()
