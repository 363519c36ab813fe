"""What must hold of a rollout over the simulated fleet, as steps that raise
AssertionError. The driver (run) takes them with thousands of hosts, the test of
CI (tests/e2e/test_rollout_simfleet.py) with fifty."""

import json
import random
import subprocess
import time

import simfleet as sim

# A fleet like this is never without trouble; what is tried here is not the gates.
EASY = ["--gate", "0", "--min-tested", "0", "--min-reported", "0", "--max-failed", "any", "--max-login-failed", "any"]
LANDED = {"ok", "failed", "login_failed", "reverted"}


class Rollouts:
    """The steps, in this order: first, halts, back, killed, late."""

    def __init__(self, fleet, in_flight=100, kills=10, seed=1):
        self.f, self.in_flight, self.kills = fleet, in_flight, kills
        self.random = random.Random(seed)
        self.good = None  # what every host is to have that ever had something
        self.told = []    # sentences with numbers

    def tell(self, text):
        self.told.append(text)
        print(text, flush=True)

    def reachable(self):
        return [h for h in self.f.hosts() if h.kind not in (sim.DOWN, sim.HANG, sim.DEAF)]

    def push(self, *args):
        r = self.f.run("push", "--all", "--in-flight", self.in_flight, "--bake", "0", *args, timeout=1200)
        assert "limit of open files" not in r.stdout, r.stdout
        return r

    def show(self, *number):
        r = self.f.run("rollout", "show", *number, "--json")
        assert r.stdout, r.stderr
        return json.loads(r.stdout)

    # ---- everybody at once
    def first(self):
        began = time.monotonic()
        r = self.f.run("push", "--all", "--now", timeout=1200)
        took = time.monotonic() - began
        for h in self.f.hosts():
            up = h.kind not in (sim.DOWN, sim.HANG, sim.DEAF)
            assert h.revision == (1 if up else 0), f"{h.id} ({sim.KINDS[h.kind]}) has revision {h.revision}\n{r.stderr}"
        self.good = {h.id: h.digest for h in self.f.hosts()}
        self.tell(f"first push: {len(self.reachable())} of {self.f.n} hosts in {took:.1f} s")

    # ---- a change that breaks logins stops by itself
    def halts(self, budget):
        before = {h.id: h for h in self.f.hosts()}
        self.f.policy("other.acme.example")
        self.push("--gate", "0", "--min-tested", "0", "--min-reported", "0", "--max-failed", "any",
                  "--max-login-failed", f"any/{budget}")
        shown = self.show()
        reverted = [h for h in self.f.hosts() if h.reverts > before[h.id].reverts]
        touched = [h for h in self.f.hosts() if h.changes > before[h.id].changes]
        assert shown["state"] == "halted", (shown["state"], shown["why"])
        assert budget < len(reverted) <= budget + self.in_flight, f"{len(reverted)} hosts whose login broke"
        assert len(touched) < len(self.reachable()), "it did not stop before the last host"
        for h in reverted:
            assert h.digest == self.good[h.id], f"{h.id} keeps settings that break its login"
        self.tell(f"halted with {len(reverted)} broken logins (budget {budget}, in flight {self.in_flight}) after "
                  f"{len(touched)} hosts: {shown['why']}")
        return shown["rollout"]

    # ---- and is taken back from those that it touched, and from nobody else
    def back(self, number):
        before = {h.id: h for h in self.f.hosts()}
        moved = {i for i, h in before.items() if h.digest != self.good[i]}
        sent = {r["host"] for r in self.show(number)["host_rows"] if r.get("sent")}
        self.f.run("rollout", "rollback", number, timeout=1200)
        for h in self.f.hosts():
            if h.kind in (sim.DOWN, sim.HANG, sim.DEAF):
                continue
            assert h.digest == self.good[h.id], f"{h.id} has not what it had before"
            assert h.id in sent or h.requests == before[h.id].requests, f"{h.id} was asked, but never touched"
        shown = self.show()
        assert shown["state"] == "done", (shown["state"], shown["why"])
        self.tell(f"rolled back: {len(moved)} hosts have their former settings, the others were left alone")

    # ---- nothing is lost when the controller is killed
    def drive_and_kill(self, argv, after):
        p = subprocess.Popen(argv, env=self.f.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             stdin=subprocess.DEVNULL)
        try:
            out, _ = p.communicate(timeout=after)
            return out
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            return None

    def killed(self):
        before = {h.id: h for h in self.f.hosts()}
        self.f.policy("third.acme.example")
        argv = self.f.argv("push", "--all", "--in-flight", self.in_flight, "--bake", "0", *EASY)
        kills, said = 0, None
        # Until it is over; the last runs are not disturbed.
        for _ in range(self.kills + 50):
            after = self.random.uniform(0.05, self.kill_within()) if kills < self.kills else 1200
            said = self.drive_and_kill(argv, after)
            kills += said is None
            shown = self.show()
            if shown["revision"] != self.revision():
                continue  # killed before there was a rollout: the same command again
            if said is not None and shown["state"] != "running":
                break
            argv = self.f.argv("rollout", "resume", shown["rollout"])
        shown = self.show()
        assert shown["state"] == "done", (shown["state"], shown["why"], said)
        self.check_complete(shown, before)
        self.tell(f"killed {kills} times: all of {self.f.n} hosts accounted for, audit log whole")
        return shown["rollout"]

    def kill_within(self):
        return 0.3 + self.f.n / 500

    def revision(self):
        return json.loads(self.f.must("policy", "log", "--json").stdout)[0]["revision"]

    def check_complete(self, shown, before):
        rows = {r["host"]: r for r in shown["host_rows"]}
        assert set(rows) == set(before), "hosts were forgotten"
        for h in self.f.hosts():
            row, was = rows[h.id], before[h.id]
            what = f"{h.id} ({sim.KINDS[h.kind]}): {row}"
            if h.kind in (sim.DOWN, sim.HANG, sim.DEAF):
                assert row["state"] not in LANDED and h.requests == was.requests, what
            elif h.kind == sim.BROKEN:
                assert h.digest == self.good[h.id] and row["state"] == "reverted", what
            else:
                assert h.revision == shown["revision"] and h.digest != self.good[h.id], what
                assert h.changes == was.changes + 1 and row["state"] in LANDED, what
        self.audit()

    def audit(self):
        r = self.f.run("audit", "verify")
        assert r.returncode == 0, r.stdout + r.stderr

    # ---- machines that were off come back
    def late(self, number):
        self.f.flags(sim.ALL_UP | sim.ALL_SPEAK)
        self.f.wait_for_late_ones()
        self.f.run("rollout", "retry", number, "--unreachable", timeout=1200)
        revision = self.show(number)["revision"]
        back = [h for h in self.f.hosts() if h.kind in (sim.DOWN, sim.HANG)]
        for h in back:
            assert h.revision == revision, f"{h.id} ({sim.KINDS[h.kind]}) was off, and has revision {h.revision}"
        self.tell(f"{len(back)} hosts that were off caught up")
