"""preflight: logins with settings that are not in force, before anything is rewritten. Nothing is held and no
mail program's file is touched; what was presented to a server is remembered, so that nobody is locked out."""

import hashlib
import json
import sys
import unittest

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parent))
from test_receive import *  # noqa: E402,F403
from test_receive import Case  # noqa: E402

REMEMBERED = {"logins.json", "logins.lock"}


class Preflight(Case):
    def setUp(self):
        super().setUp()
        self.put(".msmtprc", "# mine\n")
        self.secret = self.put("secret", "right\n")
        self.put(".probe-password", "right")
        self.host.write_conf(programs=["/bin/cat"])
        command = json.dumps(["/bin/cat", str(self.secret)], separators=(",", ":"))
        both = {"incoming__password_command": command, "outgoing__password_command": command}
        self.old = sheet(accounts=[account(**both)], check="login", revision=7)
        self.new = sheet(accounts=[account(incoming__host="new.acme.example", outgoing__host="new.acme.example", **both)],
                         check="login", revision=8)

    def asked(self):
        log = self.home / ".probe.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def files(self):
        """Everything in the home and of the agent's, but what this is meant to write: the number of the request, what was
        presented to servers, and what the host knows of itself."""
        skip = REMEMBERED | {".probe.jsonl", "held.json", "run.lock", "inventory.json"}
        files = {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in self.dir.rglob("*")
                 if p.is_file() and p.name not in skip}
        number = self.host.state / "held.json"
        return {**files, "held": json.loads(number.read_text()).get("held") if number.exists() else None}

    def preflight(self, *sheets, **changes):
        return self.host.ask("preflight", sheets or [self.new], revision=8, **changes)

    def logins(self, a):
        return [(x["side"], x["host"], x["result"], x.get("class", "")) for x in a.of(LOGIN)]

    def both(self, result, cls=""):
        return [(side, "new.acme.example", result, cls) for side in ("incoming", "outgoing")]

    def test_works_and_leaves_no_trace(self):
        a = self.host.apply(self.old, revision=7)
        self.assertEqual({x["result"] for x in a.of(LOGIN)}, {"passed"}, a.stderr)
        before, n = self.files(), len(self.asked())
        for _ in range(2):
            a = self.preflight()
            self.assertEqual((sorted(self.logins(a)), a.findings, a.status), (self.both("passed"), [], OK), a.stderr)
        self.assertEqual({t["host"] for t in self.asked()[n:]}, {"new.acme.example"})
        self.assertEqual(self.files(), before)
        self.assertEqual(a.of(REPORT)[0]["op"], "preflight")
        # What is in force is what it was, and its proof stands.
        a = self.host.ask("verify")
        self.assertEqual({x["host"] for x in a.of(LOGIN)}, {"smtp.acme.example"})
        self.assertEqual(a.of(REPORT)[0]["revision"], 7)

    def test_on_a_host_that_was_never_pushed_to(self):
        before = self.files()
        a = self.preflight()
        self.assertEqual((sorted(self.logins(a)), a.status), (self.both("passed"), OK))
        self.assertEqual(self.files(), before)
        self.assertFalse((self.host.state / "sheets").exists() and list((self.host.state / "sheets").iterdir()))
        self.assertEqual(self.host.ask("status").findings, [])

    def test_a_proof_of_other_settings_is_none(self):
        """A session does not prove again what was proven today: a preflight must not stand in for that."""
        self.preflight()
        memory = json.loads(next(self.dir.rglob("logins.json")).read_text())
        self.assertEqual(memory["proofs"], [])
        self.assertEqual(len(memory["worked"]), 2)

    def test_refused_once(self):
        self.put("secret", "wrong\n")
        for _ in range(3):
            a = self.preflight()
            self.assertEqual(a.status, DIFF)
            self.assertNotIn("passed", {x["result"] for x in a.of(LOGIN)})
            self.assertIn("AUTH_REJECTED", {x["class"] for x in a.of(LOGIN)})
        self.assertEqual(len([t for t in self.asked() if t["password"]]), 2, "once on each port, in one run of the probe")
        self.put("secret", "right\n")
        self.assertEqual(sorted(self.logins(self.preflight())), self.both("passed"))

    def test_mended_on_the_server(self):
        self.put(".probe-password", "other")
        self.assertEqual(self.preflight().status, DIFF)
        self.put(".probe-password", "right")
        self.assertEqual(self.preflight().status, DIFF)
        self.assertEqual(self.preflight(op_args=["+again"]).status, OK)

    def test_no_secret_is_not_known(self):
        self.secret.unlink()
        a = self.preflight()
        self.assertEqual({x["result"] for x in a.of(LOGIN)}, {"untested"})
        self.assertEqual(a.status, DIFF)

    def test_no_message_is_sent(self):
        trip = sheet(accounts=json.loads(self.new)["accounts"], check="roundtrip", revision=8)
        self.assertEqual(self.preflight(trip).status, OK)
        self.assertEqual({t["level"] for t in self.asked()}, {"login"})

    def test_less_where_the_policy_wants_less(self):
        reach = sheet(accounts=json.loads(self.new)["accounts"], check="tls", revision=8)
        a = self.preflight(reach)
        self.assertEqual({x["level"] for x in a.of(LOGIN)}, {"tls"})
        self.assertEqual({t["password"] for t in self.asked()}, {None})

    def test_limits_are_those_of_an_apply(self):
        accounts = json.loads(self.new)["accounts"]
        bad = {"elsewhere": [account(incoming__host="imap.elsewhere.example")],
               "program": [account(incoming__password_command='["/bin/sh","-c","id"]')]}
        for why, accounts in bad.items():
            a = self.preflight(sheet(accounts=accounts, check="login", revision=8))
            self.assertEqual((a.refused, a.status), ("limits", NOPERM), why)
        self.assertEqual(self.asked(), [])

    def test_arguments(self):
        for args in (["alice"], ["+once"], ["+again", "x"]):
            self.assertEqual(self.preflight(op_args=args).refused, "op", args)
        self.assertEqual(self.asked(), [])

    def test_captured(self):
        """A preflight brings sheets: it must not become a write, and not come back."""
        r = self.host.request("preflight", [self.new], revision=8)
        stream = self.host.stream(r, [self.new])
        self.assertEqual(self.host.send(stream).status, OK)
        self.assertEqual(self.host.ask("status").status, OK)
        self.assertEqual(self.host.send(stream).refused, "replay")
        self.assertEqual(self.read(".msmtprc"), b"# mine\n")

    def test_switched_off(self):
        self.assertEqual(self.host.run("disable", "--reason", "repair").returncode, OK)
        self.assertEqual(self.preflight().refused, "disabled")

    def test_reports_wait_for_a_request_that_stores_them(self):
        self.host.apply(self.old, revision=7)
        self.assertEqual(self.host.run("login").returncode, OK)
        spool = next(p for p in self.dir.rglob("spool") if p.is_dir())
        kept = sorted(p.name for p in spool.iterdir())
        self.assertTrue(kept)
        a = self.preflight(ack=[kept[0].split(".")[0]])
        self.assertEqual(len(a.of(REPORT)), 1)
        self.assertEqual(sorted(p.name for p in spool.iterdir()), kept)


def load_tests(loader, _tests, _pattern):
    return loader.loadTestsFromTestCase(Preflight)


if __name__ == "__main__":
    unittest.main()
