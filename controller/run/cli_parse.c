/* From argv to a verb, its options and positions. Errors name what was meant and end with exit 2.
 */
#include "base/units.h"
#include "controller/run/cli.h"
#include "controller/settings/suggest.h"
#include <stdarg.h>

/* Verbs of later issues: named, so that "unknown" does not send people looking for a typo. */
static const char *const later[] = {
    "reseed", "errant", "break-glass", "backup", "archive", "restore", "drill",   "incidents",
    "alerts", "oncall", "channels",    "user",   "role",    "grant",   "session", "audit",
};

void cli_usage_error(struct cli *cli, const char *fmt, ...)
{
    va_list args;
    char text[512];
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fprintf(cli->err, "mainstay: %s\n", text);
    if (cli->json) {
        json_t *json = json_object();
        stay_json_set_int(json, "exit", CLI_USAGE);
        stay_json_set_string(json, "error", text);
        STAY_AUTO(stay_free_charp) char *line = stay_json_dump_compact(json);
        fprintf(cli->out, "%s\n", line);
        json_decref(json);
    }
}

static bool unknown_verb(struct cli *cli, const char *word)
{
    size_t count;
    const struct cli_verb *verbs = cli_verbs(&count);
    struct suggest near;
    for (size_t i = 0; i < STAY_COUNT(later); i++) {
        if (strcmp(later[i], word) == 0) {
            cli_usage_error(cli, "\"%s\" is not built yet; `mainstay help` lists what there is",
                            word);
            return false;
        }
    }
    suggest_init(&near, word);
    for (size_t i = 0; i < count; i++)
        suggest_offer(&near, verbs[i].name);
    if (near.best != NULL)
        cli_usage_error(cli, "there is no verb \"%.60s\"; did you mean \"%s\"?", word, near.best);
    else
        cli_usage_error(cli, "there is no verb \"%.60s\"; `mainstay help` lists them", word);
    return false;
}

static bool unknown_option(struct cli *cli, const char *name)
{
    size_t count;
    const struct cli_option *options = cli_options(&count);
    struct suggest near;
    suggest_init(&near, name);
    for (size_t i = 0; i < count; i++)
        if (cli->verb == NULL || cli_verb_takes(cli->verb, &options[i]))
            suggest_offer(&near, options[i].name);
    if (near.best != NULL)
        cli_usage_error(cli, "there is no option --%.60s%s%s; did you mean --%s?", name,
                        cli->verb == NULL ? "" : " of ", cli->verb == NULL ? "" : cli->verb->name,
                        near.best);
    else if (cli->verb != NULL)
        cli_usage_error(cli, "there is no option --%.60s of %s; `mainstay help %s` lists them",
                        name, cli->verb->name, cli->verb->name);
    else
        cli_usage_error(cli, "there is no option --%.60s; `mainstay help` lists them", name);
    return false;
}

static bool take_controller(struct cli *cli, const char *url)
{
    if (strncmp(url, "unix:", 5) == 0 && url[5] == '/') {
        cli->socket = url + 5;
        return true;
    }
    if (strncmp(url, "http", 4) == 0)
        cli_usage_error(cli,
                        "--controller %.80s: a controller elsewhere is not built yet; use "
                        "unix:/PATH on its host",
                        url);
    else
        cli_usage_error(cli, "--controller \"%.80s\": write unix:/PATH", url);
    return false;
}

static bool take_value(struct cli *cli, const struct cli_option *option, const char *value)
{
    struct stay_error err = {0};
    int64_t us = 0;
    if (strcmp(option->name, "socket") == 0) {
        cli->socket = value;
    } else if (strcmp(option->name, "controller") == 0) {
        return take_controller(cli, value);
    } else if (strcmp(option->name, "config") == 0) {
        cli->config = value;
    } else if (strcmp(option->value, "TIME") == 0) {
        if (units_parse_duration(value, &us, &err) != STAY_OK) {
            cli_usage_error(cli, "--%s: %s", option->name, err.text);
            return false;
        }
        if (option->wire != NULL)
            stay_json_set_int(cli->args, option->wire, us);
        else
            cli->timeout_us = us;
    } else if (strcmp(option->value, "N") == 0) {
        char *end;
        long n = strtol(value, &end, 10);
        if (*end != '\0' || n < 1 || n > 1000) {
            cli_usage_error(cli, "--%s: \"%.40s\" is not a number from 1 to 1000", option->name,
                            value);
            return false;
        }
        stay_json_set_int(cli->args, option->wire, n);
    } else {
        stay_json_set_string(cli->args, option->wire, value);
    }
    return true;
}

static void take_switch(struct cli *cli, const char *name)
{
    cli->json |= strcmp(name, "json") == 0;
    cli->dry_run |= strcmp(name, "dry-run") == 0;
    cli->yes |= strcmp(name, "yes") == 0;
    cli->any_name |= strcmp(name, "any-name") == 0;
    cli->no_wait |= strcmp(name, "no-wait") == 0;
    cli->defaults |= strcmp(name, "defaults") == 0;
    cli->fix |= strcmp(name, "fix") == 0;
    cli->end |= strcmp(name, "end") == 0;
    cli->verify |= strcmp(name, "verify") == 0;
    cli->new_key |= strcmp(name, "new-key") == 0;
    cli->quick |= strcmp(name, "quick") == 0;
    if (strcmp(name, "no-color") == 0)
        cli->use_color = false;
}

/* One --option, maybe with the next word as its value. The verb is known already. */
static bool take_option(struct cli *cli, int argc, char **argv, int *i)
{
    size_t count;
    const struct cli_option *options = cli_options(&count);
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    size_t n = equals == NULL ? strlen(name) : (size_t)(equals - name);
    for (size_t o = 0; o < count; o++) {
        const struct cli_option *option = &options[o];
        if (strlen(option->name) != n || strncmp(option->name, name, n) != 0)
            continue;
        if (cli->verb != NULL && !cli_verb_takes(cli->verb, option)) {
            cli_usage_error(cli, "%s takes no --%s; `mainstay help %s` lists what it takes",
                            cli->verb->name, option->name, cli->verb->name);
            return false;
        }
        if (option->value == NULL && equals != NULL) {
            cli_usage_error(cli, "--%s takes no value", option->name);
            return false;
        }
        if (option->value == NULL) {
            take_switch(cli, option->name);
            return true;
        }
        bool has_next = *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0;
        if (equals == NULL && !has_next) { /* "--reason=--x" says it on purpose */
            cli_usage_error(cli, "--%s needs a value: --%s %s", option->name, option->name,
                            option->value);
            return false;
        }
        return take_value(cli, option, equals != NULL ? equals + 1 : argv[++*i]);
    }
    char cut[64];
    snprintf(cut, sizeof cut, "%.*s", (int)n, name);
    return unknown_option(cli, cut);
}

/* A value for one word of the usage. False: `word` does not fit a choice. */
static bool take_position(struct cli *cli, const char *word, size_t n, const char *value)
{
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)n, word);
    if (strcmp(name, "CLUSTER") == 0) {
        cli->cluster = value;
    } else if (strcmp(name, "NODE") == 0) {
        stay_json_set_string(cli->args, "node", value);
        if (strcmp(cli->verb->name, "plan") == 0)
            stay_json_set_string(cli->args, "to", value);
    } else if (strcmp(name, "NODE|BUNDLE") == 0) {
        stay_json_set_string(cli->args, "bundle", value);
    } else if (strcmp(name, "ID") == 0 || strcmp(name, "ID|CLUSTER@TIME") == 0) {
        stay_json_set_string(cli->args, "id", value);
    } else if (strcmp(name, "FILE") == 0) {
        if (cli->verb->local == cli_config_check)
            cli->config = value;
        else
            stay_json_set_string(cli->args, "file", value);
    } else if (strcmp(name, "REPOSITORY") == 0) {
        stay_json_set_string(cli->args, "repository", value);
    } else if (strcmp(name, "TARGET") == 0) {
        stay_json_set_string(cli->args, "target", value);
    } else if (strcmp(name, "ADDRESS") == 0) {
        stay_json_set_string(cli->args, "address", value);
    } else if (strcmp(name, "zone:ZONE") == 0) {
        stay_json_set_string(cli->args, "zone", value);
    } else if (strcmp(name, "VERB") == 0) {
        stay_json_set_string(cli->args, "verb", value);
    } else { /* a|b|c */
        size_t length = strlen(value);
        for (const char *at = name; *at != '\0'; at += strspn(at, "|")) {
            size_t m = strcspn(at, "|");
            if (m == length && strncmp(at, value, m) == 0) {
                stay_json_set_string(
                    cli->args, strcmp(cli->verb->name, "plan") == 0 ? "kind" : "action", value);
                return true;
            }
            at += m;
        }
        cli_usage_error(cli, "%s: \"%.60s\" is not possible here; write %s", cli->verb->name, value,
                        name);
        return false;
    }
    return true;
}

static bool take_positions(struct cli *cli, char **words, int count)
{
    const char *usage = cli->verb->usage;
    int used = 0;
    while (*usage != '\0') {
        size_t n = strcspn(usage, " ");
        bool optional = *usage == '[';
        if (used < count) {
            if (!take_position(cli, usage + optional, n - (optional ? 2 : 0), words[used]))
                return false;
            used++;
        } else if (!optional) {
            cli_usage_error(cli, "%s needs %.*s: mainstay %s %s", cli->verb->name, (int)n, usage,
                            cli->verb->name, cli->verb->usage);
            return false;
        }
        usage += n;
        usage += strspn(usage, " ");
    }
    if (used == count)
        return true;
    cli_usage_error(cli, "%s: \"%.60s\" is too much: mainstay %s %s", cli->verb->name, words[used],
                    cli->verb->name, cli->verb->usage);
    return false;
}

/* The verb is the first word that is no option and no option's value; some have two words. */
static int find_verb(struct cli *cli, int argc, char **argv)
{
    size_t count;
    const struct cli_option *options = cli_options(&count);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            cli->json = true;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            cli->verb = cli_verb_named("help");
            return i;
        }
        if (strcmp(argv[i], "--version") == 0) {
            cli->verb = cli_verb_named("version");
            return i;
        }
        if (argv[i][0] != '-')
            return i;
        bool has_value = false;
        for (size_t o = 0; o < count; o++)
            has_value |= options[o].value != NULL && strncmp(argv[i], "--", 2) == 0 &&
                         strcmp(argv[i] + 2, options[o].name) == 0;
        i += has_value;
    }
    return argc;
}

static bool take_verb(struct cli *cli, int argc, char **argv, int at, int *ret_words)
{
    char two[64];
    *ret_words = 1;
    if (cli->verb != NULL)
        return true;
    cli->verb = cli_verb_named(argv[at]);
    if (cli->verb != NULL)
        return true;
    static const struct {
        const char *word, *help;
    } pairs[] = {
        {"config", "write `config check FILE` or `config show --defaults`"},
        {"errant", "write `errant list`, `errant show CLUSTER NODE`, `errant inject CLUSTER NODE` "
                   "or `errant reset CLUSTER NODE`"},
        {"repository", "write `repository init`, `repository check` or `repository keys list`"},
    };
    size_t pair = 0;
    while (pair < STAY_COUNT(pairs) && strcmp(pairs[pair].word, argv[at]) != 0)
        pair++;
    if (pair == STAY_COUNT(pairs))
        return unknown_verb(cli, argv[at]);
    snprintf(two, sizeof two, "%s %.40s", argv[at], at + 1 < argc ? argv[at + 1] : "");
    cli->verb = cli_verb_named(two);
    *ret_words = 2;
    if (cli->verb == NULL)
        cli_usage_error(cli, "%s: %s", pairs[pair].word, pairs[pair].help);
    return cli->verb != NULL;
}

static bool asks_for_help(int argc, char **argv, int from)
{
    for (int i = from; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

bool cli_parse(struct cli *cli, int argc, char **argv)
{
    char *words[CLI_ARGS_MAX + 1];
    int count = 0, verb_words = 1, at = find_verb(cli, argc, argv);
    cli->timeout_us = 600 * STAY_SECOND;
    if (at == argc && cli->verb == NULL) { /* options before it may be wrong: said first */
        for (int i = 1; i < argc; i++)
            if (strncmp(argv[i], "--", 2) == 0 && !take_option(cli, argc, argv, &i))
                return false;
        cli_usage_error(cli, "no verb was given; `mainstay help` lists them");
        return false;
    }
    if (!take_verb(cli, argc, argv, at, &verb_words))
        return false;
    if ((cli->verb->flags & CLI_REST) != 0) {
        cli->rest = argv + at + 1;
        cli->rest_count = argc - at - 1;
        return true;
    }
    if (asks_for_help(argc, argv, at)) {
        if (strcmp(cli->verb->name, "help") != 0)
            stay_json_set_string(cli->args, "verb", cli->verb->name);
        cli->verb = cli_verb_named("help");
        return true;
    }
    if (cli->verb->preset != NULL)
        stay_json_set_string(cli->args, "action", strchr(cli->verb->preset, '=') + 1);
    if ((cli->verb->flags & (CLI_PLANS | CLI_WAITS)) == 0)
        cli->timeout_us = 0;
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        if (i >= at && i < at + verb_words)
            continue;
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(cli, argc, argv, &i))
                return false;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            cli_usage_error(cli, "there are no short options: \"%.40s\"", argv[i]);
            return false;
        } else if (count <= CLI_ARGS_MAX - 1) {
            words[count++] = argv[i];
        } else {
            cli_usage_error(cli, "\"%.60s\" is too much", argv[i]);
            return false;
        }
    }
    return take_positions(cli, words, count);
}
