"""Servers that do what no real one does, or not to order: one function each.

Beside tests/e2e/probe/scripted.py, which has the plain dialogs.
"""

import base64
import time

import scripted

TLS_JUNK = bytes(range(1, 256)) * 16


# ---- sending: what is asked decides the answer

REPLIES = {
    "notmine": ("MAIL", "553 5.7.1 <{}>: Sender address rejected: not owned by user alice"),
    "outlook": ("MAIL", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    "late": ("RCPT", "553 5.7.1 <{}>: Sender address rejected: not owned by user alice"),
    "nobody": ("RCPT", "550 5.1.1 <{}>: Recipient address rejected: User unknown"),
    "abroad": ("RCPT", "554 5.7.1 <{}>: Relay access denied"),
    "grey": ("RCPT", "450 4.2.0 <{}>: Recipient address rejected: Greylisted, see later"),
    "busy": ("MAIL", "451 4.3.0 Temporary lookup failure"),
    "fullbox": ("RCPT", "552 5.2.2 <{}>: user is over quota"),
    "loginfirst": ("MAIL", "530 5.7.0 Authentication required"),
    "bigone": ("MAIL", "552 5.3.4 Message size exceeds fixed limit"),
    "blocked": ("RCPT", "554 5.3.2 No"),
    "mute": ("RCPT", None),
}


def local_part(line):
    return line.partition("<")[2].partition("@")[0]


def after_ehlo(t, lines, auth="235 2.7.0 in"):
    """A submission server from its EHLO on; the local part of an address says what goes wrong."""
    while True:
        line = t.line()
        verb = line.split(" ")[0].split(":")[0].upper()
        if verb == "EHLO" and not lines:
            t.say("502 5.5.1 what")
        elif verb == "HELO":
            t.say("250 zoo")
        elif verb == "EHLO":
            t.say(*["250-" + x for x in lines[:-1]], "250 " + lines[-1])
        elif verb == "XCLIENT":
            t.say("220 again")
        elif verb == "AUTH":
            t.say(auth)
        elif verb in ("MAIL", "RCPT"):
            when, reply = REPLIES.get(local_part(line), ("", ""))
            if when != verb:
                t.say("250 2.1.0 fine")
            elif reply is None:
                return t.wait()
            else:
                t.say(reply.format(line.partition("<")[2].partition(">")[0]))
        elif verb == "DATA":
            t.say("354 go on")
            while t.line() != ".":
                pass
            t.say("250 2.0.0 taken")
        elif verb == "QUIT":
            return t.say("221 bye")
        else:
            t.say("250 2.0.0 fine")


def relay(t):
    """What stands behind a submission service."""
    t.say("220 relay ESMTP")
    after_ehlo(t, ("relay", "XCLIENT NAME ADDR PORT PROTO HELO LOGIN SESSION", "8BITMIME", "SIZE 10000000"))


def before_ehlo(t):
    """A server of the time before EHLO."""
    t.say("220 zoo")
    after_ehlo(t, ())


def submission(size=None, auth="235 2.7.0 in", offers=("AUTH PLAIN LOGIN",)):
    def script(t):
        t.say("220 zoo ESMTP")
        after_ehlo(t, ("zoo", *offers, *([f"SIZE {size}"] if size else []), "8BITMIME"), auth)
    return script


# ---- logging in

def token_refused(status, smtp):
    """As Gmail and Exchange do: an error object first, then the refusal."""
    challenge = base64.b64encode(f'{{"status":"{status}","schemes":"bearer","scope":"https://mail.zoo.test/"}}'.encode()).decode()

    def over_imap(t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            if rest.upper().startswith("CAPABILITY"):
                t.say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER", tag + " OK")
            elif rest.upper().startswith("AUTHENTICATE"):
                t.say("+ " + challenge)
                t.line()
                t.say(tag + " NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")
            else:
                t.say(tag + " BAD what")

    def over_smtp(t):
        t.say("220 ready")
        t.line()
        t.say("250-zoo", "250 AUTH XOAUTH2 OAUTHBEARER")
        t.line()
        t.say("334 " + challenge)
        t.line()
        t.say("535-5.7.8 Username and Password not accepted.", "535 5.7.8 see https://mail.zoo.test/help")
        t.wait()
    return over_smtp if smtp else over_imap


def imap_words(*before, login="OK in", examine="OK done", untagged=(), greeting="* OK ready"):
    """An IMAP server that says `before` ahead of the answer to a login and `untagged` at EXAMINE."""
    def script(t):
        t.say(greeting)
        while True:
            tag, _, rest = t.line().partition(" ")
            verb = rest.split(" ")[0].upper()
            if verb == "CAPABILITY":
                t.say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN QUOTA", tag + " OK")
            elif verb == "NOOP":
                t.say(tag + " OK")
            elif verb == "AUTHENTICATE":
                t.say(*before, tag + " " + login)
            elif verb == "EXAMINE":
                t.say("* 3 EXISTS", *untagged, tag + " " + examine)
            elif verb == "GETQUOTAROOT":
                t.say('* QUOTAROOT INBOX ""', tag + " OK")
            elif verb == "LOGOUT":
                return t.say("* BYE", tag + " OK")
            else:
                t.say(tag + " BAD what")
    return script


def drops_at_login(*last):
    """Says its last words instead of an answer to the login, and goes."""
    def script(t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            if rest.upper().startswith("CAPABILITY"):
                t.say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN", tag + " OK")
            else:
                if last:
                    t.say(*last)
                return
    return script


def pop3_drops(t):
    t.say("+OK ready")
    while True:
        verb = t.line().upper()
        if verb.startswith("CAPA"):
            t.say("+OK", "SASL PLAIN", "USER", ".")
        else:
            return


# ---- STARTTLS

def imap_starttls(step, capability="IMAP4rev1 STARTTLS LOGINDISABLED"):
    def script(t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            if rest.upper().startswith("STARTTLS"):
                step(t, tag)
            elif rest.upper().startswith("CAPABILITY"):
                t.say("* CAPABILITY " + capability, tag + " OK")
            else:
                t.say(tag + " NO not before TLS")
    return script


def pop3_starttls(step):
    def script(t):
        t.say("+OK ready")
        while True:
            line = t.line().upper()
            if line.startswith("STLS"):
                step(t, "")
            elif line.startswith("CAPA"):
                t.say("+OK", "STLS", "USER", ".")
            else:
                t.say("-ERR not before TLS")
    return script


def smtp_starttls(step):
    def script(t):
        t.say("220 ready")
        while True:
            line = t.line().upper()
            if line.startswith("STARTTLS"):
                step(t, "")
            elif line.startswith(("EHLO", "HELO")):
                t.say("250-zoo", "250 STARTTLS")
            else:
                t.say("530 5.7.0 Must issue a STARTTLS command first")
    return script


def answers(text):
    """A step of STARTTLS that only talks; {} is the tag."""
    def step(t, tag):
        t.say(text.format(tag).strip())
    return step


def injects(positive, more, context):
    """The go-ahead and words of an intruder in one packet, before TLS."""
    def step(t, tag):
        t.sock.sendall((positive.format(tag) + "\r\n" + more + "\r\n").encode())
        t.tls(context)
        t.wait()
    return step


# ---- hostile: without an end

def floods(first, chunk, seconds=40):
    """Greets with `first`, then sends `chunk` for as long as anybody listens."""
    def script(t):
        if first:
            t.sock.sendall(first)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            t.sock.sendall(chunk)
    return script


def endless_capability(t):
    """One untagged line that never ends."""
    t.say("* OK ready")
    t.line()
    t.sock.sendall(b"* CAPABILITY IMAP4rev1")
    while True:
        t.sock.sendall(b" X-MORE-AND-MORE" * 1024)


def endless_ehlo(t):
    t.say("220 ready")
    t.line()
    while True:
        t.sock.sendall(b"250-X-MORE-AND-MORE and more of it\r\n" * 512)


def endless_capa(t):
    t.say("+OK ready")
    t.line()
    t.say("+OK")
    while True:
        t.sock.sendall(b"X-MORE-AND-MORE and more of it\r\n" * 512)


def huge_literal(t):
    """Announces 1 GiB in answer to EXAMINE and begins to send it."""
    t.say("* OK ready")
    while True:
        tag, _, rest = t.line().partition(" ")
        verb = rest.split(" ")[0].upper()
        if verb == "CAPABILITY":
            t.say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN", tag + " OK")
        elif verb == "AUTHENTICATE":
            t.say(tag + " OK in")
        else:
            t.say("* LIST () \"/\" {1073741824}")
            while True:
                t.sock.sendall(TLS_JUNK)


def literal_before_login(t):
    """The same, in answer to CAPABILITY."""
    t.say("* OK ready")
    t.line()
    t.say("* CAPABILITY {1073741824}")
    while True:
        t.sock.sendall(TLS_JUNK)


def endless_challenges(smtp):
    """Every answer to the login is another question."""
    def over_imap(t):
        t.say("* OK ready")
        while True:
            tag, _, rest = t.line().partition(" ")
            if rest.upper().startswith("CAPABILITY"):
                t.say("* CAPABILITY IMAP4rev1 AUTH=LOGIN", tag + " OK")
            else:
                t.say("+ VXNlcm5hbWU6")

    def over_smtp(t):
        t.say("220 ready")
        t.line()
        t.say("250-zoo", "250 AUTH LOGIN")
        while True:
            t.line()
            t.say("334 VXNlcm5hbWU6")
    return over_smtp if smtp else over_imap


def flood_at_login(t):
    """Untagged lines without end in answer to the login."""
    t.say("* OK ready")
    while True:
        tag, _, rest = t.line().partition(" ")
        if rest.upper().startswith("CAPABILITY"):
            t.say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN", tag + " OK")
            continue
        while True:
            t.sock.sendall(b"* OK still thinking about it\r\n" * 512)


def flood_at_mail(verb):
    """A reply of countless lines to a command of sending."""
    def script(t):
        t.say("220 ready")
        while True:
            line = t.line().upper()
            if line.startswith(verb):
                while True:
                    t.sock.sendall(b"250-and another line\r\n" * 512)
            if line.startswith("EHLO"):
                t.say("250-zoo", "250 AUTH PLAIN")
            else:
                t.say("235 2.7.0 in" if line.startswith("AUTH") else "250 2.0.0 fine")
    return script


def drips(text, pause=1.0):
    """One byte at a time; then nothing."""
    def script(t):
        for b in text:
            t.sock.sendall(bytes([b]))
            time.sleep(pause)
        t.wait()
    return script


def binary(t):
    t.sock.sendall(b"\x00\xff\xfe\r\n" + TLS_JUNK + b"\r\n")
    t.wait()


def zeros_in_lines(t):
    """A dialog whose lines hold zero bytes."""
    t.sock.sendall(b"* OK re\0ady\r\n")
    while True:
        tag, _, rest = t.line().partition(" ")
        if rest.upper().startswith("CAPABILITY"):
            t.sock.sendall(b"* CAPABILITY IMAP4rev1 SASL-IR\0 AUTH=PLAIN\r\n" + tag.encode() + b" OK\r\n")
        else:
            t.sock.sendall(tag.encode() + b" NO [AUTHENTICATIONFAILED]\0 no\r\n")


def slow_greeting(seconds):
    def script(t):
        time.sleep(seconds)
        scripted.imap("IMAP4rev1 SASL-IR AUTH=PLAIN", login="OK in")(t)
    return script
