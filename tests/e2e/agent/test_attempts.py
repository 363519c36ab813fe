"""The attempt budget: whatever is asked for and how often, a server hears a wrong password once.

What a server heard is counted in Dovecot's own log.
"""

import json
import os
import pathlib
import re
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "probe"))
from agentlib import *  # noqa: E402,F403
from dovecot import PASSWORDS, Dovecot  # noqa: E402

FAKE_PROBE = ROOT / "tests/lib/fakeprobe.py"
ALICE = PASSWORDS["alice"]


def argv(*words):
    return json.dumps([str(w) for w in words], separators=(",", ":"))


class Case(unittest.TestCase):
    probe = str(BIN / "mailmuster-probe")

    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        self.home = self.dir / "home"
        self.home.mkdir()
        self.uid = 12345 if is_root() else None
        if self.uid:
            os.chown(self.home, self.uid, self.uid)
        self.host = Host(self.dir, home=self.home, login="alice", uid=self.uid, probe=self.probe,
                         domains=["localhost", "acme.example"], programs=["/bin/cat"])
        self.put(".msmtprc", "")
        self.put(".muttrc", "")

    def put(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        if self.uid:
            os.chown(path, self.uid, self.uid)
        return path

    def memory(self):
        return self.host.state / "logins.json"

    def verify(self, *args, **changes):
        return self.host.ask("verify", **changes)

    def by_hand(self, *args):
        p = self.host.run("verify", "--json", *args)
        return json.loads(p.stdout)["logins"]

    def session(self):
        self.host.run("login", "--wait")
        return self.host.ask("status").of(LOGIN)


class Real(Case):
    @classmethod
    def setUpClass(cls):
        cls.dovecot = Dovecot(relay=True)

    @classmethod
    def tearDownClass(cls):
        cls.dovecot.stop()

    def setUp(self):
        super().setUp()
        os.chmod(self.dovecot.pki.folder, 0o755)
        self.mark = len(self.dovecot.log())

    def account(self, name="work", **changes):
        ports, ca = self.dovecot.ports, self.dovecot.pki.ca
        self.secret = self.home / "secret"
        command = argv("/bin/cat", self.secret)
        settings = {}
        for side, port in (("incoming", ports["imaps"]), ("outgoing", ports["submissions"])):
            settings.update({f"{side}__host": "localhost", f"{side}__port": str(port), f"{side}__username": "alice",
                             f"{side}__ca_file": ca, f"{side}__password_command": command})
        settings.update(changes)
        return account(f"{name}@acme.example", name=name, **settings)

    def sheet(self, *accounts, clients=None):
        return sheet(accounts=list(accounts) or [self.account()], check="login", clients=clients or {"mutt": "enforce"})

    def heard(self):
        """Attempts that failed and that passed since the test began, per service."""
        said = self.dovecot.log()[self.mark:]
        # one line of the login process for each connection on which a login was refused
        refused = re.findall(r"(\S+)-login: Info: .*auth failed, (\d+) attempts", said)
        return ({s: sum(int(n) for x, n in refused if x == s) for s, _ in refused},
                len(re.findall(r"-login: Info: Login: user=<alice>", said)))

    def hears(self, refused, passed):
        """Dovecot writes its log when a connection ends; and then nothing more comes."""
        wait_until(lambda: self.heard() == (refused, passed), 10)
        time.sleep(0.3)
        self.assertEqual(self.heard(), (refused, passed))

    def verdicts(self, logins):
        return [(x["side"], x["result"], x["class"]) for x in logins]

    REFUSED = [("failed", "AUTH_REJECTED"), ("untested", "REFUSED_ELSEWHERE")]

    def once(self, logins, times=1):
        """One of both ports refused it, and the other was not tried; both are told."""
        by_side = {x["side"]: (x["result"], x["class"]) for x in logins}
        self.assertEqual(sorted(by_side.values()), self.REFUSED)
        side = next(s for s, v in by_side.items() if v == self.REFUSED[0])
        service = {"incoming": "imap", "outgoing": "submission"}[side]
        self.hears({service: times}, 0)
        return next(x for x in logins if x["side"] == side), next(x for x in logins if x["side"] != side)

    def test_a_push_loop_locks_nobody_out(self):
        secret = self.put("secret", "wrong\n")
        first, other = self.once(self.host.apply(self.sheet()).of(LOGIN))
        minute = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(first["when"]))
        for ask in (lambda: self.host.apply(self.sheet()).of(LOGIN), lambda: self.verify().of(LOGIN), self.session,
                    self.by_hand, lambda: self.host.apply(self.sheet()).of(LOGIN)):
            # an answer may bring spooled ones along
            refused, untried = self.once(ask())
            # the verdict stands, with the time at which it was true, and how it is tried again
            self.assertEqual(refused["when"], first["when"])
            self.assertIn(f"That was on {minute}; it is not presented again until it or the settings change",
                          refused["text"])
            self.assertIn("verify --again", refused["admin"])
            # the server is looked at, and the other port says nothing of the password
            self.assertEqual((untried["reached"], untried["port"]), ("tls", other["port"]))
            self.assertIn(f"refused the same password on port {first['port']}", untried["text"])
            for x in (refused, untried):
                self.assertIn("verify --again", x["fix"])
        # another wrong one is one more attempt; the right one ends it
        secret.write_text("also wrong\n")
        for _ in range(2):
            logins = self.host.apply(self.sheet()).of(LOGIN)
        refused, passed = self.heard()
        wait_until(lambda: sum(self.heard()[0].values()) == 2, 10)
        self.assertEqual((sum(self.heard()[0].values()), passed), (2, 0))
        secret.write_text(ALICE + "\n")
        logins = self.host.apply(self.sheet()).of(LOGIN)[:2]
        self.assertEqual({(x["result"], x["class"]) for x in logins}, {("passed", "")})
        wait_until(lambda: self.heard()[1] == 2, 10)
        self.assertEqual((sum(self.heard()[0].values()), self.heard()[1]), (2, 2))

    def test_somebody_says_that_the_server_has_changed(self):
        """Once, and not in every run of a cron job."""
        self.put("secret", "wrong\n")
        self.once(self.host.apply(self.sheet()).of(LOGIN))
        self.once(self.by_hand())
        self.assertEqual({x["class"] for x in self.by_hand("--again")}, {"AUTH_REJECTED", "REFUSED_ELSEWHERE"})
        wait_until(lambda: sum(self.heard()[0].values()) == 2, 10)
        for ask in (lambda: self.by_hand("--again"), lambda: self.host.ask("verify", op_args=["+again"]).of(LOGIN)):
            for x in ask():
                self.assertIn("it was presented again on", x["text"])
                self.assertRegex(x["fix"], r"run \"mailmuster-agent verify --again\" after \d{4}-.* UTC\.")
        time.sleep(0.5)
        self.assertEqual(sum(self.heard()[0].values()), 2)
        # when the time has come, by the signed way
        self.age("again", 1801)
        self.host.ask("verify", op_args=["+again"])
        wait_until(lambda: sum(self.heard()[0].values()) == 3, 10)
        self.assertEqual(sum(self.heard()[0].values()), 3)

    def test_again_by_the_hosts_own_clock(self):
        self.host.write_conf(probe_again=120)
        self.put("secret", "wrong\n")
        self.host.apply(self.sheet())
        self.by_hand("--again")
        self.age("again", 110)
        self.assertIn("and is not before", self.by_hand("--again")[0]["text"])
        self.age("again", 15)
        self.by_hand("--again")
        wait_until(lambda: sum(self.heard()[0].values()) == 3, 10)
        self.assertEqual(sum(self.heard()[0].values()), 3)

    def age(self, member, seconds):
        m = json.loads(self.memory().read_text())
        for row in m["tried"]:
            row[member] -= seconds if row[member] else 0
        self.memory().write_text(json.dumps(m))

    def test_again_with_the_right_password_on_the_server(self):
        """What was wrong on the server is mended there: both ports are proven by one run."""
        self.put("secret", ALICE)
        self.host.apply(self.sheet())
        m = json.loads(self.memory().read_text())
        self.assertEqual((len(m["tried"]), len(m["worked"])), (0, 2))
        logins = self.by_hand("--again")
        self.assertEqual({(x["result"], x["class"]) for x in logins}, {("passed", "")})

    def test_settings_that_change(self):
        """Another port is another setting: tried once; and the old ones hold nothing up any more."""
        self.put("secret", "wrong\n")
        self.once(self.host.apply(self.sheet()).of(LOGIN))
        ports = self.dovecot.ports
        moved = self.account(incoming__port=str(ports["imap"]), incoming__security="starttls",
                             outgoing__port=str(ports["submission"]), outgoing__security="starttls")
        for _ in range(2):
            logins = self.host.apply(self.sheet(moved)).of(LOGIN)
            self.assertEqual(sorted((x["result"], x["class"]) for x in logins), self.REFUSED)
        wait_until(lambda: sum(self.heard()[0].values()) == 2, 10)
        self.assertEqual(sum(self.heard()[0].values()), 2)

    def test_what_worked_before(self):
        """A refusal says what it is about: a password that was changed on the server, another one, or none so far."""
        self.put("secret", "wrong\n")
        refused, _ = self.once(self.host.apply(self.sheet()).of(LOGIN))
        self.assertIn("not known to have worked here before", refused["text"])
        self.put("secret", ALICE)
        when = self.host.apply(self.sheet()).of(LOGIN)[0]["when"]
        minute = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(when))
        self.put("secret", "mistyped\n")
        for _ in range(2):
            x = next(x for x in self.host.apply(self.sheet()).of(LOGIN) if x["class"] == "AUTH_REJECTED")
            for words in (x["text"], x["admin"]):
                self.assertIn(f"Another password worked until {minute}", words)
        self.assertIn("Store the password that is valid now.", self.by_hand()[0]["fix"] + self.by_hand()[1]["fix"])
        self.put("secret", ALICE)
        self.host.apply(self.sheet())
        self.dovecot.set_users({**PASSWORDS, "alice": "changed on the server"})
        self.addCleanup(self.dovecot.set_users, PASSWORDS)
        found = []

        def refused_by_now():
            found[:] = [x for x in self.host.apply(self.sheet()).of(LOGIN) if x["class"] == "AUTH_REJECTED"]
            return found
        # Dovecot looks at its list of users now and then
        self.assertTrue(wait_until(refused_by_now, 20))
        x = found[0]
        for words in (x["text"], x["admin"]):
            self.assertRegex(words, r"This password worked until \d{4}-\d\d-\d\d \d\d:\d\d UTC: it was changed on the server "
                                    r"since, or the account is locked\.")
        self.assertEqual(x["fix"], "Store the new password; if it was not changed, have the account unlocked.")
        for secret in (ALICE, "mistyped", "wrong\\n", "alice"):
            self.assertNotIn(secret, self.memory().read_text())

    def test_accounts_that_share_a_login(self):
        """Not one attempt for each account or side, and not two at the same time."""
        two = [self.account(), self.account("second")]
        self.put("secret", "wrong\n")
        for _ in range(2):
            logins = self.host.apply(self.sheet(*two, clients={"msmtp": "enforce"})).of(LOGIN)
            self.assertEqual({(x["result"], x["class"]) for x in logins}, {("failed", "AUTH_REJECTED")})
            self.assertEqual(sorted((x["account"], x["side"]) for x in logins),
                             [("second", "outgoing"), ("work", "outgoing")])
            self.hears({"submission": 1}, 0)
        # what is right is proven for each
        self.put("secret", ALICE)
        logins = self.host.apply(self.sheet(*two, clients={"msmtp": "enforce"})).of(LOGIN)
        self.assertEqual([x["result"] for x in logins], ["passed"] * 2)
        self.hears({"submission": 1}, 2)

    def test_two_runs_at_the_same_time(self):
        self.put("secret", ALICE)
        self.host.apply(self.sheet())
        self.put("secret", "wrong\n")
        runs = [self.host.popen("verify") for _ in range(4)]
        for p in runs:
            p.communicate(timeout=60)
        wait_until(lambda: sum(self.heard()[0].values()) == 1, 10)
        time.sleep(0.3)
        self.assertEqual((sum(self.heard()[0].values()), self.heard()[1]), (1, 2))


class Stand(Case):
    """With a stand-in for the probe, which tells what it was asked."""

    probe = str(FAKE_PROBE)

    def asked(self):
        log = self.home / ".probe.jsonl"
        return [json.loads(x)["password"] for x in log.read_text().splitlines()] if log.exists() else []

    def sheet(self, **changes):
        command = argv("/bin/cat", self.put("secret", "wrong\n"))
        return sheet(accounts=[account(outgoing__password_command=command, **changes)], check="login")

    def test_a_run_that_is_killed_has_used_its_attempt(self):
        """The server may have heard it: nobody knows."""
        self.put(".probe-script", json.dumps({"smtp.acme.example": "hang"}))
        s = self.sheet()
        p = self.host.popen("receive", start_new_session=True)
        p.stdin.write(self.host.stream(self.host.request("apply", [s]), [s]))
        p.stdin.close()
        self.assertTrue(wait_until(lambda: self.asked() == ["wrong"]))
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        p.stdout.close()
        p.stderr.close()
        self.put(".probe-script", "{}")
        for _ in range(2):
            (x,) = self.host.apply(s).of(LOGIN)
            self.assertEqual((x["result"], x["class"]), ("untested", "TEST_BROKEN_OFF"))
            self.assertEqual(self.asked(), ["wrong"])
        # after a while it is tried again
        m = json.loads(self.memory().read_text())
        for row in m["tried"]:
            row["begun"] -= 901
        self.memory().write_text(json.dumps(m))
        (x,) = self.host.apply(s).of(LOGIN)
        self.assertEqual((x["result"], self.asked()), ("passed", ["wrong", "wrong"]))

    def test_a_server_in_trouble_is_left_alone_for_a_while(self):
        self.put(".probe-script", json.dumps({"smtp.acme.example": "AUTH_SLOW"}))
        s = self.sheet()
        first = self.host.apply(s).of(LOGIN)[0]
        self.assertEqual((first["result"], first["class"]), ("failed", "AUTH_SLOW"))
        (x,) = self.host.apply(s).of(LOGIN)
        self.assertEqual((x["result"], x["class"], x["when"]), ("failed", "AUTH_SLOW", first["when"]))
        self.assertIn("not tried again before", x["text"])
        self.assertEqual(len(self.asked()), 1)
        # another server is another matter
        (x,) = self.host.apply(self.sheet(outgoing__host="smtp2.acme.example")).of(LOGIN)
        self.assertEqual(x["result"], "passed")

    def test_what_is_no_matter_of_the_password_is_tried_each_time(self):
        self.put(".probe-script", json.dumps({"smtp.acme.example": "CERT_EXPIRED"}))
        s = self.sheet()
        for n in (1, 2, 3):
            (x,) = self.host.apply(s).of(LOGIN)
            self.assertEqual((x["result"], x["class"], len(self.asked())), ("failed", "CERT_EXPIRED", n))

    def test_a_probe_that_is_missing_uses_nothing(self):
        s = self.sheet()
        self.host.write_conf(probe="/no/such/probe")
        for _ in range(2):
            (x,) = self.host.apply(s).of(LOGIN)
            self.assertEqual(x["class"], "PROBE_SILENT")
        self.host.write_conf(probe=self.probe)
        self.assertEqual(self.host.apply(s).of(LOGIN)[0]["result"], "passed")

    def test_nothing_is_presented_that_cannot_be_written_down(self):
        s = self.sheet()
        self.host.apply(s)
        self.assertEqual(len(self.asked()), 1)
        (self.host.state / "logins.lock").unlink()
        (self.host.state / "logins.lock").mkdir()
        for _ in range(2):
            (x,) = self.host.apply(s).of(LOGIN)
            self.assertEqual((x["result"], x["class"]), ("untested", "NO_MEMORY"))
        self.assertEqual(len(self.asked()), 1)
        # a look without a password is no attempt
        (x,) = self.host.apply(sheet(check="tls")).of(LOGIN)
        self.assertEqual(x["result"], "passed")


if __name__ == "__main__":
    unittest.main()
