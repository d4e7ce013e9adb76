/* Prints a manual page: mainstay-manpages NAME.SECTION, or without a name lists them. Build tool;
 * its output is kept in deploy/man. */
#include "controller/run/man.h"

int main(int argc, char **argv)
{
    size_t count;
    const struct man_page *pages = man_pages(&count);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.%u", pages[i].name, pages[i].section);
        if (argc < 2) {
            printf("%s\n", name);
        } else if (strcmp(argv[1], name) == 0) {
            STAY_AUTO(str_clear) struct str out = {0};
            man_format(&pages[i], &out);
            fputs(str_text(&out), stdout);
            return 0;
        }
    }
    if (argc >= 2)
        fprintf(stderr, "mainstay-manpages: there is no page %s\n", argv[1]);
    return argc < 2 ? 0 : 2;
}
