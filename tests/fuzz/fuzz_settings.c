/* tests/fuzz/fuzz_settings.c - any text as a configuration: no crash, an error that names the file,
 * and whatever is accepted is whole: names, addresses, ranges. */
#include "controller/settings/settings.h"
#include "tests/fuzz/replay.h"

/* libconfig 1.5 keeps a string that its file never ends (seen: 64 bytes for each such file). */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

static void check_cluster(const struct settings_cluster *c)
{
    must(names_is_id(c->config.name));
    must(c->config.engine == ENGINE_MARIADB || c->config.engine == ENGINE_MYSQL);
    must(c->config.node_count >= 1 && c->config.node_count <= NODES_MAX);
    must(c->config.mode >= MODE_UNSAFE && c->config.mode <= MODE_LOSSLESS);
    must(c->config.acks >= 1 && c->config.acks <= 8);
    must(c->config.probe_interval_us > 0 && c->config.silence_us > 0);
    must(c->route_count <= SETTINGS_ROUTES_MAX && c->hook_count <= SETTINGS_HOOKS_MAX);
    must(c->accounts[ACCOUNT_MONITOR].user[0] != '\0');
    for (uint32_t i = 0; i < c->config.node_count; i++) {
        must(names_is_id(c->config.nodes[i].name) && names_is_id(c->config.nodes[i].zone));
        must(c->config.nodes[i].port >= 1 && c->config.nodes[i].host[0] != '\0');
        for (uint32_t j = 0; j < i; j++)
            must(strcmp(c->config.nodes[i].name, c->config.nodes[j].name) != 0);
    }
    for (uint32_t i = 0; i < c->hook_count; i++)
        must(c->hooks[i].argc >= 1 && c->hooks[i].argv[0][0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = stay_malloc(size + 1);
    struct settings *settings = NULL;
    struct settings_notes *notes = stay_calloc(1, sizeof *notes);
    struct stay_error err = {0};
    memcpy(text, data, size);
    text[size] = '\0';
    enum stay_rc rc = settings_parse(text, "f", SETTINGS_WITHOUT_SECRETS | SETTINGS_WITHOUT_INCLUDE,
                                     &settings, notes, &err);
    must((rc == STAY_OK) == (settings != NULL));
    must((rc == STAY_OK) == (notes->error_count == 0));
    must(rc == STAY_OK || strncmp(err.text, "f:", 2) == 0);
    for (uint32_t i = 0; settings != NULL && i < settings->cluster_count; i++)
        check_cluster(&settings->clusters[i]);
    must(settings == NULL || settings->cluster_count >= 1);
    settings_free(settings);
    free(notes);
    free(text);
    return 0;
}
