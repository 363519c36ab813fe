/*
 * The talk between controller and agent: frame types, limits, versions.
 *
 *   controller -> agent:  magic ENVELOPE SHEET* REQUEST_END
 *   agent -> controller:  magic HELLO (KEEPALIVE | REPORT | FINDING | LOGIN)* END
 *                     or  magic HELLO? REFUSED
 *
 * A check-in is opened by the agent: first an answer to nothing (magic HELLO
 * (REPORT | FINDING | LOGIN)* END: what waits in the spools), then request and
 * answer as above on the same connection.
 *
 * A REPORT frame opens a report; the findings and logins that follow belong
 * to it, until the next REPORT or END. END carries the number of frames and
 * the SHA-256 over type, length and body of every frame since the magic but
 * KEEPALIVE. An answer without a good END is no answer.
 *
 * The request names the protocol as major.minor. An agent refuses a major it
 * does not know and names its own range; a higher minor is accepted, unknown
 * JSON members are then ignored, unknown settings are reported `unsupported`.
 */
#ifndef MM_SCHEMAS_PROTO_H
#define MM_SCHEMAS_PROTO_H

#define MM_PROTO_MAJOR 1
/* 3: rotations in the envelope; an agent that says so follows them to the new signing key.
 * 2: the checkpoint in the request, signatures and checkpoint in END.
 * 1: scope of a client, the system's sheet in the request, findings of the user "*". */
#define MM_PROTO_MINOR 3

enum mm_frame_type {
	/* controller -> agent */
	MM_FT_ENVELOPE = 1,    /* DSSE envelope around a request (schemas/signing.h, request.h) */
	MM_FT_SHEET = 2,       /* one user's sheet (schemas/sheet.h); its SHA-256 stands in the manifest */
	MM_FT_REQUEST_END = 3, /* empty: all sheets were sent */
	/* agent -> controller */
	MM_FT_HELLO = 16,     /* {"agent":"0.1.0","proto":[1,0],"host":"ws1"} */
	MM_FT_REPORT = 17,    /* struct mm_report_head as JSON */
	MM_FT_FINDING = 18,   /* struct mm_finding as JSON */
	MM_FT_LOGIN = 19,     /* struct mm_login as JSON */
	MM_FT_KEEPALIVE = 20, /* empty, every MM_KEEPALIVE_S while nothing else is sent */
	MM_FT_END = 21,       /* {"frames":N,"sha256":"..."} */
	MM_FT_REFUSED = 22,   /* {"code":77,"reason":"...","text":"..."}: nothing was done */
	/* between our own processes only (never on the wire): from 64 */
	MM_FT_LOCAL = 64,
};

#define MM_KEEPALIVE_S 5

/* Words in REFUSED.reason; each check of a request has its own. */
#define MM_REFUSED_PROTOCOL "protocol"   /* unknown major version */
#define MM_REFUSED_MALFORMED "malformed" /* does not decode */
#define MM_REFUSED_SIGNATURE "signature" /* no good signature by a trusted key */
#define MM_REFUSED_HOST "host"           /* made for another host */
#define MM_REFUSED_REPLAY "replay"       /* lower (epoch, serial), or equal with another digest */
#define MM_REFUSED_EXPIRED "expired"     /* or not yet valid */
#define MM_REFUSED_MANIFEST "manifest"   /* a sheet is missing, surplus or altered */
#define MM_REFUSED_LIMITS "limits"       /* exceeds the host's own limits in agent.conf */
#define MM_REFUSED_OP "op"               /* unknown or not possible here */
#define MM_REFUSED_DISABLED "disabled"   /* mailmuster-agent disable */
#define MM_REFUSED_MOVED "moved"         /* what would change is not what the plan says */
#define MM_REFUSED_BUSY "busy"           /* another run holds the lock */

#endif
