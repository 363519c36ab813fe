"""Values that look like commands are values: nothing of them runs, and they arrive byte for byte."""

import unittest

from realclient import ClientCase, argv_text, have, proves, sheet

BASE = {"account.address": "alice@acme.example", "account.real_name": "Alice",
        "incoming.protocol": "imap", "incoming.host": "localhost", "incoming.port": "1",
        "incoming.security": "tls", "incoming.auth": "password", "incoming.username": "alice",
        "outgoing.protocol": "smtp", "outgoing.host": "localhost", "outgoing.port": "1",
        "outgoing.security": "tls", "outgoing.auth": "password", "outgoing.username": "alice"}


class Hostile(ClientCase):
    def values(self):
        m = self.home.path / "marker"
        return ["`id`\"; $(x) | y", f"`touch {m}`", f"$(touch {m})", f"\"; touch {m}; \"", f"'; touch {m}; '",
                f"| touch {m} |", f"\\`touch {m}\\`", f"\\\"`touch {m}`", f"a' `touch {m}` '", "${HOME}", "$HOME",
                "back\\slash\\", "per%cent%20%60", "#no comment", "semi;colon", "ünïcödé \u202egnp.exe",
                "~/x", "=x", "+x", "!x", "x\\", "'", "\"", "\\", "`"]

    def password_command(self, value):
        """A program that notes its arguments and prints a password."""
        p = self.home.write("bin/show", "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$HOME/args\"\n"
                            "printf '%s\\n' 'pa ss\"w\\ord#1$x;y`q'\n", 0o700)
        return argv_text([str(p), "show", value])

    def check(self, client, value, read_back):
        command = self.password_command(value)
        self.home.apply(client, sheet({**BASE, "account.real_name": value, "incoming.username": value,
                                       "outgoing.username": value, "incoming.password_command": command,
                                       "outgoing.password_command": command}))
        (self.home.path / "args").unlink(missing_ok=True)
        read_back(value)
        self.assertFalse((self.home.path / "marker").exists(), value)
        self.assertEqual((self.home.path / "args").read_text(), f"show\n{value}\n")

    def mutt(self, program):
        def read_back(value):
            p = self.home.run(program, "-Q", "realname", "-Q", "imap_pass", "-Q", "folder")
            self.assertNotIn("rror", p.stderr)
            lines = p.stdout.splitlines()
            quoted = value.replace("\\", "\\\\").replace("\"", "\\\"")
            self.assertIn(lines[0].split("=", 1)[1].strip(), (f'"{quoted}"', f'"{value}"'))
            self.assertIn("pa ss", lines[1])
            self.assertIn("ord#1$x;y`q", lines[1])
        for value in self.values():
            with self.subTest(value=value):
                for f in (self.home.path / ".muttrc", self.home.path / ".neomuttrc"):
                    f.unlink(missing_ok=True)
                for f in self.home.path.glob(".config/mailmuster/*"):
                    f.unlink()
                self.check(program, value, read_back)

    @have("mutt")
    @proves("mutt", "hostile")
    def test_mutt(self):
        self.mutt("mutt")

    @have("neomutt")
    @proves("neomutt", "hostile")
    def test_neomutt(self):
        self.mutt("neomutt")

    @have("msmtp")
    @proves("msmtp", "hostile")
    def test_msmtp(self):
        def read_back(value):
            p = self.home.run("msmtp", "-C", self.home.path / ".msmtprc", "-P", "-a", "work")
            self.assertEqual(p.returncode, 0, p.stderr)
            self.assertIn(f"user = {value}\n", p.stdout)
        for value in self.values():
            with self.subTest(value=value):
                (self.home.path / ".msmtprc").unlink(missing_ok=True)
                self.check("msmtp", value, read_back)


if __name__ == "__main__":
    unittest.main()
