"""The push engine against real sshds and against hosts of every bad kind."""

import json
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from sshd import USER, Sshd, free_port, keygen  # noqa: E402

BIN = pathlib.Path(os.environ.get("MM_BIN", "build/gcc/bin")).resolve()
MODES = ["ok", "motd", "size", "refuse", "early", "abort", "noise", "garbage", "huge", "noend", "badend", "afterend",
         "notfound", "big", "keepalive"]


class Listener:
    """Accepts and does with each connection what `serve` does."""

    def __init__(self, serve, port=0):
        self.sock = socket.create_server(("127.0.0.1", port))
        self.port = self.sock.getsockname()[1]
        self.serve, self.held = serve, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.held.append(conn)
            threading.Thread(target=self.guarded, args=(conn,), daemon=True).start()

    def guarded(self, conn):
        try:
            self.serve(conn)
        except OSError:
            pass

    def close(self):
        self.sock.close()
        for c in self.held:
            c.close()


def proxy_that_spoils(target, spoil):
    """A relay on the way: `spoil(stream_from_host)` may change what the host says."""
    def serve(client):
        server = socket.create_connection(("127.0.0.1", target))
        threading.Thread(target=pump, args=(client, server, lambda b: b), daemon=True).start()
        pump(server, client, spoil())
    return serve


def pump(a, b, change):
    try:
        while data := a.recv(65536):
            b.sendall(change(data))
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def spoil(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def flip_first_encrypted_length():
    """Flips the last bit of the length of the first packet after the host's
    NEWKEYS: it is no multiple of the cipher's block then."""
    state = {"buf": b"", "banner": False, "armed": False, "done": False}

    def change(data):
        if state["done"]:
            return data
        if state["armed"]:
            state["done"] = True
            return spoil(data, 3)
        state["buf"] += data
        buf, at = state["buf"], 0
        if not state["banner"]:
            if b"\n" not in buf:
                return data
            at = buf.index(b"\n") + 1
        # Clear packets: u32 length, padding length, type ...; 21 is NEWKEYS.
        while len(buf) - at >= 6:
            n = int.from_bytes(buf[at:at + 4], "big")
            if len(buf) - at < 4 + n:
                break
            newkeys = buf[at + 5] == 21
            at += 4 + n
            if newkeys:
                rest = len(buf) - at
                state["armed"] = True
                if rest > 0:
                    state["done"] = True
                    return spoil(data, len(data) - rest + 3)
                return data
        state["buf"], state["banner"] = buf[at:], True
        return data
    return change


class PushTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = pathlib.Path(tempfile.mkdtemp(prefix="mm-push-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp, True)
        cls.pub = keygen(cls.tmp / "id")
        cls.pub_locked = keygen(cls.tmp / "locked", "ed25519", "geheim; 'x'")
        cls.pub_ecdsa = keygen(cls.tmp / "ec", "ecdsa")
        cls.stranger = keygen(cls.tmp / "stranger")
        cls.sshd = Sshd(cls.tmp / "s", [cls.pub, cls.pub_locked, cls.pub_ecdsa], MODES, host_keys=("ed25519", "rsa"))
        cls.addClassCleanup(cls.sshd.stop)
        # One sshd listens on 16 ports at most.
        more = Sshd(cls.tmp / "s2", [cls.pub], ["hang", "flood"], same_keys=cls.sshd)
        cls.addClassCleanup(more.stop)
        cls.sshd.ports.update(more.ports)

    def keys(self, text):
        path = pathlib.Path(tempfile.mkstemp(dir=self.tmp)[1])
        path.write_text(text + "\n")
        return path

    def line(self, host, port, keys=None, transport="libssh2", address="127.0.0.1", login=USER, proxy=None):
        keys = self.sshd.keys if keys is None else keys
        return f"{host} {address} {port} {login} {transport} {keys}" + (f" {proxy}" if proxy else "")

    def popen(self, *args, identity="id", env=None, **kw):
        ident = ["--identity", str(self.tmp / identity)] if identity else []
        return subprocess.Popen([str(BIN / "mm-push-drive"), *ident, *map(str, args)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, "SSH_AUTH_SOCK": "", **(env or {})}, **kw)

    def push(self, lines, *args, status=0, **kw):
        p = self.popen(*args, **kw)
        out, err = p.communicate("".join(f"{x}\n" for x in lines), timeout=120)
        self.assertEqual(p.returncode, status, out + err)
        rows = [json.loads(x) for x in out.splitlines()]
        self.summary = rows.pop()
        self.errors = err
        by = {r["host"]: r for r in rows}
        self.assertEqual(len(by), len(rows), "one outcome for each host")
        return by

    def one(self, line, *args, **kw):
        return list(self.push([line], *args, **kw).values())[0]

    # -- answers

    def check_modes(self, transport):
        port = self.sshd.ports
        got = self.push([self.line(m, port[m], transport=transport) for m in MODES])
        want = {"ok": "ok", "motd": "ok", "size": "ok", "big": "ok", "keepalive": "ok", "refuse": "refused-by-agent",
                "early": "refused-by-agent", "abort": "agent-no-end", "noend": "agent-no-end", "notfound": "no-agent",
                "noise": "hostile", "garbage": "hostile", "huge": "hostile", "badend": "hostile", "afterend": "hostile"}
        self.assertEqual({h: r["class"] for h, r in got.items()}, want)
        self.assertEqual({h: r["by_ssh"] for h, r in got.items()}, {h: transport == "ssh" for h in want})
        self.assertEqual((got["refuse"]["code"], got["refuse"]["reason"]), (77, "replay"))
        self.assertIn("older than 7", got["refuse"]["text"])
        self.assertEqual(got["early"]["reason"], "busy")
        self.assertIn("cannot go on", got["abort"]["text"])
        self.assertNotIn("second line", got["abort"]["text"])
        self.assertIn("not found", got["notfound"]["text"])
        self.assertEqual(got["notfound"]["code"], 127)
        self.assertEqual((got["ok"]["frames"], got["big"]["frames"]), (2, 20))
        self.assertIn("4096", got["noise"]["text"])
        self.assertEqual({r["text"] for r in got.values() if r["class"] == "ok"}, {""})
        return got

    def test_answers_over_libssh2(self):
        got = self.check_modes("libssh2")
        self.assertEqual(self.summary["workers_died"], 0)
        for phase in ("ms_connect", "ms_handshake", "ms_auth", "ms_answer"):
            self.assertGreaterEqual(got["ok"][phase], 0, phase)
        self.assertTrue(got["ok"]["fingerprint"].startswith("SHA256:"))

    def test_answers_over_the_systems_ssh(self):
        self.check_modes("ssh")

    def test_large_request(self):
        for transport in ("libssh2", "ssh"):
            r = self.one(self.line("h", self.sshd.ports["size"], transport=transport), "--size", 5_000_000)
            self.assertEqual((r["class"], r["delivered"]), ("ok", True), r)

    def through(self, narrow, size):
        """One host behind a relay that takes little at once; `narrow(bytes)` sees what goes there."""
        def serve(client):
            server = socket.create_connection(("127.0.0.1", self.sshd.ports["size"]))
            threading.Thread(target=pump, args=(server, client, lambda b: b), daemon=True).start()
            try:
                while data := client.recv(16384):
                    server.sendall(narrow(data))
                server.shutdown(socket.SHUT_WR)
            except OSError:
                client.shutdown(socket.SHUT_RDWR)
                server.close()
        relay = Listener(serve)
        self.addCleanup(relay.close)
        relay.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        return self.one(self.line("h", relay.port), "--size", size)

    def test_host_that_reads_slowly(self):
        def slowly(data):
            time.sleep(0.005)
            return data
        r = self.through(slowly, 1_500_000)
        self.assertEqual((r["class"], r["delivered"]), ("ok", True), r)

    def test_connection_that_breaks_under_the_request(self):
        taken = []

        def some(data):
            taken.append(len(data))
            if sum(taken) > 300_000:
                raise OSError("gone")
            return data
        r = self.through(some, 5_000_000)  # more than sshd asks for at once, and than a socket takes
        self.assertEqual((r["class"], r["delivered"]), ("connection-lost", False), r)

    def test_hang_and_flood_cost_only_themselves(self):
        port = self.sshd.ports
        began = time.monotonic()
        got = self.push([self.line("hang", port["hang"]), self.line("flood", port["flood"]), self.line("ok", port["ok"])],
                        "--silence-ms", 12000)
        self.assertEqual({h: r["class"] for h, r in got.items()},
                         {"hang": "answer-timeout", "flood": "hostile", "ok": "ok"}, got)
        self.assertLess(time.monotonic() - began, 60)
        self.assertIn("12 s", got["hang"]["text"])

    def test_overall_limit(self):
        r = self.one(self.line("h", self.sshd.ports["hang"]), "--timeout", 2)
        self.assertEqual(r["class"], "answer-timeout")
        self.assertIn("2 s", r["text"])

    # -- host keys and user keys

    def test_unknown_host_key(self):
        r = self.one(self.line("h", self.sshd.ports["ok"], keys="-"))
        self.assertEqual(r["class"], "host-key-unknown")
        shown = subprocess.run(["ssh-keygen", "-lf", self.tmp / "s/host_ed25519.pub"], capture_output=True, text=True,
                               check=True).stdout.split()[1]
        self.assertEqual(r["fingerprint"], shown)
        self.assertIn(shown, r["text"])
        self.assertFalse(r["delivered"])
        self.assertEqual(self.summary["prepared"], 0, "nothing was signed for it")
        self.assertEqual(self.one(self.line("h", self.sshd.ports["ok"], keys="-", transport="ssh"))["class"],
                         "host-key-unknown")

    def test_changed_host_key(self):
        other = self.keys(self.stranger)
        for transport in ("libssh2", "ssh"):
            r = self.one(self.line("h", self.sshd.ports["ok"], keys=other, transport=transport))
            self.assertEqual(r["class"], "host-key-changed", r)
            for text in (r["text"],):
                self.assertEqual(text.count("SHA256:"), 2, text)
            self.assertEqual(self.summary["prepared"], 0 if transport == "libssh2" else 1)

    def test_host_offers_no_key_of_the_pinned_type(self):
        ec = self.keys(keygen(self.tmp / "other_ec", "ecdsa"))
        r = self.one(self.line("h", self.sshd.ports["ok"], keys=ec))
        self.assertEqual(r["class"], "host-key-changed", r)

    def test_pinned_rsa_key_goes_by_ssh(self):
        r = self.one(self.line("h", self.sshd.ports["ok"], keys=self.keys(self.sshd.pub["rsa"])))
        self.assertEqual((r["class"], r["by_ssh"]), ("ok", True), r)

    def test_key_not_accepted(self):
        for transport in ("libssh2", "ssh"):
            r = self.one(self.line("h", self.sshd.ports["ok"], transport=transport), identity="stranger")
            self.assertEqual(r["class"], "auth-failed", r)

    def test_identity_that_others_can_read_is_refused(self):
        shutil.copy(self.tmp / "id", self.tmp / "open")
        (self.tmp / "open").chmod(0o644)
        self.popen("--identity", self.tmp / "open", identity=None).communicate("")
        p = self.popen(identity="open")
        _, err = p.communicate("")
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("open", err)

    def agent(self, *keys):
        sock = self.tmp / f"agent{len(os.listdir(self.tmp))}"
        p = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
        self.addCleanup(p.wait)
        self.addCleanup(p.terminate)
        while not sock.exists():
            time.sleep(0.02)
        for k in keys:
            subprocess.run(["ssh-add", "-q", self.tmp / k], env={**os.environ, "SSH_AUTH_SOCK": str(sock)}, check=True)
        return {"SSH_AUTH_SOCK": str(sock)}

    def test_keys_of_the_ssh_agent(self):
        env = self.agent("stranger", "ec", "id")
        for transport in ("libssh2", "ssh"):
            r = self.one(self.line("h", self.sshd.ports["ok"], transport=transport), identity=None, env=env)
            self.assertEqual(r["class"], "ok", r)

    def test_agent_without_a_right_key(self):
        r = self.one(self.line("h", self.sshd.ports["ok"]), identity=None, env=self.agent("stranger"))
        self.assertEqual(r["class"], "auth-failed", r)

    def test_neither_key_nor_agent(self):
        p = self.popen(identity=None)
        _, err = p.communicate("")
        self.assertEqual(p.returncode, 1)
        self.assertIn("no SSH key", err)

    def test_other_kinds_of_key_files(self):
        for transport in ("libssh2", "ssh"):
            r = self.one(self.line("h", self.sshd.ports["ok"], transport=transport), identity="ec")
            self.assertEqual(r["class"], "ok", r)

    def on_terminal(self, *answers):
        """The driver with a terminal, on which the answers are typed when it asks."""
        hosts = self.tmp / "hosts.txt"
        hosts.write_text(self.line("h", self.sshd.ports["ok"]) + "\n")
        pid, fd = pty.fork()
        if pid == 0:
            os.environ["SSH_AUTH_SOCK"] = ""
            os.execl("/bin/sh", "sh", "-c", f"{BIN}/mm-push-drive --identity {self.tmp}/locked <{hosts}")
        out, deadline = b"", time.monotonic() + 60
        typed = 0
        while time.monotonic() < deadline:
            if not select.select([fd], [], [], 1)[0]:
                continue
            try:
                data = os.read(fd, 4096)
            except OSError:
                break
            if not data:
                break
            out += data
            if out.count(b"passphrase") > typed and typed < len(answers):
                time.sleep(0.2)
                os.write(fd, answers[typed].encode() + b"\n")
                typed += 1
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode()

    def test_passphrase_is_asked_on_the_terminal(self):
        status, out = self.on_terminal("geheim; 'x'")
        self.assertEqual(status, 0, out)
        self.assertIn('"class":"ok"', out)
        self.assertNotIn("geheim", out)

    def test_wrong_passphrase(self):
        status, out = self.on_terminal("wrong", "")
        self.assertEqual(status, 77, out)
        self.assertNotIn('"class":"ok"', out)

    def test_passphrase_without_a_terminal(self):
        p = self.popen(identity="locked", start_new_session=True)
        _, err = p.communicate("", timeout=60)
        self.assertEqual(p.returncode, 77, err)
        self.assertIn("no terminal", err)

    def test_locked_key_that_the_agent_has_needs_no_passphrase(self):
        env = self.agent()
        ask = self.tmp / "ask"
        ask.write_text("#!/bin/sh\necho \"geheim; 'x'\"\n")
        ask.chmod(0o755)
        subprocess.run(["ssh-add", "-q", self.tmp / "locked"], check=True, stdin=subprocess.DEVNULL,
                       env={**os.environ, **env, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"})
        r = self.one(self.line("h", self.sshd.ports["ok"]), identity="locked", env=env)
        self.assertEqual(r["class"], "ok", r)

    # -- hosts that are not there, or say nothing

    def test_nobody_there(self):
        silent = Listener(lambda c: time.sleep(600))
        http = Listener(lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        closing = Listener(lambda c: c.close())
        half = Listener(lambda c: (c.sendall(b"SSH-2.0-OpenSSH_9\r\n"), time.sleep(600)))
        for x in (silent, http, closing, half):
            self.addCleanup(x.close)
        began = time.monotonic()
        got = self.push([
            self.line("refuses", free_port()), self.line("silent", silent.port), self.line("http", http.port),
            self.line("closing", closing.port), self.line("half", half.port),
            self.line("noname", 22, address="no-such-host.invalid"), self.line("name", self.sshd.ports["ok"], address="localhost"),
            self.line("ok", self.sshd.ports["ok"]),
            self.line("badname", 22, address="-oProxyCommand=x"), self.line("badlogin", 22, login="-l")],
            "--connect-ms", 1500, "--banner-ms", 2000, "--handshake-ms", 2000)
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn(got["http"]["class"], ("not-ssh", "connection-lost"))
        got.pop("http")
        self.assertEqual({h: r["class"] for h, r in got.items()},
                         {"refuses": "connect-refused", "silent": "silent", "closing": "connection-lost",
                          "half": "handshake-timeout", "noname": "dns", "name": "ok", "ok": "ok", "badname": "local",
                          "badlogin": "local"}, got)
        self.assertIn("MaxStartups", got["closing"]["text"])
        self.assertIn("no-such-host.invalid", got["noname"]["text"])

    def test_no_route(self):
        if os.geteuid() != 0 or subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
            self.skipTest("needs a network namespace")
        line = self.line("h", 22, address="192.0.2.1")
        p = subprocess.run(["unshare", "-n", BIN / "mm-push-drive", "--identity", self.tmp / "id"], input=line + "\n",
                           capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(json.loads(p.stdout.splitlines()[0])["class"], "no-route", p.stdout + p.stderr)

    def test_something_else_than_ssh(self):
        smtp = Listener(lambda c: (c.sendall(b"220 mail ESMTP\x1b[31m\r\n"), time.sleep(600)))
        self.addCleanup(smtp.close)
        r = self.one(self.line("h", smtp.port), "--handshake-ms", 2000)
        self.assertIn(r["class"], ("not-ssh", "handshake-timeout"))
        self.assertNotIn("\x1b", r["text"])

    def test_the_dead_do_not_slow_the_living(self):
        silent = Listener(lambda c: time.sleep(600))
        self.addCleanup(silent.close)
        dead = [self.line(f"dead{i}", silent.port) for i in range(40)]
        living = [self.line(f"ok{i}", self.sshd.ports["ok"]) for i in range(8)]
        p = self.popen("--parallel", 20, "--banner-ms", 12000)
        p.stdin.write("".join(f"{x}\n" for x in dead + living))
        p.stdin.close()
        began, alive = time.monotonic(), 0
        for line in p.stdout:
            row = json.loads(line)
            alive += row.get("class") == "ok"
            if alive == len(living):
                break
        took = time.monotonic() - began
        p.terminate()
        p.stdout.read()
        p.stderr.read()
        p.wait()
        self.assertEqual(alive, len(living))
        self.assertLess(took, 11, "the living waited for the dead")

    def test_max_startups(self):
        """An sshd that drops connections while others log in: they are tried again."""
        few = Sshd(self.tmp / "few", [self.pub], ["ok"], options=("MaxStartups 2",))
        self.addCleanup(few.stop)
        # The first MaxStartups line of a configuration counts.
        conf = (few.dir / "sshd_config").read_text().replace("MaxStartups 500:30:1000\n", "")
        few.stop()
        (few.dir / "sshd_config").write_text(conf)
        few.start()
        got = self.push([self.line(f"h{i}", few.ports["ok"], keys=few.keys) for i in range(6)])
        classes = [r["class"] for r in got.values()]
        self.assertEqual(set(classes) - {"ok", "connection-lost"}, set(), got)
        self.assertGreaterEqual(classes.count("ok"), 2)

    # -- hostile

    def test_flipped_packet_length_costs_that_host_only(self):
        evil = Listener(proxy_that_spoils(self.sshd.ports["ok"], flip_first_encrypted_length))
        self.addCleanup(evil.close)
        lines = [self.line("evil", evil.port)] + [self.line(f"ok{i}", self.sshd.ports["keepalive"]) for i in range(4)]
        got = self.push(lines)
        self.assertIn(got["evil"]["class"], ("worker-crash", "hostile", "connection-lost"), got["evil"])
        self.assertEqual({got[f"ok{i}"]["class"] for i in range(4)}, {"ok"}, got)
        # This is what the workers are for: the library's process ended.
        self.assertGreaterEqual(self.summary["workers_died"], 1, got["evil"])
        self.assertEqual(got["evil"]["class"], "worker-crash")
        self.assertIn("aborted", got["evil"]["text"])

    def test_many_hostile_hosts(self):
        evil = Listener(proxy_that_spoils(self.sshd.ports["ok"], flip_first_encrypted_length))
        self.addCleanup(evil.close)
        got = self.push([self.line(f"evil{i}", evil.port) for i in range(5)] +
                        [self.line(f"ok{i}", self.sshd.ports["ok"]) for i in range(3)])
        self.assertEqual({r["class"] for h, r in got.items() if h.startswith("evil")}, {"worker-crash"}, got)
        self.assertEqual({r["class"] for h, r in got.items() if h.startswith("ok")}, {"ok"}, got)

    def test_random_bytes_for_ssh(self):
        def serve(conn):
            conn.sendall(b"SSH-2.0-x\r\n" + os.urandom(200))
            time.sleep(1)
            conn.close()
        noise = Listener(serve)
        self.addCleanup(noise.close)
        r = self.one(self.line("h", noise.port), "--handshake-ms", 3000)
        self.assertNotEqual(r["class"], "ok")

    # -- transport

    def test_hardened_sshd_is_served_by_ssh(self):
        for n, option in enumerate(("Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com",
                                    "MACs hmac-sha2-512-etm@openssh.com", "KexAlgorithms sntrup761x25519-sha512@openssh.com")):
            hard = Sshd(self.tmp / f"hard{n}", [self.pub], ["ok"], options=(option,))
            try:
                r = self.one(self.line("h", hard.ports["ok"], keys=hard.keys))
                self.assertEqual((r["class"], r["by_ssh"]), ("ok", True), f"{option}: {r}")
            finally:
                hard.stop()

    def test_rsa_only_sshd(self):
        rsa = Sshd(self.tmp / "rsa", [self.pub], ["ok"], host_keys=("rsa",))
        self.addCleanup(rsa.stop)
        r = self.one(self.line("h", rsa.ports["ok"], keys=rsa.keys))
        self.assertEqual((r["class"], r["by_ssh"]), ("ok", True), r)
        r = self.one(self.line("h", rsa.ports["ok"], keys="-"))
        self.assertEqual(r["class"], "no-common-method", r)
        self.assertIn("rsa-sha2-512", r["text"])
        self.assertIn("transport ssh", r["text"])

    def test_proxy_command(self):
        relay = self.tmp / "relay.py"
        relay.write_text("import socket,sys,threading,os\n"
                         "s=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
                         "def up():\n"
                         " while d:=os.read(0,65536): s.sendall(d)\n"
                         "threading.Thread(target=up,daemon=True).start()\n"
                         "while d:=s.recv(65536): os.write(1,d)\n")
        # The name resolves nowhere: only the command knows the way.
        proxy = f"{sys.executable} -I {relay} 127.0.0.1 %p"
        r = self.one(self.line("h", self.sshd.ports["ok"], address="behind.invalid", proxy=proxy))
        self.assertEqual((r["class"], r["by_ssh"]), ("ok", True), r)

    # -- local troubles and the end

    def test_host_that_cannot_be_prepared(self):
        port = self.sshd.ports["ok"]
        got = self.push([self.line("unprepared", port), self.line("ok", port)])
        self.assertEqual((got["unprepared"]["class"], got["ok"]["class"]), ("local", "ok"))
        self.assertIn("no policy", got["unprepared"]["text"])

    def begun(self, n=3):
        p = self.popen()
        p.stdin.write("".join(f"{self.line(f'h{i}', self.sshd.ports['hang'])}\n" for i in range(n)))
        p.stdin.write(f"{self.line('ok', self.sshd.ports['ok'])}\n")
        p.stdin.close()
        line = p.stdout.readline()
        self.assertEqual(json.loads(line)["host"], "ok")
        children = pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text().split()
        self.assertTrue(children)
        return p, children

    def gone(self, pids):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if not any(os.path.exists(f"/proc/{x}") and "(mailmuster-push" in pathlib.Path(f"/proc/{x}/stat").read_text()
                       for x in pids):
                return True
            time.sleep(0.05)
        return False

    def test_interrupt(self):
        p, children = self.begun()
        p.send_signal(signal.SIGINT)
        rows = [json.loads(x) for x in p.stdout]
        p.stderr.read()
        self.assertEqual(p.wait(10), 130)
        self.assertEqual([r["class"] for r in rows[:-1]], ["interrupted"] * 3)
        self.assertTrue(self.gone(children))

    def test_workers_end_with_a_driver_that_is_killed(self):
        p, children = self.begun()
        p.kill()
        p.stdout.read()
        p.stderr.read()
        p.wait()
        self.assertTrue(self.gone(children))

    def test_a_worker_that_is_killed_is_replaced(self):
        p, children = self.begun()
        os.kill(int(children[0]), signal.SIGKILL)
        time.sleep(1)
        self.assertIsNone(p.poll())
        p.send_signal(signal.SIGINT)
        rows = [json.loads(x) for x in p.stdout]
        p.stderr.read()
        self.assertEqual(p.wait(10), 130)
        self.assertGreaterEqual(rows[-1]["workers_died"], 1)
        self.assertEqual({r["class"] for r in rows[:-1]}, {"interrupted"})

    def test_few_descriptors(self):
        lines = [self.line(f"h{i}", self.sshd.ports["ok"]) for i in range(6)]
        p = subprocess.run(["bash", "-c", f"ulimit -n 160; exec {BIN}/mm-push-drive --identity {self.tmp}/id"],
                           input="".join(f"{x}\n" for x in lines), capture_output=True, text=True, timeout=60,
                           env={**os.environ, "SSH_AUTH_SOCK": ""}, check=False)
        rows = [json.loads(x) for x in p.stdout.splitlines()]
        self.assertLess(rows[-1]["parallel"], 256)
        self.assertEqual([r["class"] for r in rows[:-1]], ["ok"] * 6, p.stderr)

    def test_nothing_is_left_behind(self):
        with tempfile.TemporaryDirectory() as d:
            r = self.one(self.line("h", self.sshd.ports["ok"], transport="ssh"), env={"XDG_RUNTIME_DIR": d})
            self.assertEqual(r["class"], "ok")
            self.one(self.line("h", self.sshd.ports["ok"]), identity="ec", env={"XDG_RUNTIME_DIR": d})
            self.assertEqual(os.listdir(d), [])


if __name__ == "__main__":
    unittest.main()
