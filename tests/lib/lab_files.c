/* Files of a lab: passwords, the lab's certificate authority, grants with passwords filled in. */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

enum { READ_MAX = 1024 * 1024, SECRET_BYTES = 12 };

static const char *const accounts[] = {"monitor",   "canary", "operate",
                                       "replicate", "backup", "app"};

bool lab_write_file(struct lab *lab, const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    size_t length = strlen(text);
    bool ok = fd >= 0 && write(fd, text, length) == (ssize_t)length;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok ? true : lab_fail(lab, "cannot write %s: %s", path, strerror(errno));
}

char *lab_read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = NULL;
    size_t used = 0;
    ssize_t n = 0;
    do {
        text = stay_realloc(text, used + 4097, 1);
        n = read(fd, text + used, 4096);
        used += n > 0 ? (size_t)n : 0;
        text[used] = '\0';
    } while (n > 0 && used < READ_MAX);
    close(fd);
    return text;
}

char *lab_secret(const struct lab *lab, const char *account)
{
    char *text = lab_read_file(lab_path(lab, "secrets/%s", account).s);
    if (text != NULL)
        text[strcspn(text, "\n")] = '\0';
    return text;
}

static bool make_secret(struct lab *lab, const char *account)
{
    unsigned char bytes[SECRET_BYTES];
    char text[SECRET_BYTES * 2 + 2] = "";
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return lab_fail(lab, "getrandom: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        lab_format(text + 2 * i, 3, "%02x", bytes[i]);
    text[sizeof text - 2] = '\n';
    text[sizeof text - 1] = '\0';
    return lab_write_file(lab, lab_path(lab, "secrets/%s", account).s, text, 0600);
}

static bool make_ca(struct lab *lab)
{
    return LAB_RUN(lab, NULL, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-subj",
                   "/CN=mainstay lab CA", "-keyout", lab_path(lab, "tls/ca.key").s, "-out",
                   lab_path(lab, "tls/ca.pem").s);
}

static bool make_certificate(struct lab *lab, const struct lab_host *host)
{
    struct lab_path key = lab_path(lab, "tls/%s.key", host->name);
    struct lab_path pem = lab_path(lab, "tls/%s.pem", host->name);
    char subject[64], names[128];
    lab_format(subject, sizeof subject, "/CN=%s", host->name);
    lab_format(names, sizeof names, "subjectAltName=IP:%s,DNS:%s", host->address, host->name);
    return LAB_RUN(lab, NULL, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-subj", subject,
                   "-addext", names, "-addext", "basicConstraints=critical,CA:FALSE", "-CA",
                   lab_path(lab, "tls/ca.pem").s, "-CAkey", lab_path(lab, "tls/ca.key").s,
                   "-keyout", key.s, "-out", pem.s);
}

bool lab_files_make(struct lab *lab)
{
    static const char *const folders[] = {"secrets", "tls",   "pid",  "log",
                                          "data",    "clock", "disk", "tmp"};
    for (size_t i = 0; i < STAY_COUNT(folders); i++)
        if (mkdir(lab_path(lab, "%s", folders[i]).s, i == 0 ? 0700 : 0755) != 0 && errno != EEXIST)
            return lab_fail(lab, "cannot make %s/%s: %s", lab->dir, folders[i], strerror(errno));
    for (size_t i = 0; i < STAY_COUNT(accounts); i++)
        if (!make_secret(lab, accounts[i]))
            return false;
    if (!make_ca(lab))
        return false;
    for (size_t i = 0; i < lab->hosts_count; i++)
        if (lab->hosts[i].kind == LAB_HOST_SERVER && !make_certificate(lab, &lab->hosts[i]))
            return false;
    return lab_config_write(lab);
}

/* Replaces every `what` in heap text by `with`. */
static char *replace_all(char *text, const char *what, const char *with)
{
    for (char *at = strstr(text, what); at != NULL;) {
        size_t before = (size_t)(at - text);
        *at = '\0';
        char *longer = stay_sprintf("%s%s%s", text, with, at + strlen(what));
        free(text);
        text = longer;
        at = strstr(text + before + strlen(with), what);
    }
    return text;
}

/* A file of the tree this program was built from, or of MAINSTAY_SOURCE. */
struct lab_path lab_source(const char *relative)
{
    struct lab_path path;
    const char *here = __FILE__, *given = getenv("MAINSTAY_SOURCE");
    size_t root = strlen(here) - strlen("tests/lib/lab_files.c");
    if (given != NULL)
        lab_format(path.s, sizeof path.s, "%s/%s", given, relative);
    else
        lab_format(path.s, sizeof path.s, "%.*s%s", (int)root, here, relative);
    return path;
}

char *lab_grants_text(struct lab *lab)
{
    struct lab_path path = lab_source(lab->engine == LAB_MYSQL ? "deploy/grants/mysql.sql"
                                                               : "deploy/grants/mariadb.sql");
    char *text = lab_read_file(path.s);
    if (text == NULL) {
        (void)lab_fail(lab, "%s is missing; set MAINSTAY_SOURCE to the source tree", path.s);
        return NULL;
    }
    text = replace_all(text, "@HOSTS@", "%");
    static const char *const marks[] = {"@MONITOR_PASSWORD@", "@CANARY_PASSWORD@",
                                        "@OPERATE_PASSWORD@", "@REPLICATE_PASSWORD@",
                                        "@BACKUP_PASSWORD@"};
    for (size_t i = 0; i < STAY_COUNT(marks); i++) {
        STAY_AUTO(stay_free_charp) char *secret = lab_secret(lab, accounts[i]);
        text = replace_all(text, marks[i], secret == NULL ? "" : secret);
    }
    return text;
}
