"""KMail and Akonadi, without a screen, log in with what the adapter wrote.

The resources fetch, and KMail, told to over D-Bus, writes a message that its transport sends. The passwords lie
where the program looks for them: a password of IMAP is given to the resource over D-Bus, as KDE's own assistant does
it, the others lie in the session's keyring. Runs with tests/run --all only: the programs are large.
"""

import os
import re
import shutil
import subprocess
import unittest

from gnomelib import ServerCase, have, sheet, wait_for
from realclient import proves

AKONADI = "org.freedesktop.Akonadi"
ADDRESS = "alice@acme.example"
CERTS = "/etc/ssl/certs"
WALLET = "[Wallet]\nFirst Use=false\nPrompt on Open=false\nDefault Wallet=kdewallet\nClose When Idle=false\n"

# Of several methods of that name the one whose message goes out unseen; gdbus cannot be told which one.
COMPOSE = """
import gi
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.call_sync("org.kde.kmail", "/KMail", "org.kde.kmail.kmail", "openComposer",
              GLib.Variant("(sssssbsayayayayaysayayu)", ("bob@acme.example", "", "", "written", "b", True, "",
                                                         [], [], [], [], [], "", [], [], 0)), None, 0, 20000, None)
"""


class Login(ServerCase):
    trusted = True

    @classmethod
    @have("akonadi_control", "akonadi_imap_resource", "akonadi_pop3_resource", "kmail", "kwalletd5", "Xvfb", "xdotool", "gdbus")
    def setUpClass(cls):
        super().setUpClass()
        # Qt looks for an authority by its hash.
        cls.certs = cls.dir / "certs"
        shutil.copytree(CERTS, cls.certs, symlinks=True)
        ca = cls.server.ca.cert
        name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", ca], capture_output=True, text=True, check=True)
        shutil.copy(ca, cls.certs / f"{name.stdout.strip()}.0")
        shutil.copy(ca, cls.certs / "mm-test-ca.pem")
        r, w = os.pipe()
        cls.screen = subprocess.Popen(["Xvfb", "-displayfd", str(w), "-screen", "0", "1200x900x24", "-nolisten", "tcp"], pass_fds=[w],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(w)
        with os.fdopen(r) as f:
            cls.display = ":" + f.readline().strip()

    @classmethod
    def tearDownClass(cls):
        cls.stop_process(cls.screen)
        super().tearDownClass()

    def setUp(self):
        self.addCleanup(self.end_home)  # last of all: the bus starts programs as well
        super().setUp()
        self.home.write(".config/akonadi/akonadiserverrc", "[%General]\nDriver=QSQLITE3\n")
        self.home.write(".config/kmail2rc", "[General]\nfirst-start=false\nAskEnableUnifiedMailboxes=false\n")
        self.open_wallet()

    def trusting(self, *argv):
        certs = self.certs if self.trusted else CERTS
        return ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c",
                'mount --bind "$0" "$1" && mount --bind /dev/null /etc/resolv.conf && shift && exec "$@"',
                str(certs), CERTS, *map(str, argv)]

    def env(self, **more):
        return super().env(QT_QPA_PLATFORM="xcb", DISPLAY=self.display, XDG_CURRENT_DESKTOP="KDE", KDE_FULL_SESSION="true",
                           KDE_SESSION_VERSION="5",
                           QTWEBENGINE_DISABLE_SANDBOX="1",  # which root has none of
                           **more)

    def open_wallet(self):
        """As at a login: opened with what pam_kwallet5 makes of the password, and never asked about."""
        self.home.write(".config/kwalletrc", WALLET)
        self.start("kwalletd5")
        self.wallet = ("org.kde.kwalletd5", "/modules/kwalletd5")
        self.until_on_bus(self.wallet[0])
        key = ", ".join(f"byte 0x{b:02x}" for b in os.urandom(56))
        self.call(*self.wallet, "org.kde.KWallet.pamOpen", "kdewallet", f"[{key}]", "0")
        self.handle = self.call(*self.wallet, "org.kde.KWallet.open", "kdewallet", "int64 0", "test").strip("(),")

    def keep(self, folder, key):
        self.call(*self.wallet, "org.kde.KWallet.createFolder", self.handle, folder, "test")
        self.assertEqual(self.call(*self.wallet, "org.kde.KWallet.writePassword", self.handle, folder, key, "pw 1", "test"), "(0,)")

    def start(self, *argv):
        p = subprocess.Popen(self.trusting(*argv), env=self.env(DBUS_SESSION_BUS_ADDRESS=self.bus), cwd=self.home.path,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(self.end_group, p)
        return p

    def call(self, dest, path, method, *args):
        return self.on_bus("gdbus", "call", "--session", "--dest", dest, "--object-path", path, "--method", method, *args).strip()

    def until_on_bus(self, name):
        """Not by a call: that would make the bus start one as well."""
        def has_owner():
            try:
                return self.pid_on_bus(name)
            except AssertionError:
                return None
        wait_for(name, has_owner, 60)

    def answers(self, *call):
        try:
            self.call(*call)
        except AssertionError:
            return False
        return True

    def fetch(self, protocol, a):
        """A resource of IMAP logs in when it starts, one of POP3 when it is told to."""
        def logged_in():
            if protocol == "pop3":
                self.answers(AKONADI + ".Control", "/AgentManager", AKONADI + ".AgentManager.agentInstanceSynchronize",
                             "akonadi_pop3_resource_0")
            try:
                return wait_for("", lambda: self.logged_in(protocol, ADDRESS, a["incoming.port"]), 3)
            except TimeoutError:
                return False
        wait_for("a login", logged_in, 90)

    def send(self, a):
        """A message that KMail writes and sends without showing it. Told so before all of its agents run it may do
        nothing, and then never does."""
        wait_for("the message to be sent", lambda: self.send_once(a), 240)

    def send_once(self, a):
        p = self.start("kmail")
        self.until_on_bus("org.kde.kmail")
        wait_for("KMail", lambda: self.answers("org.kde.kmail", "/KMail", "org.kde.kmail.kmail.accounts"), 60)
        try:
            self.on_bus("/usr/bin/python3", "-c", COMPOSE)
            if any(self.sent_soon(a) for _ in range(5)):
                return True
        except AssertionError:
            pass
        self.end_group(p)
        return False

    def sent_soon(self, a):
        """Where the wallet's answer comes too late the agent that sends asks for the password; that is answered."""
        for window in self.xdotool("search", "--name", ".").stdout.split():
            if self.xdotool("getwindowname", window).stdout.startswith("Password "):
                self.xdotool("windowfocus", window)
                self.xdotool("key", "ctrl+a")
                self.xdotool("type", "--delay", "20", "pw 1")
                self.xdotool("key", "Return")
        try:
            return wait_for("", lambda: self.logged_in("submission", "alice", a["outgoing.port"]), 3)
        except TimeoutError:
            return False

    def xdotool(self, *argv):
        return self.home.run("xdotool", *argv, DISPLAY=self.display)

    def run_all(self, security, protocol):
        a = self.account(security)
        if protocol == "pop3":
            a.update({"incoming.protocol": "pop3", "incoming.leave_on_server": "yes",
                      "incoming.port": str(self.server.ports["pop3s" if security == "tls" else "pop3"])})
        self.home.apply("kmail", sheet(a))
        if protocol == "imap":
            self.keep("imap", "akonadi_imap_resource_0rc")
        else:
            self.keep("pop3", "akonadi_pop3_resource_0")
        transport = re.search(r"\[Transport (\d+)\]", (self.home.path / ".config/mailtransports").read_text())[1]
        self.keep("mailtransports", transport)
        self.start("akonadi_control")
        self.fetch(protocol, a)
        self.send(a)
        # What the programs added is no difference.
        self.assertEqual(self.home.driver("apply", "kmail", sheet(a)), "")

    @proves("kmail", "imap tls", "smtp tls")
    def test_imap_tls(self):
        self.run_all("tls", "imap")

    @proves("kmail", "imap starttls", "smtp starttls")
    def test_imap_starttls(self):
        self.run_all("starttls", "imap")

    @proves("kmail", "pop3 tls", "smtp tls")
    def test_pop3_tls(self):
        self.run_all("tls", "pop3")

    @proves("kmail", "pop3 starttls", "smtp starttls")
    def test_pop3_starttls(self):
        self.run_all("starttls", "pop3")

    def test_a_certificate_that_is_accepted(self):
        """Nobody knows the authority; the person accepts the certificate for ever, and the adapter sees where."""
        a = self.account("tls")
        self.home.apply("kmail", sheet(a))
        self.keep("imap", "akonadi_imap_resource_0rc")
        self.assertNotIn("exception", self.home.driver("show", "kmail"))
        self.trusted = False
        self.start("akonadi_control")
        wait_for("a login", lambda: self.accepted(a), 90)
        path = self.home.path / ".config/ksslcertificatemanager"
        line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.startswith("localhost="))
        self.assertIn(f"trap {path}:{line}: 'Work' takes a certificate of localhost that fails verification",
                      self.home.driver("show", "kmail"))

    def accepted(self, a):
        """The question whether to go on, and the one whether for ever."""
        for key in ("alt+n", "alt+f"):
            for window in self.xdotool("search", "--name", "Server Authentication").stdout.split():
                self.xdotool("windowfocus", window)
                self.xdotool("key", key)
        try:
            return wait_for("", lambda: self.logged_in("imap", ADDRESS, a["incoming.port"]), 3)
        except TimeoutError:
            return False


if __name__ == "__main__":
    unittest.main()
