"""restore, asked for by the controller: what the agent changed last is taken back, and stays so until a newer revision
comes. The real agent, and requests as a controller signs them."""

import base64
import fcntl
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_receive import Case  # noqa: E402
from agentlib import *  # noqa: E402,F403
import story  # noqa: E402

MSMTPRC = "# alice\naccount office\nhost smtp.acme.example\nport 587\ntls on\nfrom alice@acme.example\nauth on\nuser al\n"
MUTTRC = "# mine\nset editor=vi\nset sort=threads\n"


class Restore(Case):
    former = MSMTPRC

    def setUp(self):
        super().setUp()
        self.put(".msmtprc", self.former)
        self.put(".muttrc", MUTTRC)

    def sheet(self, revision, **changes):
        return sheet(accounts=[account(replaces=["mail.old.example"], **changes)], revision=revision,
                     clients={"msmtp": "enforce", "mutt": "enforce"})

    def apply(self, revision=7, **changes):
        a = self.host.apply(self.sheet(revision, **changes), revision=revision)
        self.assertTrue(a.ended, a.stderr)
        return a

    def restore(self, *args, **changes):
        a = self.host.ask("restore", revision=9, **({"op_args": list(args)} if args else {}), **changes)
        self.assertTrue(a.ended, a.stderr)
        return a

    def files(self):
        return {p: (self.home / p).read_bytes() for p in (".msmtprc", ".muttrc")}

    def journal(self):
        return json.loads((self.host.state / "journal.json").read_text())

    def reverted(self, a):
        return {(f["client"], f["setting"]) for f in a.findings if f["action"] == "reverted"}

    def kept_back(self, a):
        return [f["reason"] for f in a.findings if f["client"] == "agent" and f["state"] == "deferred"]


class TakenBack(Restore):
    def test_as_by_hand(self):
        before = self.files()
        self.apply()
        self.assertNotEqual(self.files(), before)
        a = self.restore()
        self.assertEqual((self.files(), a.status), (before, DIFF))
        head = a.of(REPORT)[0]
        self.assertEqual((head["op"], head["revision"], head["users"], head["evidence"]), ("restore", 7, ["alice"], "attested"))
        self.assertLessEqual({("msmtp", "outgoing.port"), ("mutt", "incoming.host")}, self.reverted(a))
        self.assertIn("as an admin asked", a.finding("outgoing.port", client="msmtp")["reason"])
        self.assertEqual((self.journal()["rows"], self.journal()["restored"]), ([], 7))

    def test_what_the_user_did_since_stays(self):
        self.apply()
        self.put(".muttrc", self.read(".muttrc") + b"# a note of mine\n")
        self.restore()
        self.assertEqual(self.files(), {".msmtprc": MSMTPRC.encode(), ".muttrc": (MUTTRC + "# a note of mine\n").encode()})

    def test_it_stays_so_until_a_newer_one_comes(self):
        before = self.files()
        self.apply()
        self.restore()
        # The next session, the same request anew, and a plan of it.
        self.host.run("login")
        self.assertEqual(self.files(), before)
        # What that session said waits in the spool until it is acknowledged.
        spooled = [r["id"] for r in self.host.ask("status").of(REPORT) if r["op"] == "login"]
        self.host.ask("status", ack=spooled)
        a = self.apply()
        self.assertEqual((self.files(), a.status), (before, DIFF))
        self.assertEqual(len(self.kept_back(a)), 1, a.findings)
        self.assertIn("revision 7 was taken back here", self.kept_back(a)[0])
        p = self.host.plan(self.sheet(7), revision=7)
        self.assertEqual([f for f in p.findings if f["action"] == "would-change"], [])
        self.assertEqual(self.kept_back(p), self.kept_back(a))
        a = self.apply(8)
        self.assertEqual((self.kept_back(a), a.status), ([], OK), a.findings)
        self.assertNotEqual(self.files(), before)
        self.assertNotIn("restored", self.journal())

    def test_somebody_says_that_it_was_mended(self):
        self.apply()
        after = self.files()
        self.restore()
        self.host.ask("verify", revision=9, op_args=["+again"])
        self.assertEqual(self.apply().status, OK)
        self.assertEqual(self.files(), after)

    def test_the_last_run_and_no_more(self):
        before = self.files()
        self.apply(7)
        first = self.files()
        self.apply(8, outgoing__port="1465")
        stream = self.host.stream(self.host.request("restore", revision=9))
        for _ in range(2):  # a request that comes twice
            a = self.host.send(stream)
            self.assertTrue(a.ended, a.stderr)
            self.assertEqual(self.files(), first)
        # Nor does a second one go further back by itself.
        self.restore()
        self.assertEqual(self.files(), first)
        self.restore("alice", "+generation=1")
        self.assertEqual((self.files(), self.journal()["rows"]), (before, []))
        a = self.restore("+generation=1")
        self.assertEqual((self.files(), [f for f in a.findings if f["state"] == "error"]), (before, []))

    def test_it_says_how_far_back(self):
        self.apply(7)
        self.apply(8, outgoing__port="1465")
        a = self.restore("alice", "+generation=1")
        said = {f["reason"] for f in a.findings if f["action"] == "reverted" and f["client"] == "msmtp"}
        self.assertEqual(len(said), 1, said)
        self.assertRegex(said.pop(), "as it was before generation [12]$")

    def test_nothing_was_ever_changed(self):
        before = self.files()
        a = self.host.apply(sheet(accounts=[], clients={"msmtp": "audit", "mutt": "audit"}))
        self.assertEqual(self.reverted(self.restore()), set())
        a = self.restore("+generation=4")
        self.assertIn("no generation", json.dumps([f["reason"] for f in a.findings if f["state"] == "error"]))
        self.assertEqual(self.files(), before)

    def test_a_number_that_is_not_there(self):
        self.apply()
        after = self.files()
        a = self.restore("+generation=40")
        self.assertIn("there are 1 to 2", json.dumps([f["reason"] for f in a.findings if f["state"] == "error"]))
        self.assertEqual(self.files(), after)
        self.assertNotIn("restored", self.journal())
        self.assertEqual(self.apply().status, OK)

    def test_only_whom_it_names(self):
        self.apply()
        after = self.files()
        a = self.restore("bob")
        self.assertEqual((self.files(), a.of(REPORT)[0]["users"]), (after, []))


class NotTakenBack(Restore):
    def left(self, word):
        self.apply()
        after = self.files()[".msmtprc"]
        a = self.restore()
        why = [f["reason"] for f in a.findings if f["client"] == "msmtp" and f["state"] == "deferred"]
        self.assertEqual(len(why), 1, a.findings)
        self.assertIn(word, why[0])
        self.assertEqual(self.files()[".msmtprc"], after)
        # What may come back does.
        self.assertEqual(self.read(".muttrc"), MUTTRC.encode())
        self.assertEqual({c for c, _ in self.reverted(a)}, {"mutt"})

    def test_cleartext(self):
        self.put(".msmtprc", MSMTPRC.replace("tls on", "tls off"))
        self.left("cleartext, which the policy forbids")

    def test_a_server_outside_the_limits(self):
        self.put(".msmtprc", MSMTPRC.replace("smtp.acme", "mail.old"))
        self.left("mail.old.example is not within this host's limits")

    def test_nothing_of_it(self):
        """Then the revision is in force as before."""
        (self.home / ".muttrc").unlink()
        self.put(".msmtprc", MSMTPRC.replace("tls on", "tls off"))
        self.apply()
        after = self.read(".msmtprc")
        self.restore()
        self.assertEqual(self.read(".msmtprc"), after)
        self.assertNotIn("restored", self.journal())
        self.assertEqual(self.kept_back(self.apply()), [])

    def test_older_ones_of_the_place_stay_under_it(self):
        self.put(".msmtprc", MSMTPRC.replace("tls on", "tls off"))
        self.apply(7)
        self.apply(8, outgoing__port="1465")
        self.restore("+generation=1")
        text = self.read(".msmtprc")
        self.assertIn(b"port 465", text)
        self.assertIn(b"tls on", text)
        self.assertEqual(self.read(".muttrc"), MUTTRC.encode())


class Running(Case):
    PREFS = ".thunderbird/abcd1234.default-default/prefs.js"

    def test_not_under_a_running_program(self):
        self.put(".thunderbird/profiles.ini", story.PROFILES_INI)
        self.put(self.PREFS, story.ALICE_PREFS)
        self.host.apply(sheet(clients={"thunderbird": "enforce"}, revision=7), revision=7)
        after = self.read(self.PREFS)
        with open(self.home / self.PREFS.replace("prefs.js", ".parentlock"), "r+b") as f:
            fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            a = self.host.ask("restore", revision=8)
            self.assertIn("running", json.dumps([x["reason"] for x in a.findings if x["state"] == "deferred"]))
            self.assertEqual(self.read(self.PREFS), after)
        self.host.ask("restore", revision=8)
        self.assertEqual(self.read(self.PREFS).decode(), story.ALICE_PREFS)


class Refused(Restore):
    def refused(self, stream, word):
        after = self.files()
        a = self.host.send(stream)
        self.assertEqual((a.refused, a.status, a.ended), (word, NOPERM, False), a.stderr)
        self.assertEqual(self.files(), after)

    def test_arguments(self):
        self.apply()
        for args in (["+again"], ["+generation=0"], ["+generation=x"], ["+generation="], ["-"], ["+generation=1", "+generation=2"],
                     ["../alice"], ["*"]):
            self.refused(self.host.stream(self.host.request("restore", op_args=args)), "op")

    def test_it_brings_no_sheets(self):
        self.apply()
        one = self.sheet(9)
        self.refused(self.host.stream(self.host.request("restore", [one], revision=9), [one]), "op")

    def test_captured(self):
        """It cannot be made another request, one for other people, or one for another time."""
        self.apply()
        env = json.loads(mkrequest("sign", self.host.key, data=json.dumps(self.host.request("restore", op_args=["alice"])).encode()))
        for change in ({"op": "apply"}, {"op_args": []}, {"op_args": ["alice", "+generation=1"]}, {"serial": self.host.serial + 9},
                       {"host": "ws2"}):
            payload = {**json.loads(base64.b64decode(env["payload"])), **change}
            forged = {**env, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}
            self.refused(self.host.stream(None, envelope=json.dumps(forged).encode()), "signature")
        old = self.host.stream(None, envelope=json.dumps(env).encode())
        self.apply(8)
        self.refused(old, "replay")
        self.assertTrue(self.host.ask("status").ended)
        other = self.host.stream(self.host.request("restore", host="ws2"))
        self.refused(other, "host")


if __name__ == "__main__":
    unittest.main()
