/* Walks the file's tree along the option table: unknown keys, types, required options, defaults,
 * secrets. Everything wrong is noted with its line; reading goes on, so that one run shows all. */
#include "base/io/file.h"
#include "controller/settings/settings_private.h"
#include "controller/settings/suggest.h"
#include <errno.h>
#include <unistd.h>

/* A group of the file (NULL: absent) against the group of the table it belongs to. */
struct place {
    const config_setting_t *group;
    const config_setting_t *near; /* for lines, when group is absent */
    const char *path;             /* in the table; "" for the file */
    const char *shown;            /* as the operator names it */
    char *base;                   /* struct its values go to */
    bool later;                   /* nothing is stored */
};

static void read_group(struct settings_reader *reader, const struct place *place);

static void read_secret(struct settings_reader *r, const config_setting_t *s,
                        const struct option *o, const char *shown, const struct place *place)
{
    const char *file = NULL, *credential = NULL;
    struct stay_error err = {0};
    if (config_setting_type(s) != CONFIG_TYPE_GROUP || config_setting_length(s) != 1 ||
        (config_setting_lookup_string(s, "file", &file) == 0 &&
         config_setting_lookup_string(s, "credential", &credential) == 0)) {
        settings_note_type(r, s, shown, OPTION_SECRET);
        return;
    }
    struct settings_secret secret = {.is_set = true};
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    bool fits = file != NULL
                    ? stay_copy(secret.path, sizeof secret.path, file)
                    : snprintf(secret.path, sizeof secret.path, "%s/%s",
                               folder == NULL ? "" : folder, credential) < (int)sizeof secret.path;
    if (file != NULL && (file[0] != '/' || !fits))
        settings_note_error(r, s, shown,
                            "file \"%.80s\" is not an absolute path of at most %d characters", file,
                            SETTINGS_TEXT_MAX - 1);
    else if (credential != NULL && (strchr(credential, '/') != NULL || !fits))
        settings_note_error(r, s, shown, "credential \"%.80s\" is not a plain name", credential);
    if (place->later || (file != NULL && file[0] != '/') || !fits)
        return;
    memcpy(place->base + o->offset, &secret, sizeof secret);
    if ((r->flags & SETTINGS_WITHOUT_SECRETS) != 0 || (o->flags & OPTION_BY_PATH) != 0)
        return;
    if (credential != NULL && folder == NULL) {
        settings_note_error(r, s, shown,
                            "credential \"%s\": no credentials here; systemd passes them with "
                            "LoadCredential=%s:/PATH, elsewhere write { file = \"/PATH\" }",
                            credential, credential);
        return;
    }
    STAY_AUTO(stay_free_charp) char *text = NULL;
    size_t length = 0;
    enum stay_rc rc = file != NULL
                          ? file_read_secret(secret.path, &text, &err)
                          : file_read(secret.path, SETTINGS_TEXT_MAX, &text, &length, &err);
    if (rc != STAY_OK) {
        bool is_denied = rc == STAY_ESYSTEM && err.native == EACCES;
        settings_note_error(r, s, shown, "%s%s", err.text,
                            rc == STAY_ENOTFOUND ? ": write the password into it, mode 0600"
                            : is_denied ? ": the user mainstayd runs as must be able to read it"
                                        : "");
        return;
    }
    length = strcspn(text, "\r\n");
    struct settings_secret *kept = (struct settings_secret *)(void *)(place->base + o->offset);
    if (length == 0 || length >= sizeof kept->text)
        settings_note_error(r, s, shown, "%s: a password has 1 to %d characters, this file has %zu",
                            secret.path, SETTINGS_TEXT_MAX - 1, length);
    else
        memcpy(kept->text, text, length);
    explicit_bzero(text, strlen(text));
}

static void read_strings(struct settings_reader *r, const config_setting_t *s,
                         const struct option *o, const char *shown, const struct place *place)
{
    int type = config_setting_type(s), n = config_setting_length(s);
    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) {
        settings_note_type(r, s, shown, o->type);
        return;
    }
    if (n < 1 || (unsigned)n > o->count_max) {
        settings_note_error(r, s, shown, "has %d entries; 1 to %u are possible", n, o->count_max);
        return;
    }
    for (int i = 0; i < n; i++) {
        const char *text = config_setting_get_string_elem(s, i);
        char item[SETTINGS_SHOWN_MAX];
        struct stay_error err = {0};
        snprintf(item, sizeof item, "%.140s[%d]", shown, i);
        bool is_path = (o->type == OPTION_ARGV && i == 0) ||
                       (o->type == OPTION_SOCKETS && text != NULL && text[0] == '/');
        struct option one = {.type = is_path                  ? OPTION_PATH
                                     : o->type == OPTION_ARGV ? OPTION_TEXT
                                                              : OPTION_ADDRESS,
                             .offset = o->offset + (size_t)i * o->size,
                             .size = o->size};
        if (text == NULL)
            settings_note_error(r, config_setting_get_elem(s, (unsigned)i), item,
                                "needs text in quotes");
        else if (!settings_value_set(&one, text, place->base, &err))
            settings_note_error(r, s, item, "%s", err.text);
    }
    uint32_t count = (uint32_t)n;
    memcpy(place->base + o->count_offset, &count, sizeof count);
}

static void read_list(struct settings_reader *r, const config_setting_t *s, const struct option *o,
                      const char *shown, const struct place *place)
{
    if (config_setting_type(s) != CONFIG_TYPE_LIST) {
        settings_note_type(r, s, shown, OPTION_LIST);
        return;
    }
    uint32_t n = (uint32_t)config_setting_length(s);
    if (n == 0 && (o->flags & OPTION_REQUIRED) != 0) {
        settings_note_error(r, s, shown, "is empty: there is nothing to watch; it holds %s",
                            o->help);
        return;
    }
    if (n > o->count_max) {
        settings_note_error(r, s, shown, "has %u entries; %u are possible", n, o->count_max);
        return;
    }
    bool later = place->later || (o->flags & OPTION_LATER) != 0;
    char *elements = later ? NULL : place->base + o->offset;
    if (!later && strcmp(o->path, "clusters") == 0) {
        r->settings->clusters = stay_calloc(n, sizeof *r->settings->clusters);
        elements = (char *)r->settings->clusters;
    }
    for (uint32_t i = 0; i < n; i++) {
        char item[SETTINGS_SHOWN_MAX];
        snprintf(item, sizeof item, "%.140s[%u]", shown, i);
        const config_setting_t *element = config_setting_get_elem(s, i);
        struct place inner = {.group = element,
                              .near = element,
                              .path = o->path,
                              .shown = item,
                              .base = later ? NULL : elements + i * o->size,
                              .later = later};
        if (config_setting_type(element) != CONFIG_TYPE_GROUP)
            settings_note_type(r, element, item, OPTION_GROUP);
        else
            read_group(r, &inner);
    }
    if (!later)
        memcpy(place->base + o->count_offset, &n, sizeof n);
}

static void read_scalar(struct settings_reader *r, const config_setting_t *s,
                        const struct option *o, const char *shown, const struct place *place)
{
    char scratch[SETTINGS_TEXT_MAX + 8];
    struct option kept = *o;
    char *base = place->base;
    struct stay_error err = {0};
    int type = config_setting_type(s);
    bool ok = true;
    if (place->later || (o->flags & OPTION_LATER) != 0) {
        kept.offset = 0;
        kept.size = o->type == OPTION_ID ? NAME_MAX_LEN : SETTINGS_TEXT_MAX;
        base = scratch;
    }
    if (settings_value_is_text(o->type) && type == CONFIG_TYPE_STRING)
        ok = settings_value_set(&kept, config_setting_get_string(s), base, &err);
    else if (o->type == OPTION_BOOL && type == CONFIG_TYPE_BOOL)
        ok = settings_value_set(&kept, config_setting_get_bool(s) ? "true" : "false", base, &err);
    else if (o->type == OPTION_NUMBER && (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64))
        ok = settings_value_set_number(&kept, config_setting_get_int64(s), base, &err);
    else
        settings_note_type(r, s, shown, o->type);
    if (!ok)
        settings_note_error(r, s, shown, "%s", err.text);
    else if (o->type == OPTION_FILE && (r->flags & SETTINGS_WITHOUT_SECRETS) == 0 &&
             type == CONFIG_TYPE_STRING && access(base + kept.offset, R_OK) != 0)
        settings_note_error(r, s, shown, "file %s cannot be read: %s", base + kept.offset,
                            strerror(errno));
}

static void read_present(struct settings_reader *r, const config_setting_t *s,
                         const struct option *o, const char *shown, const struct place *place)
{
    bool later = place->later || (o->flags & OPTION_LATER) != 0;
    if (later && !place->later)
        settings_note_warning(r, s, shown, "is not built yet: accepted, but nothing acts on it");
    if (o->type == OPTION_GROUP || o->type == OPTION_FREE) {
        struct place inner = {.group = s,
                              .near = s,
                              .path = o->path,
                              .shown = shown,
                              .base = place->base,
                              .later = later};
        if (config_setting_type(s) != CONFIG_TYPE_GROUP)
            settings_note_type(r, s, shown, o->type);
        else if (o->type == OPTION_GROUP)
            read_group(r, &inner);
    } else if (o->type == OPTION_LIST) {
        read_list(r, s, o, shown, place);
    } else if (o->type == OPTION_SECRET) {
        read_secret(r, s, o, shown, place);
    } else if (o->type == OPTION_SOCKETS || o->type == OPTION_ARGV) {
        read_strings(r, s, o, shown, place);
    } else {
        read_scalar(r, s, o, shown, place);
    }
}

static void read_absent(struct settings_reader *r, const struct option *o, const char *shown,
                        const struct place *place)
{
    if ((o->flags & OPTION_REQUIRED) != 0) {
        settings_note_error(r, place->near, shown, "is missing: %s", o->help);
    } else if (place->later || (o->flags & OPTION_LATER) != 0) {
        return;
    } else if (o->type == OPTION_GROUP) {
        struct place inner = {.group = NULL,
                              .near = place->near,
                              .path = o->path,
                              .shown = shown,
                              .base = place->base};
        read_group(r, &inner);
    } else if (o->otherwise != NULL) {
        struct stay_error err = {0};
        bool ok = settings_value_set(o, o->otherwise, place->base, &err);
        must(ok);
    }
}

static void note_unknown(struct settings_reader *r, const struct place *place,
                         const config_setting_t *s)
{
    size_t count;
    const struct option *table = option_table(&count);
    struct suggest near;
    char shown[SETTINGS_SHOWN_MAX];
    suggest_init(&near, config_setting_name(s));
    for (size_t i = 0; i < count; i++)
        if (option_is_child(&table[i], place->path))
            suggest_offer(&near, option_leaf(&table[i]));
    snprintf(shown, sizeof shown, "%.100s%s%.50s", place->shown, place->shown[0] == '\0' ? "" : ".",
             config_setting_name(s));
    if (near.best != NULL)
        settings_note_error(r, s, shown, "unknown option; did you mean \"%s\"?", near.best);
    else
        settings_note_error(r, s, shown, "unknown option; mainstay.conf(5) lists them all");
}

static void read_group(struct settings_reader *reader, const struct place *place)
{
    size_t count;
    const struct option *table = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (!option_is_child(&table[i], place->path))
            continue;
        char shown[SETTINGS_SHOWN_MAX];
        const config_setting_t *s =
            place->group == NULL ? NULL
                                 : config_setting_get_member(place->group, option_leaf(&table[i]));
        snprintf(shown, sizeof shown, "%.120s%s%s", place->shown,
                 place->shown[0] == '\0' ? "" : ".", option_leaf(&table[i]));
        if (s != NULL)
            read_present(reader, s, &table[i], shown, place);
        else
            read_absent(reader, &table[i], shown, place);
    }
    int n = place->group == NULL ? 0 : config_setting_length(place->group);
    for (int i = 0; i < n; i++) {
        const config_setting_t *s = config_setting_get_elem(place->group, (unsigned)i);
        char path[SETTINGS_SHOWN_MAX];
        snprintf(path, sizeof path, "%s%s%.60s", place->path, place->path[0] == '\0' ? "" : ".",
                 config_setting_name(s));
        if (option_find(path) == NULL)
            note_unknown(reader, place, s);
    }
}

void settings_read_tree(struct settings_reader *reader, const config_setting_t *root)
{
    struct place file = {
        .group = root, .near = root, .path = "", .shown = "", .base = (char *)reader->settings};
    read_group(reader, &file);
}
