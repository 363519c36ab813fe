"""push and plan with a store: what is pending after which kind of end, known
hosts, and the end of a push that is killed. The agent is scripted."""

import csv
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import schemas  # noqa: E402
from plandigest import plan_digest  # noqa: E402
from sshd import USER, Sshd, free_port, keygen  # noqa: E402

BIN = pathlib.Path(os.environ.get("MM_BIN", "build/gcc/bin")).resolve()
OK, FAILED, DIFF, HOSTS_FAILED, UNREACHABLE, USAGE, DATAERR, NOPERM = 0, 1, 2, 4, 8, 64, 65, 77
POLICY = """format = 1;
organisation = { name = "Acme"; domain = "acme.example"; };
endpoints = {
  imap = { protocol = "imap"; host = "mail.acme.example"; port = 993; security = "tls"; auth = "password"; username = "%{address}"; };
  smtp = { protocol = "smtp"; host = "mail.acme.example"; port = 465; security = "tls"; auth = "password"; username = "%{address}"; };
};
accounts = { work = { address = "%{address}"; real_name = "%{name}"; incoming = "imap"; outgoing = "smtp"; }; };
groups = { staff = { priority = 10; accounts = [ "work" ]; clients = { mutt = "enforce"; }; };
           boss = { priority = 20; accounts = [ "work" ]; }; };
rules = { tls_min = "1.2"; check = "login"; approvals = APPROVALS; };
"""


class StoreTest(unittest.TestCase):
    printed = schemas.load(pathlib.Path(__file__).resolve().parents[3] / "schemas/json")["push"]

    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mm-store-"))
        self.addCleanup(shutil.rmtree, self.tmp, True)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.tmp), "LANG": "C.UTF-8",
                    "MAILMUSTER_STATE": str(self.tmp / "state")}
        self.mm("init")
        pub = (self.tmp / "state/keys/ssh.pub").read_text().strip()
        self.sshd = Sshd(self.tmp / "s", [pub], ["ok", "hang", "refuse", "drift", "untested", "nologin", "passed", "leaves", "moves"],
                         command=f"{sys.executable} -I -S {pathlib.Path(__file__).parent / 'reporter.py'} {self.tmp}")
        self.addCleanup(self.sshd.stop)
        (self.tmp / "modes").mkdir()
        for mode, port in self.sshd.ports.items():
            (self.tmp / "modes" / str(port)).write_text(mode)
        self.import_policy()

    def run_mm(self, *args, **kw):
        return subprocess.run([BIN / "mailmuster", *map(str, args)], env=self.env, capture_output=True, text=True,
                              timeout=90, check=False, stdin=subprocess.DEVNULL, **kw)

    def mm(self, *args, status=OK):
        r = self.run_mm(*args)
        # a report's own status says whether the checks hold: tests/e2e/report looks at that
        want = (OK, DIFF) if args[0] == "report" else (status,)
        self.assertIn(r.returncode, want, f"mailmuster {args}\n{r.stdout}{r.stderr}")
        return r.stdout

    def import_policy(self, approvals=0, message="first"):
        (self.tmp / "p.conf").write_text(POLICY.replace("APPROVALS", str(approvals)) + f"// {message}\n")
        self.mm("policy", "import", self.tmp / "p.conf")

    def hosts(self, modes, pin=True):
        """Host "h0", "h1" ...: each with a user of its own, and its way of answering."""
        ports = {**self.sshd.ports, "off": free_port()}
        (self.tmp / "u.csv").write_text("login,name,address,groups\n" + "".join(
            f"u{i},User {i},u{i}@acme.example,{'staff' if i else 'boss'}\n" for i in range(len(modes))))
        (self.tmp / "h.csv").write_text("host,address,port,account,tags,users\n" + "".join(
            f"h{i},127.0.0.1,{ports[m]},{USER},{'even' if i % 2 == 0 else 'odd'},u{i}\n" for i, m in enumerate(modes)))
        self.mm("user", "import", self.tmp / "u.csv")
        self.mm("host", "import", self.tmp / "h.csv")
        for m in set(modes):
            with open(self.tmp / "known", "a", encoding="ascii") as f:
                f.write(f"[127.0.0.1]:{ports[m]} {self.sshd.pub['ed25519']}\n")
        if pin:
            self.mm("host", "keys", "import", self.tmp / "known")

    def valid(self, r):
        self.assertEqual([e.message for e in self.printed.iter_errors(r)], [])
        return r

    def push(self, *args, status=OK):
        r = self.valid(json.loads(self.mm("push", *args, "--json", status=status)))
        return {h["host"]: h for h in r["hosts"]}, r

    def pending(self):
        rows = json.loads(self.run_mm("status", "--json").stdout)["host_rows"]
        return sorted(r["host"] for r in rows if (r.get("push") or {}).get("pending"))

    def asked(self):
        """The requests that reached agents: {host: [op, ...]}."""
        seen = {}
        for f in sorted((self.tmp / "asked").glob("*")) if (self.tmp / "asked").exists() else []:
            host, op = f.name.split(",")[:2]
            seen.setdefault(host, []).append(op)
        return seen

    def test_outcomes_and_exit_status(self):
        self.hosts(["ok", "refuse", "off", "ok"])
        got, r = self.push("--all", "--now", status=HOSTS_FAILED | UNREACHABLE)
        self.assertEqual({h: g["outcome"] for h, g in got.items()},
                         {"h0": "ok", "h1": "refused-by-agent", "h2": "connect-refused", "h3": "ok"})
        self.assertEqual(r["summary"]["exit_status"], 12)
        self.assertEqual(got["h1"]["reason"], "replay")
        self.assertEqual(self.pending(), ["h1", "h2"])
        text = self.mm("push", "--pending", status=12)
        self.assertIn("h2", text)
        self.assertIn("2 hosts", text)
        self.assertEqual(self.asked()["h0"], ["apply"], "what was answered is not sent again")

    def test_reports_are_stored_and_counted(self):
        self.hosts(["ok", "drift"])
        got, r = self.push("--all", "--now", status=DIFF)
        self.assertEqual(got["h0"]["actions"], {"none": 1, "corrected": 1})
        self.assertEqual(got["h1"]["logins"], {"failed": 1})
        self.assertEqual([(t["host"], t["login"]) for t in r["troubles"]], [("h1", True)])
        rows = json.loads(self.mm("report", "--format", "json", "--all"))
        self.assertEqual(sorted(f["host"] for f in rows["findings"]), ["h0", "h0", "h1", "h1"])
        self.assertEqual([(x["host"], x["class"]) for x in rows["logins"] if x["result"] == "failed"], [("h1", "AUTH_REJECTED")])

    def test_every_command_gives_the_same_verdict(self):
        for mode, bits, result, words in (("passed", OK, "pass", "ok"), ("nologin", OK, "pass", "ok"),
                                          ("untested", DIFF, "unknown", "unknown"), ("drift", DIFF, "fail", "not compliant")):
            with self.subTest(mode):
                self.hosts([mode])
                out = self.mm("push", "--all", "--now", status=bits)
                self.assertEqual("not proven" in out, mode == "untested", out)
                self.assertEqual("Not in order" in out, mode == "drift", out)
                self.assertIn(words, self.mm("status", status=bits))
                self.mm("status", "--refresh", status=bits)
                self.mm("drift", status=bits)
                r = json.loads(self.mm("report", "--format", "json", "--all"))
                self.assertEqual({p["result"] for p in r["places"]}, {result})
                rows = list(csv.DictReader(io.StringIO(self.mm("report", "--format", "csv"))))
                self.assertEqual([x["result"] for x in rows if x["kind"] == "login"],
                                 [{"nologin": "notapplicable"}.get(mode, result)])

    def test_a_verdict_is_of_what_was_asked_for(self):
        self.hosts(["passed", "drift"])
        self.mm("push", "--all", "--now", status=DIFF)
        for host, bits in (("h0", OK), ("h1", DIFF)):
            out = self.mm("status", "--host", host, status=bits)
            self.assertIn("1 of 1 reported", out)
            self.assertIn("of 1 compliant", out)
            self.mm("drift", "--host", host, status=bits)
            out = self.mm("report", "--format", "text", "--host", host)
            self.assertIn("1 of 1 reported", out)
        for option, good, bad, nobody in (("--user", "u0", "u1", "u7"), ("--group", "boss", "staff", "none"),
                                          ("--tag", "even", "odd", "none")):
            for value, bits, n in ((good, OK, 1), (bad, DIFF, 1)):
                fleet = json.loads(self.mm("status", option, value, "--json", status=bits))
                self.assertEqual((len(fleet["host_rows"]), fleet["hosts"]["total"]), (n, n), (option, value))
            self.mm("status", option, nobody, status=FAILED)  # a slip is not "all is well"
        self.assertIn("settings      0 of 0", self.mm("status", "--host", "h1", "--client", "alpine", status=DIFF))

    def test_plan_groups_and_writes_nothing(self):
        self.hosts(["ok", "ok", "ok"])
        r = self.valid(json.loads(self.mm("plan", "--all", "--json", status=DIFF)))
        self.assertEqual([(c["count"], c["setting"], c["found"] if "found" in c else c["places"][0]["found"])
                          for c in r["changes"]], [(3, "incoming.port", "143")])
        self.assertEqual([p["host"] for p in r["changes"][0]["places"]], ["h0", "h1", "h2"], "in whatever order they answer")
        self.assertEqual(self.asked(), {f"h{i}": ["plan"] for i in range(3)})
        self.assertEqual(json.loads(self.mm("report", "--format", "json", "--all"))["findings"], [])
        text = self.mm("plan", "--all", status=DIFF)
        self.assertIn("3 x", text)
        self.assertIn("143 -> 993", text)
        self.assertEqual(self.pending(), [])
        self.assertEqual(self.mm("push", "--dry-run", "--host", "h0", status=DIFF).count("1 x"), 1)

    def test_a_plan_says_what_it_costs_and_removals_first(self):
        self.hosts(["leaves", "leaves", "ok"])
        r = json.loads(self.mm("plan", "--all", "--json", status=DIFF))
        self.assertEqual(r["reach"], {"changes": 7, "removals": 2, "users": 3, "hosts": 3,
                                      "clients": ["kmail", "mutt", "thunderbird"], "servers": ["993"], "costs": {"password": 2, "fetch": 2}})
        self.assertEqual([(c["count"], c["client"], c["removes"]) for c in r["changes"]],
                         [(2, "thunderbird", True), (3, "mutt", False), (2, "kmail", False)])
        lines = self.mm("plan", "--all", status=DIFF).splitlines()
        self.assertEqual(lines[:5], ["7 changes, 3 different, for 3 users on 3 hosts: kmail, mutt, thunderbird; 1 mail server: 993",
                                     "2 accounts would be taken away", "2 users will be asked for a password: u0, u1",
                                     "2 users will fetch the mail anew: u0, u1",
                                     "  2 x  thunderbird: the account old is taken away (no longer in the policy)"])

    def plan_file(self, *args, status=DIFF):
        path = self.tmp / "plan.json"
        self.mm("plan", "--out", path, *(args or ("--all",)), status=status)
        return path, json.loads(path.read_text())

    def expected(self):
        """What the last apply carried: {host: number}."""
        return {f.name.split(",")[0]: f.read_text() for f in sorted((self.tmp / "asked").glob("*,apply,*"))}

    def test_a_saved_plan_is_carried_out(self):
        self.hosts(["ok", "leaves", "ok"])
        path, plan = self.plan_file("--host", "h0", "--host", "h1")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual((plan["revision"], plan["complete"], plan["missing"]), (1, True, []))
        self.assertEqual({h: v["changes"] for h, v in plan["hosts"].items()}, {"h0": 1, "h1": 3})
        change = {"action": "would-change", "user": "u0", "client": "mutt", "path": "/home/u0/.muttrc", "account": "work",
                  "setting": "incoming.port", "found": "143", "desired": "993", "state": "pending"}
        self.assertEqual(plan["hosts"]["h0"]["expect"], plan_digest([change]))
        r = self.run_mm("push", path)
        self.assertEqual(r.returncode, NOPERM, r.stdout)
        self.assertIn("takes away 1 account: say --allow-remove 1", r.stderr)
        self.assertEqual(self.expected(), {})
        self.mm("push", path, "--allow-remove", "1", "--reason", "ticket 7")
        asked = [e for e in json.loads(self.mm("audit", "log", "--action", "push", "--json")) if e["object"] in ("h0", "h1")]
        said = {"revision": "1", "plan": hashlib.sha256(path.read_bytes()).hexdigest()}
        self.assertEqual([(e["detail"], e["reason"]) for e in asked], [(said, "ticket 7")] * 2)
        # The reason is of what was asked for, not of what the hosts say.
        self.assertEqual({e["reason"] for e in json.loads(self.mm("audit", "log", "--action", "report", "--json"))}, {""})
        self.assertEqual(self.expected(), {h: v["expect"] for h, v in plan["hosts"].items()})
        self.assertEqual(self.pending(), [])

    def test_a_host_that_moved_on_since_the_plan(self):
        self.hosts(["ok", "moves"])
        path, _ = self.plan_file()
        got, _ = self.push(path, status=HOSTS_FAILED)
        self.assertEqual((got["h0"]["outcome"], got["h1"]["outcome"], got["h1"]["reason"]), ("ok", "refused-by-agent", "moved"))
        self.assertEqual(self.pending(), [], "a retry would do what nobody has seen")
        said = self.mm("push", path, status=HOSTS_FAILED)
        self.assertIn("1 host has moved on since the plan was made", said)
        self.assertNotIn("pending", said, "nothing is")
        self.assertEqual(self.mm("push", "--pending"), "Nothing is pending.\n")

    def test_a_guard_that_guards_nothing(self):
        self.hosts(["ok"])
        self.assertIn("--allow-remove goes with a plan", self.run_mm("push", "--all", "--allow-remove", "1").stderr)
        self.mm("push", "--all", "--allow-remove", "1", status=USAGE)
        self.assertEqual(self.asked(), {})

    def test_a_plan_that_cannot_be_saved(self):
        self.hosts(["ok"])
        r = self.run_mm("plan", "--all", "--out", self.tmp / "absent" / "p.plan")
        self.assertEqual((r.returncode, r.stdout, r.stderr.count("\n")), (FAILED, "", 1), r.stderr)
        self.assertEqual(self.asked(), {}, "that is found out before anybody is asked")
        r = self.run_mm("plan", "--all", "--out", self.tmp)
        self.assertIn("it is a folder", r.stderr)
        (self.tmp / "sink").symlink_to("/dev/full")
        r = self.run_mm("plan", "--all", "--out", self.tmp / "sink")
        self.assertEqual(r.returncode, FAILED, r.stdout)
        self.assertIn("No space left", r.stderr)
        self.assertTrue((self.tmp / "sink").is_symlink(), "what is no file of ours is not replaced")
        self.assertTrue((self.tmp / "sink").is_char_device())

    def test_hosts_that_did_not_answer_are_not_in_the_plan(self):
        self.hosts(["ok", "off"])
        path, plan = self.plan_file(status=DIFF | UNREACHABLE)
        self.assertIn("saved, without 1 host that gave no answer; to carry it out: mailmuster push ",
                      self.run_mm("plan", "--all", "--out", path).stderr)
        self.assertEqual((plan["complete"], plan["missing"], list(plan["hosts"])), (False, ["h1"], ["h0"]))
        self.assertEqual(set(self.push(path)[0]), {"h0"})

    def test_a_plan_of_another_policy(self):
        self.hosts(["ok"])
        path, plan = self.plan_file()
        self.import_policy(message="second")
        self.assertIn("the plan is of revision 1, the current one is 2", self.run_mm("push", path).stderr)
        self.mm("push", path, status=NOPERM)
        path.write_text(json.dumps({**plan, "sha256": "0" * 64}))
        self.assertIn("another store", self.run_mm("push", path).stderr)
        self.assertEqual(self.expected(), {})

    def test_a_file_that_is_no_plan(self):
        self.hosts(["ok"])
        path, plan = self.plan_file()
        for bad, why in (({**plan, "format": 2}, "format 2"), ({**plan, "hosts": {"h0": {"expect": "x"}}}, "h0"),
                         ({**plan, "hosts": {"../h0": {"expect": "0" * 64}}}, "no host"), ([], "plan"),
                         ({k: v for k, v in plan.items() if k != "reach"}, "reach")):
            path.write_text(json.dumps(bad))
            r = self.run_mm("push", path)
            self.assertEqual(r.returncode, DATAERR, (bad, r.stderr))
            self.assertIn(str(path), r.stderr)
            self.assertIn(why, r.stderr)
            self.assertEqual(r.stderr.count("\n"), 1)
        self.mm("push", self.tmp / "absent", status=FAILED)
        for args in (("--all",), ("--host", "h0"), ("--dry-run",), ("another",)):
            self.mm("push", path, *args, status=USAGE)
        self.assertEqual(self.expected(), {})

    def test_selection(self):
        self.hosts(["ok"] * 4)
        for args, want in ((["--tag", "odd"], {"h1", "h3"}), (["--host", "h0", "--host", "h3"], {"h0", "h3"}),
                           (["--user", "u2"], {"h2"}), (["--group", "boss"], {"h0"}),
                           (["--group", "staff", "--tag", "even"], {"h2"}), (["--all", "--limit", "2"], {"h0", "h1"})):
            self.assertEqual(set(self.push(*args)[0]), want, args)
        for args, status in (([], USAGE), (["--host", "nobody"], FAILED), (["--tag", "x"], FAILED), (["--group", "x"], FAILED),
                             (["--user", "x"], FAILED), (["extra"], FAILED), (["a", "b"], USAGE), (["--parallel", "0"], USAGE)):
            self.mm("push", *args, status=status)
        self.assertEqual(self.push("--pending")[0], {})

    def test_no_pinned_key(self):
        self.hosts(["ok"], pin=False)
        got, _ = self.push("--all", "--now", status=HOSTS_FAILED)
        self.assertEqual(got["h0"]["outcome"], "host-key-unknown")
        self.assertEqual(self.asked(), {})

    def test_approval_is_needed(self):
        self.hosts(["ok"])
        self.import_policy(1, "needs another pair of eyes")
        self.mm("push", "--all", "--now", status=NOPERM)
        self.assertEqual(self.asked(), {})
        self.mm("plan", "--all", status=DIFF)

    def test_known_hosts(self):
        self.hosts(["ok", "ok"], pin=False)
        other = keygen(self.tmp / "other")
        port = self.sshd.ports["ok"]
        known = self.tmp / "hashed"
        known.write_text(f"[127.0.0.1]:{port} {self.sshd.pub['ed25519']}\n")
        subprocess.run(["ssh-keygen", "-Hf", known], check=True, capture_output=True)
        with open(known, "a", encoding="ascii") as f:
            f.write(f"nonsense line\n@cert-authority *.x {other}\n*.wild {other}\n")
        r = self.run_mm("host", "keys", "import", known)
        self.assertEqual(r.returncode, OK, r.stderr)
        self.assertIn("2 added", r.stdout)
        self.assertIn(f"{known}:2: skipped", r.stderr)
        self.assertIn("1 bad", r.stdout)
        self.push("--all", "--now")
        # The same again adds nothing; another key is not taken without a word.
        self.assertIn("0 added, 2 kept", self.mm("host", "keys", "import", known))
        known.write_text(f"[127.0.0.1]:{port} {other}\n")
        r = self.run_mm("host", "keys", "import", known)
        self.assertEqual(r.returncode, DIFF)
        self.assertIn("another ssh-ed25519 key", r.stderr)
        self.mm("host", "keys", "import", "--replace", known)
        got, _ = self.push("--host", "h0", status=HOSTS_FAILED)
        self.assertEqual(got["h0"]["outcome"], "host-key-changed")
        # A revoked key is refused.
        known.write_text(f"@revoked * {other}\n[127.0.0.1]:{port} {other}\n")
        self.mm("host", "keys", "remove", "h0")
        self.assertIn("0 added", self.mm("host", "keys", "import", known))
        self.assertNotIn('"h0"', self.mm("host", "keys", "list", "h0", "--json"))

    def start(self, *args):
        return subprocess.Popen([BIN / "mailmuster", *args], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, stdin=subprocess.DEVNULL)

    def wait_for(self, what, test):
        deadline = time.monotonic() + 30
        while not test():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def begun(self):
        self.hosts(["ok", "ok", "hang", "hang"])
        p = self.start("push", "--all", "--now")
        self.wait_for("the first answers", lambda: {"h0", "h1", "h2", "h3"} <= set(self.asked()))
        self.wait_for("their reports", lambda: self.pending() == ["h2", "h3"])
        return p

    def after(self):
        (self.tmp / "answer").touch()  # from now on "hang" answers
        got, _ = self.push("--pending")
        self.assertEqual({h: g["outcome"] for h, g in got.items()}, {"h2": "ok", "h3": "ok"})
        self.assertEqual(self.pending(), [])
        self.assertEqual(self.asked()["h0"], ["apply"])
        self.mm("audit", "verify")

    def test_interrupt_then_pending(self):
        p = self.begun()
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=30)
        self.assertEqual(p.returncode, 130, out + err)
        self.assertIn("2 not served: stopped", out)
        self.assertIn("push --pending", out)
        self.assertEqual(self.pending(), ["h2", "h3"])
        self.after()

    def test_kill_then_pending(self):
        p = self.begun()
        p.kill()
        p.communicate()
        self.assertEqual(self.pending(), ["h2", "h3"])
        self.after()

    def test_hardened_host_is_remembered(self):
        hard = Sshd(self.tmp / "hard", [(self.tmp / "state/keys/ssh.pub").read_text().strip()], ["ok"],
                    options=("MACs hmac-sha2-512-etm@openssh.com",),
                    command=f"{sys.executable} -I -S {pathlib.Path(__file__).parent / 'reporter.py'} {self.tmp}")
        self.addCleanup(hard.stop)
        self.sshd.ports["hard"], keep = hard.ports["ok"], self.sshd.pub
        self.sshd.pub = hard.pub
        self.hosts(["hard"])
        self.sshd.pub = keep
        got, _ = self.push("--all", "--now")
        self.assertEqual((got["h0"]["outcome"], got["h0"]["transport"]), ("ok", "ssh"))
        self.assertEqual(json.loads(self.mm("host", "list", "--json"))[0]["transport"], "ssh")
        self.assertEqual(self.push("--all", "--now")[0]["h0"]["transport"], "ssh")

    def test_no_secret_of_ours_is_told(self):
        self.hosts(["ok", "off"])
        seed = (self.tmp / "state/keys/ssh").read_text().splitlines()[1]
        r = self.run_mm("push", "--all", "--now", "--json")
        self.assertNotIn(seed[:40], r.stdout + r.stderr)
        self.assertNotIn("PRIVATE", r.stdout + r.stderr)

    def test_who_has_it(self):
        self.hosts(["ok", "ok"])
        self.push("--all", "--now")
        rows = json.loads(self.mm("who", "outgoing.port=143", "--observed", "--json", status=FAILED))["observed"]
        self.assertEqual(rows, [], "what was corrected is not found any more")
        rows = json.loads(self.mm("who", "incoming.port=99*", "--observed", "--json"))["observed"]
        self.assertEqual([(r["user"], r["host"], r["client"], r["value"]) for r in rows],
                         [("u0", "h0", "mutt", "993"), ("u1", "h1", "mutt", "993")])
        self.assertIn("Observed with 2 users on 2 hosts:", self.mm("who", "incoming.port=993", "--observed"))
        self.mm("who", "incoming.port=993", "--observed", "--client", "thunderbird", status=FAILED)

    def test_nobody_is_not_said_of_hosts_that_are_not_known(self):
        self.hosts(["ok", "off"])
        self.push("--all", "--now", status=UNREACHABLE)
        r = self.run_mm("who", "outgoing.port=143", "--observed")
        self.assertEqual(r.returncode, UNREACHABLE, r.stdout)
        self.assertIn("Of 1 of 2 hosts it is not known: 1 never reported, 0 not lately.", r.stdout)
        r = json.loads(self.mm("who", "outgoing.port=143", "--observed", "--json", status=UNREACHABLE))
        self.assertEqual(r["hosts"], {"all": 2, "never_reported": 1, "stale": 0})


if __name__ == "__main__":
    unittest.main()
