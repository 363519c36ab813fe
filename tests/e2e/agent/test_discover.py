"""discover: what is set up is told, to whom it is the business of, and nothing else is done. Both the signed request
and the host's own limits decide what is told in full."""

import hashlib
import json
import sys
import unittest

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parent))
from test_receive import *  # noqa: E402,F403
from test_receive import Case  # noqa: E402

TWO = """account work
host smtp.acme.example
port 465
tls on
tls_starttls off
auth on
user alice@acme.example
from alice@acme.example
passwordeval /bin/cat /home/alice/secret

account private
host smtp.home.example
port 587
tls on
auth on
user sweetheart
from sweetheart@home.example
password hunter2
"""


class Discover(Case):
    def setUp(self):
        super().setUp()
        self.put(".msmtprc", TWO)
        self.host.write_conf(programs=["/bin/cat"])

    def ask(self, *args, **changes):
        return self.host.ask("discover", op_args=list(args), **changes)

    def told(self, a):
        """{account: {setting: value}} of msmtp."""
        out = {}
        for f in a.findings:
            if f["client"] == "msmtp" and f.get("account"):
                out.setdefault(f["account"], {})[f["setting"]] = f.get("found")
        return out

    def files(self):
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in self.dir.rglob("*")
                if p.is_file() and p.name not in ("held.json", "run.lock", "inventory.json")}

    def test_the_organisations_in_full_others_by_domain(self):
        before = self.files()
        a = self.ask("user:alice", "domain:acme.example")
        t = self.told(a)
        self.assertEqual(set(t), {"work", "#1"})
        self.assertEqual(t["#1"], {"account.address": "@home.example", "outgoing.host": "smtp.home.example"})
        work = t["work"]
        self.assertEqual((work["outgoing.host"], work["outgoing.port"], work["outgoing.username"], work["account.address"]),
                         ("smtp.acme.example", "465", "alice@acme.example", "alice@acme.example"))
        self.assertEqual(json.loads(work["outgoing.password_command"])[0], "/bin/cat")
        self.assertEqual((a.status, a.of(LOGIN), {f["action"] for f in a.findings}), (OK, [], {"none"}))
        self.assertEqual(a.of(REPORT)[0]["op"], "discover")
        whole = json.dumps(a.frames)
        for secret in ("hunter2", "sweetheart"):
            self.assertNotIn(secret, whole)
        self.assertEqual(self.files(), before)

    def test_the_limits_of_the_host_have_the_last_word(self):
        for args in (["+all"], ["domain:home.example"], ["domain:example"]):
            t = self.told(self.ask("user:alice", *args))
            self.assertEqual(t["#1" if args != ["domain:home.example"] else "#2"].keys(), {"account.address", "outgoing.host"}, args)
        self.host.write_conf(domains=["acme.example", "home.example"])
        self.assertEqual(set(self.told(self.ask("user:alice", "domain:acme.example"))), {"work", "#1"})
        t = self.told(self.ask("user:alice", "+all"))
        self.assertEqual((set(t), t["private"]["outgoing.username"]), ({"work", "private"}, "sweetheart"))
        self.assertNotIn("hunter2", json.dumps(t))

    def test_a_program_outside_the_limits_is_not_told(self):
        self.host.write_conf(programs=[])
        self.assertNotIn("outgoing.password_command", self.told(self.ask("user:alice", "domain:acme.example"))["work"])

    def test_an_address_of_ones_own_at_the_organisations_server(self):
        self.put(".msmtprc", TWO.replace("from alice@acme.example", "from sweetheart@home.example"))
        work = self.told(self.ask("user:alice", "domain:acme.example"))["work"]
        self.assertEqual((work["account.address"], work["outgoing.username"]), ("@home.example", "alice@acme.example"))

    def test_what_cannot_be_read_is_told(self):
        self.put(".msmtprc", "account work\nhost\0x\n")
        a = self.ask("user:alice", "domain:acme.example")
        self.assertTrue([f for f in a.findings if f["client"] == "msmtp" and f["state"] == "error"], a.findings)
        self.assertNotEqual(a.status, OK)

    def test_who_is_not_here_is_left_out(self):
        a = self.ask("domain:acme.example")
        self.assertEqual((a.findings, a.status, a.ended), ([], OK, True))

    def test_trust(self):
        for args in (["alice"], ["user:../alice"], ["user:"], ["user:alice,,bob"], ["domain:no host"], ["+again"]):
            self.assertEqual(self.ask(*args).refused, "op", args)
        r = self.host.request("discover", [sheet()], op_args=["user:alice"])
        self.assertEqual(self.host.send(self.host.stream(r, [sheet()])).refused, "op")
        r = self.host.request("discover", op_args=["user:alice"])
        stream = self.host.stream(r)
        self.assertEqual(self.host.send(stream).status, OK)
        self.assertEqual(self.host.ask("status").status, OK)
        self.assertEqual(self.host.send(stream).refused, "replay")

    def test_reports_that_wait_are_left(self):
        self.host.apply(sheet())
        self.assertIn(self.host.run("login").returncode, (OK, DIFF))
        kept = sorted(p.name for p in self.dir.rglob("spool/*"))
        self.assertTrue(kept)
        a = self.ask("user:alice", "domain:acme.example", ack=[kept[0].split(".")[0]])
        self.assertEqual(len(a.of(REPORT)), 1)
        self.assertEqual(sorted(p.name for p in self.dir.rglob("spool/*")), kept)


def load_tests(loader, _tests, _pattern):
    return loader.loadTestsFromTestCase(Discover)


if __name__ == "__main__":
    unittest.main()
