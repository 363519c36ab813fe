"""--reason: every command that writes into the audit log takes it, and it stands there."""
import os
import re
import shlex
import subprocess
import time
import unittest

from common import BIN, Case

# Commands that only look, or that no admin gives (init makes the log; checkin and serve are the machine's own).
LOOK = {"init", "policy check", "policy export", "policy log", "policy diff", "user list", "user show", "group list",
        "group show", "host list", "host show", "host keys list", "explain", "who", "plan", "rollout list", "rollout show",
        "serve", "checkin", "status", "drift", "report", "waiver list", "audit log", "audit verify", "export events",
        "export send", "export status", "key list", "completion"}
# In this order: each finds what those before it have made. {dir} is the test's folder. Nothing answers at the hosts'
# port: what was asked for stands in the log before anything is sent.
ACTS = [
    ("policy import", "{dir}/p.conf --message first", "policy.import"),
    ("policy import", "{dir}/p2.conf --message second", "policy.import"),
    ("policy rollback", "1", "policy.rollback"),
    ("policy import", "{dir}/p3.conf --message third", "policy.import"),
    ("user add", "alice --name Alice --address alice@acme.example", "user.add"),
    ("user import", "{dir}/users.csv", "user.add"),
    ("group add", "staff alice", "member.add"),
    ("group import", "{dir}/groups.csv", "member.add"),
    ("group sync", "sales --system-group mail --allow-remove", "member.remove"),
    ("host add", "ws1 --address 127.0.0.1 --port 1", "host.add"),
    ("host import", "{dir}/hosts.csv", "host.add"),
    ("host keys import", "{dir}/known_hosts", "hostkey.put"),
    ("discover", "--host ws1", "discover"),
    ("verify", "--host ws1", "verify"),
    ("restore", "--host ws1", "restore"),
    ("waiver add", "--host ws1 --until {until} --owner dana", "waiver.add"),
    ("waiver remove", "1", "waiver.remove"),
    ("backup", "{dir}/copy.db", "backup"),
    ("audit export", "{dir}/log.export", "audit.export"),
    ("audit prune", "--before 2000-01-01", None),
    ("key rotate", "", "key.rotate"),
    ("policy approve", "4", "policy.approve"),
    ("preflight", "--host ws1", "preflight"),
    ("push", "--host ws1", "push"),
    ("push", "--all --waves 1,100% --detach", "rollout.create"),
    ("rollout pause", "1", "rollout.pause"),
    ("rollout resume", "1 --detach", "rollout.resume"),
    ("rollout approve", "1 --detach", None),
    ("rollout retry", "1 --unreachable --detach", None),
    ("rollout abort", "1", "rollout.abort"),
    ("rollout rollback", "1 --detach", None),
    ("group remove", "staff alice", "member.remove"),
    ("user remove", "alice", "user.remove"),
    ("user remove", "bob --erase", "user.erase"),
    ("host keys remove", "ws1", "hostkey.remove"),
    ("host remove", "ws2", "host.remove"),
]
ELSEWHERE = {"host enroll"}  # needs a workstation


class Reason(Case):
    def leaves(self, words=()):
        """Every command, by what the program says of itself."""
        text = self.mm(*words, "--help")[0]
        if "\nCommands:\n" not in text:
            return {" ".join(words): text}
        names = re.findall(r"^  ([a-z]+) ", text.split("\nCommands:\n", 1)[1].split("\n\n")[0], re.M)
        self.assertTrue(names, text)
        return {k: v for n in names for k, v in self.leaves((*words, n)).items()}

    def test_every_command_is_known_here_and_takes_it_or_not(self):
        takes = {name for name, text in self.leaves().items() if re.search(r"^ +--reason TEXT ", text, re.M)}
        self.assertEqual(set(self.leaves()), LOOK | ELSEWHERE | {a[0] for a in ACTS})
        self.assertEqual(takes, ELSEWHERE | {a[0] for a in ACTS})

    def log(self):
        return self.mm_json("audit", "log")

    def test_it_stands_in_the_log(self):
        self.mm("init")
        for i, name in enumerate(("p.conf", "p2.conf", "p3.conf")):
            self.policy(name, approvals=int(i == 2), change=[("993", str(993 + i))])
        self.file("users.csv", "login,name,address,groups\nbob,Bob,bob@acme.example,staff;sales\n")
        self.file("groups.csv", "group,login\nsales,alice\n")
        self.file("hosts.csv", "host,address,port\nws2,127.0.0.1,1\n")
        key = self.file("key", "")
        os.unlink(key)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        with open(key + ".pub", encoding="utf-8") as f:
            self.file("known_hosts", "[127.0.0.1]:1 " + f.read())
        until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
        for i, (name, args, action) in enumerate(ACTS):
            why = f"ticket {i}: {name}"
            before = len(self.log())
            # Somebody else approves.
            env = dict(os.environ, MAILMUSTER_STATE=self.state, SUDO_UID="4242" if name == "policy approve" else "0")
            p = subprocess.run([BIN, *name.split(), *shlex.split(args.format(dir=self.dir, until=until)), "--reason", why], env=env,
                               capture_output=True, text=True, timeout=60, check=False)
            with self.subTest(name):
                new = self.log()[before:]
                if action:
                    self.assertIn(action, [e["action"] for e in new], p.stderr + p.stdout)
                for e in new:
                    said = e["detail"].get("waiver_reason") if e["action"] == "waiver.add" else e["reason"]
                    self.assertEqual(said, why, e)
                    if action in ("push", "rollout.create"):
                        self.assertEqual(e["detail"]["approved_by"], "uid 4242", e)

    def test_what_no_reason_can_be(self):
        self.started()
        n = len(self.log())
        for text in ("two\nlines", "\x1b[31m", "x" * 1001):
            for args in (("group", "add", "lab"), ("backup", self.dir + "/b"), ("policy", "rollback", "1")):
                self.assertIn("--reason is a single line of at most 1000 bytes", self.mm(*args, "--reason", text, rc=64)[1])
        self.assertEqual(len(self.log()), n)
        self.mm("group", "add", "lab", "--reason", "x" * 1000)


if __name__ == "__main__":
    unittest.main()
