/* Sentences: why a server could not be asked and what mends it, and who is the primary. */
#include "controller/discover/stanza_private.h"

#include <stdarg.h>

void stanza_clean(char *text)
{
    for (char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
}

void stanza_comment(struct str *out, unsigned indent, const char *fmt, ...)
{
    char line[1200];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args); /* a comment cut short is still a comment */
    va_end(args);
    stanza_clean(line);
    str_add_repeat(out, ' ', indent);
    str_addf(out, "#%s%s\n", line[0] == '\0' ? "" : " ", line);
}

const char *stanza_name(const struct stanza *s, uint32_t member, char dst[NAMES_ADDRESS_MAX])
{
    uint32_t node = s->node[member];
    if (node != NO_NODE)
        (void)stay_copy(dst, NAMES_ADDRESS_MAX, s->config.nodes[node].name);
    else
        names_format_address(dst, NAMES_ADDRESS_MAX, &s->crawl->members[member]->address);
    return dst;
}

static const char *grants_file(enum engine engine)
{
    return engine == ENGINE_MARIADB ? "deploy/grants/mariadb.sql"
           : engine == ENGINE_MYSQL ? "deploy/grants/mysql.sql"
                                    : "deploy/grants";
}

/* The account's own trouble: password, rights, where it may come from, whether it needs TLS. */
static void denied_fix(const struct stanza_input *input, enum engine engine,
                       const struct reach *reach, char *dst, size_t size)
{
    const char *grants = grants_file(engine), *grant = strstr(reach->text, "GRANT ");
    if (reach->layer == LAYER_TLS)
        (void)snprintf(dst, size, "give that server a certificate, or leave --ca out");
    else if (reach->native == 1130)
        (void)snprintf(dst, size, "allow %s from this host there, as %s makes it", input->user,
                       grants);
    else if (reach->layer == LAYER_QUERY)
        (void)snprintf(dst, size, "on the primary, as root: %s%s",
                       grant == NULL ? "the statements about it in " : grant,
                       grant == NULL ? grants : "");
    else
        (void)snprintf(dst, size,
                       "wrong password, no such account there, or one that asks for TLS: mend "
                       "--password-file %s, make %s as %s does, or give --ca",
                       input->password_file, input->user, grants);
}

static bool wants_tls(const struct reach *reach)
{
    return reach->native == 3159 || strstr(reach->text, "insecure transport") != NULL;
}

void stanza_reach_fix(const struct stanza_input *input, enum engine engine,
                      const struct reach *reach, char *ret_fix, size_t size)
{
    if (wants_tls(reach))
        (void)snprintf(ret_fix, size, "it talks over TLS only: give --ca FILE");
    else if (reach->outcome == OUT_DENIED)
        denied_fix(input, engine, reach, ret_fix, size);
    else if (reach->outcome == OUT_TOO_MANY)
        (void)snprintf(ret_fix, size,
                       "all its connections are taken: ask again, or raise "
                       "max_connections there");
    else if (reach->layer == LAYER_RESOLVE)
        (void)snprintf(ret_fix, size,
                       "this host does not know the name: write the number, or make it known");
    else if (reach->layer == LAYER_TLS)
        (void)snprintf(ret_fix, size,
                       "its certificate is not what --ca vouches for under this address: mend one "
                       "of them, or add --any-name when only the name is wrong");
    else if (reach->outcome == OUT_REFUSED)
        (void)snprintf(ret_fix, size,
                       "nothing listens there: start the server, or name the right port");
    else if (reach->outcome == OUT_TIMEOUT)
        (void)snprintf(ret_fix, size,
                       "no answer in time: start it, open the way from this host, or raise "
                       "--timeout");
    else
        (void)snprintf(ret_fix, size, "see what listens there: it may be no MariaDB or MySQL");
}

static void missing_guess(const struct stanza *s, const struct crawl_missing *m,
                          struct stanza_text *t)
{
    char by[NAMES_ADDRESS_MAX];
    bool is_v6 = strchr(m->address.host, ':') != NULL;
    bool is_hidden = s->crawl->members[m->by]->answer.lists_replicas == TRI_NO;
    bool is_foreign = m->reach.outcome == OUT_OK;
    (void)snprintf(t->what, sizeof t->what,
                   "%.64s streams %s's binary log, and no replica of it answered there (port "
                   "%s: %s %s)",
                   m->address.host, stanza_name(s, m->by, by),
                   m->ports[0] == '\0' ? "unknown" : m->ports,
                   is_foreign ? "a server" : obs_layer_text(m->reach.layer),
                   is_foreign ? "that does not follow it by its default channel"
                              : obs_outcome_text(m->reach.outcome));
    (void)snprintf(t->fix, sizeof t->fix,
                   "if it is a server, name its port: --also %s%.64s%s:PORT; if it is a program "
                   "(mysqlbinlog, a change feed), mainstay check goes on to name it%s",
                   is_v6 ? "[" : "", m->address.host, is_v6 ? "]" : "",
                   !is_hidden ? ""
                   : s->config.engine == ENGINE_MARIADB
                       ? "; ports are shown to REPLICATION MASTER ADMIN: put mainstay_operate's "
                         "password into a file named operate beside --password-file"
                       : "; ports are shown to REPLICATION SLAVE: put mainstay_replicate's "
                         "password into a file named replicate beside --password-file");
}

void stanza_missing(const struct stanza *s, uint32_t missing, struct stanza_text *ret_text)
{
    const struct crawl_missing *m = &s->crawl->missing[missing];
    char address[NAMES_ADDRESS_MAX], by[NAMES_ADDRESS_MAX] = "";
    names_format_address(address, sizeof address, &m->address);
    if (m->by != NO_NODE)
        (void)stanza_name(s, m->by, by);
    if (m->why == CRAWL_GUESS) {
        missing_guess(s, m, ret_text);
    } else {
        (void)snprintf(ret_text->what, sizeof ret_text->what,
                       "%.100s, %s%s%s, did not answer: %s %s%s%.120s", address,
                       m->why == CRAWL_SOURCE     ? "the source of "
                       : m->why == CRAWL_REPORTED ? "a replica of "
                                                  : "named on the command line",
                       m->by == NO_NODE ? "" : by,
                       m->why == CRAWL_REPORTED ? " by its own word (report_host)" : "",
                       obs_layer_text(m->reach.layer), obs_outcome_text(m->reach.outcome),
                       m->reach.text[0] == '\0' ? "" : ": ", m->reach.text);
        stanza_reach_fix(s->input, s->config.engine, &m->reach, ret_text->fix,
                         sizeof ret_text->fix);
    }
    stanza_clean(ret_text->what);
    stanza_clean(ret_text->fix);
}

bool stanza_blind(const struct stanza *s, uint32_t member, struct stanza_text *ret_text)
{
    const struct crawl_answer *a = &s->crawl->members[member]->answer;
    char name[NAMES_ADDRESS_MAX];
    if (a->shows_threads != TRI_NO || a->lists_replicas == TRI_YES)
        return false;
    (void)snprintf(ret_text->what, sizeof ret_text->what,
                   "replicas of %s, if it has any: %s sees neither its threads nor its list",
                   stanza_name(s, member, name), s->input->user);
    (void)snprintf(ret_text->fix, sizeof ret_text->fix,
                   "on the primary, as root: GRANT PROCESS ON *.* TO %s, as in %s", s->input->user,
                   grants_file(s->config.engine));
    return true;
}

bool stanza_is_whole(const struct stanza *s)
{
    struct stanza_text text;
    bool is_blind = false;
    for (uint32_t m = 0; m < s->crawl->member_count; m++)
        is_blind |= stanza_blind(s, m, &text);
    return s->crawl->missing_count == 0 && !s->crawl->is_cut && s->crawl->primary_count == 1 &&
           !is_blind;
}

static void list_primaries(const struct stanza *s, char *dst, size_t size)
{
    char name[NAMES_ADDRESS_MAX];
    size_t used = 0;
    for (uint32_t i = 0; i < s->crawl->primary_count && used < size; i++)
        used += (size_t)snprintf(dst + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 stanza_name(s, s->crawl->primaries[i], name));
}

/* Sources that did not answer. */
static void list_sources(const struct stanza *s, char *dst, size_t size)
{
    char address[NAMES_ADDRESS_MAX];
    size_t used = 0;
    for (uint32_t i = 0; i < s->crawl->missing_count && used < size; i++) {
        if (s->crawl->missing[i].why != CRAWL_SOURCE)
            continue;
        names_format_address(address, sizeof address, &s->crawl->missing[i].address);
        used += (size_t)snprintf(dst + used, size - used, "%s%s", used > 0 ? ", " : "", address);
    }
}

void stanza_primary(const struct stanza *s, struct stanza_text *ret_text)
{
    const struct crawl *c = s->crawl;
    char names[200] = "";
    const char *why = "", *fix = "";
    list_primaries(s, names, sizeof names);
    switch (c->how) {
    case CRAWL_PRIMARY_NONE:
        why = "none: no server answered";
        break;
    case CRAWL_PRIMARY_SURE:
        why = "it accepts writes and replicates from nobody";
        break;
    case CRAWL_PRIMARY_FOLLOWS:
        why = "it alone accepts writes, although it has a source";
        fix = "end its replication (RESET SLAVE ALL, RESET REPLICA ALL) if it is the primary, else "
              "make it read-only and open the primary";
        break;
    case CRAWL_PRIMARY_READ_ONLY:
        why = "it replicates from nobody, but is read-only: no server accepts writes";
        fix = "SET GLOBAL read_only = OFF there, if it is the one";
        break;
    case CRAWL_PRIMARY_OUTSIDE:
        list_sources(s, names, sizeof names);
        why = names[0] != '\0' ? "perhaps, but it did not answer; every server found replicates"
                               : "not known: every server found replicates, none accepts writes";
        fix = "bring the source up that did not answer and discover again; in a ring, open one";
        break;
    case CRAWL_PRIMARY_SEVERAL:
        why = "which of them cannot be told: more than one accepts writes, or leads";
        fix = "make all but the one true primary read-only (and replicas of it), then discover "
              "again";
        break;
    }
    (void)snprintf(ret_text->what, sizeof ret_text->what, "%s%s%s", names,
                   names[0] == '\0' ? "" : ": ", why);
    (void)stay_copy(ret_text->fix, sizeof ret_text->fix, fix);
}
