"""A small internet in a network namespace of its own: names, routes, servers.

    127.0.0.53   the name server
    127.0.1.N    real servers, one address for each name
    127.0.3.1    scripted servers, a port for each
    127.0.5.N    addresses that a firewall deals with
    fd77::N      the same over IPv6
    10.77.0.1    a network with a neighbour that is switched off
Anything else has no route.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "probe"), os.path.join(HERE, "..", "..", "lib")]

import imapd  # noqa: E402
import pki  # noqa: E402
import postfix  # noqa: E402
import scripted  # noqa: E402
import scripts  # noqa: E402
from names import FAILS, SILENT, Names  # noqa: E402

MARK = "MM_ZOO_NAMESPACE"
CERTIFICATES = ("good", "rsa", "expired", "future", "ninedays", "unknown", "sha1", "rsa1024", "wrongname", "cnonly",
                "selfsigned", "nochain", "chain", "clientonly", "oldroot-leaf")
SCRIPTED = "127.0.3.1"
DROPPED, REJECTED, RESET, HALF, ODD = (f"127.0.5.{i}" for i in range(1, 6))
HERE6, DROPPED6, RESET6 = "fd77::1", "fd77::d", "fd77::e"
NEIGHBOUR = "10.77.0.99"
NFT = f"""
table inet zoo {{
  chain out {{
    type filter hook output priority 0;
    ip daddr {DROPPED} drop
    ip daddr {REJECTED} reject with icmp type admin-prohibited
    ip daddr {RESET} tcp dport 1-65535 reject with tcp reset
    ip daddr {HALF} tcp dport 993 drop
    ip daddr {ODD} reject with icmp type prot-unreachable
    ip6 daddr {DROPPED6} drop
    ip6 daddr {RESET6} tcp dport 1-65535 reject with tcp reset
  }}
}}
"""
PAM = {"pam-expired": "account required pam_debug.so acct=new_authtok_reqd",
       "pam-closed": "account required pam_debug.so acct=acct_expired",
       "pam-good": "account required pam_permit.so"}


def enter():
    """Run the whole program again inside namespaces of its own; what it leaves running ends with it."""
    if os.environ.get(MARK):
        return
    os.environ[MARK] = "1"
    mine = [] if os.geteuid() == 0 else ["--map-current-user", "--keep-caps"]
    apart = ["unshare", *mine, "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation",
             "private", "--"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode != 0:
        skip("no namespaces here: neither root nor user namespaces")
    os.execvp("unshare", [*apart, sys.executable, *sys.argv])


def skip(why):
    """The whole file, counted as one test that was skipped."""
    class Zoo(unittest.TestCase):
        @unittest.skip(why)
        def test_zoo(self):
            pass
    unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Zoo))
    sys.exit(0)


def run(*args, **kw):
    return subprocess.run(args, check=True, capture_output=True, text=True, **kw)


def scratch():
    """A folder in memory, gone with the namespace."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/mnt")
    return "/mnt"


def wait_for(address, port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection((address, port), 1) as s:
                if s.recv(1):
                    return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing answers at {address} port {port}")


class World:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="mmzoo")
        os.chmod(self.dir, 0o755)
        self.servers, self.zone = [], {}
        self.pki = pki.ZooPki(self.sub("pki"))
        self.ca = self.pki.ca
        self.network()
        self.names = Names("127.0.0.53", self.zone)
        self.dovecots()
        self.postfix = self.smtpd() if postfix.usable() else None

    def sub(self, name):
        path = os.path.join(self.dir, name)
        os.makedirs(path, exist_ok=True)
        return path

    # -- network and names
    def network(self):
        run("ip", "link", "set", "lo", "up")
        for six in (HERE6, DROPPED6, RESET6):
            run("ip", "-6", "addr", "add", six + "/128", "dev", "lo", "nodad")
        run("ip", "link", "add", "zoo0", "type", "veth", "peer", "name", "zoo1")
        run("ip", "addr", "add", "10.77.0.1/24", "dev", "zoo0")
        for link in ("zoo0", "zoo1"):
            run("ip", "link", "set", link, "up")
        run("nft", "-f", "-", input=NFT)
        self.over("/etc/resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:2\n")
        self.over("/etc/hosts", "127.0.0.1 localhost\n")
        self.over("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        self.zone.update({
            "mxonly.zoo.test": [], "servfail.zoo.test": FAILS, "silent.zoo.test": SILENT,
            "noroute.zoo.test": ["192.0.2.1"], "noroute6.zoo.test": ["2001:db8::1"], "dropped.zoo.test": [DROPPED],
            "rejected.zoo.test": [REJECTED], "reset.zoo.test": [RESET], "odd.zoo.test": [ODD], "neighbour.zoo.test": [NEIGHBOUR],
            "here.wild.zoo.test": [SCRIPTED]})

    def over(self, path, text):
        """Another file in the place of a system file, for this namespace alone."""
        mine = os.path.join(self.dir, path.strip("/").replace("/", "-"))
        with open(mine, "w", encoding="ascii") as f:
            f.write(text)
        run("mount", "--bind", mine, os.path.realpath(path))

    def pam(self):
        folder = self.sub("pam.d")
        for name, account in PAM.items():
            with open(os.path.join(folder, "mm-" + name), "w", encoding="ascii") as f:
                f.write(f"auth required pam_permit.so\n{account}\n")
        run("mount", "--bind", folder, "/etc/pam.d")

    # -- servers
    def dovecots(self):
        self.pam()
        self.address = {name: f"127.0.1.{i + 1}" for i, name in enumerate(CERTIFICATES)}
        for i, name in enumerate(pki.SHARED):
            self.address[name] = f"127.0.1.{101 + i}"
        self.zone.update({f"{n}.zoo.test": [a] for n, a in self.address.items()})
        # the same server by other names that its certificate holds
        one = self.address["good"]
        self.zone.update({
            "imap.wild.zoo.test": [one], "six.wild.zoo.test": [one, HERE6], "deadsix.wild.zoo.test": [one, DROPPED6],
            "gonesix.wild.zoo.test": [one, "2001:db8::1"], "shutsix.wild.zoo.test": [one, RESET6], "deadfour.wild.zoo.test": [DROPPED, one],
            "half.wild.zoo.test": [HALF]})
        sink = self.serve(scripts.relay)
        names = [n for n in self.address if n not in ("old", "twelve", "adh", "strict")]
        extra = imapd.MAIN.replace("{{", "{").replace("}}", "}")
        for n in ("clear", "lax", "crowd"):
            extra = extra.replace("{%s}" % n, self.address[n])
        for n in CERTIFICATES[1:]:
            extra += f"local {self.address[n]} {{\n  ssl_cert = <{self.pki.path(n)}.crt\n  ssl_key = <{self.pki.path(n)}.key\n"
            extra += "  ssl_cipher_list = ALL:@SECLEVEL=0\n}\n" if n in ("sha1", "rsa1024") else "}\n"
        relay = (SCRIPTED, sink)
        self.dovecot = imapd.Dovecot(self.dir, "main", self.pki, [self.address[n] for n in names] + [HERE6, HALF], relay, extra)
        old = imapd.PLAIN_MECHS + "ssl_min_protocol = TLSv1\n"
        adh = f"local {self.address['adh']} {{\n  ssl_cipher_list = aNULL:@SECLEVEL=0\n}}\n"
        self.others = [
            imapd.Dovecot(self.dir, "old", self.pki, [self.address["old"]], relay, old + "ssl_cipher_list = ALL:@SECLEVEL=0\n",
                          "TLSv1.1"),
            imapd.Dovecot(self.dir, "twelve", self.pki, [self.address["twelve"], self.address["adh"]], relay, old + adh,
                          "TLSv1.2"),
            imapd.Dovecot(self.dir, "strict", self.pki, [self.address["strict"]], relay, imapd.PLAIN_MECHS, patient=False)]
        self.dovecot.deliver("full", 30000)
        for name in ("good", "clear", "old", "twelve", "strict"):
            for port in (143, 110, 587):
                wait_for(self.address[name], port)

    def smtpd(self):
        self.zone["postfix.zoo.test"] = ["127.0.0.1"]
        refuse = "check_recipient_access inline:{ {alice@zoo.test = 450 4.2.0 Greylisted, come back later} }, permit"
        services = {
            "submission": {}, "submissions": {"smtpd_tls_wrappermode": "yes"},
            "mx": {"smtpd_sasl_auth_enable": "no", "smtpd_tls_security_level": "may", "smtpd_sender_restrictions": ""},
            "notls": {"smtpd_tls_security_level": "none"},
            "greylist": {"smtpd_tls_wrappermode": "yes", "smtpd_recipient_restrictions": refuse},
            "norelay": {"smtpd_tls_wrappermode": "yes", "smtpd_recipient_restrictions": "reject_unauth_destination",
                        "smtpd_sender_restrictions": ""},
            "helo": {"smtpd_tls_wrappermode": "yes", "smtpd_delay_reject": "no", "smtpd_helo_restrictions": "reject"},
            "deadauth": {"smtpd_tls_wrappermode": "yes", "smtpd_sasl_path": "/nonexistent/auth"},
            "crowd": {"smtpd_client_connection_count_limit": "1", "smtpd_client_event_limit_exceptions": ""},
            "old": {"smtpd_tls_wrappermode": "yes", "smtpd_tls_mandatory_protocols": "<=TLSv1.1",
                    "smtpd_tls_mandatory_ciphers": "medium"},
            "lax": {"smtpd_tls_wrappermode": "yes", "smtpd_tls_mandatory_protocols": ">=TLSv1"},
        }
        return postfix.Postfix(
            os.path.join(self.dir, "postfix"), self.pki.path("good.crt"), self.pki.path("good.key"), services,
            auth=os.path.join(self.dovecot.dir, "auth"), domains=["zoo.test"], mailboxes=["alice@zoo.test"],
            owners={"alice@zoo.test": "alice", "ghost@zoo.test": "alice", "alice@elsewhere.test": "alice",
                    "bob@zoo.test": "bob"},
            hostname="postfix.zoo.test", main={"tls_medium_cipherlist": "ALL:@SECLEVEL=0", "smtpd_tls_protocols": ">=TLSv1.2",
                                               "smtpd_tls_mandatory_protocols": ">=TLSv1.2"}).start()

    def serve(self, script, cert=None, address=SCRIPTED, **more):
        """A scripted server; its port."""
        return self.server(script, cert, address, **more).port

    def server(self, script, cert=None, address=SCRIPTED, **more):
        s = scripted.Server(script, self.context(cert, **more) if cert else None, address)
        self.servers.append(s)
        return s

    def context(self, cert="good", **more):
        return scripted.context(self.pki.path(cert + ".crt"), self.pki.path(cert + ".key"), **more)

    def stop(self):
        for s in self.servers:
            s.close()
        for d in (self.dovecot, *self.others):
            d.stop()
        if self.postfix:
            self.postfix.stop()
        self.names.close()
        shutil.rmtree(self.dir, ignore_errors=True)
