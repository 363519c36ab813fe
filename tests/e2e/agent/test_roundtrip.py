"""A policy with check = "roundtrip": what the agent makes of it, with the real probe, Postfix and Dovecot."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "probe"))
from agentlib import *  # noqa: E402,F403
import mailsystem  # noqa: E402
import postfix  # noqa: E402

POLICY = """format = 1;
endpoints = {
  in = { protocol = "imap"; host = "imap.acme.example"; username = "%{login}";
         password_command = [ "/usr/bin/pass", "show", "mail" ]; };
  out = { protocol = "smtp"; host = "smtp.acme.example"; username = "%{login}";
          password_command = [ "/usr/bin/pass", "show", "mail" ]; };
};
accounts = { work = { address = "%{address}"; real_name = "%{name}"; incoming = "in"; outgoing = "out"; }; };
groups = { staff = { priority = 10; accounts = [ "work" ]; clients = { mutt = "enforce"; }; }; };
rules = { check = "roundtrip"; };
"""


class Policy(unittest.TestCase):
    def test_the_word_is_accepted(self):
        folder = scratch()
        self.addCleanup(remove, folder)
        path = folder / "p.conf"
        path.write_text(POLICY)
        p = subprocess.run([str(BIN / "mailmuster"), "--state", str(folder / "state"), "policy", "check", str(path)],
                           capture_output=True, text=True, timeout=60)
        self.assertEqual((p.returncode, p.stderr), (0, ""), p.stdout)


@unittest.skipUnless(postfix.usable(), "needs Postfix and root")
class RoundTrip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = mailsystem.MailSystem()
        os.chmod(cls.system.pki.folder, 0o755)

    @classmethod
    def tearDownClass(cls):
        cls.system.stop()

    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        self.home = self.dir / "home"
        self.home.mkdir()
        self.uid = 12345
        os.chown(self.home, self.uid, self.uid)
        self.host = Host(self.dir, home=self.home, login="alice", uid=self.uid, domains=["localhost", "acme.example"],
                         programs=["/bin/cat"])
        self.put(".muttrc", "")
        self.put("secret", mailsystem.PASSWORDS["alice"] + "\n")

    def put(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, self.uid, self.uid)

    def sheet(self, address="alice@acme.example", **changes):
        command = json.dumps(["/bin/cat", str(self.home / "secret")], separators=(",", ":"))
        settings = {}
        for side, port in (("incoming", "imaps"), ("outgoing", "submissions")):
            settings.update({f"{side}__host": "localhost", f"{side}__port": str(self.system.port(port)),
                             f"{side}__username": "alice", f"{side}__ca_file": self.system.pki.ca,
                             f"{side}__password_command": command})
        settings.update(changes)
        return sheet(accounts=[account(address, **settings)], check="roundtrip", clients={"mutt": "enforce"})

    def sent(self):
        return self.system.postfix.log().count("message-id=<mailmuster-")

    def verdicts(self, logins):
        return {x["side"]: (x["result"], x["class"], x["level"], x["reached"]) for x in logins}

    GOOD = {"incoming": ("passed", "", "login", "login"), "outgoing": ("passed", "", "roundtrip", "roundtrip")}

    def test_there_and_back(self):
        before = self.sent()
        logins = self.host.apply(self.sheet()).of(LOGIN)
        self.assertEqual(self.verdicts(logins), self.GOOD)
        (out,) = [x for x in logins if x["side"] == "outgoing"]
        self.assertEqual((out["roundtrip"]["state"], out["roundtrip"]["folder"]), ("arrived", "INBOX"))
        self.assertEqual(self.sent(), before + 1)
        self.assertEqual(self.system.dovecot.mail("alice"), [])
        # a session does not prove again what is fresh
        self.host.run("login", "--wait")
        self.assertEqual(self.sent(), before + 1)
        self.assertEqual(self.verdicts(self.host.ask("verify").of(LOGIN)), self.GOOD)
        self.assertEqual(self.sent(), before + 2)

    def test_one_side_is_fresh_and_the_other_is_not(self):
        late = self.home / "late"
        command = json.dumps(["/bin/cat", str(late)], separators=(",", ":"))
        before = self.sent()
        logins = self.verdicts(self.host.apply(self.sheet(outgoing__password_command=command)).of(LOGIN))
        self.assertEqual((logins["incoming"], logins["outgoing"][0]), (self.GOOD["incoming"], "untested"))
        self.assertEqual(self.sent(), before)
        # the next session proves what is not proven, and for that needs the side that is
        self.put("late", mailsystem.PASSWORDS["alice"] + "\n")
        self.host.run("login", "--wait")
        self.assertEqual(self.sent(), before + 1)
        self.assertEqual(self.system.dovecot.mail("alice"), [])
        spooled = self.verdicts(self.host.ask("status").of(LOGIN))
        self.assertEqual(spooled["outgoing"], self.GOOD["outgoing"])

    def test_an_address_of_somebody_else(self):
        before = self.sent()
        logins = self.verdicts(self.host.apply(self.sheet("bob@acme.example")).of(LOGIN))
        self.assertEqual(logins["incoming"], self.GOOD["incoming"])
        self.assertEqual(logins["outgoing"], ("failed", "SENDER_REJECTED", "roundtrip", "login"))
        self.assertEqual(self.sent(), before)

    def test_without_the_incoming_side_nothing_is_sent(self):
        before = self.sent()
        a = self.host.apply(self.sheet(incoming__username="nobody"))
        logins = self.verdicts(a.of(LOGIN))
        self.assertEqual(logins["incoming"][:2], ("failed", "AUTH_REJECTED"))
        self.assertEqual(logins["outgoing"], ("untested", "ROUNDTRIP_NOT_TESTED", "roundtrip", "login"))
        self.assertEqual(self.sent(), before)


if __name__ == "__main__":
    unittest.main()
