/* HTTP on loopback: role endpoints say 200 or 503 by what was seen, unknown things are 404, nothing
 * can be changed, oversized requests are refused, and an answer that waits for the store comes. */
#include "tests/unit/controller/serve/fake_control.h"
#include "base/io/loop.h"
#include "base/str.h"
#include "controller/serve/http.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

struct bench {
    struct loop loop;
    struct fake_control fake;
    struct http *http;
};

static void bench_open(struct bench *b)
{
    struct stay_error err = {0};
    memset(b, 0, sizeof *b);
    assert_int_equal(loop_init(&b->loop, NULL), STAY_OK);
    fake_open(&b->fake);
    if (http_open(&b->loop, "127.0.0.1:0", &b->fake.control, &b->http, &err) != STAY_OK)
        fail_msg("%s", err.text);
}

static void bench_close(struct bench *b)
{
    http_close(b->http);
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b->loop, 1000);
    loop_close(&b->loop);
    fake_close(&b->fake);
}

static int send_text(struct bench *b, const char *text)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_port(b->http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    return fd;
}

static char *read_all(struct bench *b, int fd)
{
    struct str all = {0};
    for (int i = 0; i < 1000; i++) {
        char chunk[8192];
        (void)loop_turn(&b->loop, 1000);
        ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n > 0)
            str_add_bytes(&all, chunk, (size_t)n);
        if (n == 0)
            break;
    }
    close(fd);
    return str_take(&all);
}

static char *get(struct bench *b, const char *method, const char *path)
{
    STAY_AUTO(stay_free_charp)
    char *text =
        stay_sprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, path);
    return read_all(b, send_text(b, text));
}

static void expect(struct bench *b, const char *path, int status, const char *part)
{
    STAY_AUTO(stay_free_charp) char *text = get(b, "GET", path);
    if (strncmp(text, "HTTP/1.1 ", 9) != 0 || strtol(text + 9, NULL, 10) != status ||
        strstr(text, part) == NULL)
        fail_msg("%s: wanted %d with '%s', got: %s", path, status, part, text);
}

static void role_endpoints_follow_what_was_seen(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "/health/shop/primary", 200, "\"node\":\"db1\"");
    expect(&b, "/health/shop/primary?node=db1", 200, "primary");
    expect(&b, "/health/shop/primary?node=db2", 503, "not primary");
    expect(&b, "/health/shop/replica?node=db2", 200, "\"lag_us\":2000000");
    expect(&b, "/health/shop/replica?node=db2&lag=5s", 200, "replica");
    expect(&b, "/health/shop/replica?node=db2&lag=1s", 503, "not replica");
    expect(&b, "/health/shop/replica?node=db1", 503, "not replica");
    expect(&b, "/health/shop/replica?lag=5", 400, "has no unit");
    expect(&b, "/health/shop/read-only?node=db1", 200, "readable");
    expect(&b, "/health/shop/sync", 200, "synchronous");
    expect(&b, "/health/shop/sync?node=db2", 200, "synchronous");
    expect(&b, "/health/shop/sync?node=db1", 503, "not synchronous");
    expect(&b, "/health/shop/primary?node=db9", 404, "no such node");
    expect(&b, "/health/shpo/primary", 404, "no such cluster");
    bench_close(&b);
}

static void a_primary_that_is_read_only_or_silent_takes_no_writers(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.fake.c.view.nodes[0].facts.read_only = TRI_YES;
    expect(&b, "/health/shop/primary?node=db1", 503, "not primary");
    b.fake.c.view.nodes[0].facts.read_only = TRI_NO;
    b.fake.c.view.nodes[0].reach.outcome = OUT_TIMEOUT;
    expect(&b, "/health/shop/primary?node=db1", 503, "not primary");
    b.fake.c.view.nodes[0].reach.outcome = OUT_OK;
    b.fake.c.view.record.quarantine[0] = QUARANTINE_STALE_PRIMARY;
    expect(&b, "/health/shop/primary?node=db1", 503, "quarantined");
    b.fake.c.view.record.lossless_stands = false;
    expect(&b, "/health/shop/sync", 503, "not synchronous");
    bench_close(&b);
}

static void controller_health_and_api(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "/health/live", 200, "live");
    expect(&b, "/health/ready", 200, "ready");
    b.fake.is_ready = false;
    expect(&b, "/health/ready", 503, "not ready");
    expect(&b, "/health/leader", 503, "not leader");
    expect(&b, "/api/v1/clusters", 200, "\"name\":\"shop\"");
    expect(&b, "/api/v1/clusters/shop", 200, "\"engine\":\"mariadb\"");
    expect(&b, "/api/v1/clusters/shop/topology", 200, "\"edges\"");
    expect(&b, "/api/v1/clusters/shop/plans", 200, "shop-7");
    expect(&b, "/api/v1/clusters/shop/plans/shop-7", 200, "shop-7");
    expect(&b, "/api/v1/clusters/shop/plans/shop-9", 404, "problem+json");
    expect(&b, "/api/v1/clusters/", 404, "problem+json");
    expect(&b, "/", 404, "problem+json");
    expect(&b, "//health/live", 404, "problem+json");
    bench_close(&b);
}

static void nothing_can_be_changed_over_http(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH"};
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < STAY_COUNT(methods); i++) {
        STAY_AUTO(stay_free_charp) char *text = get(&b, methods[i], "/api/v1/clusters/shop");
        assert_memory_equal(text, "HTTP/1.1 405", 12);
        assert_non_null(strstr(text, "Allow: GET, HEAD"));
        assert_non_null(strstr(text, "not built yet"));
    }
    assert_int_equal(b.fake.started, PLAN_NONE);
    bench_close(&b);
}

static void head_has_no_body(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    STAY_AUTO(stay_free_charp) char *text = get(&b, "HEAD", "/health/live");
    assert_memory_equal(text, "HTTP/1.1 200", 12);
    assert_null(strstr(text, "\"status\""));
    bench_close(&b);
}

static void oversized_requests_are_refused(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    struct str long_text = {0};
    str_add(&long_text, "GET /health/live HTTP/1.1\r\nX: ");
    str_add_repeat(&long_text, 'x', HTTP_MEMORY_MAX * 2);
    str_add(&long_text, "\r\n\r\n");
    STAY_AUTO(stay_free_charp) char *text = read_all(&b, send_text(&b, str_text(&long_text)));
    assert_memory_equal(text, "HTTP/1.1 431", 12);
    str_clear(&long_text);
    STAY_AUTO(stay_free_charp)
    char *body = read_all(&b, send_text(&b, "GET /health/live HTTP/1.1\r\nHost: x\r\n"
                                            "Connection: close\r\nContent-Length: 5\r\n\r\nhello"));
    assert_memory_equal(body, "HTTP/1.1 413", 12);
    bench_close(&b);
}

static void an_answer_that_waits_for_the_store_comes(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.fake.is_late = true;
    int fd = send_text(&b, "GET /api/v1/clusters/shop/plans HTTP/1.1\r\nHost: x\r\n"
                           "Connection: close\r\n\r\n");
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b.loop, 1000);
    char c;
    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
    fake_answer(&b.fake);
    STAY_AUTO(stay_free_charp) char *text = read_all(&b, fd);
    assert_memory_equal(text, "HTTP/1.1 200", 12);
    assert_non_null(strstr(text, "shop-7"));
    bench_close(&b);
}

static void closing_while_the_store_thinks_leaks_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.fake.is_late = true;
    int fd = send_text(&b, "GET /api/v1/clusters/shop/plans HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b.loop, 1000);
    http_close(b.http);
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b.loop, 1000);
    fake_answer(&b.fake);
    close(fd);
    loop_close(&b.loop);
    fake_close(&b.fake);
}

/* The text format's rules: HELP and TYPE once and first, families whole, counters end in _total. */
static void metrics_are_well_formed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    STAY_AUTO(stay_free_charp) char *text = get(&b, "GET", "/metrics");
    assert_non_null(strstr(text, "text/plain; version=0.0.4"));
    assert_non_null(strstr(text, "\nmainstay_cluster_lossless{cluster=\"shop\"} 1\n"));
    assert_non_null(
        strstr(text, "\nmainstay_node_lag_seconds{cluster=\"shop\",node=\"db2\",zone=\"b\"} 2\n"));
    assert_non_null(strstr(text, "\nmainstay_turns_total{cluster=\"shop\"} 42\n"));
    assert_null(strstr(text, "of_no_table"));
    char family[80] = "", *line = strstr(text, "\r\n\r\n") + 4;
    for (char *rest = line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
        char name[80];
        if (strncmp(line, "# HELP ", 7) == 0) {
            snprintf(family, sizeof family, "%.*s", (int)strcspn(line + 7, " "), line + 7);
            continue;
        }
        bool is_type = strncmp(line, "# TYPE ", 7) == 0;
        const char *at = is_type ? line + 7 : line;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " {"), at);
        assert_string_equal(name, family);
        if (is_type && strstr(line, " counter") != NULL)
            assert_string_equal(name + strlen(name) - 6, "_total");
    }
    bench_close(&b);
}

static void a_taken_address_is_named(void **state)
{
    (void)state;
    struct bench b;
    struct http *second = NULL;
    struct stay_error err = {0};
    char address[32];
    bench_open(&b);
    snprintf(address, sizeof address, "127.0.0.1:%u", http_port(b.http));
    assert_int_equal(http_open(&b.loop, address, &b.fake.control, &second, &err), STAY_EBUSY);
    assert_non_null(strstr(err.text, address));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(role_endpoints_follow_what_was_seen),
        cmocka_unit_test(a_primary_that_is_read_only_or_silent_takes_no_writers),
        cmocka_unit_test(controller_health_and_api),
        cmocka_unit_test(nothing_can_be_changed_over_http),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(oversized_requests_are_refused),
        cmocka_unit_test(an_answer_that_waits_for_the_store_comes),
        cmocka_unit_test(closing_while_the_store_thinks_leaks_nothing),
        cmocka_unit_test(metrics_are_well_formed),
        cmocka_unit_test(a_taken_address_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
