/* Small pieces of output: durations, times, wrapped text, colours for states. */
#include "base/str.h"
#include "base/table.h"
#include "base/units.h"
#include "controller/run/cli.h"

const char *cli_text(const json_t *obj, const char *key)
{
    const char *text = json_string_value(json_object_get(obj, key));
    return text == NULL ? "" : text;
}

bool cli_true(const json_t *obj, const char *key)
{
    return json_is_true(json_object_get(obj, key));
}

const char *cli_duration(const json_t *obj, const char *key, char dst[32])
{
    const json_t *value = json_object_get(obj, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return "-";
    units_format_duration_short(dst, UNITS_TEXT_MAX, json_integer_value(value));
    return dst;
}

const char *cli_time(const json_t *obj, const char *key, char dst[40])
{
    const json_t *value = json_object_get(obj, key);
    if (!json_is_integer(value) || json_integer_value(value) <= 0)
        return "-";
    char text[UNITS_TEXT_MAX];
    units_format_wall(text, sizeof text, json_integer_value(value));
    char *t = strchr(text, 'T');
    if (t != NULL)
        *t = ' ';
    text[strcspn(text, ".Z")] = '\0';
    snprintf(dst, 40, "%s", text);
    return dst;
}

void cli_wrap(struct cli *cli, FILE *to, unsigned indent, const char *text)
{
    size_t width = cli->width == 0 ? 100 : cli->width;
    size_t room = width > indent + 20u ? width - indent : 20;
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        if (n > room) {
            n = room;
            while (n > 0 && text[n] != ' ')
                n--;
            if (n == 0)
                n = room;
        }
        fprintf(to, "%*s", (int)indent, "");
        for (size_t i = 0; i < n; i++)
            fputc((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i], to);
        fputc('\n', to);
        text += n;
        text += strspn(text, " \n");
    }
}

const char *cli_color(const struct cli *cli, enum cli_color color)
{
    if (!cli->use_color)
        return "";
    switch (color) {
    case CLI_PLAIN:
        return "";
    case CLI_GREEN:
        return "\033[32m";
    case CLI_YELLOW:
        return "\033[33m";
    case CLI_RED:
        return "\033[31m";
    }
    return "";
}

const char *cli_color_end(const struct cli *cli, enum cli_color color)
{
    return cli->use_color && color != CLI_PLAIN ? "\033[0m" : "";
}

void cli_names(const json_t *array, char *dst, size_t size)
{
    size_t used = 0, i;
    json_t *name;
    snprintf(dst, size, "-");
    json_array_foreach(array, i, name)
    {
        if (used < size)
            used += (size_t)snprintf(dst + used, size - used, "%s%s", i > 0 ? ", " : "",
                                     json_string_value(name));
    }
}

void cli_put_table(struct cli *cli, const struct table *t, const enum cli_color *colors)
{
    size_t width = cli->width == 0 ? 0 : cli->width - 2;
    size_t row = 0, left = 1; /* lines of the title, then of each row */
    enum cli_color color = CLI_PLAIN;
    STAY_AUTO(stay_free_charp) char *text = table_format(t, width);
    for (char *line = text, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n'); /* each line ends in one */
        fprintf(cli->out, "  %s%.*s%s\n", cli_color(cli, color), (int)(end - line), line,
                cli_color_end(cli, color));
        if (--left > 0)
            continue;
        color = colors == NULL || row == table_row_count(t) ? CLI_PLAIN : colors[row];
        left = row == table_row_count(t) ? 1 : table_row_lines(t, row, width);
        row++;
    }
}
