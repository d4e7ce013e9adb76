/* The list of pages and what every page begins and ends with. */
#include "controller/run/man.h"

/* Row order is the order of SEE ALSO. */
static const struct man_page pages[] = {
    {"mainstay", 1, "operate database clusters kept by mainstayd", man_mainstay},
    {"mainstay-repository", 5, "how mainstay keeps backups", man_repository},
    {"mainstay.conf", 5, "configuration of mainstayd", man_conf},
    {"mainstay-api", 7, "what mainstayd serves over HTTP", man_api},
    {"mainstay-plans", 7, "what mainstay does, step by step", man_plans},
    {"mainstay-verdicts", 7, "how mainstay names what is wrong", man_verdicts},
    {"mainstayd", 8, "controller that keeps database clusters writable", man_mainstayd},
};

const struct man_page *man_pages(size_t *ret_count)
{
    *ret_count = STAY_COUNT(pages);
    return pages;
}

void man_word(struct str *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\\')
            str_add(out, "\\e");
        else if (*p == '"')
            str_add(out, "\\(dq");
        else
            str_add_char(out, *p);
    }
}

/* mdoc wants each sentence on a line of its own. */
void man_text(struct str *out, const char *text)
{
    while (*text != '\0') {
        char line[1024];
        const char *stop = strstr(text, ". ");
        size_t n = stop == NULL ? strlen(text) : (size_t)(stop - text) + 1;
        must(n < sizeof line);
        memcpy(line, text, n);
        line[n] = '\0';
        if (line[0] == '.' || line[0] == '\'')
            str_add(out, "\\&");
        man_word(out, line);
        str_add_char(out, '\n');
        text += n;
        text += strspn(text, " ");
    }
}

void man_format(const struct man_page *page, struct str *out)
{
    char upper[40];
    size_t n = strlen(page->name);
    must(n < sizeof upper);
    for (size_t i = 0; i <= n; i++)
        upper[i] = (char)(page->name[i] >= 'a' && page->name[i] <= 'z' ? page->name[i] - 32
                                                                       : page->name[i]);
    str_add(out, ".\\\" Made by mainstay-manpages from the tables that run. Do not edit.\n");
    str_addf(out, ".Dd %s\n.Dt %s %u\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", MAN_DATE, upper,
             page->section, page->name, page->title);
    page->body(out);
    str_add(out, ".Sh SEE ALSO\n");
    bool first = true;
    for (size_t i = 0; i < STAY_COUNT(pages); i++) {
        if (&pages[i] == page)
            continue;
        str_addf(out, "%s.Xr %s %u", first ? "" : " ,\n", pages[i].name, pages[i].section);
        first = false;
    }
    str_add_char(out, '\n');
}
