"""himalaya and meli are not in Debian: what the adapters wrote for them is read by Python's own TOML reader,
and the password commands are run as those programs run them (`sh -c`; himalaya 2 its list)."""

import subprocess
import tomllib
import unittest

from realclient import HOSTILE, ClientCase, argv_text, proves, sheet

SEED = {  # the version of himalaya is seen by the accounts that are there
    "v1": '[accounts.private]\nbackend.type = "maildir"\nbackend.root-dir = "~/Mail"\n',
    "v2": '[accounts.private]\nimap.server = "imaps://imap.isp.example"\n',
    "beta": '[accounts.private]\nbackend = "maildir"\n',
    "v0": '[private]\nbackend = "maildir"\nsender = "sendmail"\n',
}


class Toml(ClientCase):
    def account(self, value):
        show = self.home.write("bin/show", "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$HOME/args\"\n", 0o700)
        command = argv_text([str(show), "show", value])
        return {"account__address": "alice@acme.example", "account__real_name": value,
                "incoming__protocol": "imap", "incoming__host": "imap.acme.example", "incoming__port": "993",
                "incoming__security": "tls", "incoming__auth": "password", "incoming__username": value,
                "incoming__password_command": command, "incoming__tls_min": "1.2",
                "outgoing__protocol": "smtp", "outgoing__host": "smtp.acme.example", "outgoing__port": "587",
                "outgoing__security": "starttls", "outgoing__auth": "password", "outgoing__username": value,
                "outgoing__password_command": command, "outgoing__tls_min": "1.2"}

    def written(self, client, value, text):
        path = self.home.write(f".config/{client}/config.toml", text)
        self.home.apply(client, sheet(self.account(value)))
        tree = tomllib.loads(path.read_text())
        self.assertEqual({k: v for k, v in tree.get("accounts", tree).items() if k == "private"},
                         tomllib.loads(text).get("accounts", tomllib.loads(text)))
        self.assertTrue(path.read_text().startswith(text))
        return tree.get("accounts", tree)["work"]

    def runs(self, command, value):
        args = self.home.path / "args"
        args.unlink(missing_ok=True)
        argv = command if isinstance(command, list) else ["sh", "-c", command]
        subprocess.run(argv, env=self.home.env(), cwd=self.home.path, check=True, timeout=10)
        self.assertEqual(args.read_text(), f"show\n{value}\n")
        self.assertFalse((self.home.path / "marker").exists(), value)

    def each(self, client, seed, look):
        for value in HOSTILE:
            with self.subTest(client=client, value=value):
                look(self.written(client, value, seed), value)

    @proves("himalaya", "hostile")
    def test_himalaya_1(self):
        def look(work, value):
            for side, port, security in ((work["backend"], 993, "tls"), (work["message"]["send"]["backend"], 587, "start-tls")):
                self.assertEqual((side["login"], side["port"], side["encryption"]["type"]), (value, port, security))
                self.runs(side["auth"]["cmd"], value)
            self.assertEqual(work["display-name"], value)
        self.each("himalaya", SEED["v1"], look)

    def test_himalaya_beta(self):
        def look(work, value):
            self.assertEqual((work["backend"], work["message"]["send"]["backend"]), ("imap", "smtp"))
            for side, security in ((work["imap"], "tls"), (work["smtp"], "start-tls")):
                self.assertEqual((side["login"], side["encryption"]), (value, security))
                self.runs(side["passwd"]["cmd"], value)
        self.each("himalaya", SEED["beta"], look)

    def test_himalaya_0(self):
        def look(work, value):
            self.assertEqual((work["imap-login"], work["imap-port"], work["imap-ssl"]), (value, 993, True))
            self.assertEqual((work["smtp-login"], work["smtp-port"], work["smtp-starttls"]), (value, 587, True))
            for side in ("imap-passwd", "smtp-passwd"):
                self.runs(work[side]["cmd"], value)
        self.each("himalaya", SEED["v0"], look)

    def test_himalaya_2(self):
        def look(work, value):
            self.assertEqual((work["imap"]["server"], work["smtp"]["server"], work["smtp"]["starttls"]),
                             ("imaps://imap.acme.example:993", "smtp://smtp.acme.example:587", True))
            for side in ("imap", "smtp"):
                plain = work[side]["sasl"]["plain"]
                self.assertNotRegex(plain["username"].replace("$$", ""), r"\$|^~(/|$)")  # what it would replace
                self.assertEqual(plain["username"].replace("$$", "$"), value)
                self.runs(plain["password"]["command"], value)
        for value in HOSTILE:
            with self.subTest(value=value):
                if value.startswith("~/"):  # a path to himalaya 2, whatever is done
                    with self.assertRaisesRegex(AssertionError, "takes a user name with ~ for a path"):
                        self.written("himalaya", value, SEED["v2"])
                else:
                    look(self.written("himalaya", value, SEED["v2"]), value)

    @proves("meli", "hostile")
    def test_meli(self):
        def look(work, value):
            out = work["send_mail"]
            self.assertEqual((work["server_username"], work["server_port"], work["use_starttls"]), (value, 993, False))
            self.assertEqual((out["auth"]["username"], out["port"], out["security"]["type"]), (value, 587, "STARTTLS"))
            self.runs(work["server_password_command"], value)
            self.runs(out["auth"]["password"]["value"], value)
            self.assertEqual(work["display_name"], value)
        self.each("meli", '[accounts.private]\nformat = "maildir"\n', look)


if __name__ == "__main__":
    unittest.main()
