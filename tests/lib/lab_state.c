/* What a lab is made of: its hosts and addresses, its folder, and lab.json, which holds both. */
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

static const char *const engine_names[LAB_ENGINE_COUNT] = {"none", "mariadb", "mysql"};
static const char *const fault_names[LAB_FAULT_KIND_COUNT] = {"none", "cut", "lossy", "reset",
                                                              "slow", "big", "narrow"};

const char *lab_root_dir(void)
{
    return "/var/tmp/mainstay-lab";
}

struct lab_path lab_path(const struct lab *lab, const char *fmt, ...)
{
    struct lab_path path;
    lab_format(path.s, sizeof path.s, "%s/", lab->dir);
    size_t used = strlen(path.s);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(path.s + used, sizeof path.s - used, fmt, args);
    va_end(args);
    return path;
}

void lab_format(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(buf, size, fmt, args);
    va_end(args);
}

bool lab_fail(struct lab *lab, const char *fmt, ...)
{
    char text[sizeof lab->error]; /* an argument may point into lab->error */
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)stay_copy(lab->error, sizeof lab->error, text);
    return false;
}

struct lab *lab_new(const struct lab_options *o)
{
    struct lab *lab = stay_calloc(1, sizeof *lab);
    (void)stay_copy(lab->name, sizeof lab->name, o->name == NULL ? "lab" : o->name);
    if (o->dir != NULL)
        (void)stay_copy(lab->dir, sizeof lab->dir, o->dir);
    else
        lab_format(lab->dir, sizeof lab->dir, "%s/%s", lab_root_dir(), lab->name);
    (void)stay_copy(lab->listen, sizeof lab->listen, o->listen == NULL ? "" : o->listen);
    (void)stay_copy(lab->without_acker, sizeof lab->without_acker,
                    o->without_acker == NULL ? "degrade" : o->without_acker);
    lab->engine = o->engine == LAB_ENGINE_NONE ? LAB_MARIADB : o->engine;
    lab->replicas = o->replicas < 1 ? 1 : o->replicas;
    lab->acker = o->acker;
    lab->disks = o->disks;
    lab->clocks = o->clocks;
    lab->names = o->names;
    return lab;
}

void lab_free(struct lab *lab)
{
    free(lab);
}

const char *lab_error(const struct lab *lab)
{
    return lab->error;
}

const char *lab_dir(const struct lab *lab)
{
    return lab->dir;
}

enum lab_engine lab_engine_of(const struct lab *lab)
{
    return lab->engine;
}

int64_t lab_fault_us(const struct lab *lab)
{
    return lab->fault_mono_us;
}

struct lab_path lab_namespace(const struct lab *lab, const char *host)
{
    struct lab_path ns;
    lab_format(ns.s, sizeof ns.s, "ms-%s-%s", lab->name, host);
    return ns;
}

/* The first second-octet from the name's own that no lab on this machine uses: 77 is "lab"'s. */
bool lab_choose_octet(struct lab *lab)
{
    unsigned hash = 2166136261U;
    for (const char *c = lab->name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    int first = strcmp(lab->name, "lab") == 0 ? 77 : 78 + (int)(hash % 170U);
    for (int i = 0; i < 170; i++) {
        int octet = i == 0 ? first : 78 + (first - 78 + i + 170) % 170;
        char leg[IF_NAMESIZE];
        lab_format(leg, sizeof leg, "mslab%d", octet);
        if (if_nametoindex(leg) == 0) {
            lab->octet = octet;
            if (lab->listen[0] == '\0')
                lab_format(lab->listen, sizeof lab->listen, "127.0.0.1:%d",
                           octet == 77 ? 8420 : 8420 + octet);
            return true;
        }
    }
    return lab_fail(lab, "no free address block: too many labs run here");
}

static struct lab_host *add_host(struct lab *lab, enum lab_host_kind kind, const char *name,
                                 const char *zone, int last)
{
    must(lab->hosts_count < LAB_HOSTS_MAX);
    static const char zones[] = "abwc";
    struct lab_host *host = &lab->hosts[lab->hosts_count++];
    *host = (struct lab_host){.kind = kind};
    (void)stay_copy(host->name, sizeof host->name, name);
    (void)stay_copy(host->zone, sizeof host->zone, zone);
    lab_format(host->address, sizeof host->address, "10.%d.%d.%d", lab->octet,
               (int)(strchr(zones, zone[0]) - zones) + 1, last);
    return host;
}

static void add_server(struct lab *lab, int id, const char *zone, const char *promote)
{
    char name[16];
    lab_format(name, sizeof name, "db%d", id);
    struct lab_host *host = add_host(lab, LAB_HOST_SERVER, name, zone, 10 + (id > 3 ? id : 1));
    host->server_id = id;
    (void)stay_copy(host->promote, sizeof host->promote, promote);
}

void lab_layout(struct lab *lab)
{
    lab->hosts_count = 0;
    add_server(lab, 1, "a", "prefer");
    add_server(lab, 2, "b", "neutral");
    if (lab->acker)
        add_server(lab, 3, "witness", "never");
    for (int i = 2; i <= lab->replicas && i <= 8; i++)
        add_server(lab, i + 2, i % 2 == 0 ? "a" : "b", "neutral");
    (void)add_host(lab, LAB_HOST_PROXY, "proxy-a", "a", 2);
    (void)add_host(lab, LAB_HOST_PROXY, "proxy-b", "b", 2);
    (void)add_host(lab, LAB_HOST_CLIENT, "client", "clients", 10);
}

const struct lab_host *lab_host_of(const struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->hosts_count; i++)
        if (strcmp(lab->hosts[i].name, name) == 0)
            return &lab->hosts[i];
    return NULL;
}

const struct lab_host *lab_server_of(struct lab *lab, const char *node)
{
    const struct lab_host *host = lab_host_of(lab, node);
    if (host == NULL || host->kind != LAB_HOST_SERVER) {
        (void)lab_fail(lab, "'%s' is no database server of lab '%s'", node, lab->name);
        return NULL;
    }
    return host;
}

const char *lab_address(const struct lab *lab, const char *name)
{
    static _Thread_local char controller[20];
    const struct lab_host *host = lab_host_of(lab, name);
    if (host != NULL)
        return host->address;
    if (strcmp(name, "controller") != 0)
        return NULL;
    lab_format(controller, sizeof controller, "10.%d.3.10", lab->octet);
    return controller;
}

static json_t *host_json(const struct lab *lab, const struct lab_host *h)
{
    static const char *const kinds[LAB_HOST_KIND_COUNT] = {"none", "server", "proxy", "client"};
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", h->name, "kind", kinds[h->kind], "zone",
                  h->zone, "address", h->address, "namespace", lab_namespace(lab, h->name).s, "log",
                  lab_path(lab, "log/%s.log", h->name).s);
    json_object_set_new(object, "pid_file", json_string(lab_path(lab, "pid/%s", h->name).s));
    if (h->kind == LAB_HOST_SERVER) {
        json_object_set_new(object, "port", json_integer(3306));
        json_object_set_new(object, "server_id", json_integer(h->server_id));
        json_object_set_new(object, "promote", json_string(h->promote));
        json_object_set_new(object, "datadir", json_string(lab_path(lab, "data/%s", h->name).s));
        json_object_set_new(object, "socket",
                            json_string(lab_path(lab, "data/%s.sock", h->name).s));
    }
    if (h->kind == LAB_HOST_PROXY)
        json_object_set_new(object, "runtime_port", json_integer(9999));
    return object;
}

bool lab_save(struct lab *lab)
{
    json_t *hosts = json_array(), *faults = json_array();
    for (size_t i = 0; i < lab->hosts_count; i++)
        json_array_append_new(hosts, host_json(lab, &lab->hosts[i]));
    for (size_t i = 0; i < lab->faults_count; i++) {
        const struct lab_fault *f = &lab->faults[i];
        json_array_append_new(faults,
                              json_pack("{s:s, s:s, s:s, s:b, s:i, s:i}", "kind",
                                        fault_names[f->kind], "a", f->a, "b", f->b, "one_way",
                                        f->one_way, "amount", f->amount, "queue", f->queue));
    }
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:b, s:s, s:s, s:I, s:o, s:o, s:s, s:s}",
        "name", lab->name, "cluster", "shop", "dir", lab->dir, "engine", engine_names[lab->engine],
        "version", lab->version, "octet", lab->octet, "replicas", lab->replicas, "acker",
        lab->acker, "disks", lab->disks, "clocks", lab->clocks, "listen", lab->listen,
        "without_acker", lab->without_acker, "fault_mono_us", (json_int_t)lab->fault_mono_us,
        "hosts", hosts, "faults", faults, "config", lab_path(lab, "mainstay.conf").s, "socket",
        lab_path(lab, "mainstay.sock").s);
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    struct lab_path part = lab_path(lab, "lab.json.part");
    bool ok =
        lab_write_file(lab, part.s, text, 0644) && rename(part.s, lab_path(lab, "lab.json").s) == 0;
    free(text);
    return ok;
}

static void load_faults(struct lab *lab, const json_t *faults)
{
    size_t index;
    json_t *value;
    json_array_foreach(faults, index, value)
    {
        if (lab->faults_count == LAB_FAULTS_MAX)
            break;
        struct lab_fault *f = &lab->faults[lab->faults_count++];
        const char *kind = "", *a = "", *b = "";
        int one_way = 0;
        *f = (struct lab_fault){0};
        (void)json_unpack(value, "{s:s, s:s, s:s, s:b, s:i, s:i}", "kind", &kind, "a", &a, "b", &b,
                          "one_way", &one_way, "amount", &f->amount, "queue", &f->queue);
        for (int k = 0; k < LAB_FAULT_KIND_COUNT; k++)
            if (strcmp(kind, fault_names[k]) == 0)
                f->kind = (enum lab_fault_kind)k;
        (void)stay_copy(f->a, sizeof f->a, a);
        (void)stay_copy(f->b, sizeof f->b, b);
        f->one_way = one_way != 0;
    }
}

bool lab_attach(struct lab *lab)
{
    json_error_t problem;
    json_t *root = json_load_file(lab_path(lab, "lab.json").s, 0, &problem);
    if (root == NULL)
        return lab_fail(lab, "no lab '%s' is up (%s); start one with: mainstay lab up", lab->name,
                        lab->dir);
    const char *name = "", *engine = "", *listen = "", *without = "", *version = "";
    int acker = 0, disks = 0, clocks = 0;
    json_int_t fault = 0;
    json_t *faults = NULL;
    int rc = json_unpack_ex(
        root, &problem, 0, "{s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:b, s:s, s:s, s:I, s:o}", "name",
        &name, "engine", &engine, "version", &version, "octet", &lab->octet, "replicas",
        &lab->replicas, "acker", &acker, "disks", &disks, "clocks", &clocks, "listen", &listen,
        "without_acker", &without, "fault_mono_us", &fault, "faults", &faults);
    if (rc == 0) {
        lab->engine = strcmp(engine, "mysql") == 0 ? LAB_MYSQL : LAB_MARIADB;
        (void)stay_copy(lab->name, sizeof lab->name, name);
        lab->acker = acker != 0;
        lab->disks = disks != 0;
        lab->clocks = clocks != 0;
        lab->fault_mono_us = fault;
        (void)stay_copy(lab->version, sizeof lab->version, version);
        (void)stay_copy(lab->listen, sizeof lab->listen, listen);
        (void)stay_copy(lab->without_acker, sizeof lab->without_acker, without);
        lab->faults_count = 0;
        load_faults(lab, faults);
        lab_layout(lab);
    }
    json_decref(root);
    return rc == 0 ? true : lab_fail(lab, "%s/lab.json: %s", lab->dir, problem.text);
}
