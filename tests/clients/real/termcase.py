"""A mail server on loopback, and what each terminal program does to log in there."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from realclient import ClientCase, MailServer, argv_text, have, sheet, wait_for

# For programs that find it in files of their own grammar.
PLAIN_USER, PLAIN_PASSWORD = "carol@acme.example", "plain-4711"
PASSWORD = "pa ss\"w\\ord#1$x;y'z`q"


class ServerCase(ClientCase):
    """One server for all tests of a class."""

    @classmethod
    @have("dovecot")
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="mmreal"))
        cls.dir.chmod(0o755)
        cls.server = MailServer(cls.dir / "srv", {"alice@acme.example": PASSWORD, "alice": PASSWORD,
                                                   PLAIN_USER: PLAIN_PASSWORD}).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def setUp(self):
        super().setUp()
        path = self.home.write("password", PASSWORD + "\n")
        self.command = argv_text(["/bin/cat", str(path)])

    def account(self, security="tls", protocol="imap", **more):
        """An account of this server, as a sheet has it."""
        port, tls = self.server.ports, security == "tls"
        common = {"host": "localhost", "auth": "password", "security": security, "tls_min": "1.2",
                  "password_command": self.command, "ca_file": str(self.server.ca.cert)}
        rows = {"account.address": "alice@acme.example", "account.real_name": "Alice O'Hara \"Al\"",
                "incoming.protocol": protocol, "incoming.port": str(port[protocol + "s" if tls else protocol]),
                "incoming.username": "alice@acme.example", "incoming.leave_on_server": "yes",
                "outgoing.protocol": "smtp", "outgoing.port": str(port["submissions" if tls else "submission"]),
                "outgoing.username": "alice"}
        rows.update({f"{side}.{k}": v for side in ("incoming", "outgoing") for k, v in common.items()})
        rows.update({k.replace("__", "."): v for k, v in more.items()})
        return {k: v for k, v in rows.items() if v is not None}

    sheet = staticmethod(lambda account, **options: sheet(dict(account), **options))

    def logins(self, service, user, port):
        return sum(1 for s, u, p in self.server.logins(user, service) if p == int(port))

    def expect_incoming(self, account, act, user=None):
        """`act` logs in to the incoming server of this account, as the server saw it."""
        service, port = account["incoming.protocol"], account["incoming.port"]
        self.expect(service, user or account["incoming.username"], port, act)

    def expect_outgoing(self, account, act):
        self.expect("submission", account["outgoing.username"], account["outgoing.port"], act)

    def expect(self, service, user, port, act):
        before = self.logins(service, user, port)
        p = act()
        said = f"{p.stdout} {p.stderr}" if p is not None else ""
        wait_for(f"a login of {user} at {service}: {said}",
                 lambda: self.logins(service, user, port) > before, 10)

    def expect_refusal(self, act):
        """Whatever `act` does, nobody logs in."""
        before = len(self.server.logins())
        p = act()
        self.assertEqual(len(self.server.logins()), before, p and p.stdout)

    def fresh(self):
        """The home without anything but the password."""
        for path in self.home.path.iterdir():
            if path.name == "password":
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def provision(self, client, account, **options):
        self.fresh()
        self.home.apply(client, self.sheet(account, **options))


class HostileCase(ServerCase):
    """As each of a list of names that look like commands, somebody logs in: they stay values."""

    @property
    def values(self):
        m = self.home.path / "marker"
        return ["`id`\"; $(x) | y", f"`touch {m}`", f"$(touch {m})", f"\"; touch {m}; \"", f"'; touch {m}; '",
                f"| touch {m} |", f"\\`touch {m}\\`", "${HOME}", "back\\slash\\", "per%cent%20%60%(x)s",
                "#no comment", "semi;colon # c", "ünïcödé \u202egnp.exe", "~/x", "=x", "+x", "!x", "'", "\"",
                "\\", "`", "{a}", "a, b", "[x]", "a:b=c"]

    def password_command(self, value):
        """A program that notes its arguments and prints the password."""
        p = self.home.write("bin/show", "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$HOME/args\"\n"
                            "cat \"$HOME/password\"\n", 0o700)
        return argv_text([str(p), "show", value])

    def check(self, client, values, act, protocol="imap", side="incoming", command=True, setup=None):
        """As each of the values a user logs in whose name it is."""
        for value in values:
            with self.subTest(client=client, value=value):
                self.fresh()
                show = self.password_command(value)
                a = self.account("tls", protocol, **{"incoming__username": value, "outgoing__username": value,
                                                     "account__real_name": value,
                                                     "incoming__password_command": show,
                                                     "outgoing__password_command": show})
                if setup:
                    setup(a)
                self.home.apply(client, self.sheet(a))
                p = act(a)
                self.assertFalse((self.home.path / "marker").exists(), value)
                if command:
                    self.assertTrue((self.home.path / "args").exists(), p and f"{p.stdout} {p.stderr}")
                    self.assertEqual((self.home.path / "args").read_text(), f"show\n{value}\n")
                self.assertEqual(self.home.seen(client)[self.only(client)][f"{side}.username"], value)

    def only(self, client):
        return next(iter(self.home.seen(client)))


class Terminal:
    """A full-screen program in a tmux of its own."""

    def __init__(self, home, *argv, **env):
        self.home, self.socket = home, f"mm{os.getpid()}-{id(self)}"
        self.env = home.env(**env)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", " ".join(argv))

    def tmux(self, *args):
        return subprocess.run(["tmux", "-L", self.socket, *args], env=self.env, cwd=self.home.path, text=True,
                              capture_output=True, timeout=20)

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self):
        return self.tmux("capture-pane", "-p").stdout

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.tmux("kill-server")
