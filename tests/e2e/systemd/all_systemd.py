"""The packages on a machine that systemd has booted: units, hardening, serve, the user's session, the check-in."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lib"), str(HERE)]
import fleet as fleets  # noqa: E402
import machine  # noqa: E402

SOURCE = HERE.parents[2]
EXPOSURE = {"mailmuster.service": 6.0, "mailmuster-checkin.service": 8.5}
POLICY = """format = 1;
organisation = { name = "Acme"; domain = "acme.example"; };
endpoints = {
  imap = { protocol = "imap"; host = "imap.acme.example"; port = 993; security = "tls"; auth = "password"; username = "%{address}"; };
  smtp = { protocol = "smtp"; host = "PORT.acme.example"; port = 465; security = "tls"; auth = "password"; username = "%{address}"; };
};
accounts = { work = { address = "%{address}"; real_name = "%{name}"; replaces = [ "old.acme.example" ]; incoming = "imap"; outgoing = "smtp"; }; };
groups = { staff = { priority = 10; accounts = [ "work" ]; clients = { msmtp = "enforce"; }; create = "existing"; }; };
rules = { tls_min = "1.2"; check = "reach"; };
"""
MSMTPRC = "account work\nhost old.acme.example\nport 465\nfrom alice@acme.example\ntls on\ntls_starttls off\nauth on\n" \
          "user alice@acme.example\naccount default : work\n"


def packages():
    """The two .deb files; built when they are not there."""
    folder = SOURCE / "build/packages"
    if not list(folder.glob("*.deb")):
        subprocess.run([SOURCE / "packaging/build-packages"], check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("*.deb"))


@unittest.skipIf(machine.missing(), machine.missing())
class Systemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mm-systemd-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp, True)
        cls.m = m = machine.Machine(cls.tmp / "m")
        cls.addClassCleanup(m.stop)
        for deb in packages():
            shutil.copy(deb, m.root / "root")
        m.must("sh", "-c", "dpkg --force-depends -i /root/*.deb")
        m.must("useradd", "-m", "-s", "/bin/bash", "alice")
        m.must("useradd", "-r", "-m", "-d", "/var/lib/caller", "-s", "/bin/sh", "-p", "*", "caller")
        (m.root / "etc/hosts").write_text("127.0.0.1 localhost ws1\n")
        for old in (m.root / "etc/ssh").glob("ssh_host_*"):
            old.unlink()
        m.must("ssh-keygen", "-A")
        (m.root / "etc/ssh/sshd_config").write_text("ListenAddress 127.0.0.1:22\nPermitRootLogin prohibit-password\nUsePAM no\n"
                                                    "HostKey /etc/ssh/ssh_host_ed25519_key\n")
        m.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/admin")
        m.must("sh", "-c", "mkdir -p -m 700 /root/.ssh; cp /root/admin.pub /root/.ssh/authorized_keys")
        m.start()
        m.must("systemctl", "start", "ssh.service")
        cls.enroll()

    @classmethod
    def enroll(cls):
        m = cls.m
        cls.mm("init")
        cls.policy("smtp1")
        m.write("/root/people.csv", "login,name,address,groups\nalice,Alice A,alice@acme.example,staff\n")
        cls.mm("user", "import", "/root/people.csv")
        cls.mm("host", "add", "ws1", "--address", "127.0.0.1", "--user", "alice")
        m.write("/home/alice/.msmtprc", MSMTPRC, 0o600)
        m.must("chown", "alice:alice", "/home/alice/.msmtprc")
        out = m.must("ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub").stdout
        m.must("mkdir", "-p", "-m", "700", "/root/checkin")
        cls.mm("host", "enroll", "ws1", "--identity", "/root/admin", "--fingerprint", out.split()[1], "--allow-domain", "acme.example",
               "--checkin", "root@127.0.0.1", "--checkin-authorized-keys", "/root/.ssh/authorized_keys")
        cls.mm("push", "--host", "ws1", "--now", status=(0, 2))

    @classmethod
    def mm(cls, *args, status=(0,)):
        r = cls.m.run("mailmuster", *args)
        if r.returncode not in status:
            raise AssertionError(f"mailmuster {args}: status {r.returncode}\n{r.stdout}{r.stderr}")
        return r.stdout

    @classmethod
    def policy(cls, host):
        cls.m.write("/root/acme.conf", POLICY.replace("PORT", host))
        cls.mm("policy", "import", "/root/acme.conf")

    def drop_in(self, unit, text):
        self.m.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.m.must("systemctl", "daemon-reload")

    def test_units_are_right(self):
        system = [f"/usr/lib/systemd/system/mailmuster{n}" for n in (".service", "-checkin.service", "-checkin.timer")]
        user = [f"/usr/lib/systemd/user/mailmuster-login.{n}" for n in ("service", "path")]
        for args, env in ((system, []), (["--user", *user], ["env", "XDG_RUNTIME_DIR=/run"])):
            r = self.m.must(*env, "systemd-analyze", "verify", *args)
            self.assertEqual(r.stdout + r.stderr, "")

    def test_exposure(self):
        for unit, limit in EXPOSURE.items():
            out = self.m.must("systemd-analyze", "security", "--no-pager", unit).stdout
            level = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", out)[1])
            self.assertLessEqual(level, limit, out)

    def test_the_service(self):
        """It says when it is ready, writes its state, reaches hosts over SSH, comes back when it was killed, and stops."""
        self.drop_in("mailmuster.service", "[Service]\nRestartSec=100ms\n")
        self.m.must("systemctl", "start", "mailmuster.service")  # returns when it is ready: Type=notify
        got = self.m.show("mailmuster.service", "ActiveState", "Type", "MainPID", "NRestarts")
        self.assertEqual((got["ActiveState"], got["Type"]), ("active", "notify"))
        self.policy("smtp2")
        self.mm("push", "--all", "--waves", "100%", "--bake", "1s", "--min-tested", "0", "--detach")
        self.m.wait("the rollout's end", lambda: json.loads(self.mm("rollout", "list", "--json"))[0]["state"] == "done", 60)
        self.assertIn("smtp2.acme.example", self.m.read("/home/alice/.msmtprc"))
        self.m.must("systemctl", "kill", "-s", "KILL", "mailmuster.service")
        self.m.wait("the service", lambda: self.m.show("mailmuster.service", "ActiveState", "NRestarts") ==
                    {"ActiveState": "active", "NRestarts": "1"})
        began = time.monotonic()
        self.m.must("systemctl", "stop", "mailmuster.service")
        self.assertLess(time.monotonic() - began, 20)
        got = self.m.show("mailmuster.service", "ActiveState", "Result", "ExecMainStatus")
        self.assertEqual(got, {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"})
        self.assertIn("every hash is right", self.mm("audit", "verify"))

    def test_the_session(self):
        """A login puts right what the user's file has lost; the agent is gone afterwards."""
        self.m.must("loginctl", "enable-linger", "alice")
        self.m.wait("alice's session", lambda: self.m.run("systemctl", "--user", "is-active", "default.target",
                                                          user="alice").stdout.strip() == "active")
        self.m.wait("the login unit", lambda: self.m.show("mailmuster-login.service", "ExecMainExitTimestampMonotonic",
                                                          user="alice")["ExecMainExitTimestampMonotonic"] != "0")
        right = self.m.read("/home/alice/.msmtprc")
        self.assertRegex(right, r"smtp[0-9]\.acme\.example")
        self.m.write("/home/alice/.msmtprc", right.replace("port 465", "port 2525"), 0o600)
        self.m.must("systemctl", "--user", "restart", "mailmuster-login.service", user="alice")
        self.m.wait("the port", lambda: self.m.read("/home/alice/.msmtprc") == right)
        self.m.wait("the agent's end", lambda: self.m.show("mailmuster-login.service", "ActiveState",
                                                           user="alice")["ActiveState"] == "inactive")
        self.assertEqual(self.m.show("mailmuster-login.service", "Result", user="alice"), {"Result": "success"})
        self.assertEqual(self.m.show("mailmuster-login.path", "ActiveState", user="alice"), {"ActiveState": "active"})

    def test_the_check_in(self):
        """Enrolment has switched the timer on; when it fires, the host calls."""
        self.assertEqual(self.m.must("systemctl", "is-enabled", "mailmuster-checkin.timer").stdout.strip(), "enabled")
        calls = len(self.calls())
        self.drop_in("mailmuster-checkin.timer", "[Timer]\nOnCalendar=\nOnCalendar=*-*-* *:*:0/2\nRandomizedDelaySec=0\n"
                                                 "AccuracySec=100ms\n")
        self.m.must("systemctl", "restart", "mailmuster-checkin.timer")
        self.m.wait("a call", lambda: len(self.calls()) > calls)
        self.m.must("systemctl", "stop", "mailmuster-checkin.timer")
        self.m.wait("the end of the last", lambda: self.m.show("mailmuster-checkin.service", "ActiveState")["ActiveState"] == "inactive")
        self.assertEqual(self.m.show("mailmuster-checkin.service", "Result"), {"Result": "success"})

    def calls(self):
        return [e for e in json.loads(self.mm("audit", "log", "--json")) if e["action"] == "checkin"]


if __name__ == "__main__":
    fleets.enter_namespaces()
    unittest.main()
