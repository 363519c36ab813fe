"""Where passwords come from: each source with the real thing, and each way in which it can have nothing."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403

FAKE_PROBE = ROOT / "tests/lib/fakeprobe.py"
PASSWORD = "wonder land-42 \"quoted\" é"
PLAIN = "hunter2-and-more"
BASE = [None]


def setUpModule():
    """The bus and the keyring want to know who the user is."""
    if is_root():
        BASE[0] = scratch()
        private_users(BASE[0], {"mm-keys": (12345, BASE[0])})


def tearDownModule():
    if BASE[0]:
        for name in ("passwd", "group", "shadow"):
            umount(f"/etc/{name}")
        remove(BASE[0])
SERVER, USER = "smtp.acme.example", "alice@acme.example"


class SessionHost(Host):
    """A host on which the user's session has more in its environment."""

    session = {}

    def env(self):
        return {**super().env(), **self.session}


class Case(unittest.TestCase):
    probe = str(FAKE_PROBE)

    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        self.home = self.dir / "home"
        self.home.mkdir()
        self.uid = 12345 if is_root() else None
        if self.uid:
            os.chown(self.home, self.uid, self.uid)
        self.host = SessionHost(self.dir, home=self.home, login="alice", uid=self.uid, probe=self.probe)
        self.put(".msmtprc", "")

    def put(self, name, text, mode=0o600):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        if self.uid:
            for p in (path, *[q for q in path.parents if self.home in q.parents]):
                os.chown(p, self.uid, self.uid)
        return path

    def limit(self, line=""):
        """agent.conf with one more limit."""
        self.host.write_conf()
        text = self.host.conf.read_text().replace("limits = {", "limits = {\n  " + line)
        self.host.conf.write_text(text)

    def asked(self):
        log = self.home / ".probe.jsonl"
        rows = [json.loads(x) for x in log.read_text().splitlines()] if log.exists() else []
        if log.exists():
            log.unlink()
        return rows

    def login(self, check="login", **changes):
        """One apply; the login check that it made."""
        settings = {"outgoing__" + k: v for k, v in changes.items()}
        settings.setdefault("outgoing__host", SERVER)
        a = self.host.apply(sheet(accounts=[account(**settings)], check=check))
        (found,) = a.of(LOGIN)
        self.frames = json.dumps(a.frames)
        return found

    def gives(self, password=PASSWORD, **changes):
        found = self.login(**changes)
        self.assertEqual((found["result"], found["class"]), ("passed", ""), found)
        self.assertEqual([t["password"] for t in self.asked()], [password])
        self.nothing_left(password)

    def lacks(self, word, says=None, **changes):
        """No credential: the endpoint is looked at without one, and the login is untested with this reason."""
        found = self.login(**changes)
        self.assertEqual((found["result"], found["class"]), ("untested", word), found)
        self.assertRegex(found["text"], r"\S.*[.]$")
        self.assertRegex(found["admin"], r"\S.*[.]$")
        if says:
            self.assertIn(says, found["admin"])
        rows = self.asked()
        self.assertEqual([(t["host"], t["password"], t.get("certificate"), t.get("ccache")) for t in rows],
                         [(changes.get("host", SERVER), None, None, None)])
        return found

    def nothing_left(self, password):
        for path in self.host.state.rglob("*"):
            if path.is_file():
                self.assertNotIn(password.encode(), path.read_bytes(), path)
        self.assertNotIn(password, self.frames)
        self.assertNotIn(json.dumps(password)[1:-1], self.frames)


def argv(*words):
    return json.dumps([str(w) for w in words], separators=(",", ":"))


class Commands(Case):
    def script(self, text):
        """A program that the host allows."""
        path = self.put("ask", "#!/bin/sh\n" + text + "\n", 0o700)
        self.host.write_conf(programs=[str(path)])
        return argv(path)

    def says(self, text):
        self.put("secret", text)
        self.host.write_conf(programs=["/bin/cat"])
        return argv("/bin/cat", self.home / "secret")

    def test_first_line(self):
        for text in (PASSWORD, PASSWORD + "\n", PASSWORD + "\r\n", PASSWORD + "\nuser: alice\nurl: x\n"):
            self.gives(password_command=self.says(text.encode()))
        self.gives("x" * 4096, password_command=self.says("x" * 4096))

    def test_what_is_no_password(self):
        self.lacks("CREDENTIAL_UNAVAILABLE", "printed nothing", password_command=self.says(""))
        self.lacks("CREDENTIAL_UNAVAILABLE", "printed nothing", password_command=self.says("\nsecond line\n"))
        self.lacks("CREDENTIAL_BAD", "zero byte", password_command=self.says(b"pass\0word\n"))
        self.lacks("CREDENTIAL_BAD", "more than 4096 bytes", password_command=self.says("x" * 4097))
        self.lacks("CREDENTIAL_BAD", "more than 4096 bytes", password_command=self.says("x\n" * 100000))

    def test_programs_that_fail(self):
        self.lacks("CREDENTIAL_UNAVAILABLE", "exit status 3", password_command=self.script("echo half; exit 3"))
        self.lacks("CREDENTIAL_UNAVAILABLE", "signal 9", password_command=self.script("echo half; kill -9 $$"))
        gone = argv("/no/such/program")
        self.host.write_conf(programs=["/no/such/program"])
        self.lacks("CREDENTIAL_UNAVAILABLE", "could not be started", password_command=gone)

    def test_endless(self):
        began = time.time()
        self.lacks("CREDENTIAL_BAD", "more than 4096", password_command=self.script("exec yes"))
        self.assertLess(time.time() - began, 8)

    def test_hanging(self):
        began = time.time()
        self.lacks("CREDENTIAL_TIMEOUT", "within 10 seconds",
                   password_command=self.script("echo early; trap '' TERM; while :; do sleep 1; done"))
        self.assertLess(time.time() - began, 20)

    def test_no_terminal_and_no_input(self):
        """A program that would ask somebody finds nobody; one that reads gets the end of the file."""
        self.lacks("CREDENTIAL_UNAVAILABLE", password_command=self.script("read -r x < /dev/tty && echo \"$x\""))
        self.gives("[] 0", password_command=self.script("read -r x; printf '[%s] %s\\n' \"$x\" \"$(ls /proc/self/fd | "
                                                        "grep -vcx '[0-3]')\""))

    def test_no_shell(self):
        self.host.write_conf(programs=["/bin/echo"])
        self.gives("$(id) `id` ; 42", password_command=argv("/bin/echo", "$(id) `id` ;", "42"))

    def test_environment(self):
        """What stores need; nothing of what the agent was started with."""
        self.host.session = {"GNUPGHOME": "/g", "DISPLAY": ":0", "LD_PRELOAD": "", "GPG_TTY": "/dev/tty9"}
        path = self.script("env | sed 's/=.*//' | sort | tr '\\n' ' '")
        found = self.login(password_command=path)
        self.assertEqual(found["result"], "passed")
        names = set(self.asked()[0]["password"].split()) - {"PWD", "OLDPWD", "_", "SHLVL"}
        self.assertEqual(names, {"PATH", "LANG", "HOME", "USER", "LOGNAME", "GNUPGHOME"})

    def test_only_programs_that_the_host_allows(self):
        mark = self.dir / "started"
        path = self.put("ask", f"#!/bin/sh\ntouch {mark}; echo x\n", 0o700)
        self.host.write_conf(programs=["/usr/bin/pass"])
        a = self.host.apply(sheet(accounts=[account(outgoing__password_command=argv(path))], check="login"))
        self.assertEqual(a.status, NOPERM, "a request beyond the host's limits is refused as a whole")
        self.assertFalse(mark.exists())

    def test_tokens_come_from_the_command(self):
        self.gives("ya29.token", password_command=self.says("ya29.token\n"), auth="xoauth2")
        self.put(".netrc", f"machine {SERVER} login {USER} password {PLAIN}\n")
        self.lacks("NO_CREDENTIAL_SOURCE", "token", auth="oauthbearer")
        # unless the policy says so
        self.gives(PLAIN, auth="oauthbearer", credential="netrc")

    def test_none_is_none(self):
        self.put(".netrc", f"machine {SERVER} login {USER} password {PLAIN}\n")
        self.lacks("NO_CREDENTIAL_SOURCE", password_command=self.says("x"), credential="none")

    def test_a_failing_endpoint_is_told_without_a_password(self):
        """What is wrong before the login is known all the same."""
        self.put(".probe-script", json.dumps({SERVER: "failed"}))
        found = self.login()
        self.assertEqual((found["result"], found["class"]), ("failed", "AUTH_REJECTED"))

    def test_a_probe_that_claims_too_much(self):
        self.put(".probe-script", json.dumps({SERVER: "claims"}))
        found = self.login()
        self.assertEqual((found["result"], found["class"]), ("untested", "PROBE_SILENT"))


class Netrc(Case):
    def has(self, text, mode=0o600, **changes):
        self.put(".netrc", text, mode)
        self.gives(**changes)

    def has_not(self, word, text, says=None, mode=0o600, **changes):
        self.put(".netrc", text, mode)
        return self.lacks(word, says, **changes)

    def test_entries(self):
        quoted = PASSWORD.replace('"', '\\"')
        entry = f'login {USER} password "{quoted}"'
        self.has(f"machine {SERVER} {entry}\n")
        self.has(f"machine SMTP.Acme.Example\n\t{entry}\n")
        self.has(f"# mine\nmachine other.example login x password y\nmachine {SERVER}\n  account z {entry}")
        self.has(f"machine {SERVER} login bob password bobs\nmachine {SERVER} {entry}\n")
        self.has(f"default {entry}\n")
        self.has(f"macdef init\nmachine {SERVER} login {USER} password wrong\n\nmachine {SERVER} {entry}\n")
        self.has(f'machine {SERVER} password "{quoted}" login {USER}\n')

    def test_nothing_for_this_login(self):
        self.has_not("CREDENTIAL_MISSING", "", "has no password of the login")
        self.has_not("CREDENTIAL_MISSING", f"machine {SERVER} login bob password {PLAIN}\n")
        self.has_not("CREDENTIAL_MISSING", f"machine {SERVER} login {USER.upper()} password x\n")
        self.has_not("CREDENTIAL_MISSING", f"machine imap.acme.example login {USER} password {PLAIN}\n")
        self.has_not("CREDENTIAL_MISSING", f"machine {SERVER} password without-a-login\n")
        self.has_not("CREDENTIAL_MISSING", f"machine {SERVER} login {USER}\nmachine other password x\n")
        self.has_not("CREDENTIAL_MISSING", "default password x\n")

    def test_files_that_are_open_to_others(self):
        good = f"machine {SERVER} login {USER} password {PLAIN}\n"
        for mode in (0o640, 0o604, 0o660, 0o644):
            self.has_not("CREDENTIAL_UNSAFE", good, f"mode {mode:03o}", mode)
        if self.uid:
            os.chown(self.put(".netrc", good), 4242, 4242)
            self.lacks("CREDENTIAL_UNAVAILABLE")

    def test_what_is_no_netrc(self):
        self.has_not("CREDENTIAL_BAD", f"machine {SERVER} login {USER} password\n", "cannot be understood")
        self.has_not("CREDENTIAL_BAD", f'machine {SERVER} login {USER} password "open\n')
        self.has_not("CREDENTIAL_MISSING", "what is this\n")
        self.has_not("CREDENTIAL_BAD", f"machine {SERVER} login {USER} password " + "x" * 5000)
        self.has_not("CREDENTIAL_BAD", b"machine \0\n", "zero byte")
        self.has_not("CREDENTIAL_BAD", "#" * 70000, "too long")

    def test_limits(self):
        self.limit('credentials = [ "command", "secret-service" ];')
        self.has_not("CREDENTIAL_FORBIDDEN", f"machine {SERVER} login {USER} password {PLAIN}\n", "does not name netrc")
        self.lacks("CREDENTIAL_FORBIDDEN", credential="netrc")
        self.limit('credentials = [ "netrc" ];')
        self.gives(PLAIN)


class Systemd(Case):
    def setUp(self):
        super().setUp()
        self.creds = self.home / "credentials"
        self.creds.mkdir(mode=0o700)
        if self.uid:
            os.chown(self.creds, self.uid, self.uid)
        self.host.session = {"CREDENTIALS_DIRECTORY": str(self.creds)}

    def test_credentials(self):
        self.lacks("CREDENTIAL_MISSING", "mail.work.outgoing does not exist", credential="systemd")
        self.put("credentials/mail.work.incoming", "of the other side")
        self.lacks("CREDENTIAL_MISSING", credential="systemd")
        self.put("credentials/mail.work.outgoing", PASSWORD + "\n", 0o400)
        self.gives(credential="systemd")
        self.put("credentials/mail.work.outgoing", PASSWORD, 0o444)
        self.lacks("CREDENTIAL_UNSAFE", credential="systemd")
        self.put("credentials/mail.work.outgoing", "")
        self.lacks("CREDENTIAL_UNAVAILABLE", "empty", credential="systemd")

    def test_only_in_a_service(self):
        self.put("credentials/mail.work.outgoing", PASSWORD)
        self.lacks("NO_CREDENTIAL_SOURCE")
        for folder in ({}, {"CREDENTIALS_DIRECTORY": "credentials"}):
            self.host.session = folder
            self.lacks("CREDENTIAL_MISSING", "no service", credential="systemd")


class Means(Case):
    """What is no password."""

    PEM = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

    def test_certificates(self):
        pem = self.put("alice.pem", self.PEM)
        found = self.login(auth="external", client_cert=str(pem))
        self.assertEqual(found["result"], "passed", found)
        (row,) = self.asked()
        self.assertEqual((row["certificate"], row.get("secret"), row["records"]), (0, None, [self.PEM.decode()]))
        self.lacks("NO_CLIENT_CERT", "sets no client_cert", auth="external")
        self.lacks("NO_CLIENT_CERT", "does not exist", auth="external", client_cert=str(self.home / "gone.pem"))
        self.put("alice.pem", self.PEM, 0o644)
        self.lacks("CREDENTIAL_UNSAFE", "mode 644", auth="external", client_cert=str(pem))
        self.put("alice.pem", b"x" * 70000)
        self.lacks("CREDENTIAL_BAD", auth="external", client_cert=str(pem))
        self.limit('credentials = [ "netrc" ];')
        self.lacks("CREDENTIAL_FORBIDDEN", "client-cert", auth="external", client_cert=str(pem))

    def test_a_certificate_beside_a_password(self):
        pem = self.put("alice.pem", self.PEM)
        self.put(".netrc", f"machine {SERVER} login {USER} password {PLAIN}\n")
        found = self.login(client_cert=str(pem))
        self.assertEqual(found["result"], "passed", found)
        (row,) = self.asked()
        self.assertEqual((row["records"][row["secret"]], row["records"][row["certificate"]]), (PLAIN, self.PEM.decode()))
        # without the one, the other stays at home
        pem.unlink()
        self.lacks("NO_CLIENT_CERT", client_cert=str(pem))

    def test_tickets(self):
        cache = self.put("krb5cc", b"\5\4ticket\0\0")
        for name in (f"FILE:{cache}", str(cache)):
            self.host.session = {"KRB5CCNAME": name}
            found = self.login(auth="gssapi")
            self.assertEqual(found["result"], "passed", found)
            (row,) = self.asked()
            self.assertEqual((row["ccache"], row["records"]), (str(cache), []))
        for kind in ("KCM:", "KEYRING:persistent:12345", "DIR:/tmp/x", "MEMORY:x", "API:"):
            self.host.session = {"KRB5CCNAME": kind}
            self.lacks("TICKET_CACHE_KIND", kind.split(":")[0], auth="gssapi")
        self.host.session = {"KRB5CCNAME": f"FILE:{self.home}/gone"}
        self.lacks("NO_TICKET", "does not exist", auth="gssapi")
        cache.chmod(0o644)
        self.host.session = {"KRB5CCNAME": str(cache)}
        self.lacks("CREDENTIAL_UNSAFE", auth="gssapi")
        # Root hands out keys by a group, but in folders of root's: here anybody may have moved it to.
        if self.uid:
            cache.chmod(0o640)
            os.chown(cache, 0, self.uid)
            self.lacks("CREDENTIAL_UNSAFE", "belongs to somebody else", auth="gssapi")
        self.limit('credentials = [ "command" ];')
        self.lacks("CREDENTIAL_FORBIDDEN", "ticket", auth="gssapi")


    @unittest.skipUnless(is_root() and os.path.exists("/etc/krb5.conf"), "needs root")
    def test_tickets_where_the_system_says(self):
        conf = self.dir / "krb5.conf"
        cache = self.put("cc-12345-alice", b"\5\4ticket")
        conf.write_text("")
        mount(conf, "/etc/krb5.conf", None, 4096)
        self.addCleanup(umount, "/etc/krb5.conf")
        conf.write_text(f"[libdefaults]\n  # x\n\tdefault_ccache_name = FILE:{self.home}/cc-%{{uid}}-%{{username}}\n")
        self.assertEqual(self.login(auth="gssapi")["result"], "passed")
        self.assertEqual(self.asked()[0]["ccache"], str(cache))
        conf.write_text("[libdefaults]\ndefault_ccache_name = KEYRING:persistent:%{uid}\n")
        self.lacks("TICKET_CACHE_KIND", "KEYRING", auth="gssapi")
        conf.write_text("[libdefaults]\ndefault_realm = X\n")
        self.lacks("NO_TICKET", "/tmp/krb5cc_12345", auth="gssapi")


@unittest.skipUnless(shutil.which("gnome-keyring-daemon") and shutil.which("secret-tool"), "needs gnome-keyring")
class Keyring(Case):
    """gnome-keyring on a session bus of its own."""

    def setUp(self):
        super().setUp()
        self.runtime = self.home / "run"
        self.runtime.mkdir(mode=0o700)
        if self.uid:
            os.chown(self.runtime, self.uid, self.uid)
        bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1",
                                f"--address=unix:path={self.runtime}/bus"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, preexec_fn=self.host._become, env=self.desk())
        self.addCleanup(end_process, bus)
        self.addCleanup(bus.stdout.close)
        self.address = bus.stdout.readline().decode().strip()
        self.assertTrue(self.address.startswith("unix:"), self.address)
        self.host.session = {"DBUS_SESSION_BUS_ADDRESS": self.address}
        self.daemon = None

    def desk(self):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.runtime),
                "DBUS_SESSION_BUS_ADDRESS": getattr(self, "address", ""), "LANG": "C.UTF-8"}

    def on_bus(self):
        p = subprocess.run(["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
                            "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"],
                           env=self.desk(), preexec_fn=self.host._become, capture_output=True, check=False)
        return b"boolean true" in p.stdout

    def keyring(self, unlock=True):
        """Start the daemon; unlocked with a password, as by the login, or locked."""
        words = ["--unlock"] if unlock else []
        self.daemon = subprocess.Popen(["gnome-keyring-daemon", "--foreground", "--components=secrets", *words],
                                       env=self.desk(), preexec_fn=self.host._become, stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.daemon.stdin.write(b"of the desktop")
        self.daemon.stdin.close()
        self.addCleanup(end_process, self.daemon)
        self.assertTrue(wait_until(self.on_bus, 10), "the keyring does not come up")

    def stop(self):
        end_process(self.daemon)
        self.assertTrue(wait_until(lambda: not self.on_bus(), 10))

    def store(self, password, *attributes):
        p = subprocess.run(["secret-tool", "store", "--label=a test", *attributes], input=password.encode(),
                           env=self.desk(), preexec_fn=self.host._become, capture_output=True, check=False, timeout=30)
        self.assertEqual(p.returncode, 0, p.stderr)

    def clear(self, *attributes):
        subprocess.run(["secret-tool", "clear", *attributes], env=self.desk(), preexec_fn=self.host._become,
                       capture_output=True, check=True, timeout=30)

    def test_attributes_of_many_programs(self):
        self.keyring()
        for attributes in (("server", SERVER, "user", USER, "protocol", "smtp"),
                           ("host", SERVER, "user", USER, "service", "smtp"),
                           ("host", SERVER, "login", USER, "proto", "SMTP"),
                           ("service", SERVER, "username", USER, "application", "Python keyring library"),
                           ("service", SERVER, "user", USER), ("server", SERVER, "user", USER),
                           ("host", SERVER, "user", USER)):
            with self.subTest(attributes=attributes):
                self.store(PASSWORD, *attributes)
                self.gives()
                self.gives(credential="secret-service")
                self.clear(*attributes)
                self.lacks("CREDENTIAL_MISSING", f"holds no password of the user {USER}")

    def test_of_another(self):
        """What is stored for another user, server or protocol is not taken."""
        self.keyring()
        self.store("x", "server", SERVER, "user", "bob@acme.example", "protocol", "smtp")
        self.store("x", "server", "imap.acme.example", "user", USER, "protocol", "imap")
        self.store("x", "server", SERVER, "user", USER, "protocol", "imap")
        self.store("x", "host", SERVER, "user", USER, "service", "imap")
        self.store("x", "user", USER)
        self.lacks("CREDENTIAL_MISSING")
        self.store(PASSWORD, "server", SERVER, "user", USER, "protocol", "smtp")
        self.gives()

    def test_locked(self):
        """Told apart from missing, and nobody is asked to unlock it."""
        self.keyring()
        self.store(PASSWORD, "server", SERVER, "user", USER, "protocol", "smtp")
        self.gives()
        self.stop()
        self.keyring(unlock=False)
        began = time.time()
        self.lacks("CREDENTIAL_LOCKED", "holds a password for this login and is locked")
        self.lacks("CREDENTIAL_LOCKED", "is locked", host="smtp2.acme.example")
        self.assertLess(time.time() - began, 5)
        # netrc is not taken instead: the password in the keyring may be another one
        self.put(".netrc", f"machine {SERVER} login {USER} password old\n")
        self.lacks("CREDENTIAL_LOCKED")
        # the keyring is as it was
        self.lacks("CREDENTIAL_LOCKED")
        self.stop()
        self.keyring()
        self.gives()

    def test_missing_goes_on_to_netrc(self):
        self.keyring()
        self.put(".netrc", f"machine {SERVER} login {USER} password {PLAIN}\n")
        self.gives(PLAIN)
        self.lacks("CREDENTIAL_MISSING", credential="secret-service")

    def test_what_is_no_password(self):
        self.keyring()
        at = ("server", SERVER, "user", USER, "protocol", "smtp")
        self.store("first\nsecond", *at)
        self.lacks("CREDENTIAL_BAD", "several lines")
        self.store("x" * 4097, *at)
        self.lacks("CREDENTIAL_BAD", "too long")
        self.store(PASSWORD + "\n", *at)
        self.gives()

    def test_no_service(self):
        """A bus without a keyring: none is started."""
        self.lacks("CREDENTIAL_NO_SERVICE", "not at work", credential="secret-service")
        self.lacks("CREDENTIAL_NO_SERVICE")
        self.assertFalse(self.on_bus())
        self.put(".netrc", f"machine {SERVER} login {USER} password {PLAIN}\n")
        self.gives(PLAIN)

    def test_no_bus(self):
        self.host.session = {}
        self.lacks("CREDENTIAL_NO_SERVICE", "no session bus", credential="secret-service")
        self.lacks("NO_CREDENTIAL_SOURCE")
        self.host.session = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime}/gone"}
        self.lacks("CREDENTIAL_NO_SERVICE", "cannot be asked", credential="secret-service")

    def test_a_bus_that_runs_programs(self):
        mark = self.home / "ran"
        self.host.session = {"DBUS_SESSION_BUS_ADDRESS": f"unixexec:path=/usr/bin/touch,argv1={mark}"}
        self.lacks("CREDENTIAL_NO_SERVICE", credential="secret-service")
        self.host.session = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path=/nonexistent;unixexec:path=/usr/bin/touch,argv1={mark}"}
        self.lacks("CREDENTIAL_NO_SERVICE", credential="secret-service")
        self.assertFalse(mark.exists())

    def test_a_bus_that_says_nothing(self):
        import socket
        path = str(self.runtime / "silent")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            os.chmod(path, 0o777)
            s.listen(5)
            self.host.session = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={path}"}
            began = time.time()
            self.lacks("CREDENTIAL_TIMEOUT", "in time", credential="secret-service")
            self.assertLess(time.time() - began, 20)

    def test_limits(self):
        self.keyring()
        self.store(PASSWORD, "server", SERVER, "user", USER, "protocol", "smtp")
        self.limit('credentials = [ "netrc" ];')
        self.lacks("CREDENTIAL_FORBIDDEN", "secret-service")
        self.lacks("CREDENTIAL_FORBIDDEN", credential="secret-service")


class Task(Case):
    """What the probe is told beside the endpoint."""

    def test_every_endpoint_of_the_sheet_is_known(self):
        """Of one that is not named among them the probe would believe that it is no server of ours."""
        accounts = [account(f"u{i}@acme.example", name=f"a{i}", incoming__host=f"imap{i}.acme.example",
                            outgoing__host=f"smtp{i}.acme.example") for i in range(64)]
        self.host.apply(sheet(accounts=accounts, check="tls"))
        rows = self.asked()
        self.assertEqual(len(rows), 64)
        for row in rows:
            self.assertEqual(len(row["known"]), 128)
            self.assertIn(row["host"], [k["host"] for k in row["known"]])
        # and each once
        same = [account(f"u{i}@acme.example", name=f"a{i}") for i in range(3)]
        self.host.apply(sheet(accounts=same, check="tls"))
        self.assertEqual({len(row["known"]) for row in self.asked()}, {2})

    def test_members(self):
        self.put(".netrc", f"machine {SERVER} login {USER} password {PLAIN}\n")
        self.host.write_conf()
        text = self.host.conf.read_text()
        text = re.sub(r'probe = "(.*)";', r'probe = { program = "\1"; ehlo = "ws1.acme.example"; connect = 3; '
                                          r'answer = 7; login = 11; };', text)
        self.host.conf.write_text(text)
        self.login()
        (row,) = self.asked()
        self.assertEqual((row["address"], row["sender"], row["ehlo"]), (USER, USER, "ws1.acme.example"))
        self.assertEqual(row["timeouts"], {"connect": 3, "answer": 7, "login": 11})
        self.assertEqual(row["known"], [
            {"protocol": "imap", "host": "imap.acme.example", "port": 993, "security": "tls"},
            {"protocol": "smtp", "host": "smtp.acme.example", "port": 465, "security": "tls"}])


if __name__ == "__main__":
    unittest.main()
