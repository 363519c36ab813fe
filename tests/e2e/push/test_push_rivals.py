"""Two runs at the same time, against real agents behind a real sshd: the one that comes second must
neither call it an attack nor a failure, and an attack must stay one."""

import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "lib")]
import agentlib  # noqa: E402
from sshd import USER, Sshd  # noqa: E402

BIN = pathlib.Path(os.environ.get("MM_BIN", "build/gcc/bin")).resolve()
OK, DIFF, HOSTS_FAILED = 0, 2, 4
N = 4
POLICY = """format = 1;
organisation = { name = "Acme"; domain = "acme.example"; };
endpoints = {
  imap = { protocol = "imap"; host = "mail.acme.example"; port = 993; security = "tls"; auth = "password"; username = "%{address}"; };
  smtp = { protocol = "smtp"; host = "mail.acme.example"; port = 465; security = "tls"; auth = "password"; username = "%{address}"; };
};
accounts = { work = { address = "%{address}"; real_name = "%{name}"; incoming = "imap"; outgoing = "smtp"; }; };
groups = { staff = { priority = 10; accounts = [ "work" ]; clients = { msmtp = "enforce"; }; }; };
rules = { tls_min = "1.2"; check = "tls"; };
"""
# The first to come after `hold` was made waits until `go` is there.
AGENT = """#!/bin/sh
set -- $SSH_CONNECTION
dir={tmp}/hosts/$4
if [ -e {tmp}/hold ] && mkdir "$dir/held" 2>/dev/null; then
    while [ ! -e {tmp}/go ]; do sleep 0.05; done
fi
HOME=$dir/home exec {agent} receive --config "$dir/agent.conf"
"""


class Rivals(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mm-rivals-"))
        self.addCleanup(shutil.rmtree, self.tmp, True)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.tmp), "LANG": "C.UTF-8",
                    "MAILMUSTER_STATE": str(self.tmp / "state")}
        self.mm("init")
        script = self.tmp / "agent.sh"
        script.write_text(AGENT.format(tmp=self.tmp, agent=BIN / "mailmuster-agent"))
        script.chmod(0o755)
        pub = (self.tmp / "state/keys/ssh.pub").read_text().strip()
        self.sshd = Sshd(self.tmp / "s", [pub], [f"h{i}" for i in range(N)], command=script)
        self.addCleanup(self.sshd.stop)
        for name, port in self.sshd.ports.items():
            self.furnish(name, self.tmp / "hosts" / str(port))
        (self.tmp / "p.conf").write_text(POLICY)
        (self.tmp / "u.csv").write_text("login,name,address,groups\n" + "".join(
            f"u{i},User {i},u{i}@acme.example,staff\n" for i in range(N)))
        (self.tmp / "h.csv").write_text("host,address,port,account,users\n" + "".join(
            f"h{i},127.0.0.1,{self.sshd.ports[f'h{i}']},{USER},u{i}\n" for i in range(N)))
        (self.tmp / "known").write_text("".join(
            f"[127.0.0.1]:{p} {self.sshd.pub['ed25519']}\n" for p in self.sshd.ports.values()))
        for args in (["user", "import", "u.csv"], ["host", "import", "h.csv"], ["policy", "import", "p.conf"],
                     ["host", "keys", "import", "known"]):
            self.mm(*args[:-1], self.tmp / args[-1])

    def furnish(self, name, folder):
        """An installation for one user, whose controller is ours."""
        (folder / "home").mkdir(parents=True)
        (folder / "home/.msmtprc").write_text("# mine\n")
        pem = json.loads(self.mm("key", "list", "--json"))[0]["pem"]
        (folder / "controller.pub").write_text(pem)
        (folder / "agent.conf").write_text(
            f'host = "{name}";\nkeys = [ "{folder}/controller.pub" ];\nlogin = "u{name[1:]}";\n'
            f'limits = {{ domains = [ "acme.example" ]; password_programs = []; }};\n'
            f'state_dir = "{folder}/home/.local/state/mailmuster-agent";\nprobe = "{agentlib.ROOT}/tests/lib/fakeprobe.py";\n')

    def start(self, *args):
        return subprocess.Popen([BIN / "mailmuster", *map(str, args)], env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)

    def mm(self, *args, status=OK):
        p = self.start(*args)
        out, err = p.communicate(timeout=120)
        self.assertEqual(p.returncode, status, f"mailmuster {args}\n{out}{err}")
        return out

    def end(self, p, status=OK):
        out, err = p.communicate(timeout=120)
        self.assertEqual(p.returncode, status, out + err)
        r = json.loads(out)
        return {h["host"]: h["outcome"] for h in r["hosts"]}, r

    def pending(self):
        p = self.start("status", "--json")
        return [r["host"] for r in json.loads(p.communicate(timeout=60)[0])["host_rows"] if (r.get("push") or {}).get("pending")]

    def held(self, *command):
        """A run whose requests are signed and sent, and not yet read by the agents."""
        (self.tmp / "hold").touch()
        p = self.start(*command)
        self.assertTrue(agentlib.wait_until(lambda: len(list(self.tmp.glob("hosts/*/held"))) == N, 30))
        return p

    def go(self):
        (self.tmp / "go").touch()

    def configured(self):
        return [p for p in self.tmp.glob("hosts/*/home/.msmtprc") if "mail.acme.example" in p.read_text()]

    # -- the tests

    def test_the_slower_of_two_pushes(self):
        slow = self.held("push", "--all", "--now", "--json")
        fast, _ = self.end(self.start("push", "--all", "--now", "--json"))
        self.assertEqual(set(fast.values()), {"ok"})
        self.go()
        got, r = self.end(slow)
        self.assertEqual(set(got.values()), {"superseded"}, r)
        self.assertEqual(self.pending(), [])
        self.assertEqual(len(self.configured()), N)
        h = r["hosts"][0]
        self.assertIn("another run has brought revision 1 there", h["text"])
        self.assertRegex(h["superseded_by"], "^[0-9a-f]{32}$")
        self.assertNotEqual(h["superseded_by"], h["request_id"])
        self.mm("status")
        self.mm("audit", "verify")

    def test_in_words(self):
        slow = self.held("push", "--all", "--now")
        self.mm("push", "--all", "--now")
        self.go()
        out, err = slow.communicate(timeout=60)
        self.assertEqual(slow.returncode, OK, out + err)
        self.assertIn(f"0 of {N} hosts answered, {N} served by another run", out)
        self.assertIn("a newer request of ours was there first (4)", out)
        self.assertNotIn("push --pending", out)

    def test_what_the_faster_one_left_is_told(self):
        folder = self.tmp / "hosts" / str(self.sshd.ports["h0"])
        slow = self.held("push", "--host", "h0", "--host", "h1", "--host", "h2", "--host", "h3", "--json")
        (folder / "home/.probe-script").write_text('{"mail.acme.example": "failed"}')
        self.end(self.start("push", "--all", "--now", "--json"), DIFF)
        self.go()
        got, r = self.end(slow, DIFF)
        self.assertEqual(set(got.values()), {"superseded"})
        self.assertIn("differences are left", r["hosts"][0]["text"])
        self.assertNotIn("differences", r["hosts"][1]["text"])

    def test_at_the_same_moment(self):
        for _ in range(3):
            both = [self.start("push", "--all", "--now", "--json") for _ in range(2)]
            for p in both:
                got, r = self.end(p)
                self.assertLessEqual(set(got.values()), {"ok", "superseded"}, r)
            self.assertEqual(self.pending(), [])
        self.assertEqual(len(self.configured()), N)

    def test_overtaken_by_a_look_it_is_pushed_all_the_same(self):
        slow = self.held("push", "--all", "--now", "--json")
        self.end(self.start("plan", "--all", "--json"), DIFF)
        self.assertEqual(self.configured(), [])
        self.go()
        got, _ = self.end(slow)
        self.assertEqual(set(got.values()), {"ok"})
        self.assertEqual(len(self.configured()), N)
        self.assertEqual(self.pending(), [])

    def test_overtaken_by_a_newer_revision(self):
        newer = self.tmp / "q.conf"
        newer.write_text(POLICY.replace("465", "4650"))
        old = self.held("push", "--all", "--now", "--json")
        self.mm("policy", "import", newer)
        self.end(self.start("push", "--all", "--now", "--json"))
        self.go()
        got, _ = self.end(old)
        self.assertEqual(set(got.values()), {"superseded"})
        self.assertEqual({"4650" in p.read_text() for p in self.configured()}, {True})
        self.assertEqual(self.pending(), [])

    def test_the_host_is_still_at_work_for_the_other(self):
        """Longer than the agent waits for its lock: it says "busy", and is asked again."""
        folder = self.tmp / "hosts" / str(self.sshd.ports["h0"])
        (folder / "home/.probe-script").write_text('{"mail.acme.example": "slow"}')
        first = self.start("push", "--host", "h0", "--json")
        self.assertTrue(agentlib.wait_until(lambda: (folder / "home/.probe.jsonl").exists(), 30))
        second, r = self.end(self.start("push", "--host", "h0", "--json"))
        self.assertEqual(second, {"h0": "ok"}, r)
        self.assertEqual(self.end(first)[0], {"h0": "ok"})

    def test_a_serial_that_we_did_not_sign_is_an_alarm(self):
        folder = self.tmp / "hosts" / str(self.sshd.ports["h0"])
        self.mm("push", "--all", "--now")
        now = int(time.time())
        request = {"proto": [1, 0], "op": "plan", "id": secrets.token_hex(16), "host": "h0", "epoch": 1,
                   "serial": now + 5000, "revision": 1, "issued": now, "expires": now + 600, "manifest": {}, "ack": []}
        envelope = agentlib.mkrequest("sign", self.tmp / "state/keys/sign.pem", data=json.dumps(request).encode())
        stream = agentlib.MAGIC + agentlib.frame(agentlib.ENVELOPE, envelope) + agentlib.frame(agentlib.REQUEST_END)
        p = subprocess.run([BIN / "mailmuster-agent", "receive", "--config", folder / "agent.conf"], input=stream,
                           capture_output=True, env={"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin"}, check=False)
        self.assertEqual(p.returncode, OK, p.stderr)
        # Two at once: neither may explain it with the other.
        slow = self.start("push", "--all", "--now", "--json")
        for run in (self.start("push", "--all", "--now", "--json"), slow):
            got, r = self.end(run, HOSTS_FAILED)
            self.assertEqual(got["h0"], "refused-by-agent")
            self.assertEqual(r["hosts"][-1]["host"] and {h["reason"] for h in r["hosts"] if h["host"] == "h0"}, {"replay"})


if __name__ == "__main__":
    unittest.main()
