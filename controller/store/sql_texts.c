/*
 * Every SQL text of the project. Parameters are numbered; the order of the
 * columns is what the reading functions expect. Keep to what PostgreSQL has
 * too, as far as there is a common word for it.
 */
#include "controller/store/sql.h"

#define REVISION_COLUMNS                                                                                     \
	"r.number, COALESCE(r.parent, 0), r.sha256, r.author, r.author_uid, r.time, r.message, r.source, "   \
	"r.approvals, r.needed, (SELECT COUNT(*) FROM approvals a WHERE a.revision = r.number), "            \
	"(SELECT group_concat(who, ', ') FROM (SELECT who FROM approvals a WHERE a.revision = r.number "     \
	"ORDER BY a.time, a.uid)), r.number = (SELECT CAST(value AS INTEGER) FROM meta "                     \
	"WHERE key = 'current_revision'), r.baseline"

#define USER_COLUMNS "p.user_id, p.login, p.name, p.address"

#define GROUP_COLUMNS                                                                                        \
	"g.name, g.source, g.synced, (SELECT COUNT(*) FROM memberships m WHERE m.group_id = g.id)"

#define HOST_COLUMNS                                                                                         \
	"h.id, h.address, h.port, h.account, h.proxy_command, h.transport, h.all_users, h.report_key, "      \
	"h.enrolled, (SELECT group_concat(tag, char(10)) FROM (SELECT tag FROM host_tags t "                 \
	"WHERE t.host = h.id ORDER BY tag)), (SELECT group_concat(login, char(10)) FROM "                    \
	"(SELECT login FROM host_users u WHERE u.host = h.id ORDER BY login))"

#define PUSH_COLUMNS                                                                                         \
	"p.host, p.revision, p.done_revision, p.pending, p.op, p.request_id, p.queued, p.attempts, "         \
	"p.last_attempt, p.next_retry, p.outcome, p.text, p.unreachable"

/* Does user column `u` still belong to host ?1? Every host has the system's
 * own files, whose user is "*": an agent that has nothing to do with them any
 * more reports once that there is nothing. */
#define BELONGS(u)                                                                                           \
	"(" u " = '*' OR " u                                                                                 \
	" IN (SELECT login FROM host_users WHERE host = ?1) OR EXISTS (SELECT 1 FROM hosts h "               \
	"WHERE h.id = ?1 AND h.all_users = 1 AND EXISTS (SELECT 1 FROM user_personal p WHERE p.login = " u   \
	")))"

#define FINDING_COLUMNS                                                                                      \
	"f.host, f.user, f.client, f.path, f.account, f.setting, f.desired, f.found, f.line, "               \
	"f.override_path, f.state, f.action, f.reason, f.evidence, f.revision, f.since, f.first_seen, "      \
	"f.seen, f.closed "

/* A range that is one host, all, or those of a part of the fleet (view.h): the index serves each. */
#define HOSTS_MEANT(id) id " BETWEEN COALESCE(?1, ?30, '') AND COALESCE(?1, ?31, char(1114111)) "
#define ONE_HOST(t) HOSTS_MEANT(t ".host")

#define IN_TAG(host) "AND (?3 IS NULL OR " host " IN (SELECT host FROM host_tags WHERE tag = ?3)) "
#define IN_GROUP(user)                                                                                       \
	"AND (?4 IS NULL OR " user " IN (SELECT up.login FROM user_personal up "                             \
	"JOIN memberships m ON m.user_id = up.user_id JOIN groups g ON g.id = m.group_id WHERE g.name = "    \
	"?4)) "
#define IN_TAG_AND_GROUP(t) IN_TAG(t ".host") IN_GROUP(t ".user")
#define ONE_USER(user) "AND (?2 IS NULL OR " user " = ?2) "

/* What mm_evidence_filter says of workstations and people. */
#define CHOSEN(t) ONE_HOST(t) ONE_USER(t ".user") IN_TAG_AND_GROUP(t)

/* The same of workstations that have somebody who is meant. */
#define CHOSEN_HOST                                                                                          \
	HOSTS_MEANT("h.id")                                                                                  \
	IN_TAG("h.id")                                                                                       \
	"AND ((?2 IS NULL AND ?4 IS NULL) OR h.id IN (SELECT v.host FROM coverage v WHERE 1 = "              \
	"1 " ONE_USER("v.user")                                                                              \
	    IN_GROUP("v.user") "UNION SELECT v.host FROM places v WHERE 1 = 1 " ONE_USER("v.user")           \
		IN_GROUP("v.user") "UNION SELECT u.host FROM host_users u WHERE 1 = 1 " ONE_USER("u.login")  \
		    IN_GROUP("u.login") ")) "

#define FINDINGS_WHERE                                                                                       \
	"WHERE " ONE_HOST("f") ONE_USER("f.user")                                                            \
	    IN_TAG_AND_GROUP("f") "AND (?5 IS NULL OR f.account = "                                          \
				  "?5) AND (?6 IS NULL OR f.client = "                                       \
				  "?6) AND (?7 IS NULL OR f.setting "                                        \
				  "= ?7) AND (?8 = 1 OR NOT " FACT("f") ") "

/* What mm_is_fact() says. */
#define FACT(t) "(substr(" t ".setting, 1, 7) = 'client.' OR substr(" t ".setting, 1, 5) = 'file.') "

#define FINDINGS_ORDER "ORDER BY f.host, f.user, f.client, f.path, f.account, f.setting"

#define LOGIN_COLUMNS                                                                                        \
	"l.host, l.body, l.since, l.seen, l.closed, l.last_passed, l.evidence, l.user, l.account, l.side, "  \
	"l.known "

#define LOGINS_WHERE                                                                                         \
	"WHERE " ONE_HOST("l") ONE_USER("l.user") IN_TAG_AND_GROUP("l") "AND (?5 IS NULL OR l.account = "    \
									"?5) "

/* Of the past: what was known by then, and whose end was not. */
#define STOOD(t, at)                                                                                         \
	"AND (" at " = 0 OR (" t ".known <= " at " AND (" t ".closed = 0 OR " t ".ended > " at "))) "

/* Which parts that stand apart are of this person: the login is the object, or a value of the
 * detail. A login has nothing that JSON escapes. */
#define ABOUT_PERSON                                                                                         \
	"(object = ?1 OR instr(detail, '\"login\":\"' || ?1 || '\"') > 0 OR instr(detail, "                  \
	"'\"user\":\"' || ?1 || '\"') > 0) "

/* struct mm_report_row, evidence and revision. */
#define REPORT_ROW "salt, covers, user, agent, received, seen, expired, epoch, serial, evidence, revision "

#define ROLLOUT_COLUMNS                                                                                      \
	"r.id, r.revision, r.kind, r.undoes, r.selection, r.terms, r.seed, r.state, r.why, r.because, "      \
	"r.waves, r.wave, r.wave_since, r.bake_since, r.approved, r.in_flight, r.hosts, r.who, r.reason, "   \
	"r.created, r.changed, r.seq, r.owner, r.owner_pid, r.lease_until, r.first_revision"

#define ROLLOUT_HOST_COLUMNS                                                                                 \
	"h.rollout, h.host, h.wave, h.rank, h.state, h.late, h.forgiven, h.touched, h.by_checkin, h.tries, " \
	"h.next_try, h.sent, h.landed, h.request_id, h.before, h.users, h.tested, h.verified, h.failed, "    \
	"h.outcome, h.text, h.seq, h.revision"

/* Of rollout ?1, as it is after MM_SQL_ROLLOUT_SEQ. */
#define NEW_SEQ "(SELECT r.seq FROM rollouts r WHERE r.id = rollout_hosts.rollout)"
#define TO_SERVE "('released', 'unreachable', 'late')"
#define NOT_SENT_YET "('waiting', 'released', 'unreachable', 'late')"
#define ENDED "('aborted', 'superseded')"

const struct mm_sql_text mm_sql_texts[MM_SQL_COUNT] = {
    [MM_SQL_BEGIN] = {"begin", "BEGIN IMMEDIATE"},
    [MM_SQL_COMMIT] = {"commit", "COMMIT"},
    [MM_SQL_ROLLBACK] = {"rollback", "ROLLBACK"},
    [MM_SQL_SAVEPOINT] = {"savepoint", "SAVEPOINT inner_one"},
    [MM_SQL_RELEASE] = {"release", "RELEASE inner_one"},
    [MM_SQL_ROLLBACK_TO] = {"rollback to savepoint", "ROLLBACK TO inner_one"},
    [MM_SQL_VIEW] = {"view", "BEGIN DEFERRED"},
    [MM_SQL_DATA_VERSION] = {"data version", "PRAGMA data_version"},
    [MM_SQL_HOST_NTH] = {"hosts", "SELECT id FROM hosts ORDER BY id LIMIT 1 OFFSET ?1"},
    [MM_SQL_HOST_COUNT] = {"hosts", "SELECT COUNT(*) FROM hosts"},

#include "controller/store/sql_audit.inc"

    [MM_SQL_META_GET] = {"meta", "SELECT value FROM meta WHERE key = ?1"},
    [MM_SQL_META_SET] = {"meta", "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE "
				 "SET value = excluded.value"},
    [MM_SQL_REVISION_ADD] = {"new revision",
	"INSERT INTO revisions (number, parent, text, sha256, author, author_uid, time, message, source, "
	"approvals, needed, baseline) VALUES (?1, NULLIF(?2, 0), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
	"?12)"},
    [MM_SQL_BASELINE_ADD] = {"baseline", "INSERT INTO baselines (sha256, name, text, added) VALUES (?1, ?2, "
					 "?3, ?4) ON CONFLICT (sha256) DO NOTHING"},
    [MM_SQL_BASELINE_GET] = {"baseline", "SELECT name, text FROM baselines WHERE sha256 = ?1"},
    [MM_SQL_REVISION_GET] = {"revision",
	"SELECT " REVISION_COLUMNS ", r.text FROM revisions r WHERE r.number = ?1"},
    [MM_SQL_REVISION_EACH] = {"revisions",
	"SELECT " REVISION_COLUMNS " FROM revisions r ORDER BY r.number DESC"},
    [MM_SQL_REVISION_HEAD] = {"revision", "SELECT approvals, needed, (SELECT COUNT(*) FROM approvals a WHERE "
					  "a.revision = r.number), author_uid, "
					  "sha256, baseline FROM revisions r WHERE r.number = ?1"},
    [MM_SQL_REVISION_LAST] = {"revisions", "SELECT number FROM revisions ORDER BY number DESC LIMIT 1"},
    [MM_SQL_APPROVE] = {"approval",
	"INSERT INTO approvals (revision, uid, who, time) VALUES (?1, ?2, ?3, ?4) "
	"ON CONFLICT (revision, uid) DO NOTHING"},

    [MM_SQL_APPROVE_AS] = {"approval",
	"INSERT INTO approvals (revision, uid, who, time) SELECT ?1, uid, who, time FROM approvals WHERE "
	"revision = ?2"},
    [MM_SQL_APPROVERS] = {"approvals",
	"SELECT group_concat(who, ', ') FROM (SELECT who FROM approvals WHERE revision = ?1 ORDER BY time, "
	"uid)"},

    [MM_SQL_USER_ID] = {"user", "SELECT user_id FROM user_personal WHERE login = ?1"},
    [MM_SQL_USER_NEW] = {"new user", "INSERT INTO users (added) VALUES (?1)"},
    [MM_SQL_USER_SET] = {"user",
	"INSERT INTO user_personal (user_id, login, name, address) VALUES (?1, ?2, ?3, ?4) "
	"ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, address = excluded.address"},
    [MM_SQL_USER_EACH] = {"users", "SELECT " USER_COLUMNS " FROM user_personal p ORDER BY p.login"},
    [MM_SQL_USER_EACH_GROUP] = {"users of a group",
	"SELECT " USER_COLUMNS " FROM user_personal p JOIN memberships m ON m.user_id = p.user_id "
	"JOIN groups g ON g.id = m.group_id WHERE g.name = ?1 ORDER BY p.login"},
    [MM_SQL_USER_GET] = {"user", "SELECT " USER_COLUMNS " FROM user_personal p WHERE p.login = ?1"},
    [MM_SQL_USER_DELETE] = {"removal of a user",
	"DELETE FROM users WHERE id = (SELECT user_id FROM user_personal WHERE login = ?1)"},
    [MM_SQL_USER_HOSTS_DELETE] = {"removal of a user", "DELETE FROM host_users WHERE login = ?1"},
    [MM_SQL_ATTRS] = {"attributes", "SELECT name, value FROM user_attrs WHERE user_id = ?1 ORDER BY name"},
    [MM_SQL_ATTR_SET] = {"attribute", "INSERT INTO user_attrs (user_id, name, value) VALUES (?1, ?2, ?3) "
				      "ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value"},
    [MM_SQL_ATTRS_DELETE] = {"attributes", "DELETE FROM user_attrs WHERE user_id = ?1"},
    [MM_SQL_USER_GROUPS] = {"groups of a user", "SELECT g.name FROM memberships m JOIN groups g ON g.id = "
						"m.group_id WHERE m.user_id = ?1 ORDER BY g.name"},
    [MM_SQL_MEMBERS_CLEAR] = {"memberships", "DELETE FROM memberships WHERE user_id = ?1"},
    [MM_SQL_MEMBER_ADD] = {"membership",
	"INSERT INTO memberships (user_id, group_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
    [MM_SQL_MEMBER_DELETE] = {"membership",
	"DELETE FROM memberships WHERE group_id = (SELECT id FROM groups WHERE name = ?1) "
	"AND user_id = (SELECT user_id FROM user_personal WHERE login = ?2)"},
    [MM_SQL_MEMBER_EACH] = {"memberships",
	"SELECT p.login, g.name FROM user_personal p JOIN memberships m ON m.user_id = p.user_id JOIN "
	"groups g ON g.id = m.group_id ORDER BY p.login, g.name"},
    [MM_SQL_GROUP_ID] = {"group", "SELECT id FROM groups WHERE name = ?1"},
    [MM_SQL_GROUP_ADD] = {"new group", "INSERT INTO groups (name, source, synced) VALUES (?1, ?2, 0)"},
    [MM_SQL_GROUP_SOURCE] = {"group", "UPDATE groups SET source = ?2 WHERE id = ?1 AND source <> ?2"},
    [MM_SQL_GROUP_SYNCED] = {"group", "UPDATE groups SET synced = ?2 WHERE name = ?1"},
    [MM_SQL_GROUP_DELETE] = {"removal of a group", "DELETE FROM groups WHERE name = ?1"},
    [MM_SQL_GROUP_GET] = {"group", "SELECT " GROUP_COLUMNS " FROM groups g WHERE g.name = ?1"},
    [MM_SQL_GROUP_EACH] = {"groups", "SELECT " GROUP_COLUMNS " FROM groups g ORDER BY g.name"},

    [MM_SQL_HOST_GET] = {"host", "SELECT " HOST_COLUMNS " FROM hosts h WHERE h.id = ?1"},
    [MM_SQL_HOST_EACH] = {"hosts", "SELECT " HOST_COLUMNS " FROM hosts h ORDER BY h.id"},
    [MM_SQL_HOST_EACH_TAG] = {"hosts with a tag",
	"SELECT " HOST_COLUMNS " FROM hosts h WHERE h.id IN (SELECT host FROM host_tags WHERE tag = ?1) "
	"ORDER BY h.id"},
    [MM_SQL_HOST_PUT] = {"host",
	"INSERT INTO hosts (id, address, port, account, proxy_command, transport, all_users, report_key, "
	"enrolled, added) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO UPDATE SET "
	"address = excluded.address, port = excluded.port, account = excluded.account, "
	"proxy_command = excluded.proxy_command, transport = excluded.transport, "
	"all_users = excluded.all_users, report_key = COALESCE(excluded.report_key, hosts.report_key), "
	"enrolled = CASE WHEN excluded.enrolled > 0 THEN excluded.enrolled ELSE hosts.enrolled END"},
    [MM_SQL_HOST_DELETE] = {"removal of a host", "DELETE FROM hosts WHERE id = ?1"},
    [MM_SQL_HOST_TAGS_CLEAR] = {"tags", "DELETE FROM host_tags WHERE host = ?1"},
    [MM_SQL_HOST_TAG_ADD] = {"tag",
	"INSERT INTO host_tags (host, tag) VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
    [MM_SQL_HOST_USERS_CLEAR] = {"users of a host", "DELETE FROM host_users WHERE host = ?1"},
    [MM_SQL_HOST_USER_ADD] = {"user of a host",
	"INSERT INTO host_users (host, login) VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
    [MM_SQL_HOST_EXISTS] = {"host", "SELECT 1 FROM hosts WHERE id = ?1"},
    [MM_SQL_HOST_CLOSE_FINDINGS] = {"removal of a host",
	"UPDATE findings SET closed = ?2, ended = ?2, ender = ?3 WHERE host = ?1 AND closed = 0"},
    [MM_SQL_HOST_CLOSE_LOGINS] = {"removal of a host",
	"UPDATE logins SET closed = ?2, ended = ?2, ender = ?3 WHERE host = ?1 AND closed = 0"},
    [MM_SQL_HOSTKEY_GET] = {"host key", "SELECT blob FROM host_keys WHERE host = ?1 AND algorithm = ?2"},
    [MM_SQL_HOSTKEY_PUT] = {"host key",
	"INSERT INTO host_keys (host, algorithm, blob, source, added) VALUES (?1, ?2, ?3, ?4, ?5) "
	"ON CONFLICT (host, algorithm) DO UPDATE SET blob = excluded.blob, source = excluded.source, "
	"added = excluded.added"},
    [MM_SQL_HOSTKEY_DELETE] = {"host key",
	"DELETE FROM host_keys WHERE host = ?1 AND (?2 IS NULL OR algorithm = ?2)"},
    [MM_SQL_HOSTKEY_EACH] = {"host keys",
	"SELECT k.host, k.algorithm, k.blob, k.source, k.added FROM host_keys k "
	"WHERE " ONE_HOST("k") "ORDER BY k.host, k.algorithm"},

    [MM_SQL_KEY_ADD] = {"signing key", "INSERT INTO signing_keys (epoch, id, pem, added, former, sig, proof) "
				       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    [MM_SQL_KEY_EACH] = {"signing keys",
	"SELECT epoch, id, pem, added, former, sig, proof FROM signing_keys ORDER BY epoch DESC"},
    [MM_SQL_KEY_HOSTS] = {"hosts of a signing key",
	"SELECT COUNT(*) FROM (SELECT MAX(r.epoch) AS epoch FROM reports r JOIN hosts h ON h.id = r.host "
	"GROUP BY r.host) WHERE epoch = ?1"},
    [MM_SQL_SERIAL_GET] = {"serial",
	"SELECT COALESCE(MAX(k.epoch), 0), COALESCE((SELECT serial FROM serials WHERE host = ?1), 0) "
	"FROM signing_keys k"},
    [MM_SQL_SERIAL_SET] = {"serial",
	"INSERT INTO serials (host, epoch, serial, request_id) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (host) "
	"DO UPDATE SET epoch = excluded.epoch, serial = excluded.serial, request_id = excluded.request_id"},

    [MM_SQL_ISSUED_ADD] = {"issued requests",
	"INSERT INTO issued (host, epoch, serial, request_id, op, revision, time) "
	"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    [MM_SQL_ISSUED_PRUNE] = {"issued requests", "DELETE FROM issued WHERE host = ?1 AND time < ?2"},
    [MM_SQL_ISSUED_GET] = {"issued requests",
	"SELECT request_id, op, revision FROM issued WHERE host = ?1 AND epoch = ?2 AND serial = ?3"},
    [MM_SQL_ISSUED_SINCE] = {"issued requests",
	"SELECT COUNT(*) FROM issued i WHERE i.host = ?1 AND i.time >= ?2 AND i.request_id <> ?3 "
	"AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.host = ?1 AND r.request_id = i.request_id)"},
    [MM_SQL_ANSWERED] = {"answers", "SELECT COUNT(*) FROM reports WHERE host = ?1 AND request_id = ?2"},

    [MM_SQL_PUSH_WANT] = {"push state",
	"INSERT INTO push_state (host, revision, done_revision, pending, op, request_id, queued, attempts, "
	"last_attempt, next_retry, outcome, text, unreachable) VALUES (?1, ?2, 0, 1, '', '', ?3, 0, 0, 0, "
	"'', '', 0) "
	"ON CONFLICT (host) DO UPDATE SET revision = excluded.revision, pending = 1, queued = "
	"excluded.queued, "
	"attempts = 0, next_retry = 0"},
    /* An older revision that was answered for does not settle the wish for a newer one, and
     * an attempt that failed takes nothing back that another process has settled meanwhile. */
    [MM_SQL_PUSH_RESULT] = {"push state",
	"INSERT INTO push_state (host, revision, done_revision, pending, op, request_id, queued, attempts, "
	"last_attempt, next_retry, outcome, text, unreachable) VALUES (?1, ?2, CASE WHEN ?3 = 0 THEN ?2 "
	"ELSE 0 END, ?3, ?4, ?5, ?6, 1, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (host) DO UPDATE SET "
	"done_revision = CASE WHEN ?3 = 0 THEN ?2 ELSE push_state.done_revision END, "
	"pending = CASE WHEN ?2 < push_state.revision OR ?3 = 1 THEN push_state.pending ELSE 0 END, "
	"revision = MAX(?2, push_state.revision), "
	"op = ?4, request_id = ?5, attempts = push_state.attempts + 1, last_attempt = ?6, next_retry = ?7, "
	"outcome = ?8, text = ?9, unreachable = ?10"},
    [MM_SQL_PUSH_GET] = {"push state", "SELECT " PUSH_COLUMNS " FROM push_state p WHERE p.host = ?1"},
    [MM_SQL_PUSH_EACH] = {"push state",
	"SELECT " PUSH_COLUMNS " FROM push_state p WHERE ?1 = 1 OR (p.pending = 1 AND p.next_retry <= ?2) "
	"ORDER BY p.host"},

    [MM_SQL_REPORT_KNOWN] = {"report", "SELECT 1 FROM reports WHERE host = ?1 AND report_id = ?2"},
    [MM_SQL_REPORT_ADD] = {"report",
	"INSERT INTO reports (host, report_id, request_id, op, evidence, epoch, serial, revision, collected, "
	"received, seen, agent, user, expired, findings, logins, frames_sha256, key_id, signature, seal, "
	"entry, covers, salt) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
	"?17, "
	"?18, ?19, ?20, ?21, ?22, ?23)"},
    [MM_SQL_HOST_SEEN] = {"last report of a host",
	"INSERT INTO host_seen (host, seen, received, agent, revision, expired, signs, checkpoint) "
	"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
	"ON CONFLICT (host) DO UPDATE SET received = excluded.received, "
	"signs = MAX(host_seen.signs, excluded.signs), "
	"checkpoint = MAX(host_seen.checkpoint, excluded.checkpoint), "
	"agent = CASE WHEN excluded.seen >= host_seen.seen THEN excluded.agent ELSE host_seen.agent END, "
	"revision = CASE WHEN excluded.seen >= host_seen.seen THEN excluded.revision ELSE host_seen.revision "
	"END, "
	"expired = CASE WHEN excluded.seen >= host_seen.seen THEN excluded.expired ELSE host_seen.expired "
	"END, "
	"seen = CASE WHEN excluded.seen >= host_seen.seen THEN excluded.seen ELSE host_seen.seen END"},
    [MM_SQL_HOST_SIGNS] = {"last report of a host", "SELECT signs FROM host_seen WHERE host = ?1"},
    [MM_SQL_SEALS_UNCHECKED] = {"signatures of reports",
	"SELECT id, host, report_id, request_id, collected, evidence, frames_sha256, key_id, signature "
	"FROM reports WHERE id > ?1 AND seal = 1 ORDER BY id LIMIT ?2"},
    [MM_SQL_SEAL_SET] = {"signature of a report", "UPDATE reports SET seal = ?2 WHERE id = ?1"},
    [MM_SQL_SEALS_BAD] = {"signatures of reports",
	"SELECT host, report_id, evidence, received, seal FROM reports WHERE seal >= 3 AND received >= ?1 "
	"ORDER BY received, id"},
    [MM_SQL_SEALS_BAD_COUNT] = {"signatures of reports",
	"SELECT COUNT(*) FROM reports WHERE seal >= 3 AND received >= ?1"},
    [MM_SQL_SEALS_COUNT] = {"signatures of reports", "SELECT seal, COUNT(*) FROM reports GROUP BY seal"},
    [MM_SQL_REPORT_KEY_ADD] = {"report key",
	"INSERT INTO report_keys (host, pem, added) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"},
    [MM_SQL_REPORT_KEYS] = {"report keys",
	"SELECT k.host, k.pem FROM report_keys k WHERE " ONE_HOST("k") "ORDER BY k.host, k.added"},
    [MM_SQL_COVERAGE_GET] = {"coverage", "SELECT seen FROM coverage WHERE host = ?1 AND user = ?2"},
    [MM_SQL_COVERAGE_SET] = {"coverage",
	"INSERT INTO coverage (host, user, seen, evidence, revision, expired) VALUES (?1, ?2, ?3, ?4, ?5, "
	"?6) "
	"ON CONFLICT (host, user) DO UPDATE SET seen = excluded.seen, evidence = excluded.evidence, "
	"revision = excluded.revision, expired = excluded.expired"},
    [MM_SQL_COVERAGE_GONE] = {"users who left a host",
	"DELETE FROM coverage WHERE host = ?1 AND seen < ?2 AND NOT " BELONGS("coverage.user")},
    [MM_SQL_FINDINGS_GONE] = {"users who left a host",
	"UPDATE findings SET closed = ?2, ended = ?3, ender = ?4 WHERE host = ?1 AND closed = 0 AND seen < "
	"?2 AND user "
	"NOT IN "
	"(SELECT user FROM coverage WHERE host = ?1) AND NOT " BELONGS("findings.user")},
    [MM_SQL_LOGINS_GONE] = {"users who left a host",
	"UPDATE logins SET closed = ?2, ended = ?3, ender = ?4 WHERE host = ?1 AND closed = 0 AND seen < ?2 "
	"AND user NOT "
	"IN "
	"(SELECT user FROM coverage WHERE host = ?1) AND NOT " BELONGS("logins.user")},
    [MM_SQL_ACK_ADD] = {"acknowledgement",
	"INSERT INTO acks (host, report_id, request_id) VALUES (?1, ?2, '') "
	"ON CONFLICT (host, report_id) DO UPDATE SET request_id = ''"},
    [MM_SQL_ACK_DROP] = {"acknowledgement",
	"DELETE FROM acks WHERE host = ?1 AND request_id = ?2 AND request_id <> ''"},
    [MM_SQL_ACK_LIST] = {"acknowledgements",
	"SELECT report_id FROM acks WHERE host = ?1 ORDER BY id LIMIT ?2"},
    [MM_SQL_ACK_SENT_ALL] = {"acknowledgements", "UPDATE acks SET request_id = ?2 WHERE host = ?1"},
    [MM_SQL_ACK_SENT] = {"acknowledgements", "UPDATE acks SET request_id = ?2 WHERE id IN (SELECT id FROM "
					     "acks WHERE host = ?1 ORDER BY id LIMIT ?3)"},
    [MM_SQL_FINDINGS_OPEN] = {"open findings",
	"SELECT id, user, client, path, account, setting, desired, found, line, override_path, state, "
	"action, "
	"reason, since FROM findings WHERE host = ?1 AND closed = 0 "
	"AND user BETWEEN COALESCE(?2, '') AND COALESCE(?2, char(1114111))"},
    [MM_SQL_FINDING_ADD] = {"finding",
	"INSERT INTO findings (host, user, client, path, account, setting, "
	"desired, found, line, override_path, "
	"state, action, reason, evidence, revision, since, first_seen, seen, "
	"closed, known) VALUES (?1, ?2, ?3, ?4, ?5, "
	"?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17, 0, ?18)"},
    [MM_SQL_FINDING_TOUCH] = {"finding", "UPDATE findings SET line = ?2, override_path = ?3, reason = ?4, "
					 "evidence = ?5, revision = ?6, seen = ?7 "
					 "WHERE id = ?1"},
    [MM_SQL_FINDING_CLOSE] = {"finding",
	"UPDATE findings SET closed = ?2, ended = ?3, seen = MAX(seen, ?4), ender = ?5 WHERE id = ?1"},
    [MM_SQL_LOGIN_OPEN] = {"login check", "SELECT id, result, class, endpoint, since, seen, last_passed FROM "
					  "logins WHERE host = ?1 AND user = ?2 "
					  "AND account = ?3 AND side = ?4 AND closed = 0"},
    [MM_SQL_LOGIN_LAST_PASSED] = {"login check",
	"SELECT COALESCE(MAX(last_passed), 0) FROM logins WHERE host = ?1 AND user = ?2 AND closed > 0 "
	"AND account = ?3 AND side = ?4 AND endpoint = ?5"},
    [MM_SQL_LOGIN_ADD] = {"login check",
	"INSERT INTO logins (host, user, account, side, result, class, endpoint, body, evidence, since, "
	"seen, "
	"closed, last_passed, known) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13)"},
    [MM_SQL_LOGIN_TOUCH] = {"login check",
	"UPDATE logins SET body = ?2, evidence = ?3, seen = ?4, last_passed = ?5 WHERE id = ?1"},
    [MM_SQL_LOGIN_CLOSE] = {"login check",
	"UPDATE logins SET closed = ?2, ended = ?3, ender = ?4 WHERE id = ?1"},
    [MM_SQL_LOGIN_CLOSE_ACCOUNT] = {"login check",
	"UPDATE logins SET closed = ?4, ended = ?5, ender = ?6 WHERE host = ?1 AND user = ?2 AND account = "
	"?3 AND closed "
	"= 0 "
	"AND seen < ?4 AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.host = ?1 AND f.user = ?2 "
	"AND f.account = ?3 AND f.closed = 0 AND NOT " FACT("f") ")"},

#include "controller/store/sql_evidence.inc"

    [MM_SQL_ROLLOUT_NEW_ID] = {"new rollout", "SELECT COALESCE(MAX(id), 0) + 1 FROM rollouts"},
    [MM_SQL_ROLLOUT_ADD] = {"new rollout",
	"INSERT INTO rollouts (id, revision, kind, undoes, selection, "
	"terms, seed, state, why, because, waves, "
	"wave, wave_since, bake_since, approved, in_flight, hosts, who, "
	"reason, created, changed, seq, owner, "
	"owner_pid, lease_until, first_revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
	"'running', '', '', ?8, 0, ?12, 0, -1, ?9, "
	"?10, ?11, ?13, ?12, ?12, 1, '', 0, 0, ?14)"},
    [MM_SQL_ROLLOUT_HOST_ADD] = {"hosts of a rollout",
	"INSERT INTO rollout_hosts (rollout, host, wave, rank, state, late, forgiven, touched, by_checkin, "
	"tries, next_try, sent, landed, request_id, before, users, tested, verified, failed, outcome, text, "
	"seq, revision) "
	"VALUES (?1, ?2, ?3, ?4, CASE WHEN ?3 = 0 THEN 'released' ELSE 'waiting' END, 0, 0, 0, 0, 0, 0, 0, "
	"0, "
	"'', COALESCE((SELECT NULLIF(done_revision, 0) FROM push_state WHERE host = ?2), (SELECT revision "
	"FROM host_seen WHERE host = ?2), 0), 0, 0, 0, 0, '', '', 1, ?5)"},
    /* What a new rollout (?1) takes over from older ones. */
    [MM_SQL_ROLLOUT_TAKE_SEQ] = {"older rollouts",
	"UPDATE rollouts SET seq = seq + 1 WHERE id < ?1 AND state NOT IN " ENDED
	" AND EXISTS (SELECT 1 FROM "
	"rollout_hosts o JOIN rollout_hosts n ON n.rollout = ?1 AND n.host = o.host WHERE o.rollout = "
	"rollouts.id AND o.state IN " NOT_SENT_YET ")"},
    [MM_SQL_ROLLOUT_TAKE_HOSTS] = {"older rollouts",
	"UPDATE rollout_hosts SET state = 'superseded', text = ?2, seq = " NEW_SEQ
	" WHERE rollout < ?1 AND state IN " NOT_SENT_YET
	" AND rollout IN (SELECT id FROM rollouts WHERE state "
	"NOT IN " ENDED ") AND host IN (SELECT n.host FROM rollout_hosts n WHERE n.rollout = ?1)"},
    [MM_SQL_ROLLOUT_TAKE_WHOLE] = {"older rollouts",
	"UPDATE rollouts SET state = 'superseded', because = '', why = ?2, changed = ?3 WHERE id < ?1 AND "
	"state "
	"IN ('running', 'baking', 'paused', 'halted') AND NOT EXISTS (SELECT 1 FROM rollout_hosts h WHERE "
	"h.rollout = rollouts.id AND h.state IN ('waiting', 'released', 'sent', 'unreachable', 'late')) AND "
	"EXISTS (SELECT 1 FROM rollout_hosts h JOIN rollout_hosts n ON n.rollout = ?1 AND n.host = h.host "
	"WHERE "
	"h.rollout = rollouts.id AND h.state = 'superseded')"},
    [MM_SQL_ROLLOUT_GET] = {"rollout", "SELECT " ROLLOUT_COLUMNS " FROM rollouts r WHERE r.id = ?1"},
    [MM_SQL_ROLLOUT_LAST] = {"rollout",
	"SELECT " ROLLOUT_COLUMNS " FROM rollouts r ORDER BY r.id DESC LIMIT 1"},
    [MM_SQL_ROLLOUT_EACH] = {"rollouts",
	"SELECT " ROLLOUT_COLUMNS
	" FROM rollouts r WHERE ?1 = 0 OR r.state IN ('running', 'baking') OR EXISTS "
	"(SELECT 1 FROM rollout_hosts h WHERE h.rollout = r.id AND (h.state = 'sent' OR (r.state = 'done' "
	"AND "
	"h.state IN " TO_SERVE "))) ORDER BY r.id DESC"},
    [MM_SQL_ROLLOUT_HOSTS] = {"hosts of a rollout",
	"SELECT " ROLLOUT_HOST_COLUMNS " FROM rollout_hosts h WHERE h.rollout = ?1 ORDER BY h.wave, h.rank"},
    [MM_SQL_ROLLOUT_HOSTS_SINCE] = {"hosts of a rollout",
	"SELECT " ROLLOUT_HOST_COLUMNS " FROM rollout_hosts h WHERE h.rollout = ?1 AND h.seq > ?2 "
	"ORDER BY h.seq, h.host"},
    [MM_SQL_ROLLOUT_HOST] = {"host of a rollout",
	"SELECT " ROLLOUT_HOST_COLUMNS " FROM rollout_hosts h WHERE h.rollout = ?1 AND h.host = ?2"},
    [MM_SQL_ROLLOUT_DUE] = {"hosts of a rollout",
	"SELECT " ROLLOUT_HOST_COLUMNS " FROM rollout_hosts h WHERE h.rollout = ?1 AND h.state IN " TO_SERVE
	" AND h.next_try <= ?2 AND h.wave <= (SELECT wave FROM rollouts WHERE id = ?1) "
	"ORDER BY h.wave, h.rank LIMIT ?3"},
    [MM_SQL_ROLLOUT_COUNTS] = {"hosts of a rollout",
	"SELECT wave, state, COUNT(*), SUM(late), SUM(forgiven), SUM(touched), SUM(users), "
	"SUM(CASE WHEN forgiven THEN 0 ELSE tested END), SUM(CASE WHEN forgiven THEN 0 ELSE verified END), "
	"SUM(failed) FROM rollout_hosts WHERE rollout = ?1 GROUP BY wave, state ORDER BY "
	"wave"},
    [MM_SQL_ROLLOUT_LEASE] = {"lease of a rollout", "UPDATE rollouts SET owner = ?2, owner_pid = ?3, "
						    "lease_until = ?4 WHERE id = ?1 AND (owner IN ('', ?2) "
						    "OR lease_until <= ?5)"},
    [MM_SQL_ROLLOUT_UNLEASE] = {"lease of a rollout",
	"UPDATE rollouts SET owner = '', owner_pid = 0, lease_until = 0 WHERE id = ?1 AND owner = ?2"},
    [MM_SQL_ROLLOUT_LEASED] = {"lease of a rollout",
	"SELECT 1 FROM rollouts WHERE id = ?1 AND owner = ?2 AND lease_until > ?3"},
    [MM_SQL_ROLLOUT_SET] = {"rollout", "UPDATE rollouts SET state = ?2, because = ?3, why = ?4, wave = ?5, "
				       "wave_since = ?6, bake_since = ?7, "
				       "approved = ?8, changed = ?9 WHERE id = ?1"},
    [MM_SQL_ROLLOUT_SEQ] = {"rollout", "UPDATE rollouts SET seq = seq + 1 WHERE id = ?1"},
    [MM_SQL_ROLLOUT_MAKE_LATE] = {"late hosts",
	"UPDATE rollout_hosts SET state = 'late', late = 1, seq = " NEW_SEQ
	" WHERE rollout = ?1 AND state = 'unreachable'"},
    [MM_SQL_ROLLOUT_OPEN] = {"wave of a rollout",
	"UPDATE rollout_hosts SET state = 'released', seq = " NEW_SEQ
	" WHERE rollout = ?1 AND wave = ?2 AND state = 'waiting'"},
    [MM_SQL_ROLLOUT_CLAIM] = {"host of a rollout",
	"UPDATE rollout_hosts SET state = 'sent', tries = tries + 1, sent = ?4, request_id = ?3, by_checkin "
	"= "
	"?5, seq = " NEW_SEQ " WHERE rollout = ?1 AND host = ?2 AND state IN " TO_SERVE
	" AND EXISTS (SELECT 1 FROM rollouts r WHERE r.id = ?1 AND r.state IN ('running', 'baking', 'done') "
	"AND rollout_hosts.wave <= r.wave)"},
    [MM_SQL_ROLLOUT_LANDED] = {"host of a rollout",
	"UPDATE rollout_hosts SET state = ?3, next_try = ?4, tries = ?5, touched = ?6, forgiven = ?7, landed "
	"= "
	"?8, users = ?9, tested = ?10, verified = ?11, failed = ?12, outcome = ?13, text = ?14, seq "
	"= " NEW_SEQ " WHERE rollout = ?1 AND host = ?2"},
    [MM_SQL_ROLLOUT_TOUCHED] = {"host of a rollout",
	"UPDATE rollout_hosts SET touched = 1, seq = " NEW_SEQ " WHERE rollout = ?1 AND host = ?2"},
    /* Nobody knows how far these came. */
    [MM_SQL_ROLLOUT_RECLAIM] = {"hosts of a rollout",
	"UPDATE rollout_hosts SET state = CASE WHEN late = 1 THEN 'late' ELSE 'released' END, next_try = 0, "
	"touched = 1, seq = " NEW_SEQ " WHERE rollout = ?1 AND state = 'sent' AND by_checkin = 0"},
    [MM_SQL_ROLLOUT_EXPIRE] = {"hosts of a rollout",
	"UPDATE rollout_hosts SET state = CASE WHEN late = 1 THEN 'late' ELSE 'unreachable' END, next_try = "
	"?3, "
	"touched = 1, seq = " NEW_SEQ
	" WHERE rollout = ?1 AND state = 'sent' AND by_checkin = 1 AND sent < ?2"},
    [MM_SQL_ROLLOUT_FORGIVE] = {"hosts of a rollout",
	"UPDATE rollout_hosts SET forgiven = 1, seq = " NEW_SEQ
	" WHERE rollout = ?1 AND forgiven = 0 AND state "
	"IN ('failed', 'login', 'reverted', 'unreachable', 'late')"},
    [MM_SQL_ROLLOUT_HURRY] = {"hosts of a rollout",
	"UPDATE rollout_hosts SET next_try = 0, seq = " NEW_SEQ
	" WHERE rollout = ?1 AND state IN ('unreachable', 'late') AND next_try > 0"},
    [MM_SQL_ROLLOUT_RETRY] = {"hosts of a rollout",
	"UPDATE rollout_hosts SET state = 'released', next_try = 0, tries = 0, forgiven = 0, users = 0, "
	"tested = 0, verified = 0, failed = 0, seq = " NEW_SEQ
	" WHERE rollout = ?1 AND ((?2 = 1 AND state IN ('failed', 'login', 'reverted')) OR (?3 = 1 AND state "
	"IN "
	"('unreachable', 'late')))"},
    [MM_SQL_ROLLOUT_RELEASED] = {"rollouts of a host",
	"SELECT r.id, h.revision, h.state, r.in_flight, r.state FROM rollout_hosts h JOIN rollouts r ON r.id "
	"= "
	"h.rollout WHERE h.host = ?1 AND (h.state IN ('sent', 'ok', 'failed', 'login', 'reverted') OR "
	"(h.state "
	"IN " TO_SERVE " AND r.state IN ('running', 'baking', 'done'))) "
	"ORDER BY h.revision DESC, r.id DESC LIMIT 1"},
    [MM_SQL_ROLLOUT_HELD] = {"rollouts of a host",
	"SELECT h.revision, r.id FROM rollout_hosts h JOIN rollouts r ON r.id = h.rollout WHERE h.host = ?1 "
	"AND "
	"((h.state = 'waiting' AND r.state IN ('running', 'baking', 'paused', 'halted')) OR (h.state "
	"IN " TO_SERVE " AND r.state IN ('paused', 'halted'))) ORDER BY h.revision DESC, r.id DESC LIMIT 1"},
    [MM_SQL_ROLLOUT_ANY] = {"rollouts of a host", "SELECT 1 FROM rollout_hosts WHERE host = ?1 LIMIT 1"},
    [MM_SQL_ROLLOUT_FLIGHT] = {"hosts of a rollout",
	"SELECT (SELECT COUNT(*) FROM rollout_hosts WHERE rollout = ?1 AND state = 'sent') < in_flight "
	"FROM rollouts WHERE id = ?1"},
    [MM_SQL_ROLLOUT_OVERTAKEN_SEQ] = {"rollouts of a host",
	"UPDATE rollouts SET seq = seq + 1 WHERE state NOT IN " ENDED
	" AND id IN (SELECT h.rollout FROM rollout_hosts h WHERE h.host = ?1 AND h.revision <= ?2 AND "
	"h.state IN " NOT_SENT_YET ")"},
    [MM_SQL_ROLLOUT_OVERTAKEN] = {"rollouts of a host",
	"UPDATE rollout_hosts SET state = 'superseded', text = ?3, seq = " NEW_SEQ
	" WHERE host = ?1 AND revision <= ?2 AND state IN " NOT_SENT_YET
	" AND rollout IN (SELECT id FROM rollouts WHERE state NOT IN " ENDED ")"},
    /* What a rollout wanted of hosts that have not answered is wanted no more when it ends (?1), or when
     * a newer one (?1) takes them over. */
    [MM_SQL_ROLLOUT_WITHDRAW] = {"push state",
	"UPDATE push_state SET pending = 0 WHERE pending = 1 AND EXISTS (SELECT 1 FROM rollout_hosts h JOIN "
	"rollouts r ON r.id = h.rollout WHERE h.rollout = ?1 AND h.host = push_state.host AND h.revision = "
	"push_state.revision AND (h.state = 'sent' OR h.state IN " NOT_SENT_YET "))"},
    [MM_SQL_ROLLOUT_WITHDRAW_OLDER] = {"push state",
	"UPDATE push_state SET pending = 0 WHERE pending = 1 AND EXISTS (SELECT 1 FROM rollout_hosts n JOIN "
	"rollout_hosts h ON h.host = n.host JOIN rollouts r ON r.id = h.rollout WHERE n.rollout = ?1 AND "
	"n.host = push_state.host AND h.rollout < ?1 AND h.revision = push_state.revision AND r.state NOT "
	"IN " ENDED " AND h.state IN " NOT_SENT_YET ")"},

    [MM_SQL_INVENTORY] = {"inventory",
	"SELECT h.id, COALESCE(i.os, ''), COALESCE(i.seen, 0), (SELECT group_concat(c.client || ' ' || "
	"c.version, char(10)) FROM (SELECT client, version FROM host_clients WHERE host = h.id ORDER BY "
	"client) c), (SELECT group_concat(f.client, char(10)) FROM (SELECT DISTINCT client FROM findings "
	"WHERE "
	"host = h.id AND closed = 0) f) FROM hosts h LEFT JOIN host_inventory i ON i.host = h.id WHERE h.id "
	"BETWEEN COALESCE(?1, '') AND COALESCE(?1, char(1114111)) ORDER BY h.id"},
    [MM_SQL_INVENTORY_SET] = {"inventory",
	"INSERT INTO host_inventory (host, os, seen) VALUES (?1, ?2, ?3) ON CONFLICT (host) DO UPDATE SET "
	"os = excluded.os, seen = excluded.seen WHERE excluded.seen >= host_inventory.seen"},
    [MM_SQL_INVENTORY_CLIENT_SET] = {"inventory",
	"INSERT INTO host_clients (host, client, version) VALUES (?1, ?2, ?3) ON CONFLICT (host, client) DO "
	"UPDATE SET version = excluded.version WHERE excluded.version <> host_clients.version"},
    [MM_SQL_INVENTORY_CLIENT_GONE] = {"inventory",
	"DELETE FROM host_clients WHERE host = ?1 AND client = ?2"},

    [MM_SQL_WAIVER_ADD] = {"waiver",
	"INSERT INTO waivers (host, user, group_name, client, account, check_id, reason, owner, added_by, "
	"added, until, removed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0) RETURNING id"},
    [MM_SQL_WAIVER_GET] = {"waiver", "SELECT user, host FROM waivers WHERE id = ?1 AND removed = 0"},
    [MM_SQL_WAIVER_REMOVE] = {"waiver", "UPDATE waivers SET removed = ?2 WHERE id = ?1"},
    [MM_SQL_WAIVERS_AT] = {"waivers",
	"SELECT id, host, user, group_name, client, account, check_id, until, owner, reason FROM waivers "
	"WHERE added <= ?1 AND (removed = 0 OR removed > ?1) ORDER BY until DESC, id"},
    [MM_SQL_MEMBER_OF] = {"membership",
	"SELECT 1 FROM user_personal p JOIN memberships m ON m.user_id = p.user_id JOIN groups g ON g.id = "
	"m.group_id WHERE p.login = ?1 AND g.name = ?2"},
    [MM_SQL_WAIVER_EACH] = {"waivers", "SELECT id, host, user, group_name, client, account, check_id, "
				       "reason, owner, added_by, added, until, "
				       "removed FROM waivers WHERE ?1 = 1 OR removed = 0 ORDER BY id"},

    [MM_SQL_SAMPLES_CLEAR] = {"samples", "DELETE FROM samples WHERE day = ?1"},
    [MM_SQL_SAMPLE_PUT] = {"samples",
	"INSERT INTO samples (day, dimension, name, taken, baseline, revision, compliant, drifted, failed, "
	"unknown, waived, deferred, notapplicable, stale) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
	"?11, ?12, ?13, ?14)"},
    [MM_SQL_SAMPLES_TAKEN] = {"samples", "SELECT MAX(taken) FROM samples WHERE day = ?1"},
    [MM_SQL_SAMPLES_EACH] = {"samples",
	"SELECT day, dimension, name, taken, baseline, revision, compliant, drifted, failed, unknown, "
	"waived, deferred, notapplicable, stale FROM samples WHERE day BETWEEN ?1 AND ?2 ORDER BY day, "
	"dimension, name"},
};
