"""receive: what is obeyed, what is refused, what is told. The real agent, requests as a controller
signs them, and everything that an attacker could make of them."""

import json
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from agentlib import *  # noqa: E402,F403

FAKE_PROBE = ROOT / "tests/lib/fakeprobe.py"


class Case(unittest.TestCase):
    """An installation for one user, without root."""

    def setUp(self):
        self.dir = scratch()
        self.addCleanup(remove, self.dir)
        self.home = self.dir / "home"
        self.home.mkdir()
        self.uid = 12345 if is_root() else None
        if self.uid:
            os.chown(self.home, self.uid, self.uid)
        self.host = Host(self.dir, home=self.home, login="alice", uid=self.uid, probe=str(FAKE_PROBE))

    def put(self, name, text, mode=0o600):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        if self.uid:
            for p in (path, *[q for q in path.parents if self.home in q.parents]):
                os.chown(p, self.uid, self.uid)
        return path

    def read(self, name):
        return (self.home / name).read_bytes()


class Checks(Case):
    def refused(self, stream, word, status=NOPERM):
        before = sorted(p for p in self.home.rglob("*") if p.name != "run.lock")
        a = self.host.send(stream)
        self.assertEqual((a.refused, a.status), (word, status), a.stderr)
        self.assertFalse(a.ended)
        self.assertEqual(a.findings, [])
        self.assertTrue(a.stderr.startswith("mailmuster-agent: "), a.stderr)
        after = sorted(p for p in self.home.rglob("*") if p.name != "run.lock")
        self.assertEqual([p for p in after if p.is_file()], [p for p in before if p.is_file()])
        return a

    def test_good(self):
        self.put(".msmtprc", "# mine\n")
        a = self.host.apply(sheet())
        self.assertTrue(a.ended)
        self.assertIsNone(a.refused)
        hello = a.of(HELLO)[0]
        self.assertEqual((hello["host"], hello["proto"]), ("ws1", [1, 3]))
        head = a.of(REPORT)[0]
        self.assertEqual((head["op"], head["evidence"], head["users"], head["expired"], head["revision"]),
                         ("apply", "attested", ["alice"], False, 1))
        self.assertIn(b"smtp.acme.example", self.read(".msmtprc"))

    def test_no_request_at_all(self):
        for data in (b"", b"GET / HTTP/1.0\r\n\r\n", MAGIC, MAGIC + frame(REQUEST_END), MAGIC + frame(SHEET, b"{}"),
                     MAGIC + frame(HELLO, b"{}"), MAGIC + b"\xff" * 8, os.urandom(9000), MAGIC + frame(ENVELOPE, b"{}")):
            self.refused(data, "malformed")

    def test_two_envelopes(self):
        r = self.host.request("apply", [sheet()])
        env = mkrequest("sign", self.host.key, data=json.dumps(r).encode())
        self.refused(MAGIC + frame(ENVELOPE, env) + frame(ENVELOPE, env) + frame(REQUEST_END), "malformed")

    def test_noise_of_a_login_shell(self):
        a = self.host.send(self.host.stream(self.host.request("plan"), noise=b"Welcome to ws1!\nYou have mail.\n"))
        self.assertTrue(a.ended)
        self.refused(b"x" * 5000 + self.host.stream(self.host.request("plan")), "malformed")

    def test_foreign_key(self):
        mkrequest("keygen", self.dir / "other.pem", self.dir / "other.pub")
        self.refused(self.host.stream(self.host.request("apply", [sheet()]), [sheet()], key=self.dir / "other.pem"),
                     "signature")

    def test_envelope_altered(self):
        env = json.loads(mkrequest("sign", self.host.key, data=json.dumps(self.host.request("plan")).encode()))
        import base64
        payload = json.loads(base64.b64decode(env["payload"]))
        payload["op"] = "apply"
        env["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
        self.refused(self.host.stream(None, envelope=json.dumps(env).encode()), "signature")

    def test_other_host(self):
        self.refused(self.host.stream(self.host.request("plan", host="ws2")), "host")

    def test_protocol(self):
        a = self.refused(self.host.stream(self.host.request("plan", proto=[2, 0])), "protocol")
        self.assertIn("1.0", a.stderr)
        self.assertTrue(self.host.ask("plan", proto=[1, 9], something_new=[1]).ended)

    def test_expired(self):
        now = int(time.time())
        self.refused(self.host.stream(self.host.request("plan", expires=now - 1, issued=now - 100)), "expired")
        self.refused(self.host.stream(self.host.request("plan", issued=now + 3600, expires=now + 7200)), "expired")

    def test_op(self):
        for op in ("Restore", "format-the-disk"):
            self.refused(self.host.stream(self.host.request(op)), "op")

    def test_manifest(self):
        one, other = sheet(), sheet(revision=2)
        r = self.host.request("apply", [one])
        self.refused(self.host.stream(r, []), "manifest")
        self.refused(self.host.stream(r, [other]), "manifest")
        self.refused(self.host.stream(r, [one, one]), "manifest")
        self.refused(self.host.stream(r, [one, sheet("bob")]), "manifest")
        self.refused(self.host.stream(self.host.request("apply", manifest={"bob": digest(one)}), [one]), "manifest")

    def test_sheet_that_does_not_decode(self):
        self.refused(self.host.stream(self.host.request("apply", manifest={"alice": digest(b"{}")}), [b"{}"]), "malformed")

    def test_limits(self):
        bad = [sheet(accounts=[account(incoming__host="imap.evil.test")]),
               sheet(accounts=[account(outgoing__host="smtp.evil.test")]),
               sheet(accounts=[account(outgoing__host="xacme.example")]),
               sheet(accounts=[account(incoming__password_command='["/bin/sh","-c","id"]')]),
               sheet(accounts=[account(incoming__security="none", incoming__port="143")])]
        for s in bad:
            self.refused(self.host.stream(self.host.request("apply", [s]), [s]), "limits")
        self.host.write_conf(clients=["mutt"])
        self.refused(self.host.stream(self.host.request("apply", [sheet()]), [sheet()]), "limits")

    def test_switched_off(self):
        p = self.host.run("disable", "--reason", "a talk on stage", "--until", "2099-01-01")
        self.assertEqual(p.returncode, OK, p.stderr)
        a = self.host.ask("plan")
        self.assertEqual((a.refused, a.status), ("disabled", FAILED))
        self.assertIn("a talk on stage", a.of(REFUSED)[0]["text"])
        self.assertEqual(self.host.run("enable").returncode, OK)
        self.assertTrue(self.host.ask("plan").ended)
        self.host.run("disable", "--reason", "over", "--until", "2001-01-01")
        self.assertTrue(self.host.ask("plan").ended)

    def test_conf_that_others_can_write(self):
        for mode in (0o666, 0o664, 0o646):
            self.host.conf.chmod(mode)
            p = self.host.run("receive", data=self.host.stream(self.host.request("plan")))
            self.assertEqual((p.returncode, p.stdout), (NOPERM, b""), oct(mode))


class Replay(Case):
    def test_lower_serial(self):
        old = self.host.stream(self.host.request("plan"))
        self.assertTrue(self.host.ask("plan").ended)
        self.assertEqual(self.host.send(old).refused, "replay")

    def test_captured_plan_after_apply(self):
        self.put(".msmtprc", "")
        plan = self.host.stream(self.host.request("plan", [sheet()]), [sheet()])
        self.assertTrue(self.host.apply(sheet()).ended)
        self.assertEqual(self.host.send(plan).refused, "replay")

    def test_same_request_again(self):
        """A retry converges and reports again; nothing is stored a second time."""
        self.put(".msmtprc", "")
        stream = self.host.stream(self.host.request("apply", [sheet()]), [sheet()])
        self.host.send(stream)
        before = os.stat(self.host.state / "held.json").st_ino
        self.put(".msmtprc", "")
        a = self.host.send(stream)
        self.assertTrue(a.ended)
        self.assertEqual(a.finding("outgoing.host")["state"], "removed")
        self.assertIn(b"smtp.acme.example", self.read(".msmtprc"))
        self.assertEqual(os.stat(self.host.state / "held.json").st_ino, before)

    def test_same_serial_other_request(self):
        r = self.host.request("plan")
        self.assertTrue(self.host.send(self.host.stream(r)).ended)
        r["id"] = "0" * 32
        self.assertEqual(self.host.send(self.host.stream(r)).refused, "replay")

    def test_epoch(self):
        self.assertTrue(self.host.ask("plan", epoch=5).ended)
        self.assertEqual(self.host.ask("plan", epoch=4, serial=1 << 40).refused, "replay")
        self.assertTrue(self.host.ask("plan", epoch=6, serial=1).ended)

    def test_refused_request_counts_for_nothing(self):
        self.assertEqual(self.host.ask("plan", serial=1 << 40, host="ws2").refused, "host")
        self.assertTrue(self.host.ask("plan").ended)

    def test_damaged_state_is_no_amnesia(self):
        """Who cannot read what was seen must not take everything for new."""
        self.assertTrue(self.host.ask("plan").ended)
        (self.host.state / "held.json").write_text("{}")
        self.assertEqual(self.host.ask("plan").refused, "busy")


class Answers(Case):
    def test_plan_changes_nothing(self):
        self.put(".msmtprc", "# mine\n")
        a = self.host.plan(sheet())
        self.assertEqual(a.status, DIFF)
        self.assertEqual(a.finding("outgoing.host")["action"], "would-change")
        self.assertEqual(self.read(".msmtprc"), b"# mine\n")
        self.assertFalse((self.home / ".probe.jsonl").exists())
        self.assertEqual(self.host.run("check").returncode, FAILED)  # nothing is held

    def test_status_tells_what_is_held(self):
        self.put(".msmtprc", "")
        a = self.host.ask("status")
        self.assertEqual((a.of(REPORT)[0]["serial"], a.of(REPORT)[0]["users"]), (0, []))
        applied = self.host.apply(sheet(revision=7), revision=7)
        serial = applied.of(REPORT)[0]["serial"]
        self.put(".msmtprc", "")
        a = self.host.ask("status", revision=9)
        head = a.of(REPORT)[0]
        self.assertEqual((head["serial"], head["revision"], head["op"], head["users"]), (serial, 7, "status", ["alice"]))
        self.assertEqual(a.finding("outgoing.host")["state"], "removed")
        self.assertEqual(a.finding("outgoing.host")["action"], "none")
        self.assertEqual(a.status, DIFF)
        self.assertEqual(self.read(".msmtprc"), b"")

    def test_other_users_are_not_served(self):
        a = self.host.apply(sheet("bob"))
        f = a.finding("", user="bob")
        self.assertEqual((f["state"], f["client"]), ("deferred", "agent"))
        self.assertEqual(a.status, DIFF)

    def test_logins(self):
        self.put(".msmtprc", "")
        secret = self.put("secret", "hunter2\nmore\n")
        self.host.write_conf(programs=["/bin/cat"])
        s = sheet(accounts=[account(outgoing__password_command=json.dumps(["/bin/cat", str(secret)], separators=(",", ":")))],
                  check="login")
        a = self.host.apply(s)
        self.assertEqual([(x["side"], x["result"]) for x in a.of(LOGIN)], [("outgoing", "passed")])
        asked = [json.loads(x) for x in self.read(".probe.jsonl").splitlines()]
        self.assertEqual([(x["password"], x["host"], x["tls_min"]) for x in asked], [("hunter2", "smtp.acme.example", "1.2")])
        for path in self.host.state.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"hunter2", path.read_bytes(), path)
        self.assertNotIn("hunter2", json.dumps(a.frames))

    def test_password_is_refused(self):
        self.put(".msmtprc", "")
        self.put(".probe-script", '{"smtp.acme.example": "failed"}')
        a = self.host.apply(sheet())
        self.assertEqual((a.of(LOGIN)[0]["result"], a.of(LOGIN)[0]["class"], a.status), ("failed", "AUTH_REJECTED", DIFF))

    def test_no_secret_is_untested(self):
        self.put(".msmtprc", "")
        cases = [(None, "NO_CREDENTIAL_SOURCE"), (["/bin/false"], "CREDENTIAL_UNAVAILABLE"),
                 (["/bin/true"], "CREDENTIAL_UNAVAILABLE"), (["/no/such/program"], "CREDENTIAL_UNAVAILABLE")]
        self.host.write_conf(programs=[c[0][0] for c in cases if c[0]])
        for command, word in cases:
            text = json.dumps(command, separators=(",", ":")) if command else None
            s = sheet(accounts=[account(outgoing__password_command=text)], check="login")
            a = self.host.apply(s)
            self.assertEqual([(x["result"], x["class"]) for x in a.of(LOGIN)], [("untested", word)])
            self.assertEqual(a.status, DIFF, "what is not proven is not as desired")
            self.assertEqual(self.host.run("apply").returncode, DIFF)
        self.assertEqual(self.host.run("apply", "--no-login").returncode, DIFF, "the command that changed is on trial")

    def test_probe_is_not_believed(self):
        self.put(".msmtprc", "")
        for how, result in (("lies", "passed"), ("lower", "untested"), ("unasked", "untested"), ("garbage", "untested"),
                            ("silent", "untested")):
            self.put(".probe-script", json.dumps({"smtp.acme.example": how}))
            a = self.host.apply(sheet(check="tls"))
            (login,) = a.of(LOGIN)
            self.assertEqual((login["result"], login["host"], login["side"], login["user"], login["username"], login["level"]),
                             (result, "smtp.acme.example", "outgoing", "alice", "alice@acme.example", "tls"), how)

    def test_not_in_effect_is_not_tested(self):
        """Audited settings that differ: the login with them proves nothing about the desired ones."""
        self.put(".msmtprc", "account w\nhost smtp.acme.example\nport 25\nfrom alice@acme.example\n")
        a = self.host.apply(sheet(clients={"msmtp": "audit"}))
        self.assertEqual([(x["result"], x["class"]) for x in a.of(LOGIN)], [("untested", "NOT_IN_EFFECT")])
        self.assertFalse((self.home / ".probe.jsonl").exists())

    def test_missing_probe(self):
        self.put(".msmtprc", "")
        self.host.write_conf(probe="/no/such/probe")
        a = self.host.apply(sheet())
        self.assertEqual([x["result"] for x in a.of(LOGIN)], ["untested"])
        self.assertEqual(a.finding("outgoing.host")["action"], "created")
        self.assertEqual(a.status, FAILED)

    def test_keepalive(self):
        self.put(".msmtprc", "")
        self.put("slow", "#!/bin/sh\nsleep 7; echo x\n", 0o700)
        self.host.write_conf(programs=[str(self.home / "slow")])
        s = sheet(accounts=[account(outgoing__password_command=json.dumps([str(self.home / "slow")]))], check="login")
        a = self.host.apply(s)
        self.assertTrue(a.ended)
        self.assertIn(KEEPALIVE, [k for k, _ in a.frames])

    def test_password_command_that_hangs(self):
        self.put(".msmtprc", "")
        self.host.write_conf(programs=["/bin/sleep"])
        s = sheet(accounts=[account(outgoing__password_command='["/bin/sleep","60"]')], check="login")
        began = time.time()
        a = self.host.apply(s)
        self.assertEqual([(x["result"], x["class"]) for x in a.of(LOGIN)], [("untested", "CREDENTIAL_TIMEOUT")])
        self.assertLess(time.time() - began, 20)

    def test_user_run_that_hangs_is_given_up(self):
        self.put(".msmtprc", "")
        s = sheet(accounts=[account(outgoing__password_command='["/bin/sleep","5"]')], check="login")
        self.host.write_conf(programs=["/bin/sleep"])
        a = Answer(self.host.run("receive", "--worker-timeout", "1",
                                 data=self.host.stream(self.host.request("apply", [s]), [s])))
        self.assertTrue(a.ended)
        f = a.finding("", client="agent")
        self.assertEqual(f["state"], "deferred")
        self.assertIn("sign of life", f["reason"])
        self.assertEqual(a.of(REPORT)[0]["users"], [])
        self.assertEqual(a.finding("outgoing.host")["action"], "created")

    def test_two_runs_do_not_mix(self):
        self.put(".msmtprc", "")
        self.host.write_conf(programs=["/bin/sleep"])
        s = sheet(accounts=[account(outgoing__password_command='["/bin/sleep","5"]')], check="login")
        first = self.host.popen("receive")
        first.stdin.write(self.host.stream(self.host.request("apply", [s]), [s]))
        first.stdin.close()
        self.assertTrue(wait_until(lambda: b"smtp" in self.read(".msmtprc")))
        a = self.host.ask("plan")
        self.assertEqual((a.refused, a.status), ("busy", FAILED))
        first.stdin = None
        first.communicate()

    def test_controller_that_goes_away(self):
        """The run is finished all the same, and the next one finds it done."""
        self.put(".msmtprc", "")
        p = self.host.popen("receive")
        p.stdout.close()
        p.stdin.write(self.host.stream(self.host.request("apply", [sheet()]), [sheet()]))
        p.stdin.close()
        p.stderr.read()
        p.stderr.close()
        self.assertEqual(p.wait(60), FAILED)
        a = self.host.apply(sheet())
        self.assertEqual(a.finding("outgoing.host")["state"], "compliant")

    def test_unknown_command(self):
        p = self.host.run("receiv")
        self.assertEqual(p.returncode, USAGE)
        self.assertIn(b'did you mean "receive"', p.stderr)


if __name__ == "__main__":
    unittest.main()
