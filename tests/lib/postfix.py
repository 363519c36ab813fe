"""A real Postfix on loopback, beside whatever Postfix the machine has.

It has its own configuration, queue and ports in one folder, runs in the
foreground under a process that the caller owns, and is ended by its id. The
system's instance is neither used nor touched. master(8) is reserved for root,
so `usable()` says whether there is any sense in trying.

Logins are checked by Dovecot's auth socket; delivery goes to an LMTP socket,
or to none. Each service is an smtpd with options of its own:

    Postfix(folder, cert, key, services={
        "submission": {},                                     # STARTTLS, login required
        "submissions": {"smtpd_tls_wrappermode": "yes"},
        "greylisted": {"smtpd_recipient_restrictions": "check_recipient_access inline:{alice@a.example=450 ...}"},
    }, auth="/path/to/auth", lmtp="unix:/path/to/lmtp", domains=["a.example"],
       mailboxes=["alice@a.example"], owners={"alice@a.example": "alice"})
"""

import os
import pathlib
import pwd
import grp
import shutil
import signal
import socket
import subprocess
import time

DAEMONS = "/usr/lib/postfix/sbin"

# a login is needed, and a sender must belong to it
SUBMISSION = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_tls_security_level": "encrypt",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_recipient_restrictions": "reject_unlisted_recipient, permit_sasl_authenticated, reject",
    "smtpd_sender_restrictions": "reject_sender_login_mismatch",
}

MAIN = """compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {hostname}
mydestination =
mynetworks =
local_recipient_maps =
alias_maps =
local_transport = error:no local mail
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = texthash:{dir}/mailboxes
virtual_transport = {transport}
smtpd_sender_login_maps = texthash:{dir}/owners
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_sasl_security_options = noanonymous
smtpd_sasl_tls_security_options = noanonymous
smtpd_tls_chain_files = {key}, {cert}
smtpd_tls_auth_only = yes
smtpd_delay_reject = yes
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
address_verify_map =
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
bounce_queue_lifetime = 1h
notify_classes =
{more}
"""

MASTER = """pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def usable():
    """Installed, and are we allowed to run it?"""
    return os.getuid() == 0 and os.access(f"{DAEMONS}/master", os.X_OK)


def free_ports(count):
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


class Postfix:
    """start() and stop(), or a `with` statement; ports[name] is that of a service."""

    def __init__(self, folder, cert, key, services=None, auth="/nonexistent", lmtp=None, domains=(), mailboxes=(),
                 owners=None, hostname="mail.acme.example", main=None):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dir.chmod(0o755)
        self.services = services if services is not None else {"submission": {}}
        self.settings = {"dir": self.dir, "daemons": DAEMONS, "cert": cert, "key": key, "auth": auth,
                         "transport": "lmtp:" + lmtp if lmtp else "discard:", "domains": ", ".join(domains),
                         "hostname": hostname,
                         "more": "".join(f"{k} = {v}\n" for k, v in (main or {}).items())}
        self.mailboxes = list(mailboxes)
        self.owners = dict(owners or {})
        self.ports = {}
        self.master = None

    def _write(self):
        for name in ("data", "queue"):
            (self.dir / name).mkdir(exist_ok=True)
        os.chown(self.dir / "data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
        (self.dir / "mailboxes").write_text("".join(f"{m} x\n" for m in self.mailboxes))
        (self.dir / "owners").write_text("".join(f"{a} {l}\n" for a, l in self.owners.items()))
        (self.dir / "main.cf").write_text(MAIN.format(**self.settings))
        self.ports = dict(zip(self.services, free_ports(len(self.services))))
        lines = [MASTER]
        for name, more in self.services.items():
            options = {**SUBMISSION, "syslog_name": "postfix/" + name, **more}
            lines.append(f"127.0.0.1:{self.ports[name]} inet n - n - - smtpd\n")
            lines += [f"  -o {{ {k} = {v} }}\n" for k, v in options.items()]
        (self.dir / "master.cf").write_text("".join(lines))

    def start(self):
        for _ in range(3):
            self._write()
            subprocess.run(["/usr/sbin/postfix", "-c", str(self.dir), "check"], check=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            self.master = subprocess.Popen([DAEMONS + "/master", "-s", "-c", str(self.dir)], cwd=self.dir / "queue",
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL, start_new_session=True,
                                           env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                                                "MAIL_CONFIG": str(self.dir)})
            if self._answers():
                return self
            self.stop()
        raise RuntimeError("postfix does not start: " + self.log())

    def _answers(self, seconds=20):
        end = time.monotonic() + seconds
        for port in self.ports.values():
            while True:
                try:
                    # every smtpd listens at once; a connection is enough to know
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > end or self.master.poll() is not None:
                        return False
                    time.sleep(0.02)
        return True

    def stop(self):
        if self.master is None or self.master.poll() is not None:
            return
        # the group is master and its daemons, nobody else: a session of its own
        group = self.master.pid
        os.killpg(group, signal.SIGTERM)
        try:
            self.master.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(group, signal.SIGKILL)
            self.master.wait()

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        try:
            return (self.dir / "log").read_text(errors="replace")
        except OSError:
            return ""

    def queued(self):
        """Ids of messages that wait for delivery."""
        found = []
        for name in ("incoming", "active", "deferred", "hold"):
            for _, _, files in os.walk(self.dir / "queue" / name):
                found += files
        return found

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.remove()
