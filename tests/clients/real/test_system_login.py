"""msmtp, mutt and neomutt log in with nothing but what the system's files say.

A signed apply writes below an /etc of the test's own; the programs run as two users whose homes are
empty. The server's log says who logged in, where.
"""

import json
import os
import subprocess
import sys
import unittest

from realclient import ROOT, MailServer, have, wait_for  # first: it knows where the others are
from agentlib import OK, Host, account, is_root, remove, scratch, sheet, umount
from etclib import private_etc

LOGIN = "mm--login--"
USERS = {"mm-dora": 23441, "mm-emil": 23442}


@unittest.skipUnless(is_root(), "needs root")
class SystemFiles(unittest.TestCase):
    @classmethod
    @have("dovecot")
    def setUpClass(cls):
        cls.base = scratch()
        private_etc(cls.base, {u: (uid, cls.base / "home" / u) for u, uid in USERS.items()})
        for user, uid in USERS.items():
            (cls.base / "home" / user).mkdir(parents=True)
            os.chown(cls.base / "home" / user, uid, uid)
        cls.password = cls.base / "password"
        cls.password.write_text("#!/bin/sh\nexec /usr/bin/printf '%s\\n' \"pw of $1\"\n")
        cls.password.chmod(0o755)
        cls.server = MailServer(cls.base / "mail", {u: f"pw of x/{u}" for u in USERS}).start()
        cls.ca = str(cls.server.ca.cert)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        umount("/etc")
        remove(cls.base)

    def provide(self, client, security):
        smtp = "submissions" if security == "tls" else "submission"
        imap = "imaps" if security == "tls" else "imap"
        command = json.dumps([str(self.password), f"x/{LOGIN}"], separators=(",", ":"))
        values = {}
        for side, port in (("incoming", imap), ("outgoing", smtp)):
            values |= {f"{side}__host": "localhost", f"{side}__port": str(self.server.ports[port]),
                       f"{side}__security": security, f"{side}__username": LOGIN, f"{side}__ca_file": self.ca,
                       f"{side}__password_command": command}
        acc = account(f"{LOGIN}@acme.example", account__real_name=None, **values)
        shared = json.loads(sheet(LOGIN, [acc], {}))
        shared |= {"proto": [1, 1], "user": "*",
                   "clients": [{"client": client, "mode": "enforce", "settings": [], "scope": "system"}]}
        folder = scratch()
        self.addCleanup(remove, folder)
        host = Host(folder, domains=["localhost"], programs=[str(self.password)])
        a = host.ask("apply", [], proto=[1, 1], system=shared)
        self.assertEqual(a.status, OK, a.findings)
        self.addCleanup(host.ask, "apply", [], proto=[1, 1])
        return smtp, imap

    def run_as(self, user, *argv, stdin=""):
        def become():
            os.setgroups([])
            os.setresgid(USERS[user], USERS[user], USERS[user])
            os.setresuid(USERS[user], USERS[user], USERS[user])
        home = self.base / "home" / user
        env = {"HOME": str(home), "USER": user, "LOGNAME": user, "PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, env=env, cwd=home, preexec_fn=become,
                              timeout=60, check=False)

    def expect(self, user, service, port, doing):
        p = doing()
        wait_for(f"the login of {user}: {p.stderr}", lambda: (service, user, self.server.ports[port]) in
                 self.server.logins(user, service), 15)

    def in_turn(self, client, send, fetch):
        for security in ("tls", "starttls"):
            smtp, imap = self.provide(client, security)
            # that each gets his own name is shown once
            for user in USERS if security == "tls" else ["mm-dora"]:
                with self.subTest(security=security, user=user):
                    self.expect(user, "submission", smtp, lambda u=user: send(u))
                    if fetch is not None:
                        self.expect(user, "imap", imap, lambda u=user: fetch(u))
                    home = self.base / "home" / user
                    self.assertEqual([p for p in home.rglob("*") if p.suffix == ".rc" or "rc" in p.name], [])
            self.doCleanups()

    @have("msmtp")
    def test_msmtp(self):
        self.in_turn("msmtp", lambda u: self.run_as(u, "msmtp", "bob@acme.example", stdin="Subject: x\n\ny\n"), None)

    @have("mutt")
    def test_mutt(self):
        # with Fcc to a folder of the server's, one command proves both sides
        def both(user):
            return self.run_as(user, "mutt", "-e", "set record=+Sent", "-s", "t", "bob@acme.example", stdin="x\n")
        self.in_turn("mutt", both, both)

    @have("neomutt", "script")
    def test_neomutt(self):
        def send(user):
            return self.run_as(user, "neomutt", "-s", "t", "bob@acme.example", stdin="x\n")

        def fetch(user):
            return self.run_as(user, "script", "-qec", "neomutt -e 'set sleep_time=0' -z", "/dev/null")
        self.in_turn("neomutt", send, fetch)


if __name__ == "__main__":
    unittest.main()
