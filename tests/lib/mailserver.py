"""A real mail server on loopback for tests and the demo.

Dovecot serves IMAP, POP3 and submission with a certificate of its own CA;
behind submission stands a small SMTP sink, since Dovecot's submission service
relays and does not deliver. Everything lies in one folder and is stopped by
process id.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def free_ports(count, address="127.0.0.1"):
    """Ports that were free a moment ago."""
    socks = []
    for _ in range(count):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, 0))
        socks.append(s)
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


def wait_for(what, test, timeout=20.0):
    """Poll until test() is true; the error names what was waited for."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = test()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(f"waited {timeout:.0f} s for {what}")


def answers(address, port):
    try:
        with socket.create_connection((address, port), 0.5):
            return True
    except OSError:
        return False


class Authority:
    """A certificate authority made with openssl."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.cert = self.dir / "ca.crt"
        self.key = self.dir / "ca.key"
        if not self.cert.exists():
            self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-keyout", self.key, "-out", self.cert, "-days", "30", "-subj", "/CN=Test Mail CA",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    @staticmethod
    def _run(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)

    def issue(self, name, hosts, days=20):
        """A server certificate; returns (certificate, key) paths."""
        key, csr, crt, ext = (self.dir / f"{name}.{s}" for s in ("key", "csr", "crt", "ext"))
        sans = ",".join(("IP:" if re.fullmatch(r"[0-9.]+|.*:.*", h) else "DNS:") + h for h in hosts)
        ext.write_text(f"subjectAltName={sans}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                  "-out", csr, "-subj", f"/CN={hosts[0]}")
        self._run("x509", "-req", "-in", csr, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                  "-out", crt, "-days", days, "-extfile", ext)
        return crt, key


class MailServer:
    """Dovecot with IMAP, POP3 and submission."""

    PORTS = ("imap", "imaps", "pop3", "pop3s", "submission", "submissions")
    STANDARD = dict(imap=143, imaps=993, pop3=110, pop3s=995, submission=587, submissions=465)

    def __init__(self, folder, users, address="127.0.0.1", hosts=("localhost",), ports=None, authority=None):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dir.chmod(0o755)
        self.address = address
        self.users = dict(users)
        self.ca = authority or Authority(self.dir / "pki")
        self.cert, self.key = self.ca.issue("server", list(hosts))
        self.log = self.dir / "dovecot.log"
        self.sink_log = self.dir / "sink.log"
        self.ports = dict(ports) if ports else None
        self.master = None
        self.sink = None

    def passwd(self, user, password):
        """Set a password. Dovecot looks at the file at most once a second."""
        self.users[user] = password
        self._write_users()
        time.sleep(1.1)

    def _write_users(self):
        f = self.dir / "users.new"
        f.write_text("".join(f"{u}:{{PLAIN}}{p}\n" for u, p in self.users.items()))
        f.chmod(0o644)
        f.rename(self.dir / "users")

    def _config(self, sink_port):
        p, d = self.ports, self.dir
        home = d / "mail"
        home.mkdir(exist_ok=True)
        shutil.chown(home, 65534, 65534)
        listeners = "\n".join(
            f"service {svc}-login {{\n  inet_listener {a} {{\n    port = {p[a]}\n  }}\n"
            f"  inet_listener {b} {{\n    port = {p[b]}\n    ssl = yes\n  }}\n  process_min_avail = 1\n"
            f"  service_count = 0\n}}"
            for svc, a, b in (("imap", "imap", "imaps"), ("pop3", "pop3", "pop3s"),
                              ("submission", "submission", "submissions")))
        return f"""
protocols = imap pop3 submission
listen = {self.address}
base_dir = {d}/run
state_dir = {d}/state
log_path = {self.log}
ssl = required
ssl_cert = <{self.cert}
ssl_key = <{self.key}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_verbose = yes
auth_failure_delay = 0
login_log_format_elements = user=<%u> method=%m rip=%r lip=%l lport=%a mpid=%e %k session=<%{{session}}>
imap_id_log = *
mail_max_userip_connections = 1000
first_valid_uid = 1
mail_location = maildir:~/Maildir
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {d}/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={home}/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
}}
submission_relay_host = 127.0.0.1
submission_relay_port = {sink_port}
submission_relay_trusted = yes
{listeners}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

    def start(self):
        self._write_users()
        for attempt in range(5):
            if not self.ports or attempt:
                self.ports = dict(zip(self.PORTS, free_ports(6, self.address)))
            sink_port = free_ports(1)[0]
            conf = self.dir / "dovecot.conf"
            conf.write_text(self._config(sink_port))
            self.sink = subprocess.Popen([sys.executable, str(HERE / "smtpsink.py"), str(sink_port),
                                          str(self.sink_log)], stdin=subprocess.DEVNULL)
            self.master = subprocess.Popen(["dovecot", "-F", "-c", str(conf)], stdin=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_for("dovecot to answer", lambda: self.master.poll() is not None or all(
                    answers(self.address, port) for port in self.ports.values()))
            except TimeoutError:
                pass
            if self.master.poll() is None and answers(self.address, self.ports["imap"]):
                wait_for("the SMTP sink", lambda: answers("127.0.0.1", sink_port))
                return self
            self.stop()
        raise RuntimeError("dovecot did not start; see " + str(self.log))

    def stop(self):
        for proc in (self.master, self.sink):
            if proc and proc.poll() is None:
                proc.send_signal(signal.SIGTERM)
                try:
                    proc.wait(6)
                except subprocess.TimeoutExpired:
                    proc.kill()
                    proc.wait()

    def logins(self, user=None, service=None):
        """Successful logins that Dovecot logged: [(service, user, lport)]."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        found = re.findall(r"(imap|pop3|submission)-login: (?:Info: )?Login: user=<([^>]*)>.*? lport=(\d+)", text)
        return [(s, u, int(port)) for s, u, port in found
                if user in (None, u) and service in (None, s)]

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()
