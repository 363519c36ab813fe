#!/usr/bin/env python3
"""mailmuster-probe --discover, with a real name server (dnsmasq), web server and Dovecot on their usual ports in
a network namespace of their own.

    python3 tests/e2e/probe/test_probe_discover.py --bin FOLDER     (or MM_BIN=FOLDER)
"""

import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dovecot  # noqa: E402
import harness  # noqa: E402
from harness import environment, program  # noqa: E402

INSIDE = "MM_TEST_NAMESPACE"
PORTS = {"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "submission": 587, "submissions": 465}
SILENT, VOUCHING = 5399, 5398

CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="x"><domain>{domain}</domain>
<displayName>X</displayName>
<incomingServer type="{incoming}"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>
<username>%EMAILLOCALPART%</username><authentication>OAuth2</authentication>
<authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>{smtp}</hostname><port>587</port><socketType>{starttls}</socketType>
<username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></outgoingServer>
</emailProvider></clientConfig>
"""


def config(domain, incoming="imap", host="imap.provider.example", port=993, smtp="smtp.provider.example", **more):
    values = {"socket": "SSL", "starttls": "STARTTLS", **more}
    return CONFIG.format(domain=domain, incoming=incoming, host=host, port=port, smtp=smtp, **values).encode()


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE clientConfig [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">
<!ENTITY x SYSTEM "file:///etc/passwd">]><clientConfig><emailProvider id="&x;">
<incomingServer type="imap"><hostname>imap.acme.example</hostname><port>993</port><socketType>SSL</socketType>
</incomingServer></emailProvider></clientConfig>"""

# (host, path) -> status, headers, body
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
PLACE = "/mail/config-v1.1.xml"
FILES = {
    ("autoconfig.auto.example", PLACE): (200, {}, config("auto.example")),
    ("wellknown.example", WELL_KNOWN): (200, {}, config("wellknown.example", "pop3", "pop.%EMAILDOMAIN%", 995)),
    ("autoconfig.clear.example", PLACE): (200, {}, config("clear.example", port=143, socket="plain", starttls="plain")),
    ("autoconfig.laughs.example", PLACE): (200, {}, LAUGHS),
    ("autoconfig.long.example", PLACE): (200, {}, b" " * 70000),
    ("autoconfig.html.example", PLACE): (200, {}, b"<!doctype html><html><body>Welcome"),
    ("autoconfig.moved.example", PLACE): (302, {"Location": f"https://autoconfig.auto.example{PLACE}"}, b""),
    ("autoconfig.downgrade.example", PLACE): (302, {"Location": f"http://autoconfig.auto.example{PLACE}"}, b""),
    ("autoconfig.round.example", PLACE): (302, {"Location": f"https://autoconfig.round.example{PLACE}"}, b""),
}
REQUESTS = []
WORLD = []  # the CA, the name server, the mail server

NAMES = """
address=/imap.acme.example/smtp.acme.example/pop.acme.example/127.0.0.1
address=/mail.plain.example/imap.provider.example/smtp.provider.example/pop.wellknown.example/127.0.0.1
address=/imap.wrongcert.example/127.0.0.1
address=/wellknown.example/127.0.0.1
host-record=backup.acme.example,127.0.0.9
srv-host=_imaps._tcp.acme.example,imap.acme.example,993,0,1
srv-host=_imaps._tcp.acme.example,backup.acme.example,993,10,1
srv-host=_submissions._tcp.acme.example,smtp.acme.example,465,0,1
srv-host=_submission._tcp.acme.example,smtp.acme.example,587,0,1
srv-host=_pop3s._tcp.acme.example
srv-host=_pop3._tcp.acme.example
srv-host=_imaps._tcp.hosted.example,imap.provider.example,993,0,1
srv-host=_submissions._tcp.hosted.example,smtp.provider.example,465,0,1
srv-host=_imaps._tcp.vouched.example,imap.provider.example,993,0,1
srv-host=_submissions._tcp.vouched.example,smtp.provider.example,465,0,1
srv-host=_imaps._tcp.wrongcert.example,imap.wrongcert.example,993,0,1
srv-host=_imaps._tcp.odd.example,imap.acme.example,995,0,1
local=/example/
"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers.get("Host", "").split(":")[0]
        REQUESTS.append(f"{host} {self.requestline} {self.headers}")
        status, headers, body = FILES.get((host, self.path), (404, {}, b"no"))
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *args):
        pass


def web(pki):
    """https on 443, and http on 80, where nobody must come."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(pki.path("web.crt"), pki.path("web.key"))
    for port in (443, 80):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        if port == 443:
            server.socket = ctx.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def dns_name(text):
    return b"".join(bytes([len(x)]) + x.encode() for x in text.split(".")) + b"\0"


def vouching():
    """A resolver that says that what it tells of signed.example was checked (the AD bit); it knows one record."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", VOUCHING))
    record = struct.pack(">HHH", 0, 1, 993) + dns_name("imap.provider.example")

    def serve():
        while True:
            asked, peer = sock.recvfrom(4096)
            end = asked.index(b"\0", 12) + 5
            known = asked[12:end] == dns_name("_imaps._tcp.signed.example") + b"\0\x21\0\1"
            answer = asked[:2] + struct.pack(">HHHHH", 0x81a0, 1, int(known), 0, 0) + asked[12:end]
            if known:
                answer += b"\xc0\x0c" + struct.pack(">HHIH", 33, 1, 60, len(record)) + record
            sock.sendto(answer, peer)
    threading.Thread(target=serve, daemon=True).start()


class Names:
    """dnsmasq and a resolv.conf that names it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="mmns")
        hosts = "".join(f"address=/{h}/127.0.0.1\n" for h, _ in FILES)
        # a server that takes the question and says nothing
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.1", SILENT))
        conf = self.write("dnsmasq.conf", f"server=/dead.example/127.0.0.1#{SILENT}\n"
                          f"server=/signed.example/127.0.0.1#{VOUCHING}\nproxy-dnssec\n" + hosts + NAMES)
        vouching()
        resolv = self.trust(True)
        subprocess.run(["mount", "--bind", resolv, os.path.realpath("/etc/resolv.conf")], check=True)
        self.proc = subprocess.Popen(["dnsmasq", "--keep-in-foreground", "--conf-file=" + conf, "--no-resolv", "--no-hosts",
                                      "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=", "--cache-size=0",
                                      "--user=root", "--group=root"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                if socket.gethostbyname("imap.acme.example") == "127.0.0.1":
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("dnsmasq does not answer")

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(self.dir, 0o755)
        return path

    def trust(self, it):
        """Is the resolver one whose word about DNSSEC counts (resolv.conf(5))?"""
        return self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:1"
                          + (" trust-ad\n" if it else "\n"))

    def stop(self):
        self.proc.terminate()
        self.proc.wait(10)
        self.silent.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Discover(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not WORLD:
            raise unittest.SkipTest("needs root, a network namespace and dnsmasq")

    def run_it(self, what, *options):
        # threads of the resolver that are on their way out still hold what the C library frees with them
        quiet = WORLD[1].write("suppressions", "leak:__res_context_send\n")
        env = {**environment(), "LSAN_OPTIONS": f"suppressions={quiet}:print_suppressions=0"}
        return subprocess.run([program(), "--ca-file", WORLD[0].ca, "--discover", what, *options], env=env,
                              capture_output=True, timeout=120, check=False, text=True)

    def discover(self, what, *options, status=0):
        p = self.run_it(what, "--json", *options)
        self.assertEqual((p.returncode, p.stderr), (status, ""), p)
        return [json.loads(x) for x in p.stdout.splitlines()]

    def chosen(self, found):
        return [(c["protocol"], c["host"], c["port"], c["security"]) for c in found if c["chosen"]]

    def pick(self, found, host, port):
        return [c for c in found if (c["host"], c["port"]) == (host, port)][0]


class Published(Discover):
    def test_srv(self):
        found = self.discover("alice@acme.example")
        self.assertEqual(self.chosen(found), [("imap", "imap.acme.example", 993, "tls"),
                                              ("smtp", "smtp.acme.example", 465, "tls")])
        first = found[0]
        self.assertEqual((first["found"], first["trust"], first["username"], first["auth"]),
                         (["srv", "standard-name"], "own-domain", "%{address}", "password"))
        # the target "." says: no POP3; a standard name is not tried against it
        self.assertEqual([c for c in found if c["protocol"] == "pop3"], [])
        backup = self.pick(found, "backup.acme.example", 993)
        self.assertEqual((backup["result"], backup["class"], backup["priority"]), ("failed", "CONN_REFUSED", 10))

    def test_a_domain_will_do(self):
        self.assertEqual(self.chosen(self.discover("ACME.example")), self.chosen(self.discover("alice@acme.example")))

    def test_out_of_the_domain(self):
        """RFC 6186, 6: who leads elsewhere must be vouched for."""
        found = self.discover("alice@hosted.example")
        self.assertEqual({c["trust"] for c in found if c["chosen"]}, {"unproven"})
        p = self.run_it("alice@hosted.example")
        self.assertIn("Unproven: ", p.stdout)
        self.assertIn("# not in hosted.example", p.stdout)
        # the server's certificate holds the user's domain
        found = self.discover("alice@vouched.example")
        self.assertEqual({c["trust"] for c in found if c["chosen"]}, {"certificate"})
        self.assertNotIn("Unproven", self.run_it("alice@vouched.example").stdout)

    def test_dnssec(self):
        """A resolver vouches for what it checked; but only one that is trusted."""
        for trusted, trust in ((True, "dnssec"), (False, "unproven"), (True, "dnssec")):
            WORLD[1].trust(trusted)
            found = self.discover("alice@signed.example", status=1)
            self.assertEqual(self.pick(found, "imap.provider.example", 993)["trust"], trust)

    def test_certificate_must_match(self):
        found = self.discover("alice@wrongcert.example", status=1)
        self.assertEqual(self.pick(found, "imap.wrongcert.example", 993)["class"], "CERT_NAME_MISMATCH")
        self.assertEqual(self.chosen(found), [])

    def test_wrong_protocol(self):
        found = self.discover("alice@odd.example", status=1)
        self.assertEqual(self.pick(found, "imap.acme.example", 995)["class"], "WRONG_PROTOCOL")

    def test_autoconfig(self):
        found = self.discover("alice@auto.example")
        self.assertEqual(self.chosen(found), [("imap", "imap.provider.example", 993, "tls"),
                                              ("smtp", "smtp.provider.example", 587, "starttls")])
        self.assertEqual({c["trust"] for c in found if c["chosen"]}, {"https"})
        # OAuth2 is published first, but this server has passwords only
        self.assertEqual([(c["username"], c["auth"]) for c in found if c["chosen"]],
                         [("%{address.local}", "password"), ("%{address}", "password")])
        found = self.discover("alice@wellknown.example")
        self.assertEqual(self.chosen(found)[0], ("pop3", "pop.wellknown.example", 995, "tls"))

    def test_redirects(self):
        self.assertEqual(self.chosen(self.discover("alice@moved.example"))[0][1], "imap.provider.example")
        for domain in ("downgrade.example", "round.example"):
            self.assertEqual(self.chosen(self.discover("a@" + domain, status=1)), [])
            self.assertIn(f"https://autoconfig.{domain}/mail/config-v1.1.xml: ", self.run_it(domain).stdout)
        self.assertEqual([r for r in REQUESTS if "http://" in r], [])

    def test_plaintext(self):
        found = self.discover("alice@clear.example", status=1)
        self.assertEqual([c for c in found if c["security"] == "none"], [])
        p = self.run_it("alice@clear.example")
        self.assertIn("2 published without encryption left out", p.stdout)
        self.assertNotIn("endpoints", p.stdout)
        found = self.discover("alice@clear.example", "--allow-cleartext")
        self.assertEqual({c["security"] for c in found if c["chosen"]}, {"none"})

    def test_hostile_files(self):
        for domain, why in (("laughs", "document type"), ("long", "too long"), ("html", "not usable")):
            p = self.run_it(f"alice@{domain}.example")
            self.assertEqual(p.returncode, 1, p)
            self.assertRegex(p.stdout, rf"config-v1.1.xml: .*{why}")
            self.assertNotIn("root:", p.stdout)


class Usual(Discover):
    def test_standard_names(self):
        found = self.discover("alice@plain.example")
        self.assertEqual(self.chosen(found), [("imap", "mail.plain.example", 993, "tls"),
                                              ("smtp", "mail.plain.example", 465, "tls")])
        self.assertEqual({tuple(c["found"]) for c in found}, {("standard-name",)})
        # guesses that lead nowhere are left out for people
        self.assertNotIn("imap.plain.example", self.run_it("plain.example").stdout)
        self.assertIn("imap.plain.example", self.run_it("plain.example", "-v").stdout)

    def test_nothing(self):
        p = self.run_it("alice@nowhere.example")
        self.assertEqual(p.returncode, 1)
        self.assertEqual(p.stdout, "No mail server of nowhere.example was found that answers with encryption.\n")

    def test_dead_names(self):
        began = time.monotonic()
        p = self.run_it("alice@dead.example", "--timeout", "3")
        self.assertEqual(p.returncode, 1)
        self.assertIn("The name service did not answer", p.stdout)
        self.assertLess(time.monotonic() - began, 45)

    def test_usage(self):
        for bad in ("", "alice@", "@acme.example", "alice", "a b@acme example", "https://acme.example", "192.0.2.1"):
            self.assertEqual(self.run_it(bad).returncode, 64, bad)
        self.assertEqual(self.run_it("acme.example", "imaps://h").returncode, 64)


class Text(Discover):
    def test_schema(self):
        """JSON lines are as the published schema says."""
        tests = pathlib.Path(__file__).resolve().parents[2]
        sys.path.insert(0, str(tests))
        try:
            import schemas
        except ImportError:
            self.skipTest("no python3-jsonschema")
        validator = schemas.load(tests.parent / "schemas/json")["probe-candidate"]
        for domain, options, status in (("acme", (), 0), ("hosted", (), 0), ("auto", (), 0), ("wrongcert", (), 1),
                                        ("clear", ("--allow-cleartext",), 0)):
            for line in self.discover(f"alice@{domain}.example", *options, status=status):
                validator.validate(line)

    def test_table_and_policy(self):
        p = self.run_it("alice@acme.example")
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        self.assertRegex(p.stdout, r"(?m)^\* +imap +imap\.acme\.example +993 +tls +answers +own-domain +SRV, usual name$")
        self.assertIn("acme.example says that it does not offer pop3 over tls, pop3 over starttls.", p.stdout)
        fragment = p.stdout[p.stdout.index("endpoints = {"):]
        self.assertNotIn("alice", fragment)
        muster = os.path.join(os.path.dirname(program()), "mailmuster")
        if not os.access(muster, os.X_OK):
            self.skipTest("no mailmuster in --bin")
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "policy.conf")
            with open(path, "w", encoding="utf-8") as f:
                f.write("format = 1;\n" + fragment)
            c = subprocess.run([muster, "--state", d, "policy", "check", path], capture_output=True, text=True, check=False,
                               timeout=60, env=environment())
            self.assertEqual(c.returncode, 0, c)

    def test_nobody_logs_in(self):
        """Nothing that was asked holds the user, and no login was tried."""
        for domain in ("acme", "auto", "clear"):
            self.run_it(f"alice.secret@{domain}.example", "--allow-cleartext")
        self.assertTrue(REQUESTS)
        self.assertNotIn("alice", "".join(REQUESTS))
        self.assertNotIn("Authorization", "".join(REQUESTS))
        log = WORLD[2].log()
        self.assertIn("no auth attempts", log)
        self.assertEqual(re.findall(r"auth failed|Login: user=|method=[A-Z]|user=<[^>]", log), [])


def enter_namespace():
    """The same program again, in namespaces of its own. Returns where that cannot be."""
    argv = ["unshare", "--net", "--mount", "--propagation", "private"]
    # Dovecot wants several users, which a namespace made by one of them does not have
    if os.getuid() != 0 or not shutil.which("dnsmasq"):
        return
    if subprocess.run([*argv, "true"], check=False, capture_output=True).returncode == 0:
        os.execvpe("unshare", [*argv, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


def start_all():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    pki = dovecot.Pki(tempfile.mkdtemp(prefix="mmpki"))
    os.chmod(pki.folder, 0o755)
    pki.leaf("mail", "ca", ",".join("DNS:" + n for n in (
        "imap.acme.example", "smtp.acme.example", "mail.plain.example", "imap.provider.example", "smtp.provider.example",
        "pop.wellknown.example", "vouched.example")))
    pki.leaf("web", "ca", ",".join("DNS:" + h for h, _ in FILES))
    dovecot.free_ports = lambda n: [*(PORTS[s] for s in dovecot.SERVICES), 2525][:n]
    names = Names()
    web(pki)
    return pki, names, dovecot.Dovecot(pki, "mail")


def main(module="__main__"):
    if INSIDE not in os.environ:
        enter_namespace()
    if sys.argv[1:2] == ["--bin"]:
        harness.BIN[0] = sys.argv[2]
        del sys.argv[1:3]
    harness.BIN[0] = os.path.abspath(harness.BIN[0])
    if not os.access(program(), os.X_OK):
        sys.exit("no mailmuster-probe in --bin or MM_BIN")
    if INSIDE in os.environ:
        WORLD.extend(start_all())
    try:
        ok = unittest.main(module, exit=False).result.wasSuccessful()
    finally:
        if WORLD:
            pki, names, server = WORLD
            server.stop()
            names.stop()
            shutil.rmtree(pki.folder, ignore_errors=True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
