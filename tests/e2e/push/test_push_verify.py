"""mailmuster verify against real agents behind a real sshd (their probe is scripted): what is in force
there is proven afresh, told by cause, stored, and nothing is written."""

import json
import pathlib
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_push_rivals  # noqa: E402
from test_push_rivals import DIFF, HOSTS_FAILED, OK, POLICY, N  # noqa: E402

FAILED, UNREACHABLE, USAGE = 1, 8, 64


class Verify(test_push_rivals.Rivals):
    def folder(self, host):
        return self.tmp / "hosts" / str(self.sshd.ports[host])

    def script(self, host, how):
        (self.folder(host) / "home/.probe-script").write_text(json.dumps({"mail.acme.example": how}))

    def asked(self):
        """Hosts whose probe was asked since the last look."""
        seen = []
        for i in range(N):
            log = self.folder(f"h{i}") / "home/.probe.jsonl"
            if log.exists():
                seen.append(f"h{i}")
                log.unlink()
        return seen

    def verify(self, *args, status=OK):
        return json.loads(self.mm("verify", *args, "--json", status=status))

    def causes(self, r):
        return [(c["result"], c["class"], c["logins"], c["users"], c["hosts"]) for c in r["causes"]]

    def texts(self):
        return {p: p.read_text() for p in self.tmp.glob("hosts/*/home/.msmtprc")}

    def sql(self, text):
        with sqlite3.connect(self.tmp / "state/store.db") as db:
            return db.execute(text).fetchall()

    def test_by_cause(self):
        self.mm("push", "--all", "--now")
        self.asked()
        before = self.texts()
        r = self.verify("--all")
        self.assertEqual(self.causes(r), [("passed", "", N, N, N)])
        self.assertEqual(self.asked(), [f"h{i}" for i in range(N)], "afresh, although it was proven a moment ago")
        self.script("h0", "failed")
        self.script("h1", "failed")
        self.script("h2", "silent")
        r = self.verify("--all", status=DIFF)
        self.assertEqual(self.causes(r), [("failed", "AUTH_REJECTED", 2, 2, 2), ("untested", "PROBE_SILENT", 1, 1, 1),
                                          ("passed", "", N - 3, N - 3, N - 3)])
        self.assertEqual(sorted((p["host"], p["user"]) for p in r["causes"][0]["places"]), [("h0", "u0"), ("h1", "u1")])
        self.assertEqual((r["causes"][0]["server"], r["causes"][0]["port"], r["causes"][0]["verdict"]),
                         ("mail.acme.example", 465, "fail"))
        self.assertEqual(self.texts(), before)
        # Every command says the same of it.
        self.mm("status", status=DIFF)
        self.mm("drift", status=DIFF)
        rows = json.loads(self.mm("report", "--format", "json", "--all", status=DIFF))["logins"]
        self.assertEqual({x["user"]: x["result"] for x in rows}, {"u0": "failed", "u1": "failed", "u2": "untested", "u3": "passed"})
        self.assertEqual(sorted({h for h, in self.sql("SELECT host FROM reports WHERE op = 'verify'")}), [f"h{i}" for i in range(N)])
        self.assertEqual(self.pending(), [])
        self.assertIn('"hosts":4', [d for d, in self.sql("SELECT detail FROM audit_log WHERE action = 'verify'")][0])
        self.assertIn(f"findings and login checks of {N} users on their hosts: the log vouches for {N}\n",
                      self.mm("audit", "verify"))
        self.sql("UPDATE logins SET result = 'passed' WHERE host = 'h1' AND user = 'u1' AND closed = 0 AND result = 'failed'")
        self.assertIn("evidence: host h1, user u1: changed: the findings and login checks of u1 on h1 are not those that entry ",
                      self.mm("audit", "verify", status=DIFF))

    def test_in_words(self):
        self.mm("push", "--all", "--now")
        self.script("h0", "failed")
        out = self.mm("verify", "--all", status=DIFF)
        head, first = out.splitlines()[:2]
        self.assertEqual(head.split(), ["RESULT", "CLASS", "SERVER", "LOGINS", "PEOPLE", "HOSTS", "WHO"])
        self.assertEqual(first.split(), ["failed", "AUTH_REJECTED", "smtp", "mail.acme.example:465", "1", "1", "1", "u0@h0"])
        # sentences stand below the table: no terminal is wide enough for them in it
        self.assertRegex(out, r"\n\nAUTH_REJECTED, mail\.acme\.example:465\n  why  refused")
        self.assertIn(f"{N} of {N} hosts answered (verify, ", out)
        self.assertNotIn("\033", out)
        out = self.mm("verify", "--host", "h1")
        self.assertIn("passed", out)

    def test_selection(self):
        self.mm("push", "--all", "--now")
        self.asked()
        for args, want in ((["--host", "h1"], ["h1"]), (["--user", "u2"], ["h2"]), (["--group", "staff"], [f"h{i}" for i in range(N)]),
                           (["--all", "--limit", "2"], ["h0", "h1"])):
            self.verify(*args)
            self.assertEqual(self.asked(), want, args)
        for args, status in (([], USAGE), (["--host", "nobody"], FAILED), (["--user", "x"], FAILED), (["extra"], USAGE)):
            self.mm("verify", *args, status=status)
        self.assertEqual(self.asked(), [])

    def test_of_a_host_for_all_only_the_one_who_is_named(self):
        (self.tmp / "h.csv").write_text("host,users\nh0,*\n")
        self.mm("host", "import", self.tmp / "h.csv")
        self.mm("push", "--host", "h0", status=DIFF)  # the installation there serves only u0
        self.asked()
        self.assertEqual(self.causes(self.verify("--user", "u0", "--host", "h0")), [("passed", "", 1, 1, 1)])
        r = self.verify("--user", "u3", "--host", "h0", status=DIFF)
        self.assertEqual(self.causes(r), [])

    def test_what_is_in_force_whatever_the_policy_has_become(self):
        self.mm("push", "--all", "--now")
        self.asked()
        (self.tmp / "q.conf").write_text(POLICY.replace("465", "4650"))
        self.mm("policy", "import", self.tmp / "q.conf")
        r = self.verify("--all")
        self.assertEqual([(c["port"], c["result"]) for c in r["causes"]], [(465, "passed")])
        self.assertEqual({"4650" in t for t in self.texts().values()}, {False})

    def test_drift_is_told_and_left(self):
        self.mm("push", "--all", "--now")
        path = self.folder("h0") / "home/.msmtprc"
        path.write_text(path.read_text().replace("port 465", "port 466"))
        self.asked()
        before = self.texts()
        r = self.verify("--host", "h0", status=DIFF)
        self.assertEqual(self.causes(r), [("untested", "NOT_IN_EFFECT", 1, 1, 1)])
        self.assertEqual([(t["what"], t["login"]) for t in r["troubles"]], [("drifted outgoing.port", False)])
        self.assertEqual((self.texts(), self.asked()), (before, []))

    def test_nothing_was_ever_brought_there(self):
        r = self.verify("--all", status=DIFF)
        self.assertEqual((self.causes(r), {t["what"] for t in r["troubles"]}), ([], {"nothing to verify"}))
        self.assertEqual(self.asked(), [])
        out = self.mm("verify", "--host", "h0", status=DIFF)
        self.assertIn("There was nothing to log in to.", out)
        self.assertIn("holds no settings", out)

    def test_overtaken_by_a_push(self):
        asked = self.held("verify", "--all", "--json")
        self.mm("push", "--all", "--now")
        self.go()
        got, r = self.end(asked)
        self.assertEqual((set(got.values()), self.causes(r)), ({"ok"}, [("passed", "", N, N, N)]))

    def test_a_push_says_what_is_not_right_only(self):
        self.script("h0", "failed")
        r = json.loads(self.mm("push", "--all", "--now", "--json", status=DIFF))
        self.assertEqual([(c["result"], c["logins"], "places" in c) for c in r["causes"]],
                         [("failed", 1, True), ("passed", N - 1, False)])

    def test_hosts_that_do_not_answer(self):
        self.mm("push", "--all", "--now")
        (self.folder("h1") / "agent.conf").rename(self.folder("h1") / "away")
        self.sshd.stop()
        self.mm("verify", "--host", "h0", status=UNREACHABLE)
        self.sshd.start()
        r = self.verify("--host", "h0", "--host", "h1", status=HOSTS_FAILED)
        self.assertEqual([h["outcome"] == "ok" for h in r["hosts"]], [True, False])
        self.assertEqual(self.pending(), [], "who only asks orders no push")

    def test_a_host_that_is_switched_off(self):
        self.mm("push", "--all", "--now")
        self.asked()
        (self.folder("h0") / "home/.local/state/mailmuster-agent/disabled.json").write_text(
            json.dumps({"reason": "repair", "since": int(time.time()), "until": 0}))
        r = self.verify("--host", "h0", status=HOSTS_FAILED)
        self.assertEqual((r["hosts"][0]["reason"], self.asked()), ("disabled", []))


def load_tests(loader, _tests, _pattern):
    """Only the tests that stand here."""
    own = sorted(name for name in vars(Verify) if name.startswith("test_"))
    return loader.suiteClass(Verify(name) for name in own)


if __name__ == "__main__":
    unittest.main()
