"""What the programs understand of their configuration equals what the adapters read."""

import os
import re
import shutil
import unittest
from urllib.parse import unquote

from realclient import ClientCase, golden, have


def address(text):
    m = re.search(r"<([^>]*)>", text)
    return m.group(1) if m else text.strip()


def split_url(text):
    """(scheme, user, host, port) of an address that mutt shows with its escapes taken out."""
    m = re.fullmatch(r"(\w+)://(?:(.*)@)?([^:/@]+|\[[^]]+\])(?::(\d+))?(?:/.*)?", text)
    return m.groups() if m else None


USUAL = {"imaps": "993", "imap": "143", "pops": "995", "pop": "110", "smtps": "465", "smtp": "25"}
PROTOCOL = {"imaps": "imap", "imap": "imap", "pops": "pop3", "pop": "pop3", "smtps": "smtp", "smtp": "smtp"}


class Mutt(ClientCase):
    VARIABLES = ("from", "realname", "folder", "spoolfile", "smtp_url", "ssl_ca_certificates_file",
                 "ssl_use_tlsv1_2", "pop_host")

    # The adapter says that it does not know: test_unseen.py
    UNSURE = ("condition-ends-file", "conditions", "include-unreadable", "of-a-version", "values-of-commands")

    def query(self, program, env):
        args = [a for v in self.VARIABLES for a in ("-Q", v)]
        p = self.home.run(program, *args, **env)
        out = {}
        for line in p.stdout.splitlines():
            m = re.fullmatch(r'(?:set )?(\w+) ?= ?"(.*)"', line)
            if m:
                out[m.group(1).replace("real_name", "realname").replace("spool_file", "spoolfile")] = \
                    re.sub(r"\\(.)", r"\1", m.group(2))
        return out

    def compare(self, program, folder):
        shutil.copytree(folder / "before/home/alice", self.home.path, dirs_exist_ok=True)
        env = {}
        if (folder / "before/env").exists():
            env = dict(line.split("=", 1) for line in (folder / "before/env").read_text().splitlines())
            if "XDG_CONFIG_HOME" in env:
                return 0
        after = folder / "after/home/alice"
        if after.is_dir():
            shutil.copytree(after, self.home.path, dirs_exist_ok=True)
        seen = self.home.seen(program).get("main")
        if seen is None:
            return 0
        real, checked = self.query(program, env), 0
        if "account.address" in seen:
            self.assertEqual(address(real["from"]) or env.get("EMAIL"), seen["account.address"])
            checked += 1
        if seen.get("account.real_name", "-") != "-" and "<" not in real["from"]:
            self.assertEqual(real["realname"], seen["account.real_name"])
        for side, names in (("incoming", ("spoolfile", "folder", "pop_host")), ("outgoing", ("smtp_url",))):
            url = next((u for n in names if (u := split_url(real.get(n, "")))), None)
            if side + ".host" not in seen or seen[side + ".host"] == "-":
                self.assertIsNone(url)
                continue
            self.assertEqual(url[2], seen[side + ".host"])
            self.assertEqual(url[3] or USUAL[url[0]], seen[side + ".port"])
            self.assertEqual(PROTOCOL[url[0]], seen[side + ".protocol"])
            self.assertEqual(url[0].endswith("s"), seen[side + ".security"] == "tls")
            if url[1]:
                self.assertEqual(unquote(url[1]), seen[side + ".username"])
            checked += 1
        return checked

    def all_of(self, program):
        checked = 0
        for folder in golden(program):
            if folder.name in ("binary", "system-files") + self.UNSURE:
                continue
            with self.subTest(case=folder.name):
                shutil.rmtree(self.home.path)
                self.home.path.mkdir(mode=0o700)
                checked += self.compare(program, folder)
        self.assertGreater(checked, 20)

    @have("mutt")
    def test_mutt(self):
        self.all_of("mutt")

    @have("neomutt")
    def test_neomutt(self):
        self.all_of("neomutt")


class Msmtp(ClientCase):
    def query(self, path, account):
        p = self.home.run("msmtp", "-C", path, "-P", "-a", account)
        self.assertEqual(p.returncode, 0, p.stderr)
        return dict(line.split(" = ", 1) for line in p.stdout.splitlines() if " = " in line)

    def compare(self, path, account, seen):
        real = self.query(path, account)
        tls = {("off", "on"): "none", ("off", "off"): "none", ("on", "on"): "starttls", ("on", "off"): "tls"}
        unset = "(not set)"
        self.assertEqual(real["host"], seen.get("outgoing.host", unset))
        self.assertEqual(real["port"], seen["outgoing.port"])
        self.assertEqual(tls[real["tls"], real["tls_starttls"]], seen["outgoing.security"])
        self.assertEqual(real["user"], seen.get("outgoing.username", unset))
        self.assertEqual(real["from"], seen.get("account.address", unset))
        self.assertEqual(real["auth"] == "none", seen["outgoing.auth"] == "none")
        self.assertEqual(real["tls_trust_file"], seen.get("outgoing.ca_file", "system"))

    @have("msmtp")
    def test_msmtp(self):
        compared = 0
        for folder in golden("msmtp"):
            if folder.name.startswith("eval-") or folder.name in ("duplicate-account", "socket-and-auto-from"):
                continue
            for state in ("before", "after"):
                with self.subTest(case=folder.name, state=state):
                    shutil.rmtree(self.home.path)
                    shutil.copytree(folder / "before/home/alice", self.home.path)
                    if state == "after":
                        if not (folder / "after").is_dir():
                            continue
                        shutil.copytree(folder / "after/home/alice", self.home.path, dirs_exist_ok=True)
                    path = next(p for p in (self.home.path / ".msmtprc", self.home.path / ".config/msmtp/config")
                                if p.exists())
                    # msmtp runs the command even to show what it knows.
                    path.write_bytes(re.sub(rb"(?m)^(\s*passwordeval).*?(\r?)$", rb"\1 echo x\2", path.read_bytes()))
                    os.chmod(path, 0o600)
                    for account, seen in self.home.seen("msmtp").items():
                        self.compare(path, account, seen)
                        compared += 1
        self.assertGreater(compared, 15)

    @have("msmtp")
    def test_refused_by_both(self):
        """What msmtp refuses, the adapter does not touch."""
        for text in ("account a\nhost h\naccount a\n", "account a\nuser " + "x" * 600 + "\n", "account\n"):
            path = self.home.write(".msmtprc", text)
            self.assertNotEqual(self.home.run("msmtp", "-C", path, "-P", "-a", "a").returncode, 0)
            self.assertIn("error:", self.home.driver("show", "msmtp"))


if __name__ == "__main__":
    unittest.main()
