"""host enroll on real workstations: the host key, the agent's configuration,
the accounts that the controller may use, and doing it twice."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lib"), str(HERE)]
import fleet as fleets  # noqa: E402

BIN = pathlib.Path(os.environ.get("MM_BIN", "build/gcc/bin")).resolve()
OK, FAILED, USAGE, NOPERM, HOSTS_FAILED = 0, 1, 64, 77, 4
POLICY = """format = 1;
organisation = { name = "Acme"; domain = "acme.example"; };
endpoints = {
  imap = { protocol = "imap"; host = "imap.other.example"; port = 993; security = "tls"; auth = "password"; username = "%{address}";
           password_command = [ "/usr/bin/pass", "show", "%{login}" ]; };
  smtp = { protocol = "smtp"; host = "smtp.acme.example"; port = 465; security = "tls"; auth = "password"; username = "%{address}"; };
};
accounts = { work = { address = "%{address}"; real_name = "%{name}"; incoming = "imap"; outgoing = "smtp"; }; };
groups = { staff = { priority = 10; accounts = [ "work" ]; }; };
rules = { tls_min = "1.2"; check = "reach"; };
"""


class EnrollTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mm-enroll-"))
        cls.tmp.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.tmp, True)
        cls.fleet = fleets.Fleet(cls.tmp / "f", {"a@acme.example": "x"}).prepare(4)
        cls.addClassCleanup(cls.fleet.stop)
        for ws in cls.fleet.workstations.values():
            ws.install_binaries(BIN)
        cls.fleet.start()

    def setUp(self):
        self.state = self.tmp / self.id().rsplit(".", 1)[1]
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.tmp), "LANG": "C.UTF-8",
                    "MAILMUSTER_STATE": str(self.state)}
        self.mm("init")

    def run_mm(self, *args, **kw):
        return subprocess.run([BIN / "mailmuster", *map(str, args)], env=self.env, capture_output=True, text=True, timeout=120,
                              check=False, **{"stdin": subprocess.DEVNULL, **kw})

    def mm(self, *args, status=OK):
        r = self.run_mm(*args)
        self.assertEqual(r.returncode, status, f"mailmuster {args}\n{r.stdout}{r.stderr}")
        return r.stdout + r.stderr

    def fingerprint(self, ws):
        return subprocess.run(["ssh-keygen", "-lf", ws.root / "etc/ssh/ssh_host_ed25519_key.pub"], check=True,
                              capture_output=True, text=True).stdout.split()[1]

    def enroll(self, name, *more, status=OK, confirm=True):
        ws = self.fleet[name]
        known = ["--fingerprint", self.fingerprint(ws)] if confirm else []
        return self.mm("host", "enroll", name, "--identity", self.fleet.dir / "admin_key", "--allow-domain", "acme.example",
                       *known, *more, status=status)

    def test_root_and_twice(self):
        ws = self.fleet["ws1"]
        before = ws.read("/root/.ssh/authorized_keys")
        out = self.enroll("ws1")
        self.assertIn("written", out)
        keys = ws.read("/root/.ssh/authorized_keys")
        pub = (self.state / "keys/ssh.pub").read_text().strip()
        self.assertEqual(keys, before + f'command="/usr/bin/mailmuster-agent receive",restrict {pub}\n')
        conf = ws.read("/etc/mailmuster/agent.conf")
        self.assertIn('host = "ws1";', conf)
        self.assertIn("BEGIN PUBLIC KEY", conf)
        self.assertIn('domains = [ "acme.example" ]', conf)
        self.assertIn("password_programs = [  ]", conf)
        out = self.enroll("ws1")
        self.assertIn("as pinned", out)
        self.assertIn("agent.conf kept", out)
        self.assertIn("login as root kept", out)
        self.assertEqual(ws.read("/root/.ssh/authorized_keys"), keys)
        shown = self.mm("host", "show", "ws1", "--json")
        self.assertIn('"enrolled":true', shown)
        self.assertIn(self.fingerprint(ws), self.mm("host", "keys", "list", "ws1"))
        self.assertIn("host.enroll", self.mm("audit", "log"))

    def test_nothing_is_pinned_without_a_word(self):
        conf = self.fleet["ws2"].root / "etc/mailmuster/agent.conf"
        conf.unlink(missing_ok=True)
        out = self.enroll("ws2", confirm=False, status=NOPERM)
        self.assertIn(self.fingerprint(self.fleet["ws2"]), out)
        self.assertIn("--fingerprint", out)
        self.assertNotIn("SHA256", self.mm("host", "keys", "list"))
        self.assertFalse(conf.exists())
        wrong = "SHA256:" + "A" * 43
        out = self.mm("host", "enroll", "ws2", "--identity", self.fleet.dir / "admin_key", "--allow-domain", "x.example",
                      "--fingerprint", wrong, status=NOPERM)
        self.assertIn(wrong, out)

    def test_nobody_answers(self):
        """One line says what is wrong, and where; ssh-keyscan says it once for each type of key."""
        for address, why in (("nowhere.invalid", "name resolution|not known"), ("127.0.2.99", "nothing answers|refused")):
            self.mm("host", "add", "ws9", "--address", address)
            out = self.run_mm("host", "enroll", "ws9", "--allow-domain", "acme.example")
            self.assertEqual((out.returncode, out.stdout), (FAILED, ""))
            self.assertRegex(out.stderr, rf"^mailmuster host enroll: ws9 shows no host key at {address} port 22: [^?]*({why})"
                                         r"[^?]*; is the address right \(mailmuster host show ws9\)\?\n$")
            self.assertEqual(out.stderr.count(address), out.stderr.count(f"getaddrinfo {address}") + 1)

    def test_changed_key(self):
        self.enroll("ws2")
        self.mm("host", "add", "ws2", "--address", "ws3")  # another machine answers there
        out = self.enroll("ws2", confirm=False, status=NOPERM)
        self.assertIn("has changed", out)
        self.assertEqual(out.count("SHA256:"), 2)

    def test_other_id_is_refused(self):
        self.enroll("ws3")
        self.mm("host", "add", "other", "--address", "ws3")
        ws = self.fleet["ws3"]
        args = ["host", "enroll", "other", "--identity", self.fleet.dir / "admin_key", "--allow-domain", "acme.example",
                "--fingerprint", self.fingerprint(ws)]
        self.assertIn("enrolled as ws3 already", self.mm(*args, status=FAILED))
        self.assertIn('host = "ws3";', ws.read("/etc/mailmuster/agent.conf"))
        self.mm(*args, "--force")
        self.assertIn('host = "other";', ws.read("/etc/mailmuster/agent.conf"))

    def test_agent_is_missing(self):
        out = self.enroll("ws4", "--agent", "/opt/nowhere/mailmuster-agent", status=FAILED)
        self.assertIn("--install", out)
        self.assertNotIn("nowhere", self.fleet["ws4"].read("/root/.ssh/authorized_keys"))

    @unittest.skipUnless(shutil.which("visudo"), "sudo is not installed")
    def test_account_with_one_sudo_rule(self):
        ws = self.fleet["ws4"]
        self.enroll("ws4", "--account", "mmpush")
        rule = ws.read("/etc/sudoers.d/mailmuster-mmpush")
        self.assertEqual(rule, "mmpush ALL=(root) NOPASSWD: /usr/bin/mailmuster-agent receive\n")
        line = ws.read("/var/lib/mmpush/.ssh/authorized_keys")
        self.assertTrue(line.startswith('command="sudo -n /usr/bin/mailmuster-agent receive",restrict ssh-ed25519 '))
        (self.tmp / "p.conf").write_text(POLICY)
        self.mm("policy", "import", self.tmp / "p.conf")
        r = self.run_mm("push", "--host", "ws4", "--json")
        self.assertIn('"outcome":"ok"', r.stdout, r.stdout + r.stderr)
        # Whatever else is asked for, it is the agent that answers.
        p = subprocess.run(["ssh", "-F", "none", "-i", self.state / "keys/ssh", "-o", "StrictHostKeyChecking=no", "-o",
                            f"UserKnownHostsFile={self.tmp}/kh", "-o", "BatchMode=yes", "mmpush@ws4", "id"],
                           input="", capture_output=True, text=True, check=False)
        self.assertNotIn("uid=", p.stdout + p.stderr)

    def test_limits_come_from_the_policy(self):
        ws = self.fleet["ws1"]
        args = ["host", "enroll", "ws1", "--identity", self.fleet.dir / "admin_key", "--fingerprint", self.fingerprint(ws)]
        self.assertIn("--allow-domain", self.mm(*args, status=USAGE))
        (self.tmp / "p.conf").write_text(POLICY)
        self.mm("policy", "import", self.tmp / "p.conf")
        self.mm(*args)
        conf = ws.read("/etc/mailmuster/agent.conf")
        self.assertIn('domains = [ "acme.example", "imap.other.example" ]', conf)
        self.assertIn('password_programs = [ "/usr/bin/pass" ]', conf)

    def test_names_are_data(self):
        for name in ("-oProxyCommand=id", "a b", "$(id)", "../x"):
            r = self.run_mm("host", "enroll", "--", name)
            self.assertIn(r.returncode, (FAILED, USAGE), r.stderr)
        self.assertNotEqual(self.run_mm("host", "enroll", "ws1", "--user", "-oProxyCommand=id").returncode, OK)
        self.assertNotEqual(self.run_mm("host", "enroll", "ws1", "--address", "-oX").returncode, OK)

    def test_admin_is_not_let_in(self):
        stranger = self.state / "stranger"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
        ws = self.fleet["ws1"]
        out = self.mm("host", "enroll", "ws1", "--identity", stranger, "--allow-domain", "acme.example", "--fingerprint",
                      self.fingerprint(ws), status=FAILED)
        self.assertIn("Permission denied", out)


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main()
