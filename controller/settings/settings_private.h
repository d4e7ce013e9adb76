/* controller/settings/settings_private.h - what the files of the settings reader share.
 *
 * Layer: settings, these files only. */
#ifndef CONTROLLER_SETTINGS_SETTINGS_PRIVATE_H
#define CONTROLLER_SETTINGS_SETTINGS_PRIVATE_H
#include "controller/settings/option.h"
#include "controller/settings/settings.h"
#include <libconfig.h>

#define SETTINGS_SHOWN_MAX 160

struct settings_reader {
    const char *name; /* of the file, for errors */
    unsigned flags;
    struct settings *settings;
    struct settings_notes *notes;
    struct stay_error first; /* rc STAY_OK while there is no error */
};

/* Notes an error at the setting's line; `shown` is the option as the operator would name it. */
void settings_note_error(struct settings_reader *reader, const config_setting_t *at,
                         const char *shown, const char *fmt, ...) STAY_PRINTF(4, 5);
void settings_note_warning(struct settings_reader *reader, const config_setting_t *at,
                           const char *shown, const char *fmt, ...) STAY_PRINTF(4, 5);

/* The same for a value of another type than `type`; what may be a secret is not repeated. */
void settings_note_type(struct settings_reader *reader, const config_setting_t *at,
                        const char *shown, enum option_type type);

/* Puts the value written as `text` into its place under base. False: *err says what would be right.
 */
bool settings_value_set(const struct option *option, const char *text, void *base,
                        struct stay_error *err);
/* As settings_value_set for a NUMBER. */
bool settings_value_set_number(const struct option *option, long long value, void *base,
                               struct stay_error *err);
/* Is the type written as text in quotes? */
bool settings_value_is_text(enum option_type type);
/* Prints the value under base as it is written in a file (without quotes). */
void settings_value_format(const struct option *option, const void *base, char *dst, size_t size);

/* Reads the whole tree into reader->settings. */
void settings_read_tree(struct settings_reader *reader, const config_setting_t *root);
/* Rules over several options. */
void settings_check_all(struct settings_reader *reader, const config_setting_t *root);

#endif
