"""verify: what is in force is proven by logging in, afresh; nothing is changed, and nothing that was
not brought by an apply is run or met."""

import base64
import json
import sys
import time
import unittest

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parent))
from test_receive import *  # noqa: E402,F403
from test_receive import Case  # noqa: E402


class Verify(Case):
    def setUp(self):
        super().setUp()
        self.put(".msmtprc", "# mine\n")
        self.secret = self.put("secret", "right\n")
        self.put(".probe-password", "right")
        self.host.write_conf(programs=["/bin/cat"])
        command = json.dumps(["/bin/cat", str(self.secret)], separators=(",", ":"))
        self.sheet = sheet(accounts=[account(outgoing__password_command=command)], check="login", revision=7)

    def apply(self, result="passed"):
        a = self.host.apply(self.sheet, revision=7)
        self.assertEqual([x["result"] for x in a.of(LOGIN)], [result], a.stderr)
        (self.home / ".probe.jsonl").unlink(missing_ok=True)

    def asked(self):
        """How often the probe was asked since the apply."""
        log = self.home / ".probe.jsonl"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def verify(self, **changes):
        return self.host.ask("verify", revision=9, **changes)

    def logins(self, a):
        return [(x["result"], x.get("class", "")) for x in a.of(LOGIN)]

    def files(self):
        """Everything of the user's but the agent's own state, and what the fake probe writes."""
        return {p.name: p.read_bytes() for p in self.home.iterdir() if p.is_file() and p.name != ".probe.jsonl"}

    def test_afresh_and_harmless(self):
        self.apply()
        before, held = self.files(), (self.host.state / "sheets/alice").read_bytes()
        for _ in range(2):
            a = self.verify()
            self.assertEqual((self.logins(a), a.status), ([("passed", "")], OK), a.stderr)
        self.assertEqual(self.asked(), 2, "what was proven a moment ago is proven again")
        head = a.of(REPORT)[0]
        self.assertEqual((head["op"], head["revision"], head["users"], head["evidence"]), ("verify", 7, ["alice"], "attested"))
        self.assertEqual({f["action"] for f in a.findings}, {"none"})
        self.assertEqual(self.files(), before)
        self.assertEqual((self.host.state / "sheets/alice").read_bytes(), held)
        self.assertNotIn("right", json.dumps(a.of(LOGIN)))

    def test_drift_is_told_and_left(self):
        self.apply()
        self.put(".msmtprc", self.read(".msmtprc").replace(b"port 465", b"port 466"))
        before = self.files()
        a = self.verify()
        self.assertEqual((self.logins(a), a.status), ([("untested", "NOT_IN_EFFECT")], DIFF))
        f = a.finding("outgoing.port")
        self.assertEqual((f["state"], f["action"], f["found"]), ("drifted", "none", "466"))
        self.assertEqual((self.files(), self.asked()), (before, 0))

    def test_a_refused_password_is_not_presented_again(self):
        self.put("secret", "wrong\n")
        self.apply("failed")
        for _ in range(3):
            a = self.verify()
            self.assertEqual((self.logins(a), a.status), ([("failed", "AUTH_REJECTED")], DIFF))
            self.assertIn("That was on", a.of(LOGIN)[0]["text"])
        self.assertEqual(self.asked(), 0, "the server would lock the account")
        self.put("secret", "right\n")
        self.assertEqual(self.logins(self.verify()), [("passed", "")])
        self.assertEqual(self.asked(), 1)

    def test_mended_on_the_server(self):
        """The password was right all the time: whoever mended the server says so, for everybody or for some."""
        self.put(".probe-password", "other")
        self.apply("failed")
        self.put(".probe-password", "right")
        self.assertEqual(self.logins(self.verify()), [("failed", "AUTH_REJECTED")])
        self.assertEqual(self.logins(self.verify(op_args=["+again", "bob"])), [])
        self.assertEqual(self.asked(), 0)
        a = self.verify(op_args=["+again", "alice"])
        self.assertEqual((self.logins(a), a.status, self.asked()), ([("passed", "")], OK, 1))
        self.assertEqual(self.logins(self.verify(op_args=["+again"])), [("passed", "")])
        self.assertEqual(self.verify(op_args=["+once"]).refused, "op")
        self.assertEqual([x["result"] for x in self.host.apply(self.sheet, revision=7).of(LOGIN)], ["passed"])

    def test_nothing_is_held(self):
        a = self.verify()
        head = a.of(REPORT)[0]
        self.assertEqual((a.of(LOGIN), a.findings, head["serial"], head["revision"], head["users"]), ([], [], 0, 0, []))
        self.assertTrue(a.ended)
        self.assertEqual(self.asked(), 0)
        self.assertFalse((self.host.state / "sheets/alice").exists())

    def expire(self):
        path = self.host.state / "sheets/alice"
        path.chmod(0o600)
        head, body = path.read_bytes().split(b"\n", 1)
        path.write_bytes(json.dumps({**json.loads(head), "expires": 1000000000}).encode() + b"\n" + body)

    def test_expiry(self):
        self.apply()
        now = int(time.time())
        a = self.verify(issued=now - 100, expires=now - 1)
        self.assertEqual((a.refused, a.status), ("expired", NOPERM))
        self.assertEqual(self.asked(), 0)
        # The request in force has expired: it is not applied any more, but whether it works can be asked.
        self.expire()
        a = self.verify()
        self.assertEqual((self.logins(a), a.status), ([("passed", "")], DIFF))
        self.assertIn("has expired", a.finding("", client="agent")["reason"])

    def test_limits_that_became_stricter(self):
        self.apply()
        for changes in ({"programs": []}, {"programs": ["/bin/cat"], "domains": ["elsewhere.example"]}):
            self.host.write_conf(**changes)
            a = self.verify()
            self.assertEqual((a.of(LOGIN), a.status), ([], DIFF))
            self.assertIn("limits", a.finding("", client="agent")["reason"])
        self.assertEqual(self.asked(), 0)

    def test_named_users(self):
        self.apply()
        self.assertEqual(self.logins(self.verify(op_args=["bob", "alice"])), [("passed", "")])
        a = self.verify(op_args=["bob"])
        self.assertEqual((a.of(LOGIN), a.findings, a.of(REPORT)[0]["users"]), ([], [], []))
        self.assertEqual(self.verify(op_args=["../alice"]).refused, "op")
        self.assertEqual(self.verify(op_args=[f"u{i}" for i in range(65)]).refused, "malformed")
        self.assertEqual(self.asked(), 1)

    def test_it_brings_no_sheets(self):
        """A verify with sheets could make a program run, or a server be met, that no apply has brought."""
        self.apply()
        other = sheet(accounts=[account(outgoing__host="other.acme.example")], check="tls", revision=8)
        a = self.host.ask("verify", [other])
        self.assertEqual((a.refused, a.status), ("op", NOPERM))
        r = self.host.request("verify")
        self.assertEqual(self.host.send(self.host.stream(r, [other])).refused, "manifest")
        self.assertEqual(self.asked(), 0)
        self.assertNotIn(b"other", self.read(".msmtprc"))

    def test_captured(self):
        self.apply()
        self.put(".msmtprc", self.read(".msmtprc").replace(b"port 465", b"port 466"))
        before = self.files()
        r = self.host.request("verify")
        stream = self.host.stream(r)
        self.assertEqual(self.host.send(stream).status, DIFF)
        self.assertEqual(self.host.send(stream).status, DIFF)  # the same again is the same
        # As a write: the op stands under the signature.
        envelope = json.loads(mkrequest("sign", self.host.key, data=json.dumps(r).encode()))
        payload = json.loads(base64.b64decode(envelope["payload"]))
        for change in ({"op": "apply"}, {"op": "apply", "manifest": {"alice": digest(self.sheet)}}):
            forged = {**envelope, "payload": base64.b64encode(json.dumps({**payload, **change}).encode()).decode()}
            sheets = [self.sheet] if "manifest" in change else []
            a = self.host.send(self.host.stream(r, sheets, envelope=json.dumps(forged).encode()))
            self.assertEqual(a.refused, "signature")
        self.assertEqual(self.host.ask("plan").status, OK)
        self.assertEqual(self.host.send(stream).refused, "replay")
        self.assertEqual(self.files(), before)

    def test_switched_off(self):
        self.apply()
        self.assertEqual(self.host.run("disable", "--reason", "repair").returncode, OK)
        self.assertEqual(self.verify().refused, "disabled")
        self.assertEqual(self.asked(), 0)

    def test_what_is_not_right_is_told(self):
        self.apply()
        for how, want in (("failed", ("failed", "AUTH_REJECTED")), ("silent", ("untested", "PROBE_SILENT")),
                          ("lies", ("passed", ""))):
            self.put(".probe-script", json.dumps({"smtp.acme.example": how}))
            a = self.verify()
            self.assertEqual((self.logins(a), a.status), ([want], OK if how == "lies" else DIFF), how)
            self.assertEqual((a.of(LOGIN)[0]["host"], a.of(LOGIN)[0]["user"]), ("smtp.acme.example", "alice"))
            (self.home / ".local/state/mailmuster-agent/logins.json").unlink()  # what was refused rests


class ByHand(Verify):
    """The same, as the person at the workstation types it; the inherited tests are not repeated."""

    def test_by_hand(self):
        self.assertEqual(self.host.run("verify").returncode, FAILED)
        self.apply()
        before = self.files()
        p = self.host.run("verify")
        self.assertEqual(p.returncode, OK, p.stderr)
        self.assertIn(b"passed", p.stdout)
        doc = json.loads(self.host.run("verify", "--json").stdout)
        self.assertEqual(([x["result"] for x in doc["logins"]], doc["exit"]), (["passed"], OK))
        self.assertEqual((self.asked(), self.files()), (2, before))
        self.expire()
        p = self.host.run("verify")
        self.assertEqual(p.returncode, DIFF)
        self.assertIn(b"passed", p.stdout)
        self.assertIn(b"expired", p.stdout)
        self.put("secret", "wrong\n")
        self.assertEqual([self.host.run("verify").returncode for _ in range(3)], [DIFF] * 3)
        self.assertEqual(self.asked(), 4, "a wrong password is presented once")
        self.assertEqual(self.host.run("verify", "--user", "bob").returncode, USAGE)


def load_tests(loader, _tests, _pattern):
    suite = loader.suiteClass(loader.loadTestsFromTestCase(Verify))
    suite.addTest(ByHand("test_by_hand"))
    return suite


if __name__ == "__main__":
    unittest.main()
