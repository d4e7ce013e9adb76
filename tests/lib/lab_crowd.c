/* tests/lib/lab_crowd.c - a crowd of MariaDB servers; see the header. */
#include <errno.h>
#include <mysql.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/lib/lab_crowd.h"
#include "tests/lib/lab_private.h"

/* Probed servers need few threads and hold nothing: what they keep is what a hundred of them may
 * cost this machine. */
static void server_args(struct lab *lab, int number, unsigned port, struct lab_argv *argv)
{
    static const char *const options[] = {"--no-defaults",
                                          "--user=root",
                                          "--skip-name-resolve",
                                          "--innodb-log-file-size=8M",
                                          "--innodb-buffer-pool-size=8M",
                                          "--innodb-data-file-path=ibdata1:4M:autoextend",
                                          "--innodb-temp-data-file-path=ibtmp1:2M:autoextend",
                                          "--innodb-use-native-aio=0",
                                          "--performance-schema=OFF",
                                          "--key-buffer-size=1M",
                                          "--aria-pagecache-buffer-size=1M",
                                          "--innodb-log-buffer-size=2M",
                                          "--table-open-cache=64",
                                          "--max-connections=6000",
                                          "--back-log=1000",
                                          "--thread-handling=pool-of-threads",
                                          "--thread-pool-size=1",
                                          "--read-only=ON",
                                          "--skip-slave-start",
                                          "--log-bin=bin",
                                          "--relay-log=relay",
                                          "--log-slave-updates",
                                          "--gtid-strict-mode=ON",
                                          "--binlog-format=ROW",
                                          "--rpl-semi-sync-slave-enabled=ON",
                                          "--slave-net-timeout=4"};
    lab_arg(argv, "mariadbd");
    for (size_t i = 0; i < STAY_COUNT(options); i++)
        lab_arg(argv, "%s", options[i]);
    lab_arg(argv, "--datadir=%s", lab_path(lab, "data/s%d", number).s);
    lab_arg(argv, "--socket=%s", lab_path(lab, "data/s%d.sock", number).s);
    lab_arg(argv, "--pid-file=%s", lab_path(lab, "data/s%d.pid", number).s);
    lab_arg(argv, "--tmpdir=%s", lab_path(lab, "tmp/s%d", number).s);
    lab_arg(argv, "--server-id=%d", number + 1);
    lab_arg(argv, "--port=%u", port);
    lab_arg(argv, "--bind-address=0.0.0.0");
    lab_arg(argv, "--ssl-ca=%s", lab_path(lab, "tls/ca.pem").s);
    lab_arg(argv, "--ssl-cert=%s", lab_path(lab, "tls/db1.pem").s);
    lab_arg(argv, "--ssl-key=%s", lab_path(lab, "tls/db1.key").s);
}

static bool launch(struct lab *lab, int number, unsigned port, const char *template_dir)
{
    struct lab_path to = lab_path(lab, "data/s%d", number), tmp = lab_path(lab, "tmp/s%d", number);
    struct lab_path from;
    char name[16];
    struct lab_argv argv = {.n = 0};
    lab_format(from.s, sizeof from.s, "%s/.", template_dir);
    lab_format(name, sizeof name, "s%d", number);
    if (mkdir(to.s, 0755) != 0 || mkdir(tmp.s, 0755) != 0)
        return lab_fail(lab, "cannot make %s: %s", to.s, strerror(errno));
    if (!LAB_RUN(lab, NULL, "cp", "-a", "--sparse=always", "--reflink=auto", from.s, to.s))
        return false;
    server_args(lab, number, port, &argv);
    bool ok = lab_spawn(lab, &(struct lab_daemon){.name = name}, argv.v);
    lab_argv_clear(&argv);
    return ok;
}

/* As root over its socket; the answer is not wanted. */
static bool tell(struct lab *lab, int number, const char *sql)
{
    MYSQL *db = mysql_init(NULL);
    must(db != NULL);
    bool ok = mysql_real_connect(db, NULL, "root", NULL, NULL, 0,
                                 lab_path(lab, "data/s%d.sock", number).s,
                                 CLIENT_MULTI_STATEMENTS) != NULL &&
              mysql_query(db, sql) == 0;
    while (ok && mysql_next_result(db) == 0)
        continue;
    ok = ok && mysql_errno(db) == 0;
    if (!ok)
        (void)lab_fail(lab, "s%d: (%u) %s", number, mysql_errno(db), mysql_error(db));
    mysql_close(db);
    return ok;
}

static bool wait_up(struct lab *lab, int number)
{
    int64_t due = lab_now_us() + LAB_START_TIMEOUT_S * STAY_SECOND;
    while (!tell(lab, number, "DO 1")) {
        if (lab_now_us() > due)
            return false;
        lab_sleep_ms(20);
    }
    return true;
}

bool lab_crowd_up(struct lab *lab, int count, unsigned first_port)
{
    char template_dir[512];
    must(count >= 1 && count <= LAB_CROWD_MAX);
    struct lab *before = lab_new(&(struct lab_options){.name = lab->name, .dir = lab->dir});
    bool ok = !lab_attach(before) || lab_down(before);
    lab_free(before);
    lab_layout(lab);
    if (!ok || !lab_mariadb_template(lab, template_dir, sizeof template_dir))
        return false;
    if (mkdir(lab->dir, 0755) != 0 && errno != EEXIST)
        return lab_fail(lab, "cannot make %s: %s", lab->dir, strerror(errno));
    if (!lab_files_make(lab) || !lab_save(lab))
        return false;
    for (int i = 0; ok && i < count; i++)
        ok = launch(lab, i, first_port + (unsigned)i, template_dir);
    STAY_AUTO(stay_free_charp) char *grants = ok ? lab_grants_text(lab) : NULL;
    for (int i = 0; ok && i < count; i++)
        ok = wait_up(lab, i) && grants != NULL && tell(lab, i, grants);
    return ok;
}

char *lab_crowd_socket(const struct lab *lab)
{
    return stay_sprintf("%s/data/s%%d.sock", lab->dir);
}

char *lab_crowd_ca(const struct lab *lab)
{
    return stay_sprintf("%s/tls/ca.pem", lab->dir);
}

char *lab_crowd_certificate(const struct lab *lab)
{
    return stay_sprintf("%s/tls/db1.pem", lab->dir);
}

char *lab_crowd_key(const struct lab *lab)
{
    return stay_sprintf("%s/tls/db1.key", lab->dir);
}

char *lab_crowd_password(const struct lab *lab, const char *account)
{
    return lab_secret(lab, account);
}

bool lab_crowd_start(struct lab *lab, const char *name, const char *const argv[])
{
    struct lab_path program = lab_program(argv[0]);
    struct lab_argv copy = {.n = 0};
    if (program.s[0] == '\0')
        return lab_fail(lab, "%s is not built", argv[0]);
    lab_arg(&copy, "%s", program.s);
    for (size_t i = 1; argv[i] != NULL; i++)
        lab_arg(&copy, "%s", argv[i]);
    bool ok = lab_spawn(lab, &(struct lab_daemon){.name = name}, copy.v);
    lab_argv_clear(&copy);
    return ok;
}

bool lab_crowd_signal(struct lab *lab, const char *name, int signo)
{
    return lab_signal(lab, name, signo);
}

bool lab_crowd_cut(struct lab *lab, const unsigned ports[], size_t count)
{
    STAY_AUTO(str_clear) struct str r = {0}, set = {0};
    for (size_t i = 0; i < count; i++)
        str_addf(&set, "%s%u", i == 0 ? "" : ", ", ports[i]);
    str_add(&r, "table inet mainstay-crowd\ndelete table inet mainstay-crowd\n");
    if (count > 0)
        str_addf(&r,
                 "table inet mainstay-crowd {\n  chain hole {\n"
                 "    type filter hook prerouting priority -300; policy accept;\n"
                 "    iif lo tcp dport { %s } drop\n    iif lo tcp sport { %s } drop\n  }\n}\n",
                 str_text(&set), str_text(&set));
    struct lab_command how = {.input = str_text(&r)};
    return LAB_RUN(lab, &how, "nft", "-f", "-");
}

char *lab_crowd_output(struct lab *lab, const char *name)
{
    (void)lab_wait_gone(lab, name, 5000);
    return lab_read_file(lab_path(lab, "log/%s.log", name).s);
}
