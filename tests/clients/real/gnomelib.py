"""A session bus of its own for the services of GNOME, without a screen."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import textwrap
import unittest

from realclient import ClientCase, MailServer, have, sheet, wait_for  # noqa: F401

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

# What evolution-data-server's own library makes of the sources.  Debian's Python has it.
SOURCES = """
import gi, json
gi.require_version("EDataServer", "1.2")
from gi.repository import EDataServer
registry = EDataServer.SourceRegistry.new_sync(None)
wanted = {"Mail Account": ["backend_name", "identity_uid"], "Mail Transport": ["backend_name"],
          "Mail Identity": ["address", "name", "reply_to", "organization"], "Mail Submission": ["transport_uid", "sent_folder"],
          "Mail Composition": ["drafts_folder"],
          "Authentication": ["host", "port", "user", "method"], "Security": ["method"]}
out = {}
for source in registry.list_sources(None):
    one = {"enabled": registry.check_enabled(source), "name": source.get_display_name()}
    for group, keys in wanted.items():
        if source.has_extension(group):
            extension = source.get_extension(group)
            one[group] = {k: getattr(extension, "get_" + k)() for k in keys}
    out[source.get_uid()] = one
print(json.dumps(out))
"""
SECURITY = {"ssl-on-alternate-port": "tls", "starttls-on-standard-port": "starttls", "none": "none"}


class SessionCase(ClientCase):
    bus_options = ()

    @have("dbus-daemon", "gdbus")
    def setUp(self):
        super().setUp()
        self.run_dir = self.home.dir / "run"
        self.run_dir.mkdir(mode=0o700)
        self.bus = None
        self.start_bus()

    def env(self, **more):
        return self.home.env(XDG_RUNTIME_DIR=str(self.run_dir), GSETTINGS_BACKEND="memory", NO_AT_BRIDGE="1", **more)

    def start_bus(self, *before, **env):
        """`before`: what the bus, and with it every service, runs under."""
        bus = subprocess.Popen([*map(str, before), "dbus-daemon", "--session", "--nofork", "--print-address=1", *self.bus_options],
                               env=self.env(**env),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.stop_bus, bus)
        self.bus = bus.stdout.readline().strip()

    @staticmethod
    def stop_bus(bus):
        """Everything that the bus started ends with it."""
        if bus.poll() is None:
            bus.terminate()
            bus.wait(10)
        bus.stdout.close()

    def on_bus(self, *argv, stdin="", timeout=40):
        p = self.home.run(*argv, stdin=stdin, timeout=timeout, **{k: v for k, v in self.env(
            DBUS_SESSION_BUS_ADDRESS=self.bus).items() if k not in self.home.env()})
        if p.returncode != 0:
            raise AssertionError(f"{argv[0]}: {p.stderr}")
        return p.stdout

    def start_keyring(self):
        """An unlocked one, with nothing in it."""
        p = subprocess.Popen(["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                             env=self.env(DBUS_SESSION_BUS_ADDRESS=self.bus), stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop_process, p)
        p.stdin.write(b"x")
        p.stdin.close()
        wait_for("the keyring", lambda: "org.freedesktop.secrets" in self.on_bus(
            "gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus",
            "--method", "org.freedesktop.DBus.ListNames"))

    @staticmethod
    def stop_process(p):
        if p.poll() is None:
            p.kill()
            p.wait(10)

    @staticmethod
    def end_group(p):
        """What the program started ends with it."""
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        p.wait(10)

    def end_home(self):
        """Whoever still runs with the home of this test."""
        mine = f"HOME={self.home.path}".encode()
        for p in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mine in (p / "environ").read_bytes().split(b"\0"):
                    os.kill(int(p.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass

    def sources(self):
        return json.loads(self.on_bus("/usr/bin/python3", "-c", textwrap.dedent(SOURCES)).splitlines()[-1])

    def pid_on_bus(self, name):
        out = self.on_bus("gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path",
                          "/org/freedesktop/DBus", "--method", "org.freedesktop.DBus.GetConnectionUnixProcessID", name)
        return int(out.split("uint32 ")[1].rstrip("),\n"))

    def property(self, dest, path, interface, name):
        return self.on_bus("gdbus", "call", "--session", "--dest", dest, "--object-path", path, "--method",
                           "org.freedesktop.DBus.Properties.Get", interface, name).strip()

    @staticmethod
    def comm(pid):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()

    @staticmethod
    def end(pid):
        os.kill(pid, 15)


class ServerCase(SessionCase):
    """A mail server whose CA the session trusts: it is laid over the system's list, in a mount namespace."""

    @classmethod
    @have("dovecot", "unshare", "gnome-keyring-daemon", "secret-tool")
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root: the CA is laid over the system's list")
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="mmreal"))
        cls.dir.chmod(0o755)
        cls.server = MailServer(cls.dir / "srv", {"alice@acme.example": "pw 1", "alice": "pw 1"}).start()
        cls.bundle = cls.dir / "bundle.crt"
        cls.bundle.write_text(pathlib.Path(BUNDLE).read_text() + cls.server.ca.cert.read_text())

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def setUp(self):
        super().setUp()
        self.server.log.write_text("")

    def trusting(self, *argv):
        return ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c",
                'mount --bind "$0" "$1" && shift && exec "$@"', str(self.bundle), BUNDLE, *map(str, argv)]

    def start_bus(self, *before, **env):
        super().start_bus(*self.trusting(*before), **env)

    def account(self, security, **more):
        port, tls = self.server.ports, security == "tls"
        return account(incoming__port=str(port["imaps" if tls else "imap"]), incoming__security=security,
                       outgoing__port=str(port["submissions" if tls else "submission"]), outgoing__security=security,
                       **more)

    def logged_in(self, service, user, port):
        return int(port) in [p for _, _, p in self.server.logins(user, service)]


class WindowCase(ServerCase):
    """A screen for programs with windows."""

    @classmethod
    @have("Xvfb", "openbox", "xdotool")
    def setUpClass(cls):
        super().setUpClass()
        r, w = os.pipe()
        cls.x = subprocess.Popen(["Xvfb", "-displayfd", str(w), "-screen", "0", "1200x900x24", "-nolisten", "tcp",
                                  "-noreset"], pass_fds=[w], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        os.close(w)
        with os.fdopen(r) as f:  # to the line's end: it would die of a pipe that is closed too early
            cls.display = ":" + f.readline().strip()

    @classmethod
    def tearDownClass(cls):
        cls.x.terminate()
        cls.x.wait(10)
        super().tearDownClass()

    def env(self, **more):
        return {**super().env(DISPLAY=self.display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS="1", **more),
                "GSETTINGS_BACKEND": "keyfile"}

    def start(self, program, *args):
        """Trusting the server; what it starts ends with it, after the test at the latest."""
        p = subprocess.Popen(self.trusting(program, *args), env=self.env(DBUS_SESSION_BUS_ADDRESS=self.bus),
                             cwd=self.home.path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(self.end_group, p)
        return p

    def keep(self, schema, *attributes):
        self.on_bus("secret-tool", "store", "--label=x", "xdg:schema", schema, *attributes, stdin="pw 1")

    def send(self, title, a):
        """The keys that send what is written in a window with this title, until the server has seen a login."""
        def sent():
            found = self.home.run("xdotool", "search", "--name", title, DISPLAY=self.display).stdout.split()
            for window in found:
                self.home.run("xdotool", "windowactivate", "--sync", window, "key", "ctrl+Return", DISPLAY=self.display, timeout=10)
            try:
                return wait_for("", lambda: self.logged_in("submission", "alice", a["outgoing.port"]), 3)
            except TimeoutError:
                return False
        wait_for("the message to be sent", sent, 60)

    def window_manager(self):
        p = subprocess.Popen(["openbox"], env=self.env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop_process, p)


def account(**more):
    return {"account.address": "alice@acme.example", "account.real_name": "Alice O'Hara \"Al\" `id` $(x) \\ [Security] #",
            "incoming.protocol": "imap", "incoming.host": "localhost", "incoming.port": "993",
            "incoming.security": "tls", "incoming.auth": "password", "incoming.username": "alice@acme.example",
            "outgoing.protocol": "smtp", "outgoing.host": "localhost", "outgoing.port": "465",
            "outgoing.security": "tls", "outgoing.auth": "password", "outgoing.username": "alice",
            **{k.replace("__", "."): v for k, v in more.items()}}
