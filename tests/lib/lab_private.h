/* tests/lib/lab_private.h - what the files of the lab share: its data, processes, paths.
 *
 * Layer: tests, private to tests/lib/lab_*.c. */
#ifndef TESTS_LIB_LAB_PRIVATE_H
#define TESTS_LIB_LAB_PRIVATE_H
#include <sys/types.h>

#include "tests/lib/lab.h"

enum {
    LAB_HOSTS_MAX = 16,
    LAB_FAULTS_MAX = 64,
    LAB_ARGS_MAX = 96,
    LAB_START_TIMEOUT_S = 30,
};

enum lab_host_kind {
    LAB_HOST_NONE = 0,
    LAB_HOST_SERVER,
    LAB_HOST_PROXY,
    LAB_HOST_CLIENT,
    LAB_HOST_KIND_COUNT
};

struct lab_host {
    char name[16];
    char zone[12]; /* a, b, witness, clients */
    char address[20];
    char promote[8]; /* prefer, neutral, never; servers only */
    enum lab_host_kind kind;
    int server_id; /* servers only; also the order */
};

enum lab_fault_kind {
    LAB_FAULT_NONE = 0,
    LAB_FAULT_CUT,
    LAB_FAULT_LOSSY,
    LAB_FAULT_RESET,
    LAB_FAULT_SLOW,
    LAB_FAULT_BIG,
    LAB_FAULT_NARROW,
    LAB_FAULT_KIND_COUNT
};

struct lab_fault {
    enum lab_fault_kind kind;
    char a[16], b[16];
    bool one_way;
    int amount; /* percent, milliseconds, bytes or kbit/s */
    int queue;  /* slow: its NFQUEUE number */
};

struct lab {
    char name[32], dir[256], listen[64], without_acker[12], version[96];
    enum lab_engine engine;
    int octet; /* addresses are 10.OCTET.ZONE.HOST */
    int replicas;
    bool acker, disks, clocks, names;
    struct lab_host hosts[LAB_HOSTS_MAX];
    size_t hosts_count;
    struct lab_fault faults[LAB_FAULTS_MAX];
    size_t faults_count;
    int64_t fault_mono_us;
    char error[1024];
};

/* A path below the lab's folder, by value: lab_path(lab, "log/%s.log", name).s */
struct lab_path {
    char s[512];
};
struct lab_path lab_path(const struct lab *lab, const char *fmt, ...) STAY_PRINTF(2, 3);
/* snprintf into a buffer that is known to be large enough; cuts otherwise. */
void lab_format(char *buf, size_t size, const char *fmt, ...) STAY_PRINTF(3, 4);
bool lab_fail(struct lab *lab, const char *fmt, ...) STAY_PRINTF(2, 3); /* returns false */

/* lab_state.c */
void lab_layout(struct lab *lab); /* fills hosts from the options */
const struct lab_host *lab_host_of(const struct lab *lab, const char *name);
const struct lab_host *lab_server_of(struct lab *lab, const char *node); /* NULL + error */
bool lab_save(struct lab *lab);
bool lab_choose_octet(struct lab *lab);
struct lab_path lab_namespace(const struct lab *lab, const char *host);
const char *lab_root_dir(void); /* /var/tmp/mainstay-lab */

/* lab_process.c: argv ends with NULL; ns may be NULL (root namespace). */
struct lab_argv {
    char *v[LAB_ARGS_MAX];
    size_t n;
};
void lab_arg(struct lab_argv *argv, const char *fmt, ...) STAY_PRINTF(2, 3);
void lab_argv_clear(struct lab_argv *argv);
/* Runs to the end; input may be NULL; *ret_out (may be NULL) gets stdout, caller frees. False and
 * the command's stderr in lab->error when it does not exit 0; *ret_exit may be NULL. */
struct lab_command {
    const char *ns, *input;
    char **ret_out;
    int *ret_exit;
};
bool lab_run(struct lab *lab, const struct lab_command *how, const char *const argv[]);
#define LAB_RUN(lab, how, ...) lab_run(lab, how, (const char *const[]){__VA_ARGS__, NULL})
/* Starts a daemon whose output goes to log/NAME.log and records pid/NAME. */
struct lab_daemon {
    const char *name, *ns, *chdir;
    bool faketime;
};
bool lab_spawn(struct lab *lab, const struct lab_daemon *what, char *const argv[]);
pid_t lab_pid(const struct lab *lab, const char *name); /* 0 when it does not run */
bool lab_signal(struct lab *lab, const char *name, int signo);
bool lab_wait_gone(struct lab *lab, const char *name, int timeout_ms);
void lab_sleep_ms(int ms);
/* Moves this thread into a namespace and back; for short socket work. */
int lab_enter(const struct lab *lab, const char *host); /* fd of the old one, -1 on failure */
void lab_leave(int fd);
struct lab_path lab_program(const char *name); /* full path of a program of this build, or "" */

/* lab_net.c, lab_faults.c */
bool lab_net_up(struct lab *lab);
void lab_net_down(struct lab *lab);
bool lab_faults_apply(struct lab *lab);

/* lab_files.c */
bool lab_write_file(struct lab *lab, const char *path, const char *text, mode_t mode);
char *lab_read_file(const char *path); /* NULL if it cannot be read; caller frees */
bool lab_files_make(struct lab *lab);  /* secrets, certificates, configurations */
char *lab_secret(const struct lab *lab, const char *account); /* caller frees; NULL if none */
struct lab_path lab_source(const char *relative);
char *lab_grants_text(struct lab *lab); /* deploy/grants with passwords; caller frees */
/* lab_config.c */
bool lab_config_write(struct lab *lab);
bool lab_proxy_start(struct lab *lab, const struct lab_host *proxy);

/* lab_server.c and one file per engine */
bool lab_servers_up(struct lab *lab); /* templates, copies, start, replication, semi-sync */
/* Where a server lives and who it is: the arguments that both engines take alike. */
void lab_place_args(const struct lab *lab, const struct lab_host *server, struct lab_argv *argv);
/* How an engine's first replication is set up; the statements are db1's. */
struct lab_replication {
    const char *position; /* asks what it holds */
    bool (*follow)(struct lab *lab, const struct lab_host *server, const char *position);
    const char *source_on; /* lossless mode on */
    const char *clients;   /* asks how many replicas acknowledge */
    const char *open;      /* it takes writes */
};
extern const struct lab_replication lab_mariadb_replication, lab_mysql_replication;
bool lab_mariadb_template(struct lab *lab, char *template_dir, size_t size);
void lab_mariadb_args(const struct lab *lab, const struct lab_host *server, struct lab_argv *argv);
bool lab_mysql_template(struct lab *lab, char *template_dir, size_t size);
void lab_mysql_args(const struct lab *lab, const struct lab_host *server, struct lab_argv *argv);
/* lab_disks.c */
bool lab_disk_make(struct lab *lab, const struct lab_host *server);
bool lab_disk_repair(struct lab *lab, const struct lab_host *server);
void lab_disks_remove(struct lab *lab);
/* For a child before it runs a daemon: the lab's own hosts file and resolver instead of ours. */
bool lab_names_enter(const struct lab *lab);
void lab_clock_file(const struct lab *lab, const char *who, char *buf, size_t size);

#endif
