"""mailmuster export: what changed goes to a file, to a real rsyslog (TCP, TLS, UDP) and to a webhook;
changes only, at least once, in order, and whatever workstations say stays data."""

import hashlib
import hmac
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_push_store  # noqa: E402
from sshd import free_port  # noqa: E402

OK, FAILED, DIFF, DATAERR = 0, 1, 2, 65
BIN = test_push_store.BIN
SECRET = "a secret of thirty-two characters"
BOM = "\ufeff"


class Hook(http.server.ThreadingHTTPServer):
    """A webhook's receiver; `answers` are its next statuses, then 200."""

    def __init__(self, answers=()):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.taken, self.tries = list(answers), [], 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tries += 1
        t, mac = (x.split("=", 1)[1] for x in self.headers["Mailmuster-Signature"].split(","))
        want = hmac.new(SECRET.encode(), t.encode() + b"." + body, hashlib.sha256).hexdigest()
        status = self.server.answers.pop(0) if self.server.answers else 200
        if not hmac.compare_digest(mac, want) or abs(time.time() - int(t)) > 60:
            status = 403
        if status == 200:
            self.server.taken.append((self.headers["Mailmuster-Delivery"], json.loads(body)))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *args):
        pass


class Export(unittest.TestCase):
    base_setup = test_push_store.StoreTest.setUp
    run_mm = test_push_store.StoreTest.run_mm
    mm = test_push_store.StoreTest.mm
    import_policy = test_push_store.StoreTest.import_policy
    hosts = test_push_store.StoreTest.hosts

    def setUp(self):
        self.base_setup()
        self.hosts(["passed", "passed"])
        self.out = self.tmp / "events.jsonl"
        (self.tmp / "hook.key").write_text(SECRET + "\n")
        os.chmod(self.tmp / "hook.key", 0o600)

    def conf(self, text):
        (self.tmp / "state/controller.conf").write_text(text)
        os.chmod(self.tmp / "state/controller.conf", 0o600)

    def mode(self, how):
        """How h0's agent answers from now on."""
        port = self.sshd.ports["passed"]
        (self.tmp / "modes" / str(port)).write_text(how)

    def push(self, status=OK):
        # Two reports of a host in one second cannot be told apart by the clock.
        time.sleep(1.1)
        self.mm("push", "--all", "--now", status=status)

    def events(self, *args):
        return [json.loads(x) for x in self.mm("export", "events", *args).splitlines()]

    def changes(self, *args):
        return [(e["host"], e["kind"], e.get("setting", e.get("side")), e["was"], e["state"], e["severity"])
                for e in self.events(*args) if e["kind"] != "act"]

    # ---- what is an event

    def test_changes_only(self):
        self.push()
        start = self.events()[-1]["id"].split(".")[0]
        # What was right, or corrected, from the first moment is nothing to tell.
        self.assertEqual(self.changes(), [])
        acts = [e["action"] for e in self.events()]
        self.assertEqual(acts[0], "init")
        self.assertNotIn("report", acts)
        self.push()
        self.assertEqual(self.changes("--after", start), [], "nothing has changed")
        self.mode("drift")
        self.push(status=DIFF)
        self.assertEqual(sorted(self.changes()), [(h, "login", "incoming", "passed", "failed", "warning") for h in ("h0", "h1")])
        e = [x for x in self.events() if x["kind"] == "login" and x["host"] == "h0"][0]
        self.assertEqual((e["class"], e["server"], e["port"], e["audit"], e["evidence"]),
                         ("AUTH_REJECTED", "mail.acme.example", 993, "fail", "attested"))
        self.assertIn("u0 on h0, account work, incoming login: ", e["text"])
        self.mode("passed")
        self.push()
        self.assertEqual(sorted(self.changes()[2:]),
                         [(h, "login", "incoming", "failed AUTH_REJECTED", "passed", "info") for h in ("h0", "h1")])
        ids = [e["id"] for e in self.events()]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(ids, [e["id"] for e in self.events()], "the same whenever it is told")
        middle = ids[len(ids) // 2].split(".")[0]
        self.assertEqual([e["id"] for e in self.events("--after", middle)],
                         [i for i in ids if int(i.split(".")[0]) > int(middle)])
        self.assertEqual(self.events("--since", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86400))), [])
        self.mm("export", "events", "--format", "xml", status=64)
        self.mm("export", "events", "--since", "yesterday", status=64)

    def test_the_schema(self):
        import jsonschema
        schema = json.loads((pathlib.Path(__file__).resolve().parents[3] / "schemas/json/event.schema.json").read_text())
        self.push()
        self.mode("evil")
        self.push(status=DIFF)
        seen = {e["kind"] for e in self.events() if jsonschema.Draft202012Validator(schema).validate(e) is None}
        self.assertEqual(seen, {"act", "finding", "login"})

    # ---- the file

    def test_file(self):
        self.conf(f'export = {{ file = "{self.out}"; }};\n')
        self.mm("export", "send")
        self.assertFalse(self.out.exists(), "it begins with what comes after")
        self.push()
        self.mode("evil")
        self.push(status=DIFF)
        self.mm("export", "send")
        lines = self.out.read_bytes().split(b"\n")
        self.assertEqual(lines.pop(), b"")
        told = [json.loads(x) for x in lines]
        self.assertEqual(told, self.events()[-len(told):])
        self.assertEqual({e["kind"] for e in told}, {"act", "finding", "login"})
        size = self.out.stat().st_size
        self.mm("export", "send")
        self.assertEqual(self.out.stat().st_size, size, "nothing twice")
        self.assertIn("0 behind", self.mm("export", "status"))
        # A link is not followed, and the record waits.
        shutil.move(self.out, self.tmp / "real")
        os.symlink(self.tmp / "real", self.out)
        self.mm("user", "add", "zoe", "--name", "Zoe", "--address", "zoe@acme.example")
        self.mm("export", "send", status=FAILED)
        row, = json.loads(self.mm("export", "status", "--json", status=DIFF))
        self.assertEqual((row["target"], row["tries"], row["behind"]), ("file", 1, 1))
        self.assertEqual((self.tmp / "real").stat().st_size, size)
        os.unlink(self.out)
        self.mm("export", "send", "--due")
        self.assertFalse(self.out.exists(), "it waits after trouble")
        self.mm("export", "send")
        self.assertEqual([json.loads(x)["action"] for x in self.out.read_text().splitlines()], ["user.add"])

    def test_bad_configuration(self):
        for text, words in (('export = { file = "relative"; };', ":1: file must be an absolute path"),
                            ('export = { syslog = "siem:514"; };', ":1: syslog must be tls://HOST:PORT"),
                            ('export = { syslog = "udp://siem:99999"; };', ":1: syslog must be"),
                            ('export = { webhook = { url = "http://far.example/"; secret_file = "/k"; }; };', ":1: url must be an https"),
                            ('export = { webhook = { url = "https://far.example/"; }; };', ":1: webhook needs url and secret_file"),
                            ('export = { sylog = 1; };', ":1: sylog is not known; did you mean syslog?")):
            self.conf(text + "\n")
            r = self.run_mm("export", "send")
            self.assertEqual((r.returncode, len(r.stderr.splitlines())), (DATAERR, 1), r.stderr)
            self.assertIn(words, r.stderr)

    # ---- the webhook

    def test_webhook(self):
        hook = Hook(answers=[500, 302])
        self.addCleanup(hook.server_close)
        self.addCleanup(hook.shutdown)
        self.conf(f'export = {{ webhook = {{ url = "http://127.0.0.1:{hook.server_port}/services/T0P-SECRET?token=x";\n'
                  f'  secret_file = "{self.tmp}/hook.key"; }}; }};\n')
        self.mm("export", "send")
        self.push()
        for n, words in ((1, "status 500"), (2, "status 302")):
            r = self.run_mm("export", "send")
            self.assertEqual(r.returncode, FAILED)
            self.assertIn(words, r.stderr)
            row, = json.loads(self.mm("export", "status", "--json", status=DIFF))
            self.assertEqual(row["tries"], n)
            self.assertNotIn("T0P-SECRET", r.stderr + json.dumps(row))
        self.mm("export", "send")
        (delivery, body), = hook.taken
        self.assertEqual([e["id"] for e in body["events"]], [e["id"] for e in self.events()][-len(body["events"]):])
        self.assertIn(body["events"][0]["id"], delivery)
        self.mm("export", "send")
        self.assertEqual((len(hook.taken), hook.tries), (1, 3))
        os.chmod(self.tmp / "hook.key", 0o644)
        self.mm("user", "add", "zoe", "--name", "Zoe", "--address", "zoe@acme.example")
        self.assertIn("hook.key", self.run_mm("export", "send").stderr)
        self.assertEqual(hook.tries, 3, "nothing goes out unsigned")

    def test_killed(self):
        """However often it is killed: no event is lost, none comes before its turn, and each delivery is whole."""
        hook = Hook()
        self.addCleanup(hook.server_close)
        self.addCleanup(hook.shutdown)
        self.conf(f'export = {{ file = "{self.out}"; webhook = {{ url = "http://127.0.0.1:{hook.server_port}/";\n'
                  f'  secret_file = "{self.tmp}/hook.key"; }}; }};\n')
        self.mm("export", "send")  # it begins with what comes after
        start = len(self.events())
        (self.tmp / "many.csv").write_text("login,name,address\n" + "".join(f"u{i},U {i},u{i}@acme.example\n" for i in range(1500, 4500)))
        self.mm("user", "import", self.tmp / "many.csv")
        want = [e["id"] for e in self.events()][start:]
        killed = 0
        for delay in (0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.09, 0.12, 0.16, 0.2):
            p = subprocess.Popen([BIN / "mailmuster", "export", "send"], start_new_session=True, stderr=subprocess.DEVNULL,
                                 env=dict(os.environ, MAILMUSTER_STATE=str(self.tmp / "state")))
            time.sleep(delay)
            os.killpg(p.pid, signal.SIGKILL)
            killed += p.wait(60) == -signal.SIGKILL
        self.assertGreater(killed, 0)
        self.mm("export", "send")
        self.assertIn("0 behind", self.mm("export", "status"))
        lines = [json.loads(x)["id"] for x in self.out.read_text().splitlines()]
        for name, got in (("file", lines), ("webhook", [e["id"] for _, body in hook.taken for e in body["events"]])):
            self.assertEqual(list(dict.fromkeys(got)), want, name)  # each, and in order when it came first
            self.assertLessEqual(len(got), (killed + 1) * len(want), name)  # again comes what was under way

    def test_serve_carries_it(self):
        hook = Hook()
        self.addCleanup(hook.server_close)
        self.addCleanup(hook.shutdown)
        self.conf(f'export = {{ webhook = {{ url = "http://127.0.0.1:{hook.server_port}/"; secret_file = "{self.tmp}/hook.key"; }}; }};\n')
        self.mm("serve", "--once")
        self.mm("user", "add", "zoe", "--name", "Zoe", "--address", "zoe@acme.example")
        self.mm("serve", "--once")
        self.assertEqual([e["action"] for _, b in hook.taken for e in b["events"]], ["user.add"])

    # ---- syslog, taken by rsyslog

    def rsyslog(self, how, port):
        d = self.tmp / "rsyslog"
        d.mkdir()
        pem = self.tmp / "ca.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", d / "key.pem", "-out", pem], check=True, capture_output=True)
        tls = (f'global(DefaultNetstreamDriverCAFile="{pem}" DefaultNetstreamDriverCertFile="{pem}" '
               f'DefaultNetstreamDriverKeyFile="{d}/key.pem")\n') if how == "tls" else ""
        load = {"udp": f'module(load="imudp")\ninput(type="imudp" address="127.0.0.1" port="{port}")\n',
                "tcp": f'module(load="imtcp")\ninput(type="imtcp" address="127.0.0.1" port="{port}")\n',
                "tls": 'module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")\n'
                       f'input(type="imtcp" address="127.0.0.1" port="{port}")\n',
                "local": 'module(load="imuxsock" SysSock.Use="off")\n'
                         f'input(type="imuxsock" Socket="{self.tmp}/dev/log" CreatePath="on")\n'}[how]
        (d / "conf").write_text(
            f'global(workDirectory="{d}" maxMessageSize="64k")\n{tls}{load}'
            'template(name="j" type="list" option.jsonf="on") {\n' + "".join(
                f' property(outname="{n}" name="{p}" format="jsonf")\n' for n, p in (
                    ("pri", "pri"), ("app", "app-name"), ("msgid", "msgid"), ("sd", "structured-data"), ("msg", "msg"),
                    ("version", "protocol-version"), ("time", "timereported"))) + '}\n'
            f'action(type="omfile" file="{d}/out" template="j")\n')
        with open(d / "log", "wb") as log:
            p = subprocess.Popen(["/usr/sbin/rsyslogd", "-n", "-f", d / "conf", "-i", d / "pid"], stdout=log, stderr=log)
        self.addCleanup(p.wait)
        self.addCleanup(p.terminate)
        self.await_it(lambda: (d / "pid").exists() and self.listens(how, port), lambda: (d / "log").read_text())
        return d / "out"

    def listens(self, how, port):
        if how == "local":
            return (self.tmp / "dev/log").exists()
        table = pathlib.Path("/proc/net/udp" if how == "udp" else "/proc/net/tcp").read_text()
        return f"0100007F:{port:04X}" in table

    def await_it(self, what, words):
        end = time.monotonic() + 30
        while not what():
            self.assertLess(time.monotonic(), end, words())
            time.sleep(0.1)

    def syslog(self, how):
        port = free_port()
        out = self.rsyslog(how, port)
        self.conf(f'export = {{ syslog = "{how}://{"localhost" if how == "tls" else "127.0.0.1"}:{port}"; '
                  f'syslog_ca_file = "{self.tmp}/ca.pem"; }};\n')
        self.mm("export", "send")
        last = self.events()[-1]["id"].split(".")[0]
        self.mode("evil")
        self.push(status=DIFF)
        self.mm("export", "send")
        want = self.events("--after", last)
        self.await_it(lambda: out.exists() and len(out.read_text().splitlines()) >= len(want),
                      lambda: out.read_text() if out.exists() else "nothing came")
        return want, [json.loads(x) for x in out.read_text().splitlines()]

    def check(self, want, got):
        self.assertEqual(len(got), len(want), "as many messages as events")
        level = {"warning": 4, "notice": 5, "info": 6}
        for e, m in zip(want, sorted(got, key=lambda m: [w["id"] for w in want].index(m["sd"].split('id="')[1].split('"')[0]))):
            self.assertEqual((m["pri"], m["app"], m["msgid"], m["version"]),
                             (str(13 * 8 + level[e["severity"]]), "mailmuster", e["kind"], "1"))
            self.assertTrue(m["sd"].startswith("[mailmuster@32473 ") and m["sd"].endswith("]"), m["sd"])
            self.assertEqual(m["msg"].lstrip(BOM).strip(), e["text"].strip())

    def test_tcp(self):
        self.check(*self.syslog("tcp"))

    def test_udp(self):
        self.check(*self.syslog("udp"))

    def test_tls(self):
        self.check(*self.syslog("tls"))
        # Another authority than the collector's: nothing is told to it.
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=other", "-keyout", "/dev/null", "-out", self.tmp / "other.pem"], check=True, capture_output=True)
        conf = self.tmp / "state/controller.conf"
        conf.write_text(conf.read_text().replace("/ca.pem", "/other.pem"))
        self.mm("user", "add", "zoe", "--name", "Zoe", "--address", "zoe@acme.example")
        r = self.run_mm("export", "send")
        self.assertEqual(r.returncode, FAILED)
        self.assertIn("certificate", r.stderr)

    @unittest.skipIf(os.geteuid() != 0, "a /dev of its own needs root")
    def test_the_systems_log_is_a_witness(self):
        dev = self.tmp / "dev"
        dev.mkdir()
        out = self.rsyslog("local", 0)
        self.conf("witness = { syslog = true; };\n")
        self.mm("backup", self.tmp / "old.db")
        subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-ec",
                        'for n in null zero urandom random; do : >"$0/$n"; mount --bind "/dev/$n" "$0/$n"; done\n'
                        'mount --rbind "$0" /dev; exec "$@"', dev, BIN / "mailmuster",
                        "user", "add", "zoe", "--name", "Zoe", "--address", "zoe@acme.example"],
                       env=self.env, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        self.await_it(lambda: out.exists() and out.read_text(), lambda: "nothing came")
        m = json.loads(out.read_text().splitlines()[0])
        self.assertEqual((m["pri"], m["app"]), (str(13 * 8 + 5), "mailmuster"))
        point = json.loads(m["msg"])
        entry = json.loads(self.mm("audit", "log", "--json", "--after", str(point["seq"] - 1)))[0]
        self.assertEqual((point["type"], point["sha256"], entry["action"]),
                         ("mailmuster-checkpoint-1", entry["sha256"], "user.add"))
        # The log's file, as it is, is a witness; of a store that was put back, too.
        log = self.tmp / "audit.log"
        log.write_text(f"Nov 23 18:00:01 console sshd[7]: Accepted publickey\nNov 23 18:00:02 console mailmuster[8]: {m['msg']}\n")
        self.assertIn(f"{log}:2", self.mm("audit", "verify", "--witness", log))
        log.write_text(log.read_text().replace("{", "{x"))
        self.assertIn(f"{log}:2", self.mm("audit", "verify", "--witness", log, status=DIFF))
        log.write_text(log.read_text().replace("{x", "{"))
        for f in (self.tmp / "state").glob("store.db*"):
            f.unlink()
        shutil.copy(self.tmp / "old.db", self.tmp / "state/store.db")
        said = self.mm("audit", "verify", "--witness", log, status=DIFF)
        self.assertRegex(said, rf"^entr.* {point['seq']}: removed: the log ends at entry .*, but went on to {point['seq']} at")
        log.write_text("Nov 23 18:00:01 console sshd[7]: Accepted publickey\n")
        self.assertIn("no checkpoint stands in it", self.mm("audit", "verify", "--witness", log, status=DIFF))

    def test_nobody_listens(self):
        self.conf(f'export = {{ syslog = "tcp://127.0.0.1:{free_port()}"; }};\n')
        self.mm("export", "send")
        self.mm("user", "add", "zoe", "--name", "Zoe", "--address", "zoe@acme.example")
        r = self.run_mm("export", "send")
        self.assertEqual((r.returncode, len(r.stderr.splitlines())), (FAILED, 1), r.stderr)
        self.assertEqual(self.run_mm("export", "send").stderr, "", "the same trouble is said once")


if __name__ == "__main__":
    unittest.main()
