/* tests/lib/lab.h - the lab: real database servers, proxies and clients in network namespaces on
 * this machine, with verbs to hurt them. Scenario programs, `mainstay lab` and the benches use it.
 *
 * Layer: tests. Not pure; needs root. Blocking calls, one thread. Order: lab_new, then lab_up (a
 * new lab) or lab_attach (one that runs already), then any verb, lab_down, lab_free. Every fallible
 * call returns false and leaves a sentence in lab_error(). Only processes that a lab started (pid
 * and start time are kept in its folder) are ever signalled. The lab shares no code with the
 * controller: it judges it. */
#ifndef TESTS_LIB_LAB_H
#define TESTS_LIB_LAB_H
#include <jansson.h>

#include "base/base.h"

struct lab;

enum lab_engine { LAB_ENGINE_NONE = 0, LAB_MARIADB, LAB_MYSQL, LAB_ENGINE_COUNT };

/* Zero or NULL in a field means its default. */
struct lab_options {
    const char *name;   /* "lab": prefix of namespaces, name of the state folder */
    const char *dir;    /* "/var/tmp/mainstay-lab/NAME" */
    const char *listen; /* controller's HTTP address: "127.0.0.1:8420" (other labs: another port) */
    const char *without_acker; /* "degrade" | "block"; default "degrade" */
    enum lab_engine engine;    /* LAB_MARIADB */
    int replicas;              /* replicas that may be promoted: 1; the first is db2 in zone b */
    bool acker;                /* db3 in the witness zone, promote = "never" */
    bool disks;  /* each data folder on a small file system of its own (fill, read-only) */
    bool clocks; /* servers and controller run under libfaketime (lab_clock) */
    bool names;  /* servers and controller resolve names by the lab's own files (lab_names) */
};

/* lab_new never returns NULL (aborts when memory is out). lab_free ends no process. */
struct lab *lab_new(const struct lab_options *options);
void lab_free(struct lab *lab);
const char *lab_error(const struct lab *lab);
const char *lab_dir(const struct lab *lab);
enum lab_engine lab_engine_of(const struct lab *lab);
/* "10.77.1.11" for "db1"; also "proxy-a", "proxy-b", "client", "controller". NULL if unknown. */
const char *lab_address(const struct lab *lab, const char *name);

bool lab_up(struct lab *lab);     /* a running lab of this name is taken down first */
bool lab_attach(struct lab *lab); /* reads DIR/lab.json; false when there is none */
bool lab_down(struct lab *lab);   /* ends everything, removes namespaces, mounts and the folder */

/* Database servers. Signals go to the exact process; lab_kill and lab_stop wait until it is gone
 * (stop: 30 s, then false). lab_start runs the server again with its start-up values (read-only,
 * replication stopped); extra = further server options separated by spaces, or NULL. */
bool lab_kill(struct lab *lab, const char *node);
bool lab_stop(struct lab *lab, const char *node);
bool lab_terminate(struct lab *lab, const char *node); /* SIGTERM, does not wait */
bool lab_start(struct lab *lab, const char *node, const char *extra);
bool lab_hang(struct lab *lab, const char *node); /* SIGSTOP; proxies and controller too */
bool lab_thaw(struct lab *lab, const char *node);
bool lab_is_running(struct lab *lab, const char *node);

/* Its disk is replaced, the server is down after that: MariaDB without a data folder, MySQL with
 * one initialised anew that holds mainstay's accounts and no position. */
bool lab_wipe(struct lab *lab, const char *node);

/* Network. a, b: node, proxy-a, proxy-b, client, controller, a zone (a, b, witness, clients) or
 * "all". cut drops packets silently; one_way drops only a -> b. heal(NULL, NULL) mends everything.
 * All traffic is routed through the wan namespace, so cuts inside a zone work too. */
bool lab_cut(struct lab *lab, const char *a, const char *b, bool one_way);
bool lab_lossy(struct lab *lab, const char *a, const char *b, int percent);
bool lab_reset(struct lab *lab, const char *a, const char *b);        /* answers TCP with resets */
bool lab_slow(struct lab *lab, const char *a, const char *b, int ms); /* added each way */
/* A path-MTU black hole: drops packets of more than `bytes`, smaller ones pass. */
bool lab_big(struct lab *lab, const char *a, const char *b, int bytes);
/* What goes to host `node` is held to kbit/s (tbf); lab_heal(lab, node, NULL) ends it. */
bool lab_narrow(struct lab *lab, const char *node, int kbit);
bool lab_heal(struct lab *lab, const char *a, const char *b);

/* Disks (lab_options.disks) and clocks (lab_options.clocks). */
bool lab_fill_disk(struct lab *lab, const char *node, bool fill); /* false: gives the room back */
bool lab_readonly_disk(struct lab *lab, const char *node);        /* until the next lab_start */
bool lab_freeze_disk(struct lab *lab, const char *node, bool freeze);
/* Every fsync of the server's process answers EIO from now on (strace injects it). */
bool lab_fail_fsync(struct lab *lab, const char *node);
bool lab_clock(struct lab *lab, const char *who, long seconds); /* offset from true time */

/* SQL over the server's unix socket (works through every cut), as root. *ret_text: rows as lines,
 * columns by tab, NULL as "NULL", no trailing newline; caller frees; ret_text may be NULL. */
bool lab_sql(struct lab *lab, const char *node, const char *statement, char **ret_text);
bool lab_sql_as(struct lab *lab, const char *node, const char *user, const char *statement,
                char **ret_text);
/* Polls until the statement's text equals expected; an error counts as "not yet". */
bool lab_wait_sql(struct lab *lab, const char *node, const char *statement, const char *expected,
                  int timeout_s);

/* Labs with names: "db1", "db2" ... resolve (true, as at the start), or the resolver is silent. */
bool lab_names(struct lab *lab, bool resolve);
/* Open file descriptors of NODE or "controller"; -1: it does not run. */
int lab_open_files(struct lab *lab, const char *who);
/* It may hold at most this many open files from now on (prlimit). */
bool lab_limit_files(struct lab *lab, const char *who, int most);

/* Controller: mainstayd in the root namespace on DIR/mainstay.conf; programs are looked for in
 * $MAINSTAY_BIN, beside the running program, and in ../bin. lab_cli runs `mainstay --json VERB ...`
 * (arguments end with NULL); *ret_exit its exit code, *ret_json what it printed (NULL if no JSON;
 * caller json_decref); both may be NULL. */
bool lab_start_controller(struct lab *lab);
bool lab_stop_controller(struct lab *lab);
bool lab_kill_controller(struct lab *lab);
bool lab_cli(struct lab *lab, int *ret_exit, json_t **ret_json, ...) __attribute__((sentinel));
/* Appends text to DIR/mainstay.conf's cluster or replaces the first "from" by "to" in the file. */
bool lab_edit_config(struct lab *lab, const char *from, const char *to);

/* Proxies: zone "a" or "b". The runtime command's answer is *ret_text (caller frees; may be NULL).
 */
bool lab_proxy_restart(struct lab *lab, const char *zone);
bool lab_proxy_kill(struct lab *lab, const char *zone);
bool lab_proxy_command(struct lab *lab, const char *zone, const char *command, char **ret_text);

/* Load: mainstay-load in the client's namespace through both proxies. check stops nothing: it reads
 * DIR/load.log and the ledger on `node`; *ret_json is the report (see loss_check.h). */
struct lab_load_options {
    int writers;        /* 16 */
    int rate;           /* attempts per second over all writers; 0: as fast as it goes */
    int read_timeout_s; /* 5 */
    bool one_proxy;     /* only proxy-a */
};
bool lab_load_start(struct lab *lab, const struct lab_load_options *options);
bool lab_load_stop(struct lab *lab);
bool lab_load_check(struct lab *lab, const char *node, int64_t fault_mono_us, int plant_loss,
                    json_t **ret_json);

/* Proves deploy/grants on this lab, one line per right; takes its replication apart: down it after.
 */
bool lab_prove_grants(struct lab *lab, FILE *out);

/* CLOCK_MONOTONIC in microseconds: what load.log is stamped with. */
int64_t lab_now_us(void);
/* The database server that is writable now, "" when there is none, "?" when there are several. */
const char *lab_writable(struct lab *lab);

/* A fault proxy of our own before a server, in the root namespace, for faults inside a connection:
 * *ret_port on 127.0.0.1 leads to NODE:3306. lab_fault_proxy_tell sends a command of fault_proxy.h.
 */
bool lab_fault_proxy_start(struct lab *lab, const char *node, unsigned *ret_port);
bool lab_fault_proxy_tell(struct lab *lab, const char *node, const char *command);

/* The moment of the last kill, hang, stop, terminate or cut, as a number for lab_load_check. */
int64_t lab_fault_us(const struct lab *lab);

/* For scenario programs: prints the failing call and the lab's error, and exits 1; 77 (skipped)
 * when the error begins with "skipped": MySQL cannot be fetched here. */
#define LAB_MUST(lab, call)                                                                        \
    do {                                                                                           \
        if (!(call)) {                                                                             \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, lab_error(lab));         \
            exit(strncmp(lab_error(lab), "skipped", 7) == 0 ? 77 : 1);                             \
        }                                                                                          \
    } while (0)

#endif
