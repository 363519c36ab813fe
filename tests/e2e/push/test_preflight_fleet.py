"""preflight on real workstations, with a new mail server beside the old one: for whom does it work? Nobody's
files change, nothing is held, nothing is stored, and nobody is locked out."""

import hashlib
import json
import pathlib
import re
import sqlite3
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "lib")]
import fleet as fleets  # noqa: E402
import jsonschema  # noqa: E402
import mailserver  # noqa: E402
import story  # noqa: E402
import test_fleet  # noqa: E402
from test_fleet import DIFF, HOSTS_FAILED, OK, UNREACHABLE  # noqa: E402

ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import schemas  # noqa: E402

NEW_ADDRESS = "127.0.1.2"
NEW = ("imap.new.acme.example", "smtp.new.acme.example")
WRONG = "wrong.new.acme.example"  # leads to the same server, whose certificate does not name it


def moved(imap=NEW[0], smtp=NEW[1]):
    return story.POLICY.replace("imap.acme.example", imap).replace("smtp.acme.example", smtp)


class PreflightFleet(test_fleet.FleetTest):
    """The fleet of the main story, after its first push; not its tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert cls.first_push.returncode == OK, cls.first_push.stdout + cls.first_push.stderr
        cls.new = mailserver.MailServer(cls.fleet.dir / "new", story.PASSWORDS, NEW_ADDRESS, NEW,
                                        mailserver.MailServer.STANDARD, cls.fleet.mail.ca)
        cls.new.start()
        cls.addClassCleanup(cls.new.stop)
        lines = "".join(f"{NEW_ADDRESS} {n}\n" for n in (*NEW, WRONG))
        for hosts in [cls.fleet.hosts_file, *(ws.root / "etc/hosts" for ws in cls.fleet.workstations.values())]:
            with open(hosts, "a", encoding="utf-8") as f:
                f.write(lines)
        cls.validator = schemas.load(ROOT / "schemas/json")["preflight"]
        cls.local_validator = schemas.load(ROOT / "schemas/json")["preflight-local"]

    def setUp(self):
        self.policy(moved())

    def policy(self, text):
        path = pathlib.Path(self.tmp) / "new.conf"
        path.write_text(text)
        r = self.admin.run("policy", "import", path)
        self.assertEqual(r.returncode, OK, r.stderr)

    def preflight(self, status, *args):
        r = json.loads(self.must(status, "preflight", *args, "--json").stdout)
        self.validator.validate(r)
        return r

    def causes(self, r):
        return {(c["result"], c["class"], c["users"]) for c in r["causes"]}

    def people(self, r):
        return tuple(r["people"][k] for k in ("all", "works", "fails", "unknown"))

    def traces(self):
        """Hashes of every file of the homes and of the agent's, but the number of the last request, locks,
        the checkpoints that came with it, and the record of what was presented to servers."""
        skip = ("logins.json", "logins.lock", "held.json", "run.lock", "inventory.json", "checkpoints")
        found = {}
        for name, ws in self.fleet.workstations.items():
            for top in ("home", "var/lib/mailmuster-agent", "etc/mailmuster"):
                for p in sorted((ws.root / top).rglob("*")):
                    if p.is_file() and not p.is_symlink() and p.name not in skip:
                        found[f"{name}:{p}"] = hashlib.sha256(p.read_bytes()).hexdigest()
            held = json.loads((ws.root / "var/lib/mailmuster-agent/held.json").read_text())
            found[name] = held["held"]
        return found

    def evidence(self):
        """All that the store knows of reports, findings and logins."""
        with sqlite3.connect(f"{self.tmp}/controller/store.db") as db:
            tables = [t for t, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {t: db.execute(f"SELECT * FROM {t}").fetchall() for t in tables  # noqa: S608
                    if re.match("report|finding|login|evidence", t)}

    def refusals(self, address):
        return len(re.findall(f"auth failed.*user=<{address}>", self.new.log.read_text(errors="replace")))

    def test_works(self):
        traces, evidence, old = self.traces(), self.evidence(), len(self.fleet.mail.logins())
        r = self.preflight(OK, "--all")
        self.assertEqual(self.causes(r), {("passed", "", 5), ("passed", "", 4), ("passed", "", 1)})
        self.assertEqual({c["server"] for c in r["causes"]}, set(NEW))
        self.assertEqual(self.people(r), (5, 5, 0, 0))
        self.assertEqual({a for a in story.PASSWORDS if self.new.logins(user=a)}, set(story.PASSWORDS), "the server saw it")
        self.assertEqual((self.traces(), self.evidence()), (traces, evidence))
        self.assertEqual(len(self.fleet.mail.logins()), old, "nobody went to the old server")
        self.must(OK, "audit", "verify")
        log = self.must(OK, "audit", "log", "--json").stdout
        self.assertIn('"preflight"', log)
        # What is in force is as it was, and what is planned is still to do.
        self.must(OK, "verify", "--all")
        self.must(DIFF, "plan", "--all")

    def test_by_cause_with_the_whole(self):
        traces, evidence = self.traces(), self.evidence()
        self.new.passwd("dave@acme.example", "changed")
        secret = self.fleet["ws3"].root / "var/lib/mail-secret/carol"
        secret.rename(secret.with_suffix(".away"))
        self.fleet["ws5"].stop()
        try:
            r = self.preflight(DIFF | UNREACHABLE, "--all")
            text = self.must(DIFF | UNREACHABLE, "preflight", "--all").stdout
        finally:
            self.fleet["ws5"].start()
            secret.with_suffix(".away").rename(secret)
            self.new.passwd("dave@acme.example", story.PASSWORDS["dave@acme.example"])
        self.assertEqual(self.people(r), (5, 2, 1, 2), r["causes"])
        who = {c["class"]: {(p["host"], p["user"]) for p in c["places"]} for c in r["causes"] if c["result"] != "passed"}
        self.assertEqual(who.pop("AUTH_REJECTED"), {("ws4", "dave")})
        self.assertEqual(who.pop("HOST_NOT_ANSWERED"), {("ws5", "erin")})
        self.assertTrue(any(v == {("ws3", "carol")} for v in who.values()), who)
        self.assertLessEqual(self.refusals("dave@acme.example"), 2, "refused on a port is not presented there again")
        self.assertRegex(text, r"work for 2 of 5 people\. For 1 they do not\. Of 2 it is not known\.")
        self.assertRegex(text, r"failed +AUTH_REJECTED +imap imap\.new\.acme\.example:993 +1 +1 +1 +dave@ws4")
        self.assertEqual((self.traces(), self.evidence()), (traces, evidence))
        for password in story.PASSWORDS.values():
            self.assertNotIn(password, json.dumps(r) + text)
        # Mended on the server; whoever says so has it tried again.
        self.preflight(DIFF, "--user", "dave")
        self.preflight(OK, "--user", "dave", "--again")

    def test_certificate_of_another_name(self):
        self.policy(moved(imap=WRONG))
        r = self.preflight(DIFF, "--host", "ws1")
        self.assertEqual({(c["result"], c["server"]) for c in r["causes"]}, {("failed", WRONG), ("passed", NEW[1])})
        bad = next(c for c in r["causes"] if c["server"] == WRONG)
        self.assertEqual(bad["class"], "CERT_NAME_MISMATCH")
        self.assertEqual(self.people(r), (1, 0, 1, 0))

    def test_outside_the_limits_of_the_host(self):
        seen = len(self.new.logins())
        self.policy(moved(imap="imap.elsewhere.test"))
        r = self.preflight(DIFF | HOSTS_FAILED, "--host", "ws1")
        self.assertEqual((r["hosts"][0]["outcome"], r["hosts"][0]["code"], r["hosts"][0]["reason"]), ("refused-by-agent", 77, "limits"))
        self.assertEqual((self.people(r), len(self.new.logins())), ((1, 0, 0, 1), seen))

    def test_selection(self):
        r = self.preflight(OK, "--user", "erin")
        self.assertEqual({(p["host"], p["user"]) for c in r["causes"] for p in c["places"]}, {("ws4", "erin"), ("ws5", "erin")})
        r = self.preflight(OK, "--tag", "berlin", "--limit", "2")
        self.assertEqual(self.people(r)[0], 2)
        self.must(64, "preflight")
        self.must(1, "preflight", "--host", "nobody")

    # -- from the controller

    def local(self, status, *args):
        r = json.loads(self.must(status, "preflight", "--local", *args, "--json").stdout)
        self.local_validator.validate(r)
        return r, {(e["host"], e["port"]): (e["result"], e["class"], e["people"]) for e in r["endpoints"]}

    def test_local(self):
        ca = ("--ca-file", self.new.ca.cert)
        logins = len(self.new.logins())
        r, ends = self.local(OK, "--all", *ca)
        self.assertEqual(ends, {(NEW[0], 993): ("ok", "", 5), (NEW[1], 465): ("ok", "", 4), (NEW[1], 587): ("ok", "", 1)})
        self.assertEqual((r["people"], {e["tls"]["version"] for e in r["endpoints"]}), (5, {"TLSv1.3"}))
        self.assertEqual({e["offered"] for e in r["endpoints"]}, {"PLAIN LOGIN"})
        self.assertEqual(set(self.local(OK, "--user", "carol", *ca)[1]), {(NEW[0], 993), (NEW[1], 587)})
        self.assertEqual(set(self.local(OK, "--host", "ws4", *ca)[1]), {(NEW[0], 993), (NEW[1], 465)})
        self.assertEqual(self.local(OK, "--group", "sales", *ca)[0]["people"], 1)
        # The policy's CA file lies on the workstations, not here: nothing is claimed.
        for e in self.local(DIFF, "--all")[0]["endpoints"]:
            self.assertNotEqual(e["result"], "ok")
            self.assertIn("/etc/ssl/acme-ca.crt", e["why"])
        self.assertEqual(len(self.new.logins()), logins)

    def test_local_says_what_is_wrong(self):
        ca = ("--ca-file", self.new.ca.cert)
        self.policy(moved(imap=WRONG).replace("port = 587", "port = 588"))
        ends = self.local(DIFF, "--all", *ca)[1]
        self.assertEqual(ends[WRONG, 993], ("failed", "CERT_NAME_MISMATCH", 5))
        self.assertEqual(ends[NEW[1], 588], ("failed", "CONN_REFUSED", 1))
        self.assertEqual(ends[NEW[1], 465], ("ok", "", 4))
        # Reached, TLS right, and still nobody could log in.
        self.policy(moved().replace('auth = "password"', 'auth = "cram-md5"', 1))
        r, ends = self.local(DIFF, "--all", *ca)
        self.assertEqual(ends[NEW[0], 993], ("failed", "AUTH_NOT_OFFERED", 5))
        bad = next(e for e in r["endpoints"] if e["result"] == "failed")
        self.assertEqual((bad["auth"], bad["why"]), (["cram-md5"], "The policy logs in with cram-md5, and the server offers PLAIN LOGIN."))
        text = self.must(DIFF, "preflight", "--local", "--all", *ca).stdout
        self.assertRegex(text, r"imap imap\.new\.acme\.example:993 tls +5 +failed +AUTH_NOT_OFFERED +TLSv1\.3 +20\d\d-\d\d-\d\d +PLAIN LOGIN +cram-md5")
        self.assertIn("2 of 3 endpoints as the policy wants them, for 5 people", text)
        for args in (["--limit", "1"], ["--again"]):
            self.must(64, "preflight", "--local", "--all", *args)
        self.must(64, "preflight", "--all", *ca)

    def test_y_the_move_as_the_readme_tells_it(self):
        plan = f"{self.tmp}/tuesday.plan"
        self.must(OK, "preflight", "--local", "--all", "--ca-file", self.new.ca.cert)
        self.new.passwd("dave@acme.example", "not yet")
        self.must(DIFF, "preflight", "--all")
        self.new.passwd("dave@acme.example", story.PASSWORDS["dave@acme.example"])
        self.must(OK, "preflight", "--user", "dave", "--again")
        self.must(OK, "who", "incoming.host=imap.acme.example", "--observed")
        self.must(DIFF, "plan", "--all", "--out", plan)
        self.must(OK, "push", plan)
        self.must(1, "who", "incoming.host=imap.acme.example", "--observed")
        self.must(OK, "status")
        self.must(OK, "verify", "--all")

    def test_z_approval_comes_first(self):
        """Passwords go to the servers of the new revision: it must be one that may be pushed."""
        self.policy(moved().replace('check = "login";', 'check = "login"; approvals = 1;'))
        self.policy(moved(smtp="submit.acme.example"))
        seen = len(self.new.logins())
        r = self.admin.run("preflight", "--all")
        self.assertNotEqual(r.returncode, OK)
        self.assertRegex(r.stderr, "approv")
        self.assertEqual(len(self.new.logins()), seen)


def load_tests(loader, _tests, _pattern):
    """Only the tests that stand here: those of the story run by themselves."""
    own = sorted(name for name in vars(PreflightFleet) if name.startswith("test_"))
    return loader.suiteClass(PreflightFleet(name) for name in own)


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main(verbosity=2)
