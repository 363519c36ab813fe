"""What KDE's own library makes of the files: kreadconfig5 reads what the adapter wrote and sees what the
adapter sees, and the adapter reads what kwriteconfig5 wrote."""

import pathlib
import re
import shutil
import subprocess
import unittest

from gnomelib import account
from realclient import DRIVER, GOLDEN, ClientCase, have, proves, sheet

MINE = {"akonadi/agentsrc": "[Instances]\nakonadi_pop3_resource_0\\AgentType=akonadi_pop3_resource\n",
        "akonadi_pop3_resource_0rc": "[General]\nhost=pop.private.example\nlogin=me\nuseSSL=true\n"}
VALUES = ["`id`\"; $(x) | y", "${HOME}", "$USER$$", "back\\slash\\", "\\s\\x41\\", "a\\,b\\;c", "#no comment", "[x]",
          "a=b", "per%cent%20", "ünïcödé \u202egnp.exe", "'", "\"", "~/x", "a, b", "!x"]
ROW = re.compile(r"(\S+) (\S+) = (.*) \((/[^():]*):(\d+)\)")


class Kde(ClientCase):
    @have("kreadconfig5", "kwriteconfig5")
    def setUp(self):
        super().setUp()
        self.config = self.home.path / ".config"
        self.mine()

    def mine(self):
        """An account of the person's own: who has one uses the program."""
        shutil.rmtree(self.config, ignore_errors=True)
        for name, text in MINE.items():
            self.home.write(f".config/{name}", text)

    def read(self, name, group, key, dirs="/nonexistent", config=None, **env):
        args = [a for g in group.split("\x1d") for a in ("--group", g)]
        p = self.home.run("kreadconfig5", "--file", name, *args, "--key", key, "--default", "NOTHING", XDG_CONFIG_DIRS=dirs,
                          XDG_CONFIG_HOME=str(config or self.config), QT_QPA_PLATFORM="offscreen", **env)
        self.assertEqual(p.returncode, 0, p.stderr)
        return p.stdout[:-1]

    def write(self, name, group, key, value):
        p = self.home.run("kwriteconfig5", "--file", name, "--group", group, "--key", key, "--", value,
                          XDG_CONFIG_HOME=str(self.config), QT_QPA_PLATFORM="offscreen")
        self.assertEqual(p.returncode, 0, p.stderr)

    def group_of(self, name, key, value):
        """The group of mailtransports or emailidentities in which the key has the value."""
        text = (self.config / name).read_text()
        return next(g for g in re.findall(r"(?m)^\[(.*)\]$", text) if self.read(name, g, key) == value)

    def check(self, a):
        rc = {"ImapServer": "incoming.host", "ImapPort": "incoming.port", "UserName": "incoming.username"}
        for key, setting in rc.items():
            self.assertEqual(self.read("akonadi_imap_resource_0rc", "network", key), a[setting])
        self.assertEqual(self.read("akonadi_imap_resource_0rc", "network", "Safety"),
                         {"tls": "SSL", "starttls": "STARTTLS"}[a["incoming.security"]])
        uoid = self.read("akonadi_imap_resource_0rc", "cache", "AccountIdentity")
        identity = self.group_of("emailidentities", "uoid", uoid)
        for key, setting in {"Email Address": "account.address", "Name": "account.real_name"}.items():
            self.assertEqual(self.read("emailidentities", identity, key), a[setting])
        transport = "Transport " + self.read("emailidentities", identity, "Transport")
        for key, setting in {"host": "outgoing.host", "port": "outgoing.port", "user": "outgoing.username"}.items():
            self.assertEqual(self.read("mailtransports", transport, key), a[setting])
        self.assertEqual(self.read("mailtransports", transport, "encryption"),
                         {"tls": "SSL", "starttls": "TLS"}[a["outgoing.security"]])

    def test_what_was_written_is_what_kde_reads(self):
        for security, port in (("tls", "993"), ("starttls", "143")):
            a = account(incoming__security=security, outgoing__security=security, incoming__port=port)
            self.home.apply("kmail", sheet(a))
            self.check(a)

    @proves("kmail", "hostile")
    def test_values_stay_values(self):
        for value in VALUES:
            with self.subTest(value=value):
                self.mine()
                a = account(incoming__username=value, outgoing__username=value, account__real_name=value)
                self.home.apply("kmail", sheet(a))
                self.check(a)
                seen = self.home.seen("kmail")["akonadi_imap_resource_0"]
                self.assertEqual([seen["incoming.username"], seen["account.real_name"]], [value, value])
                # Written by KDE's library, and read by the adapter.
                self.write("akonadi_imap_resource_0rc", "network", "UserName", "x" + value)
                self.assertEqual(self.home.seen("kmail")["akonadi_imap_resource_0"]["incoming.username"], "x" + value)

    def test_a_library_that_sorts_and_drops_keeps_it(self):
        """kwriteconfig5 writes the file anew, without comments: nothing of ours becomes something else."""
        a = account()
        self.home.apply("kmail", sheet(a))
        for name in ("mailtransports", "emailidentities", "akonadi_imap_resource_0rc"):
            self.write(name, "zz", "k", "v")
        self.check(a)
        self.assertEqual(self.home.driver("apply", "kmail", sheet(a)), "")

    def test_every_sample_is_read_as_kde_reads_it(self):
        """Each text that the adapter shows with its line, also from the system's files."""
        compared = 0
        for case in sorted((GOLDEN / "kmail").iterdir()):
            root = case / "before"
            dirs = "/etc/xdg"
            if (root / "env").exists():
                dirs = (root / "env").read_text().strip().split("=", 1)[1]
            p = subprocess.run([DRIVER, "show", root, "alice", "/home/alice", "kmail"], capture_output=True, text=True, check=True)
            for line in p.stdout.splitlines():
                m = ROW.match(line.replace(" overridden by", "\n").split("\n")[0])
                if not m or " unsure" in line or not m[2].endswith(("host", "username", "address", "real_name", "organisation")):
                    continue
                with self.subTest(case=case.name, line=line):
                    lines = (root / m[4].lstrip("/")).read_text().splitlines()
                    group = next(h for h in reversed(lines[:int(m[5])]) if h.startswith("["))
                    group = group.replace("[$i]", "")[1:-1]
                    key = lines[int(m[5]) - 1].split("=")[0].split("[")[0].strip()
                    real = self.read(pathlib.Path(m[4]).name, group, key, config=root / "home/alice/.config",
                                     dirs=":".join(str(root) + d for d in dirs.split(":")), HOME="/home/alice", USER="alice")
                    self.assertEqual(real, m[3])
                    compared += 1
        self.assertGreater(compared, 60)


if __name__ == "__main__":
    unittest.main()
