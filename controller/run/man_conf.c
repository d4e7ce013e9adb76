/* mainstay.conf(5) from the option table. */
#include "controller/run/man.h"
#include "controller/settings/option.h"

static void facts(struct str *out, const struct option *o)
{
    str_add(out, ".br\n");
    str_addf(out, "Type: %s", option_type_text(o->type));
    if (o->range != NULL) {
        bool words = o->type == OPTION_WORD;
        str_add(out, words ? ", one of " : ", ");
        for (const char *p = o->range; *p != '\0'; p++) {
            if (*p == '|')
                str_add(out, ", ");
            else if (strncmp(p, "..", 2) == 0) {
                str_add(out, " to ");
                p++;
            } else
                str_add_char(out, *p);
        }
    }
    str_add(out, ".\n");
    if ((o->flags & OPTION_REQUIRED) != 0)
        str_add(out, "Required.\n");
    else if (o->otherwise != NULL)
        str_addf(out, "Default: %s.\n", o->otherwise);
    if ((o->flags & OPTION_RESTART) != 0)
        str_add(out, "A change needs a restart.\n");
}

static void group(struct str *out, const struct option *parent)
{
    size_t count;
    const struct option *table = option_table(&count);
    str_add(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        const struct option *o = &table[i];
        bool is_group = o->type == OPTION_GROUP || o->type == OPTION_LIST;
        if (!option_is_child(o, parent->path) || is_group || (o->flags & OPTION_LATER) != 0)
            continue;
        str_addf(out, ".It Cm %s\n", option_leaf(o));
        man_text(out, o->help);
        facts(out, o);
    }
    str_add(out, ".El\n");
}

static bool has_scalars(const struct option *parent)
{
    size_t count;
    const struct option *table = option_table(&count);
    for (size_t i = 0; i < count; i++)
        if (option_is_child(&table[i], parent->path) && table[i].type != OPTION_GROUP &&
            table[i].type != OPTION_LIST)
            return true;
    return false;
}

static void intro(struct str *out)
{
    str_add(
        out,
        ".Sh DESCRIPTION\nThe file is read by\n.Xr mainstayd 8\nat start and on reload, in the\n"
        "notation of libconfig: groups in braces, lists in parentheses, arrays in brackets, each\n"
        "setting ended by a semicolon; # and // begin a comment.\n"
        "An unknown option, a wrong type or unit, a missing file or a value out of range is\n"
        "refused with file and line, and the configuration before it stays in force.\n"
        ".Ql mainstay config check Ar FILE\ntells all of them at once;\n"
        ".Ql mainstay config show --defaults\nprints every option.\n"
        ".Pp\nDurations and sizes are text with a unit: us, ms, s, m, h, d, w; B, kB, MB, GB, TB\n"
        "(decimal) or KiB, MiB, GiB, TiB (binary).\n"
        "Secrets are references: { file = \\(dq/path\\(dq; } names a file that only its owner can\n"
        "read (0600), { credential = \\(dqname\\(dq; } a systemd credential.\n"
        ".Sh OPTIONS\n");
}

void man_conf(struct str *out)
{
    size_t count;
    const struct option *table = option_table(&count);
    intro(out);
    for (size_t i = 0; i < count; i++) {
        const struct option *o = &table[i];
        bool is_group = o->type == OPTION_GROUP || o->type == OPTION_LIST;
        if (!is_group || (o->flags & OPTION_LATER) != 0)
            continue;
        str_addf(out, ".Ss %s\n", o->path);
        man_text(out, o->help);
        if (o->type == OPTION_LIST)
            str_add(out, "(a list of groups)\n");
        if (has_scalars(o))
            group(out, o);
    }
    str_add(out,
            ".Ss Not built yet\nThese sections are accepted and checked for shape, and\n"
            ".Ql mainstay config check\nwarns that nothing acts on them:\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        bool top = strncmp(table[i].path, "clusters.", 9) == 0
                       ? strchr(table[i].path + 9, '.') == NULL
                       : strchr(table[i].path, '.') == NULL;
        if ((table[i].flags & OPTION_LATER) == 0 || !top)
            continue;
        str_addf(out, ".It Cm %s\n", table[i].path);
        man_text(out, table[i].help);
    }
    str_add(out,
            ".El\n.Sh FILES\n.Bl -tag -width Ds\n.It Pa /etc/mainstay/mainstay.conf\n"
            "Default place.\n.It Pa /usr/share/doc/mainstay/examples\nSamples.\n.El\n"
            ".Sh EXAMPLES\nThe least one can write:\n.Bd -literal\n"
            "controller = { zone = \"eu-1c\"; };\n"
            "clusters = ( {\n  name = \"shop\"; engine = \"mariadb\";\n"
            "  nodes = ( { name = \"db1\"; address = \"10.1.0.11:3306\"; zone = \"eu-1a\"; },\n"
            "            { name = \"db2\"; address = \"10.2.0.11:3306\"; zone = \"eu-1b\"; } );\n"
            "  accounts = {\n"
            "    monitor   = { user = \"mainstay_monitor\";\n"
            "                  password = { file = \"/etc/mainstay/secrets/monitor\"; }; };\n"
            "    # canary, operate and replicate likewise\n"
            "  };\n} );\n.Ed\n");
}
