/* Loading, freeing and comparing whole configurations; the defaults as a file. */
#include "base/io/file.h"
#include "base/str.h"
#include "controller/settings/settings_private.h"

const char *settings_account_name(enum settings_account_id id)
{
    static const char *const names[ACCOUNT_COUNT] = {
#define X(id_, name, what) [ACCOUNT_##id_] = #name,
        SETTINGS_ACCOUNTS(X)
#undef X
    };
    return names[id];
}

const char *settings_hook_when_text(enum settings_hook_when when)
{
    static const char *const names[HOOK_WHEN_COUNT] = {
        [HOOK_PRE_FAILOVER] = "pre_failover",
        [HOOK_POST_FAILOVER] = "post_failover",
        [HOOK_PRE_SWITCHOVER] = "pre_switchover",
        [HOOK_POST_SWITCHOVER] = "post_switchover",
    };
    return names[when];
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    for (uint32_t i = 0; i < settings->cluster_count; i++)
        explicit_bzero(settings->clusters[i].accounts, sizeof settings->clusters[i].accounts);
    free(settings->clusters);
    free(settings);
}

void settings_drop(struct settings **settings)
{
    settings_free(*settings);
    *settings = NULL;
}

static void drop_config(config_t *config)
{
    config_destroy(config);
}

/* libconfig opens what @include names: refused where the text comes from strangers. */
static bool has_include(const char *text)
{
    return strstr(text, "@include") != NULL;
}

enum stay_rc settings_parse(const char *text, const char *name, unsigned flags,
                            struct settings **ret_settings, struct settings_notes *notes,
                            struct stay_error *err)
{
    STAY_AUTO(drop_config) config_t config;
    STAY_AUTO(settings_drop) struct settings *settings = stay_calloc(1, sizeof *settings);
    struct settings_reader reader = {
        .name = name, .flags = flags, .settings = settings, .notes = notes};
    config_init(&config);
    (void)stay_copy(settings->path, sizeof settings->path, name);
    if (notes != NULL)
        *notes = (struct settings_notes){0};
    if ((flags & SETTINGS_WITHOUT_INCLUDE) != 0 && has_include(text)) {
        settings_note_error(&reader, NULL, "", "@include is not possible here");
    } else if (config_read_string(&config, text) != CONFIG_TRUE) {
        const char *file = config_error_file(&config);
        char where[SETTINGS_TEXT_MAX + 16];
        snprintf(where, sizeof where, "%.250s:%d", file == NULL ? name : file,
                 config_error_line(&config));
        (void)stay_error(&reader.first, STAY_EINVALID, "%s: %s%s", where,
                         config_error_text(&config),
                         strcmp(config_error_text(&config), "syntax error") == 0
                             ? ": look here and just before for a missing quote, ; or bracket"
                             : "");
        if (notes != NULL) {
            notes->error_count = notes->line_count = 1;
            notes->lines[0].is_error = true;
            (void)stay_copy(notes->lines[0].text, sizeof notes->lines[0].text, reader.first.text);
        }
    } else {
        settings_read_tree(&reader, config_root_setting(&config));
        settings_check_all(&reader, config_root_setting(&config));
    }
    if (reader.first.rc != STAY_OK) {
        if (err != NULL)
            *err = reader.first;
        return reader.first.rc;
    }
    *ret_settings = settings;
    settings = NULL;
    return STAY_OK;
}

enum stay_rc settings_load(const char *path, unsigned flags, struct settings **ret_settings,
                           struct settings_notes *notes, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *text = NULL;
    struct stay_error why = {0};
    size_t length = 0;
    enum stay_rc rc = file_read(path, SETTINGS_FILE_MAX, &text, &length, &why);
    if (rc == STAY_OK && strlen(text) != length)
        rc = stay_error(&why, STAY_EINVALID, "%s: holds a zero byte; it is not a text file", path);
    if (rc == STAY_OK)
        return settings_parse(text, path, flags, ret_settings, notes, err);
    if (rc == STAY_ENOTFOUND)
        (void)stay_error(&why, rc, "%s: no such file; see mainstay.conf(5) and deploy/examples",
                         path);
    if (notes != NULL) {
        *notes = (struct settings_notes){.error_count = 1, .line_count = 1};
        notes->lines[0].is_error = true;
        (void)stay_copy(notes->lines[0].text, sizeof notes->lines[0].text, why.text);
    }
    if (err != NULL)
        *err = why;
    return rc;
}

const struct settings_repository *settings_repository_named(const struct settings *settings,
                                                            const char *name)
{
    for (uint32_t i = 0; i < settings->repository_count; i++)
        if (strcmp(settings->repositories[i].name, name) == 0)
            return &settings->repositories[i];
    return NULL;
}

const struct settings_cluster *settings_cluster_named(const struct settings *settings,
                                                      const char *name)
{
    for (uint32_t i = 0; i < settings->cluster_count; i++)
        if (strcmp(settings->clusters[i].config.name, name) == 0)
            return &settings->clusters[i];
    return NULL;
}

bool settings_needs_restart(const struct settings *before, const struct settings *after,
                            char *ret_what, size_t size)
{
    size_t count, used = 0;
    const struct option *table = option_table(&count);
    ret_what[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const struct option *o = &table[i];
        bool same = true;
        if ((o->flags & OPTION_RESTART) == 0 || strncmp(o->path, "controller.", 11) != 0)
            continue;
        if (o->type == OPTION_LIST) {
            same = before->listen_count == after->listen_count &&
                   memcmp(before->listen, after->listen, sizeof before->listen) == 0;
        } else if (strchr(o->path + 11, '.') == NULL) {
            char a[SETTINGS_TEXT_MAX], b[SETTINGS_TEXT_MAX];
            settings_value_format(o, before, a, sizeof a);
            settings_value_format(o, after, b, sizeof b);
            same = strcmp(a, b) == 0;
        }
        if (!same && used < size)
            used += (size_t)snprintf(ret_what + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     o->path);
    }
    return ret_what[0] != '\0';
}

static bool is_quoted(enum option_type type)
{
    return settings_value_is_text(type);
}

static void format_children(struct str *out, const char *parent, unsigned depth)
{
    size_t count;
    const struct option *table = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct option *o = &table[i];
        if (!option_is_child(o, parent))
            continue;
        str_add_repeat(out, ' ', depth * 2ul);
        if (o->type == OPTION_GROUP || o->type == OPTION_LIST) {
            bool list = o->type == OPTION_LIST;
            str_addf(out, "%s = %s   # %s%s\n", option_leaf(o), list ? "( {" : "{", o->help,
                     (o->flags & OPTION_LATER) != 0 ? " (not built yet)" : "");
            format_children(out, o->path, depth + 1);
            str_add_repeat(out, ' ', depth * 2ul);
            str_add(out, list ? "} );\n" : "};\n");
        } else if (o->otherwise == NULL) {
            str_addf(out, "# %s: %s; %s%s\n", option_leaf(o), option_type_text(o->type), o->help,
                     (o->flags & OPTION_REQUIRED) != 0 ? " (required)" : "");
        } else {
            const char *quote = is_quoted(o->type) ? "\"" : "";
            str_addf(out, "%s = %s%s%s;   # %s%s%s\n", option_leaf(o), quote, o->otherwise, quote,
                     o->help, o->range == NULL ? "" : "; ", o->range == NULL ? "" : o->range);
        }
    }
}

char *settings_format_defaults(void)
{
    struct str out = {0};
    str_add(&out, "# mainstay.conf: every option with its default. A line that begins with # has "
                  "none.\n");
    format_children(&out, "", 0);
    return str_take(&out);
}
