"""Rollouts against real sshds (the agents are scripted): waves in their order, budgets and gates that stop
them, and what an admin does then; drivers that are killed; check-ins and `serve`."""

import base64
import hashlib
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(ROOT / "tests")]
import schemas  # noqa: E402
import reporter  # noqa: E402
import test_push_store  # noqa: E402
from test_push_store import BIN, DIFF, FAILED, HOSTS_FAILED, OK, UNREACHABLE, USAGE  # noqa: E402

HALTED, INTERRUPTED = 16, 130


class Rollouts(test_push_store.StoreTest):
    schema = schemas.load(ROOT / "schemas/json")["rollout"]

    def roll(self, *args, status=OK):
        """push --all as a rollout: what it said on stdout as JSON, and on stderr."""
        r = self.run_mm("push", "--all", "--json", *args)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr)
        return json.loads(r.stdout)["rollout"], r.stderr

    def show(self, number=None, status=None):
        r = self.run_mm("rollout", "show", *([number] if number else []), "--json")
        if status is not None:
            self.assertEqual(r.returncode, status, r.stdout + r.stderr)
        out = json.loads(r.stdout)
        self.assertEqual([e.message for e in self.schema.iter_errors(out)], [])
        return out

    def states(self, number=None):
        """{state: hosts} without those that nobody is in."""
        return {k: v for k, v in self.show(number)["all"]["states"].items() if v}

    def mode(self, was, now):
        """All hosts that answer like this answer like that from now on."""
        (self.tmp / "modes" / str(self.sshd.ports[was])).write_text(now)

    def times(self, op="apply"):
        """When each host was asked: {host: [ns, ...]}."""
        seen = {}
        for f in sorted((self.tmp / "asked").glob("*")) if (self.tmp / "asked").exists() else []:
            host, what, ns = f.name.split(",")
            if what == op:
                seen.setdefault(host, []).append(int(ns))
        return seen

    def waves(self, r):
        """The hosts of each wave."""
        out = [set() for _ in range(r["waves"])]
        for h in r["host_rows"]:
            out[h["wave"] - 1].add(h["host"])
        return out

    def sql(self, text, *args):
        with sqlite3.connect(self.tmp / "state/store.db") as db:
            rows = db.execute(text, args).fetchall()
        db.close()
        return rows

    # -- the order of things

    def test_waves_come_one_after_the_other(self):
        self.hosts(["passed"] * 6)
        r, said = self.roll("--waves", "1,2,100%", "--bake", "0")
        self.assertEqual((r["state"], r["waves"], r["all"]["states"]["ok"]), ("done", 3, 6))
        self.assertEqual((r["all"]["users"], r["all"]["tested"], r["all"]["verified"]), (6, 6, 6))
        self.assertIn("wave 2 of 3, 2 hosts", said)
        shown = self.show(status=OK)
        waves, times = self.waves(shown), self.times()
        self.assertEqual([len(w) for w in waves], [1, 2, 3])
        for before, after in zip(waves, waves[1:]):
            self.assertLess(max(times[h][0] for h in before), min(times[h][0] for h in after))
        # The same again is no rollout: everybody has it.
        self.mm("push", "--all")
        self.assertEqual(len(json.loads(self.mm("rollout", "list", "--json"))), 1)
        self.assertEqual({len(t) for t in self.times().values()}, {2})
        text = self.mm("rollout", "show")
        for want in ("Rollout 1: revision 1 to 6 hosts", "State      done", "2 of 2 tested", "Budget".upper()):
            self.assertIn(want, text)
        self.assertIn("done", self.mm("rollout", "list"))
        self.mm("audit", "verify")

    def test_a_small_fleet_waits_for_nothing(self):
        self.hosts(["ok"] * 3)
        began = time.monotonic()
        r, said = self.roll()
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual((r["state"], r["waves"], r["terms"]["bake"]), ("done", 2, "0"))
        self.assertIn("rollout 1: revision 1 to 3 hosts in 2 waves", said)
        self.import_policy(message="second")
        self.mm("push", "--all", "--now")
        self.assertEqual(len(json.loads(self.mm("rollout", "list", "--json"))), 1, "--now is no rollout")

    def test_no_login_is_waited_for_where_none_is_wanted(self):
        self.hosts(["ok"] * 2)
        self.import_policy()
        path = self.tmp / "p.conf"
        path.write_text(path.read_text().replace('check = "login"', 'check = "tls"'))
        self.mm("policy", "import", path)
        self.roll("--waves", "1,100%", "--detach")
        r = self.show()
        self.assertEqual((r["terms"]["gate"], r["terms"]["min_tested"]), ("0%", "0"))

    def test_wrong_terms(self):
        self.hosts(["ok"] * 2)
        for args, word in ((["--waves", "0"], "waves"), (["--max-failed", "many"], "failed"), (["--bake", "soon"], "bake"),
                           (["--maintenance", "someday"], "hours"), (["--in-flight", "0"], "window"), (["--waves", "1", "--now"], "--now")):
            r = self.run_mm("push", "--all", *args)
            self.assertEqual((r.returncode, r.stderr.count("\n")), (USAGE, 1), (args, r.stderr))
            self.assertIn(word, r.stderr)
        self.assertEqual(self.asked(), {})
        self.assertEqual(json.loads(self.mm("rollout", "list", "--json")), [])
        for args, status in ((["show", "7"], FAILED), (["show"], FAILED), (["pause", "x"], USAGE), (["pause"], USAGE), (["resume", "7"], FAILED),
                             (["retry", "1"], USAGE), (["rollback", "7"], FAILED), (["resum"], USAGE)):
            r = self.run_mm("rollout", *args)
            self.assertEqual((r.returncode, r.stdout), (status, ""), (args, r.stderr))

    # -- budgets

    def test_a_budget_stops_it_at_one_more(self):
        self.hosts(["refuse"] * 6)
        r, said = self.roll("--waves", "100%", "--max-failed", "1", "--in-flight", "1", status=HALTED | HOSTS_FAILED | DIFF)
        self.assertEqual((r["state"], r["because"]), ("halted", "budget"))
        self.assertEqual(r["all"]["budgets"]["failed"], {"used": 2, "allowed": 1})
        self.assertEqual(len(self.times()), 2)
        self.assertIn("rollout 1: halted: 2 of 6 hosts of wave 1 failed, 1 is allowed\n", said)
        self.assertEqual(self.states(), {"failed": 2, "released": 4})
        # It stands: another push does not go round it without a word.
        r = self.run_mm("push", "--all")
        self.assertEqual(r.returncode, HALTED, r.stderr)
        self.assertIn("rollout 1 of this revision is halted", r.stderr)
        self.assertEqual(len(self.times()), 2)
        text = self.run_mm("rollout", "show").stdout
        self.assertIn("2 of 1 allowed", text)
        self.assertIn("rollback 1", text)
        self.assertEqual(text.count("(replay): old"), 2)
        # What failed is forgiven, and the rest gets it.
        self.mode("refuse", "ok")
        self.mm("rollout", "resume", "1", "--reason", "the agent was mended", status=HOSTS_FAILED)
        self.assertEqual(self.states(), {"failed": 2, "ok": 4})
        self.mm("rollout", "retry", "1", "--failed")
        self.assertEqual(self.states(), {"ok": 6})
        self.assertIn("the agent was mended", self.mm("audit", "log"))

    def test_what_is_in_flight_still_lands(self):
        self.hosts(["refuse"] * 8)
        self.roll("--waves", "100%", "--max-failed", "0", "--in-flight", "3", status=HALTED | HOSTS_FAILED | DIFF)
        self.assertLessEqual(len(self.times()), 3, "budget and window")
        self.assertNotIn("sent", self.states())

    def test_ansible_56265(self):
        """ansible-56265: unreachable hosts are not in the budget, and the next batch runs."""
        self.hosts(["ok"] + ["off"] * 9)
        r, _ = self.roll("--waves", "5,100%", "--max-failed", "0", "--max-unreachable", "0", "--in-flight", "1", "--bake", "0",
                         "--min-tested", "0", status=HALTED | UNREACHABLE | DIFF)
        self.assertEqual((r["state"], r["because"], r["wave"]), ("halted", "budget", 1))
        self.assertEqual(r["all"]["budgets"]["unreachable"], {"used": 1, "allowed": 0})
        self.assertEqual(r["all"]["budgets"]["failed"]["used"], 0)
        self.assertEqual(r["by_wave"][1]["states"]["waiting"], 5)
        # And without such a budget, silence is not success: nobody goes on.
        self.import_policy(message="second")
        r, _ = self.roll("--waves", "5,100%", "--max-failed", "0", "--bake", "0", "--min-tested", "0", "--min-reported", "50%",
                         status=UNREACHABLE | DIFF)
        self.assertEqual((r["state"], r["because"], r["by_wave"][1]["states"]["waiting"]), ("paused", "too-few-reported", 5))
        self.assertEqual(r["all"]["budgets"]["failed"]["used"], 0, "unreachable is not failed")

    def test_logins_that_break(self):
        self.hosts(["passed"] * 4)
        self.roll()
        self.mode("passed", "drift")
        self.import_policy(message="breaks")
        r, _ = self.roll("--waves", "1,100%", status=HALTED | DIFF)
        self.assertEqual((r["state"], r["all"]["states"]["login"], r["all"]["states"]["waiting"]), ("halted", 1, 3))
        self.assertEqual(r["all"]["budgets"]["login"], {"used": 1, "allowed": 0})
        self.assertIn("AUTH_REJECTED", self.run_mm("rollout", "show").stdout)

    def test_a_login_that_failed_before_says_nothing(self):
        self.hosts(["drift"] * 3)
        self.mm("push", "--all", "--now", status=DIFF)
        self.import_policy(message="second")
        r, _ = self.roll(status=DIFF)
        self.assertEqual((r["state"], r["all"]["states"]["ok"], r["all"]["tested"]), ("done", 3, 0))

    def test_half_of_what_failed_before_is_not_verified(self):
        self.hosts(["drift"] * 2)
        self.mode("drift", "half")
        self.mm("push", "--all", "--now", status=DIFF)
        self.import_policy(message="second")
        r, _ = self.roll(status=DIFF)
        self.assertEqual((r["state"], r["all"]["tested"], r["all"]["verified"]), ("done", 0, 0))

    def test_what_a_rollout_broke_is_broken_when_it_is_tried_again(self):
        self.hosts(["passed"] * 2)
        self.mm("push", "--all", "--now")
        self.mode("passed", "drift")
        self.import_policy(message="breaks")
        self.roll("--waves", "1,100%", status=HALTED | DIFF)
        for _ in range(2):
            self.mm("rollout", "retry", "1", "--failed", status=HALTED | DIFF)
            self.assertEqual((self.states(), self.show()["state"]), ({"login": 1, "waiting": 1}, "halted"))
        self.mode("passed", "passed")
        self.mm("rollout", "retry", "1", "--failed")
        self.assertEqual(self.states(), {"ok": 2})

    def test_what_the_agent_took_back_is_not_ok(self):
        self.hosts(["ok"] * 3)
        self.mode("ok", "reverts")
        r, _ = self.roll(status=HALTED | HOSTS_FAILED | DIFF)
        self.assertEqual((r["state"], r["all"]["states"]["reverted"], r["all"]["budgets"]["login"]["used"]), ("halted", 1, 1))
        self.assertIn("taken back: the certificate is for another name", self.run_mm("rollout", "show").stdout)

    # -- gates

    def test_a_server_that_nobody_reaches_halts_it(self):
        self.hosts(["passed"] * 4)
        self.mm("push", "--all", "--now")
        self.mode("passed", "timeout")
        self.import_policy(message="a server behind a firewall")
        r, _ = self.roll("--waves", "2,100%", status=HALTED | DIFF)
        self.assertEqual((r["state"], r["because"], r["all"]["budgets"]["login"]["used"]), ("halted", "gate", 0))
        self.assertEqual((r["all"]["tested"], r["all"]["verified"], r["all"]["states"]["waiting"]), (2, 0, 2))

    def test_a_session_afterwards_is_counted(self):
        """Nobody is logged in when it comes; a login run proves it, and a check-in carries that."""
        self.hosts(["ok"] * 2)
        r, _ = self.roll("--waves", "1,100%", "--min-tested", "1", status=DIFF)
        self.assertEqual((r["because"], r["all"]["tested"]), ("too-few-tested", 0))
        host = next(h["host"] for h in self.show()["host_rows"] if h["wave"] == 1)
        carried = reporter.spooled({"host": host, "revision": 1}, host.replace("h", "u"), int(time.time()) + 1)
        self.assertEqual(self.checkin(host, carried)[0], "status")
        first = self.show()["by_wave"][0]
        self.assertEqual((first["tested"], first["verified"], first["states"]["ok"]), (1, 1, 1))
        # Enough for the gate now; in the second wave nobody is asked.
        self.mm("rollout", "resume", "1")
        self.assertEqual(self.states(), {"ok": 2})

    def test_too_few_tested_users_pause_it(self):
        self.hosts(["ok"] * 4)
        r, said = self.roll("--waves", "1,100%", "--min-tested", "1", status=DIFF)
        self.assertEqual((r["state"], r["because"], len(self.times())), ("paused", "too-few-tested", 1))
        self.assertIn("paused", said)
        self.assertIn("approve 1", r["next"])
        self.mm("rollout", "approve", "1", "--reason", "nobody is logged in at night")
        self.assertEqual(self.states(), {"ok": 4})
        asked = [e["detail"] for e in json.loads(self.mm("audit", "log", "--action", "push", "--json"))]
        self.assertEqual(asked, [{"revision": "1", "rollout": "1"}] * 4)

    def test_each_wave_is_approved(self):
        self.hosts(["passed"] * 3)
        r, _ = self.roll("--waves", "1", "--approve-each", status=DIFF)
        self.assertEqual((r["state"], r["because"], r["wave"]), ("paused", "approval", 1))
        self.mm("rollout", "approve", "1", status=DIFF)
        self.assertEqual((self.show()["wave"], self.states()), (2, {"ok": 2, "waiting": 1}))
        self.mm("rollout", "approve", "1")
        self.assertEqual(self.states(), {"ok": 3})
        self.mm("rollout", "approve", "1", status=FAILED)

    def test_pause_and_abort(self):
        self.hosts(["passed"] * 3)
        self.mm("push", "--all", "--waves", "1", "--detach")
        self.assertEqual(self.asked(), {})
        self.mm("rollout", "pause", "1", "--reason", "lunch")
        self.assertEqual(self.show()["state"], "paused")
        self.mm("serve", "--once")
        self.assertEqual(self.asked(), {}, "paused")
        self.mm("rollout", "abort", "1")
        self.mm("rollout", "resume", "1", status=FAILED)
        self.mm("serve", "--once")
        self.assertEqual(self.asked(), {})
        self.mm("audit", "verify")

    # -- drivers that end early

    def stuck(self, *args):
        """A rollout whose second wave hangs: the driver, under way."""
        self.hosts(["hang"] * 4)
        (self.tmp / "answer").touch()
        p = self.start("push", "--all", "--waves", "1,100%", "--approve-each", "--json")
        p.communicate(timeout=60)
        (self.tmp / "answer").unlink()
        p = self.start("rollout", "approve", "1", *args)
        self.wait_for("the second wave", lambda: len(self.times()) == 4)
        return p

    def test_killed_and_resumed(self):
        p = self.stuck()
        self.assertEqual(self.states()["sent"], 3)
        p.kill()
        p.communicate()
        (self.tmp / "answer").touch()
        self.mm("rollout", "resume", "1")
        self.assertEqual(self.states(), {"ok": 4})
        first = next(h["host"] for h in self.show()["host_rows"] if h["wave"] == 1)
        self.assertEqual({h: len(t) for h, t in self.times().items()}, {**{f"h{i}": 2 for i in range(4)}, first: 1})
        self.assertEqual(self.pending(), [])

    def test_killed_at_any_moment(self):
        self.hosts(["passed"] * 12)
        self.mm("push", "--all", "--waves", "2,4,100%", "--in-flight", "2", "--bake", "0", "--detach")
        rnd = random.Random(7)
        for _ in range(8):
            p = self.start("rollout", "resume", "1")
            time.sleep(rnd.uniform(0.05, 0.6))
            p.kill()
            p.communicate()
        self.mm("rollout", "resume", "1", status=FAILED if self.show()["state"] == "done" else OK)
        self.assertEqual(self.states(), {"ok": 12})
        self.assertEqual(set(self.times()), {f"h{i}" for i in range(12)}, "nobody is forgotten")
        self.assertEqual(self.pending(), [])
        self.mm("audit", "verify")

    def test_interrupted_and_resumed(self):
        p = self.stuck()
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=60)
        self.assertEqual(p.returncode, INTERRUPTED, out + err)
        self.assertIn("rollout resume 1", err)
        self.assertEqual(self.states(), {"ok": 1, "released": 3})
        (self.tmp / "answer").touch()
        self.mm("rollout", "resume", "1")
        self.assertEqual(self.states(), {"ok": 4})

    def test_one_process_drives(self):
        p = self.stuck()
        other = self.start("rollout", "resume", "1")
        time.sleep(1)
        self.assertEqual({len(t) for t in self.times().values()}, {1}, "the second one only follows")
        self.mm("rollout", "pause", "1")
        (self.tmp / "answer").touch()
        out, err = other.communicate(timeout=60)
        self.assertIn("following", err)
        p.kill()
        p.communicate()

    # -- back again

    def test_rollback_touches_what_was_touched(self):
        self.hosts(["passed"] * 5)
        self.mm("push", "--all", "--now")
        self.import_policy(message="second")
        r, _ = self.roll("--waves", "2,100%", "--approve-each", status=DIFF)
        touched = self.waves(self.show())[0]
        self.mm("rollout", "rollback", "1", "--reason", "calls from the second floor")
        self.assertEqual({h for h, t in self.times().items() if len(t) == 3}, touched)
        self.assertEqual({len(t) for h, t in self.times().items() if h not in touched}, {1})
        back = self.show(2, status=OK)
        self.assertEqual((back["kind"], back["of"], back["state"], back["revision"]), ("rollback", 1, "done", 3))
        self.assertEqual((self.show(1)["state"], self.show(1)["why"]), ("aborted", "an admin has taken it back"))
        self.assertIn("Taken back by rollout 2, which is done", self.run_mm("rollout", "show", "1").stdout)
        self.assertIn("rollout 2 takes it back already", self.run_mm("rollout", "rollback", "1").stderr)
        self.assertEqual(self.show()["rollout"], 2, "once is enough")
        self.assertEqual(self.mm("policy", "export", "3"), self.mm("policy", "export", "1"))
        self.assertEqual(self.pending(), [])
        self.assertIn("calls from the second floor", self.mm("audit", "log"))
        # Nothing that was not touched can be taken back.
        self.import_policy(message="third")
        self.mm("push", "--all", "--detach")
        self.mm("rollout", "rollback", "3", status=FAILED)

    def mixed(self, n):
        """A third of n hosts has nothing, a third revision 1, a third 2; then all of them 3. The rollout's number."""
        self.hosts(["passed"] * n)
        self.mm("push", "--now", *[x for i in range(1, n, 3) for x in ("--host", f"h{i}")])
        self.import_policy(message="second")
        self.mm("push", "--now", *[x for i in range(2, n, 3) for x in ("--host", f"h{i}")])
        self.import_policy(message="third")
        self.assertEqual(self.roll("--waves", "100%")[0]["state"], "done")

    def has(self):
        return dict(self.sql("SELECT host, done_revision FROM push_state"))

    def test_rollback_brings_each_its_own(self):
        self.mixed(4)
        self.mm("rollout", "rollback", "1", "--detach")
        back = self.show(2)
        self.assertEqual((back["first_revision"], back["revision"]), (4, 6))
        # Of hosts that had nothing, revision 1, and 2: the one with most hosts comes last.
        self.assertEqual({h["host"]: h["revision"] for h in back["host_rows"]}, {"h0": 4, "h3": 4, "h1": 5, "h2": 6})
        self.assertEqual((self.mm("policy", "export", "4"), self.mm("policy", "export", "6")), ("format = 1;\n", self.mm("policy", "export", "2")))
        # By a check-in, by the driver, and by serve.
        self.assertEqual((self.checkin("h0"), self.checkin("h1")), (("apply", 4), ("apply", 5)))
        self.mm("serve", "--once")
        self.assertEqual((self.states(2), self.pending()), ({"ok": 4}, []))
        self.assertEqual(self.has(), {"h0": 4, "h1": 5, "h2": 6, "h3": 4})
        text = self.mm("rollout", "show", "2", "--hosts")
        self.assertIn("revisions 4 to 6 to 4 hosts", text)
        self.assertRegex(text, r"h1 +1 +ok +5")
        # Nobody gets the wrong one again, whoever asks; the current one is for everybody, in waves.
        self.assertEqual(self.checkin("h0")[0], "status")
        self.mm("serve", "--once")
        self.assertEqual(self.has(), {"h0": 4, "h1": 5, "h2": 6, "h3": 4})
        r, _ = self.roll("--waves", "100%")
        self.assertEqual((r["rollout"], r["kind"], r["revision"]), (3, "apply", 6))
        self.assertEqual(set(self.has().values()), {6})

    def test_rollback_that_was_given_up(self):
        """Who was not served yet keeps what it has, and is owed nothing; the rest can be taken back once more."""
        self.mixed(3)
        self.mm("rollout", "rollback", "1", "--detach")
        self.assertEqual(self.checkin("h1"), ("apply", 5))
        self.mm("rollout", "abort", "2")
        self.mm("serve", "--once")
        self.assertEqual((self.has(), self.pending()), ({"h0": 3, "h1": 5, "h2": 3}, []))
        self.mm("rollout", "rollback", "1")
        self.assertEqual(self.has(), {"h0": 7, "h1": 8, "h2": 9})

    def test_rollback_killed_at_any_moment(self):
        self.mixed(12)
        rnd = random.Random(11)
        for _ in range(6):
            p = self.start("rollout", "rollback", "1", "--in-flight", "2")
            time.sleep(rnd.uniform(0.05, 0.5))
            p.kill()
            p.communicate()
            if self.sql("SELECT state FROM rollouts WHERE id = 2") == [("done",)]:
                break
        else:
            self.mm("rollout", "rollback", "1")
        self.assertEqual((self.states(2), self.pending()), ({"ok": 12}, []))
        self.assertEqual(self.has(), {f"h{i}": 4 + i % 3 for i in range(12)})
        self.assertEqual(len(json.loads(self.mm("policy", "log", "--json"))), 6, "each text once")
        self.mm("audit", "verify")

    def test_outside_of_the_hours_it_waits_and_says_so(self):
        self.hosts(["passed"] * 2)
        day = time.strftime("%a", time.gmtime(time.time() + 3 * 86400))
        p = subprocess.Popen([BIN / "mailmuster", "push", "--all", "--maintenance", f"{day} 03:00-04:00"], env=self.env,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(p.kill)
        for line in p.stderr:
            if "maintenance hours" in line:
                break
        self.assertRegex(line, r"^rollout 1: the maintenance hours begin at \d{4}-\d\d-\d\dT03:00:00Z$")
        p.send_signal(signal.SIGINT)
        self.assertIn("mailmuster rollout resume 1", p.stderr.read())
        self.assertEqual(p.wait(60), INTERRUPTED)
        p.stderr.close()
        shown = self.show(status=DIFF)
        self.assertRegex(shown["next"], r"^the maintenance hours begin at \S+ \(in \d+ d[^)]*\); nobody drives it: ")
        self.assertEqual(self.times(), {})

    # -- hosts that are off

    def test_late_hosts_get_it_when_they_appear(self):
        self.hosts(["passed", "passed", "off"])
        r, _ = self.roll(status=UNREACHABLE)
        self.assertEqual((r["state"], r["all"]["states"]["late"] + r["all"]["states"]["unreachable"]), ("done", 1))
        self.mm("rollout", "retry", "1", "--unreachable", status=UNREACHABLE)
        self.sql("UPDATE hosts SET port = ? WHERE id = 'h2'", self.sshd.ports["passed"])
        (self.tmp / "known").write_text(f"[127.0.0.1]:{self.sshd.ports['passed']} {self.sshd.pub['ed25519']}\n")
        self.mm("host", "keys", "import", self.tmp / "known")
        for why in (self.show()["why"], json.loads(self.mm("rollout", "list", "--json"))[0]["why"]):
            self.assertTrue(why.startswith("2 of 3 hosts have answered, 1 not reached yet; "), why)
        self.mm("push", "--pending")
        self.assertEqual(self.states(), {"ok": 3})
        self.assertEqual(self.show()["state"], "done")
        for why in (self.show()["why"], json.loads(self.mm("rollout", "list", "--json"))[0]["why"]):
            self.assertEqual(why, "3 of 3 hosts have answered, 0 not reached yet; 3 of 3 tested users verified")

    def test_what_was_given_up_comes_to_nobody(self):
        """Hosts that were off when it was aborted, or taken back, do not get it when they appear."""
        self.hosts(["passed", "passed", "off"])
        self.mm("push", "--all", "--now", status=UNREACHABLE)
        self.checkin("h2")
        self.import_policy(message="wrong")
        self.roll(status=UNREACHABLE)
        self.assertEqual(self.pending(), ["h2"])
        self.mm("rollout", "rollback", "1")
        self.assertEqual((self.show(1)["state"], self.states(2), self.pending()), ("aborted", {"ok": 2}, []))
        self.assertEqual(self.checkin("h2")[0], "status")
        self.assertEqual(json.loads(self.mm("push", "--pending", "--json"))["hosts"], [])
        # And what a newer rollout takes over is that one's business alone.
        self.import_policy(message="another")
        self.roll(status=UNREACHABLE)
        self.import_policy(message="and another")
        self.mm("push", "--all", "--waves", "1,100%", "--detach")
        wave = next(h["wave"] for h in self.show()["host_rows"] if h["host"] == "h2")
        self.assertEqual(wave, 2, "who was off is not the first")
        self.assertEqual(self.checkin("h2")[0], "status")

    # -- check-ins

    def checkin(self, host, carried=()):
        """The host calls, with these frames: what it is asked for, after it has answered."""
        self.sql("UPDATE hosts SET enrolled = 1 WHERE id = ?", host)
        p = subprocess.Popen([BIN / "mailmuster", "checkin", "--host", host], env=self.env, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        hello = reporter.frame(reporter.HELLO, {"agent": "0.1.0", "proto": [1, 0], "host": host})
        p.stdin.write(stream([hello, *carried]))
        p.stdin.flush()
        r = request(p.stdout)
        report = reporter.frame(reporter.REPORT, {
            "id": os.urandom(16).hex(), "host": host, "request_id": r["id"], "op": r["op"], "evidence": "attested",
            "epoch": r["epoch"], "serial": r["serial"], "revision": r["revision"], "collected": int(time.time()),
            "agent": "0.1.0", "users": list(r["manifest"])})
        p.stdin.write(stream([hello, report]))
        p.stdin.close()
        err = p.stderr.read().decode()
        p.stdout.close()
        p.stderr.close()
        self.assertEqual(p.wait(60), OK, err)
        return r["op"], r["revision"]

    def test_a_checkin_brings_what_the_wave_released(self):
        self.hosts(["ok"] * 3)
        self.mm("push", "--all", "--now")
        self.import_policy(message="second")
        self.mm("push", "--all", "--waves", "1,100%", "--min-tested", "0", "--bake", "0", "--detach")
        wave = {h["host"]: h["wave"] for h in self.show()["host_rows"]}
        first = next(h for h, w in wave.items() if w == 1)
        second, third = sorted(h for h, w in wave.items() if w == 2)
        self.assertEqual(self.checkin(second)[0], "status", "its wave has not begun")
        self.assertEqual(self.checkin(first), ("apply", 2))
        self.assertEqual(self.states(), {"ok": 1, "waiting": 2})
        self.assertEqual(self.checkin(first)[0], "status", "it has it")
        # A wave that was released and then paused is not handed out.
        self.mm("rollout", "pause", "1")
        self.assertEqual(self.checkin(second)[0], "status")
        self.mm("rollout", "resume", "1")
        self.assertEqual(self.states(), {"ok": 3})
        # What was pushed by hand is released by that, and the rollout hears of it.
        self.import_policy(message="third")
        self.mm("push", "--all", "--waves", "1,100%", "--detach")
        self.assertEqual(self.show()["rollout"], 2)
        self.mm("push", "--host", third)
        self.assertEqual(self.checkin(third)[0], "status")

    # -- the service

    def test_serve_drives_what_nobody_drives(self):
        self.hosts(["passed", "passed", "passed", "off"])
        self.mm("push", "--all", "--waves", "1,100%", "--bake", "1s", "--detach")
        p = self.start("serve")
        try:
            self.wait_for("the end of the rollout", lambda: self.show()["state"] == "done")
        finally:
            p.send_signal(signal.SIGTERM)
            out, err = p.communicate(timeout=30)
        self.assertEqual((p.returncode, out), (OK, ""), err)
        self.assertEqual(self.states()["ok"], 3)
        self.assertIn("rollout 1: done", err)
        # What somebody pushed by hand and could not reach is tried again, when its time has come.
        self.mm("push", "--host", "h3", status=UNREACHABLE)
        self.mm("serve", "--once")
        attempts = "SELECT attempts FROM push_state WHERE host = 'h3'"
        before = self.sql(attempts)
        self.sql("UPDATE push_state SET next_retry = 0 WHERE host = 'h3'")
        self.sql("UPDATE rollout_hosts SET next_try = 0 WHERE host = 'h3'")
        self.mm("serve", "--once")
        self.assertGreater(self.sql(attempts), before)

    def test_serve_signs_anew_before_the_expiry(self):
        self.hosts(["passed"] * 2)
        self.mm("push", "--all", "--now")
        self.mm("serve", "--once")
        self.assertEqual({len(t) for t in self.times().values()}, {1})
        self.sql("UPDATE push_state SET last_attempt = last_attempt - 6 * 86400 WHERE host = 'h0'")
        self.import_policy(message="not pushed")
        self.mm("serve", "--once")
        self.assertEqual({h: len(t) for h, t in self.times().items()}, {"h0": 2, "h1": 1})
        self.assertEqual(self.sql("SELECT revision, done_revision, pending FROM push_state WHERE host = 'h0'"), [(1, 1, 0)])
        self.assertIn("nears its expiry", self.mm("audit", "log"))


def stream(frames):
    sha = hashlib.sha256()
    for f in frames:
        sha.update(f[:2] + f[4:])
    return reporter.MAGIC + b"".join(frames) + reporter.frame(
        reporter.END, {"frames": len(frames), "sha256": sha.hexdigest()})


def request(f):
    """The request of the stream that comes from the controller."""
    out = None
    assert f.read(8) == reporter.MAGIC
    while True:
        kind, n = int.from_bytes(f.read(2), "big"), int.from_bytes(f.read(6)[2:], "big")
        body = f.read(n)
        if kind == reporter.ENVELOPE:
            out = json.loads(base64.b64decode(json.loads(body)["payload"]))
        if kind == reporter.REQUEST_END:
            return out


# What is tested of a push by itself is tested there.
for name in [n for n in dir(test_push_store.StoreTest) if n.startswith("test_")]:
    setattr(Rollouts, name, None)

if __name__ == "__main__":
    unittest.main()
