"""The number of a plan (schemas/plan.h), worked out a second time."""
import hashlib

FIELDS = "client", "path", "account", "setting", "found", "desired", "state"


def text(value):
    return b"-:" if value is None else f"{len(value.encode())}:".encode() + value.encode()


def plan_digest(findings):
    """Over the findings of a plan's answer, as JSON objects in the order in which they came."""
    users = {}
    for f in findings:
        if f["action"] == "would-change":
            f = {"path": "", "account": "", "setting": "", "found": None, "desired": None, **f}
            users[f["user"]] = users.get(f["user"], b"") + b"".join(text(f[k]) for k in FIELDS)
    return hashlib.sha256(b"".join(text(u) + hashlib.sha256(users[u]).digest() for u in sorted(users))).hexdigest()
