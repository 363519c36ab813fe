"""A change that a running program keeps waiting: the user is asked to close it, and then it is made."""

import os
import pathlib
import pwd
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403
from test_receive import Case  # noqa: E402

# Takes what is to be shown, one line each; with "deaf" it takes it and never answers.
SERVICE = """
import sys
from gi.repository import Gio, GLib
XML = '''<node><interface name="org.freedesktop.Notifications"><method name="Notify"><arg type="s" direction="in"/>
<arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/>
</method></interface></node>'''
def called(bus, sender, path, interface, method, args, call):
    with open(sys.argv[1], "a") as f:
        print(args.unpack(), file=f)
    if sys.argv[2:] != ["deaf"]:
        call.return_value(GLib.Variant("(u)", (1,)))
def got_bus(bus, name):
    bus.register_object("/org/freedesktop/Notifications", Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0], called, None, None)
Gio.bus_own_name(Gio.BusType.SESSION, "org.freedesktop.Notifications", 0, got_bus, lambda *a: print("here", flush=True), None)
GLib.MainLoop().run()
"""
PINERC = ('personal-name=Old Name\ninbox-path={imap.acme.example:993/ssl/user=alice@acme.example}INBOX\n'
          'smtp-server=smtp.acme.example:465/ssl/user=alice@acme.example\n')


class SessionHost(Host):
    session = {}

    def env(self):
        return {**super().env(), **self.session}


class Alpine(Case):
    """alpine itself, in a terminal of tmux's."""

    def setUp(self):
        super().setUp()
        self.host.__class__ = SessionHost
        if self.uid:  # tmux and dbus-daemon want a user whom the system knows
            self.uid = self.host.uid = pwd.getpwnam("nobody").pw_uid
            os.chown(self.home, self.uid, self.uid)
        self.put(".pinerc", PINERC)
        self.shown = self.home / "shown"
        self.socket = self.home / "tmux"
        self.addCleanup(self.tmux, "kill-server")

    def env(self):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", "TERM": "xterm", "SHELL": "/bin/sh", **self.host.session}

    def child(self, argv, **kw):
        p = subprocess.Popen(argv, env=self.env(), preexec_fn=self.host._become, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **kw)
        self.addCleanup(p.stdout.close)
        self.addCleanup(end_process, p)
        return p

    def tmux(self, *args):
        return subprocess.run(["tmux", "-S", str(self.socket), "-f", "/dev/null", *args], env=self.env(), check=False,
                              preexec_fn=self.host._become, capture_output=True, stdin=subprocess.DEVNULL).stdout.decode()

    def running(self):
        """The user's processes of that name, from this folder."""
        found = []
        for p in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (p / "comm").read_text() == "alpine\n" and str(self.home).encode() in (p / "environ").read_bytes():
                    found.append(int(p.name))
            except OSError:
                pass
        return found

    def start(self):
        self.tmux("new-session", "-d", "alpine")
        self.assertTrue(wait_until(self.running, 20), "alpine does not start")

    def close(self):
        for pid in self.running():
            os.kill(pid, signal.SIGTERM)
            self.assertTrue(wait_until(lambda: pid not in self.running(), 20), "alpine does not end")

    def bus(self, *args):
        bus = self.child(["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:path={self.home}/bus"])
        self.host.session = {"DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().decode().strip()}
        self.assertIn("unix:", self.host.session["DBUS_SESSION_BUS_ADDRESS"])
        if args:
            self.service(*args[1:])

    def service(self, *args):
        p = self.child(["/usr/bin/python3", "-c", SERVICE, str(self.shown), *args])
        self.assertEqual(p.stdout.readline(), b"here\n")

    def notes(self):
        return self.shown.read_text().splitlines() if self.shown.exists() else []

    def policy(self, name="New Name", **kw):
        return sheet("alice", accounts=[account("alice@acme.example", account__real_name=name)], clients={"alpine": "enforce"}, **kw)

    def apply(self, *args, **kw):
        return self.host.apply(self.policy(*args, **kw), revision=kw.get("revision", 1))

    def deferred(self, *args, **kw):
        a = self.apply(*args, **kw)
        # Behind these come the reports of the logins before.
        g = next(f for f in a.findings if f["setting"] == "account.real_name")
        self.assertEqual((g["state"], a.status), ("deferred", DIFF), g)
        self.assertIn(b"Old Name", self.read(".pinerc"))

    def state(self):
        return {p.relative_to(self.home): (p.read_bytes(), p.stat().st_mtime_ns)
                for p in self.host.state.rglob("*") if p.is_file()} | {".pinerc": self.read(".pinerc")}

    def stay(self):
        """A login that waits: asleep in poll()."""
        p = self.host.popen("login", "--stay")
        self.addCleanup(end_process, p)
        for pipe in (p.stdin, p.stdout, p.stderr):
            self.addCleanup(pipe.close)

        def asleep():
            self.assertIsNone(p.poll(), "it does not wait")
            return self.watched(p) > 0
        self.assertTrue(wait_until(asleep, 30), "it does not wait")
        return p

    @staticmethod
    def watched(p):
        """How many processes it waits for."""
        n = 0
        for fd in pathlib.Path(f"/proc/{p.pid}/fd").iterdir():
            try:
                n += "pidfd" in os.readlink(fd)
            except OSError:
                pass
        return n

    # -- the tests
    def test_told_once(self):
        self.bus("with a service")
        self.start()
        self.deferred()
        self.assertEqual(len(self.notes()), 1)
        self.assertIn("Alpine is running. Please close it", self.notes()[0])
        self.assertNotRegex(self.notes()[0], "New Name|acme|alice")
        for _ in range(2):
            self.assertEqual(self.host.run("login").returncode, DIFF)
        self.deferred()
        self.assertEqual(len(self.notes()), 1)
        self.deferred("Newer Name", revision=2)
        self.assertEqual(len(self.notes()), 2)
        self.assertTrue((self.host.state / "deferred").exists())
        self.close()
        self.assertEqual(self.host.run("login").returncode, OK)
        self.assertFalse((self.host.state / "deferred").exists())
        self.assertEqual(len(self.notes()), 2)

    def test_nobody_shows_it(self):
        self.start()
        self.deferred()
        self.host.session = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.home}/nothing"}
        self.deferred()
        self.bus()
        self.deferred()
        self.assertFalse((self.host.state / "notified").exists())
        self.service()
        self.deferred()
        self.assertEqual(len(self.notes()), 1)

    def test_silent_service(self):
        self.bus("with a service", "deaf")
        self.start()
        self.deferred()
        self.assertFalse((self.host.state / "notified").exists())

    def test_applied_when_closed(self):
        self.bus("with a service")
        self.start()
        self.deferred()
        p = self.stay()
        # A newer one that comes meanwhile is what is applied.
        self.deferred("Newer Name", revision=2)
        self.close()
        out, err = p.communicate(timeout=60)
        self.assertEqual((p.returncode, out, err), (OK, b"", b""))
        self.assertIn(b"Newer Name", self.read(".pinerc"))
        spooled = b"".join(f.read_bytes() for f in (self.host.state / "spool").iterdir())
        self.assertIn(b"corrected", spooled)
        self.assertIn(b"Newer Name", spooled)
        self.assertFalse((self.host.state / "deferred").exists())
        self.assertEqual(self.host.ask("status").status, OK)

    def test_all_of_a_program(self):
        self.start()
        first = self.running()
        self.start_second()
        self.deferred()
        p = self.stay()
        self.assertTrue(wait_until(lambda: self.watched(p) == 2, 20))
        os.kill(first[0], signal.SIGTERM)
        self.assertTrue(wait_until(lambda: first[0] not in self.running(), 20))
        self.assertTrue(wait_until(lambda: self.watched(p) == 1, 20))
        self.assertIn(b"Old Name", self.read(".pinerc"))
        self.close()
        self.assertEqual(p.wait(60), OK)
        self.assertIn(b"New Name", self.read(".pinerc"))

    def test_many_processes(self):
        """64 at a time; those that nobody has taken leave of yet do not run any more."""
        program = self.put("alpine", pathlib.Path("/bin/sleep").read_bytes(), 0o755)
        many = [self.child([str(program), "600"]) for _ in range(66)]
        self.assertTrue(wait_until(lambda: len(self.running()) == 66, 20))
        self.deferred()
        p = self.stay()
        self.assertTrue(wait_until(lambda: self.watched(p) == 64, 20))
        for child in many:
            child.send_signal(signal.SIGKILL)
        self.assertEqual(p.wait(60), OK)
        self.assertIn(b"New Name", self.read(".pinerc"))

    def start_second(self):
        before = self.running()
        self.tmux("new-window", "alpine")
        self.assertTrue(wait_until(lambda: len(self.running()) > len(before), 20), "no second alpine")

    def test_ended_while_waiting(self):
        self.start()
        self.deferred()
        for sig in (signal.SIGTERM, signal.SIGHUP):
            p = self.stay()
            before = self.state()
            p.send_signal(sig)
            self.assertEqual(p.wait(30), DIFF)
            self.assertEqual(self.state(), before)

    def test_nothing_to_wait_for(self):
        self.assertEqual(self.apply().status, OK)
        self.assertEqual(self.host.run("login", "--stay").returncode, OK)


if __name__ == "__main__":
    unittest.main()
