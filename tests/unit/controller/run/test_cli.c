/* The command line says what is wrong with a call and what was meant, with exit 2, before it asks
 * anybody; its tables are sound; without a controller it executes nothing and prints the runbook.
 */
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include "base/io/file.h"
#include "controller/run/cli.h"
#include "controller/serve/verbs.h"
#include <cmocka.h>
#include <unistd.h>

struct call {
    int exit_code;
    char *out, *err;
};

static struct call run(const char *line)
{
    char text[600], *argv[32] = {NULL}, *rest = text;
    int argc = 0;
    size_t out_size = 0, err_size = 0;
    struct call c = {0};
    (void)stay_copy(text, sizeof text, line);
    for (char *word; (word = strsep(&rest, " ")) != NULL && argc < 31;)
        if (*word != '\0')
            argv[argc++] = word;
    FILE *out = open_memstream(&c.out, &out_size), *err = open_memstream(&c.err, &err_size);
    c.exit_code = cli_main(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return c;
}

static void call_clear(struct call *c)
{
    free(c->out);
    free(c->err);
}

static void expect(const char *line, int exit_code, const char *err)
{
    struct call c = run(line);
    if (c.exit_code != exit_code || strcmp(c.err, err) != 0)
        fail_msg("%s:\n exit %d, wanted %d\n got    %s wanted %s", line, c.exit_code, exit_code,
                 c.err, err);
    call_clear(&c);
}

static void wrong_calls_say_what_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *line, *err;
    } cases[] = {
        {"mainstay", "no verb was given; `mainstay help` lists them"},
        {"mainstay --socket", "--socket needs a value: --socket PATH"},
        {"mainstay --jsn", "there is no option --jsn; did you mean --json?"},
        {"mainstay dance", "there is no verb \"dance\"; `mainstay help` lists them"},
        {"mainstay swichover shop", "there is no verb \"swichover\"; did you mean \"switchover\"?"},
        {"mainstay backup list shop",
         "\"backup\" is not built yet; `mainstay help` lists what there is"},
        {"mainstay what-if", "what-if needs CLUSTER: mainstay what-if CLUSTER"},
        {"mainstay what-if shop --lose", "--lose needs a value: --lose WHAT"},
        {"mainstay status a b", "status: \"b\" is too much: mainstay status [CLUSTER]"},
        {"mainstay switchover", "switchover needs CLUSTER: mainstay switchover CLUSTER"},
        {"mainstay rejoin shop", "rejoin needs NODE: mainstay rejoin CLUSTER NODE"},
        {"mainstay switchover shop --too db2",
         "there is no option --too of switchover; did you mean --to?"},
        {"mainstay switchover shop --to", "--to needs a value: --to NODE"},
        {"mainstay failover shop --accept-loss --yes",
         "--accept-loss needs a value: --accept-loss REASON"},
        {"mainstay status --to db2",
         "status takes no --to; `mainstay help status` lists what it takes"},
        {"mainstay status --dry-run",
         "status takes no --dry-run; `mainstay help status` lists what it takes"},
        {"mainstay switchover shop --yes=1", "--yes takes no value"},
        {"mainstay status -j", "there are no short options: \"-j\""},
        {"mainstay failover shop --timeout 10 --yes",
         "--timeout: duration '10' has no unit: use us, ms, s, m, h, d or w"},
        {"mainstay maintenance start shop --for 1hour",
         "--for: duration '1hour': 'hour' is not a unit: use us, ms, s, m, h, d or w"},
        {"mainstay maintenance stop shop",
         "maintenance: \"stop\" is not possible here; write start|end"},
        {"mainstay plan shop dance",
         "plan: \"dance\" is not possible here; write failover|switchover|rejoin|reseed|adopt"},
        {"mainstay history --max many", "--max: \"many\" is not a number from 1 to 1000"},
        {"mainstay discover", "discover needs ADDRESS: mainstay discover ADDRESS"},
        {"mainstay discover fd00::1",
         "discover: address 'fd00::1': write an IPv6 address in brackets: [fd00::1]:3306"},
        {"mainstay discover db1 --zone-of db1",
         "--zone-of: \"db1\": write GLOB=ZONE, such as 10.1.*=eu-1a"},
        {"mainstay discover db1 --timeout 1ms", "--timeout: write 50ms to 10m"},
        {"mainstay discover db1 --ca /none", "--ca: /none: No such file or directory"},
        {"mainstay discover db1 --also x:y",
         "--also: address 'x:y': the port must be a number from 1 to 65535"},
        {"mainstay discover db1 --password-file /none",
         "--password-file: /none: No such file or directory"},
        {"mainstay config", "config: write `config check FILE` or `config show --defaults`"},
        {"mainstay config chek x", "config: write `config check FILE` or `config show --defaults`"},
        {"mainstay repository",
         "repository: write `repository init`, `repository check` or `repository keys list`"},
        {"mainstay repository check",
         "repository check needs REPOSITORY: mainstay repository check REPOSITORY"},
        {"mainstay repository init /r",
         "repository init needs --master-key-file FILE; --new-key makes it"},
        {"mainstay repository check a/b",
         "'a/b' is no repository: write file:///path or an absolute path"},
        {"mainstay --config /nonexistent repository check backups",
         "/nonexistent: no such file; see mainstay.conf(5) and deploy/examples"},
        {"mainstay help dance", "there is no verb \"dance\"; `mainstay help` lists them"},
        {"mainstay --controller https://x status",
         "--controller https://x: a controller elsewhere is not built yet; use unix:/PATH on its "
         "host"},
        {"mainstay --controller x status", "--controller \"x\": write unix:/PATH"},
        {"mainstay failover shop",
         "failover changes a running system and nobody can be asked here: add --yes, or look first "
         "with --dry-run"},
        {"mainstay --config /nonexistent status",
         "/nonexistent: no such file; see mainstay.conf(5) and deploy/examples"},
    };
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        STAY_AUTO(stay_free_charp) char *err = stay_sprintf("mainstay: %s\n", cases[i].err);
        expect(cases[i].line, CLI_USAGE, err);
    }
}

static void usage_errors_are_json_too(void **state)
{
    (void)state;
    struct call c = run("mainstay --json swichover shop");
    assert_int_equal(c.exit_code, CLI_USAGE);
    assert_string_equal(c.out, "{\"error\":\"there is no verb \\\"swichover\\\"; did you mean "
                               "\\\"switchover\\\"?\",\"exit\":2}\n");
    call_clear(&c);
}

static void without_a_controller_nothing_is_done_and_the_runbook_printed(void **state)
{
    (void)state;
    char folder[] = "/tmp/cli-test-XXXXXX", line[200], path[80], config[900];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/runbook", folder);
    assert_int_equal(file_write_atomic(path, "type this\n", 10, 0600, NULL), STAY_OK);
    snprintf(
        config, sizeof config,
        "controller = { zone = \"c\"; runbook = \"%s/runbook\"; socket = \"%s/none.sock\"; };\n"
        "clusters = ( { name = \"shop\"; engine = \"mariadb\";\n"
        "nodes = ( { name = \"a\"; address = \"1.1.1.1\"; zone = \"a\"; } );\n"
        "accounts = { monitor = { user = \"m\"; password = { file = \"/none\"; }; }; };\n"
        "failover = { mode = \"observe\"; }; } );\n",
        folder, folder);
    char config_path[80];
    snprintf(config_path, sizeof config_path, "%s/conf", folder);
    assert_int_equal(file_write_atomic(config_path, config, strlen(config), 0600, NULL), STAY_OK);
    snprintf(line, sizeof line, "mainstay --config %s failover shop --yes", config_path);
    struct call c = run(line);
    assert_int_equal(c.exit_code, CLI_UNREACHABLE);
    assert_non_null(strstr(c.err, "cannot reach the controller"));
    assert_non_null(strstr(c.err, "Nothing was done"));
    assert_non_null(strstr(c.out, "type this"));
    call_clear(&c);
    snprintf(line, sizeof line, "mainstay --json --config %s status", config_path);
    c = run(line);
    assert_int_equal(c.exit_code, CLI_UNREACHABLE);
    assert_non_null(strstr(c.out, "\"runbook\":\"type this\\n\""));
    call_clear(&c);
    snprintf(line, sizeof line, "mainstay --socket %s/other.sock --config %s status", folder,
             config_path); /* another controller: this runbook is not its */
    c = run(line);
    assert_int_equal(c.exit_code, CLI_UNREACHABLE);
    assert_null(strstr(c.out, "type this"));
    assert_non_null(strstr(c.err, "name it with --config FILE"));
    call_clear(&c);
    unlink(path);
    unlink(config_path);
    rmdir(folder);
}

static void expect_lines_fit(const char *text)
{
    for (const char *line = text; *line != '\0'; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        if (length > 80)
            fail_msg("longer than 80: %.*s", (int)length, line);
        line += length;
    }
}

static void help_fits_a_terminal_and_names_every_verb(void **state)
{
    (void)state;
    size_t count;
    const struct cli_verb *verbs = cli_verbs(&count);
    struct call c = run("mainstay help");
    assert_int_equal(c.exit_code, CLI_DONE);
    for (size_t i = 0; i < count; i++)
        if (strstr(c.out, verbs[i].name) == NULL)
            fail_msg("%s is not in help", verbs[i].name);
    expect_lines_fit(c.out);
    call_clear(&c);
    for (size_t i = 0; i < count; i++) {
        char line[80];
        snprintf(line, sizeof line, "mainstay help %.*s", (int)strcspn(verbs[i].name, " "),
                 verbs[i].name); /* of two words: the first stands for all */
        c = run(line);
        assert_int_equal(c.exit_code, CLI_DONE);
        expect_lines_fit(c.out);
        assert_non_null(strstr(c.out, verbs[i].name));
        call_clear(&c);
    }
}

/* Legend of cli_verbs.c: what is asked of the socket exists there; options named exist. */
static void tables_are_sound(void **state)
{
    (void)state;
    size_t count, option_count;
    const struct cli_verb *verbs = cli_verbs(&count);
    const struct cli_option *options = cli_options(&option_count);
    for (size_t i = 0; i < count; i++) {
        bool found = verbs[i].wire == NULL;
        for (const char *const *name = verbs_names(); *name != NULL; name++)
            found |= verbs[i].wire != NULL && strcmp(*name, verbs[i].wire) == 0;
        if (!found)
            fail_msg("%s asks for %s", verbs[i].name, verbs[i].wire);
        assert_true(verbs[i].wire != NULL || verbs[i].local != NULL);
        assert_ptr_equal(cli_verb_named(verbs[i].name), &verbs[i]);
        assert_true((verbs[i].flags & CLI_ASKS) == 0 || (verbs[i].flags & CLI_CHANGES) != 0);
        char list[80];
        (void)stay_copy(list, sizeof list, verbs[i].options == NULL ? "" : verbs[i].options);
        for (char *rest = list, *word; (word = strsep(&rest, " ")) != NULL;) {
            bool known = *word == '\0';
            for (size_t o = 0; o < option_count; o++)
                known |= strcmp(options[o].name, word) == 0;
            if (!known)
                fail_msg("%s names option %s", verbs[i].name, word);
        }
    }
}

static void shown_defaults_are_complete(void **state)
{
    (void)state;
    struct call c = run("mainstay config show --defaults");
    assert_int_equal(c.exit_code, CLI_DONE);
    assert_non_null(strstr(c.out, "cooldown = \"1h\";"));
    assert_non_null(strstr(c.out, "acks = 1;"));
    assert_non_null(strstr(c.out, "required = false;"));
    assert_non_null(strstr(c.out, "# zone: name;"));
    call_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_calls_say_what_was_meant),
        cmocka_unit_test(usage_errors_are_json_too),
        cmocka_unit_test(without_a_controller_nothing_is_done_and_the_runbook_printed),
        cmocka_unit_test(help_fits_a_terminal_and_names_every_verb),
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(shown_defaults_are_complete),
    };
    if (freopen("/dev/null", "r", stdin) == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
