/* mainstay(1) from the verb and option tables, and mainstayd(8). */
#include "controller/run/cli.h"
#include "controller/run/man.h"

static void synopsis(struct str *out)
{
    str_add(out, ".Sh SYNOPSIS\n.Nm\n.Op Fl -json\n.Op Fl -socket Ar path\n"
                 ".Op Fl -config Ar file\n.Ar verb\n.Op Ar argument ...\n");
}

static void verb_options(struct str *out, const struct cli_verb *verb)
{
    size_t count;
    const struct cli_option *options = cli_options(&count);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!cli_verb_takes(verb, &options[i]) || cli_option_is_general(&options[i]))
            continue;
        str_add(out, any ? " ,\n" : ".br\nOptions:\n");
        str_addf(out, ".Fl -%s", options[i].name);
        if (options[i].value != NULL)
            str_addf(out, " Ar %s", options[i].value);
        any = true;
    }
    if (any)
        str_add_char(out, '\n');
}

static void list_verbs(struct str *out, bool aliases)
{
    size_t count;
    const struct cli_verb *verbs = cli_verbs(&count);
    str_add(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        if ((verbs[i].alias_of != NULL) != aliases)
            continue;
        str_addf(out, ".It Cm %s", verbs[i].name);
        if (verbs[i].usage[0] != '\0') {
            str_add(out, " Ar ");
            man_word(out, verbs[i].usage);
        }
        str_add_char(out, '\n');
        man_text(out, verbs[i].help);
        if (!aliases)
            verb_options(out, &verbs[i]);
    }
    str_add(out, ".El\n");
}

static void list_options(struct str *out)
{
    size_t count;
    const struct cli_option *options = cli_options(&count);
    str_add(out, ".Sh OPTIONS\nOptions may stand anywhere, as\n.Fl -name Ar value\nor\n"
                 ".Fl -name Ns = Ns Ar value .\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        str_addf(out, ".It Fl -%s", options[i].name);
        if (options[i].value != NULL)
            str_addf(out, " Ar %s", options[i].value);
        str_add_char(out, '\n');
        man_text(out, options[i].help);
    }
    str_add(out, ".El\n");
}

void man_mainstay(struct str *out)
{
    synopsis(out);
    str_add(
        out,
        ".Sh DESCRIPTION\n"
        ".Nm\nasks the controller on this host,\n.Xr mainstayd 8 ,\nover its unix socket; who may\n"
        "write to the socket may operate.\nIt executes nothing by itself: when the controller is\n"
        "down it says so and prints the runbook the controller kept.\n"
        ".Pp\nVerbs that change something take\n.Fl -dry-run .\n"
        "Those that could hurt ask first, and on a terminal they show what they would do;\n"
        ".Fl -yes\nanswers.\nVerbs that start a plan print a line for each step to standard error\n"
        "and wait for its end.\n"
        ".Pp\n.Cm discover\nneeds no controller: it asks the server at\n.Ar ADDRESS\n"
        "and those it is linked to by replication (its source, the replicas it lists, the peers "
        "of\n"
        "its dump threads, and theirs), at most 32, changes nothing on them, and prints a\n"
        "configuration with what is left to fill in.\nA replica that is down or detached is known "
        "to\n"
        "nobody: name it with\n.Fl -also .\n"
        "Ports are listed to mainstay_operate (MariaDB) or mainstay_replicate (MySQL), when their\n"
        "password files lie beside that of the monitor; else 3306 and the source's own are tried.\n"
        "It exits with 1 when a server could not be asked or the primary cannot be told;\n"
        "the configuration is printed all the same, and says so.\n"
        ".Sh VERBS\n");
    list_verbs(out, false);
    str_add(out, ".Ss Aliases\nFor hands that know orchestrator:\n");
    list_verbs(out, true);
    list_options(out);
    str_add(
        out,
        ".Sh ENVIRONMENT\n.Bl -tag -width COLUMNS\n.It Ev COLUMNS\n"
        "Width of tables when the terminal does not say.\n.It Ev NO_COLOR\nNo colour.\n.El\n"
        ".Sh FILES\n.Bl -tag -width Ds\n.It Pa /etc/mainstay/mainstay.conf\n"
        "Says where the socket is.\n.It Pa /var/lib/mainstay/runbook.txt\n"
        "What to type by hand when the controller is down.\n"
        ".It Pa /var/lib/mainstay/recorder\nWhat\n.Cm replay\nand\n.Cm explain Ar CLUSTER@TIME\n"
        "read: each decision, and what it was made from.\n.El\n"
        ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n.It 0\nDone.\n.It 1\nFailed;\n.Cm check\n"
        "found something,\n.Cm discover\nnot everything,\n.Cm replay\na decision that would be "
        "another one now.\n.It 2\nUsage: unknown verb, option, cluster or node; a recording "
        "cannot\nbe read.\n.It 3\n"
        "Refused by a safety rule, which is named.\n.It 4\nThe controller cannot be reached.\n"
        ".It 5\nThe outcome is unknown; look before doing anything again.\n"
        ".It 10 and up\nWhat is wrong with a repository, see\n.Xr mainstay-repository 5 .\n.El\n"
        ".Sh EXAMPLES\nWhat would happen if the primary of shop died now:\n"
        ".Pp\n.Dl $ mainstay plan shop failover\n.Pp\nA configuration for servers that run:\n"
        ".Pp\n.Dl $ mainstay discover 10.1.0.11 --zone-of '10.1.*=eu-1a,10.2.*=eu-1b'\n"
        ".Pp\nMove the primary to db2 and watch it:\n"
        ".Pp\n.Dl $ mainstay switchover shop --to db2\n.Pp\nWhy it failed over last night:\n"
        ".Pp\n.Dl $ mainstay explain last\n.Pp\nWhy it did nothing at ten past three (UTC):\n"
        ".Pp\n.Dl $ mainstay explain shop@03:10:00\n.Pp\nWould all of it be decided the same "
        "now:\n.Pp\n.Dl $ mainstay replay /var/lib/mainstay/recorder\n");
}

void man_mainstayd(struct str *out)
{
    str_add(
        out,
        ".Sh SYNOPSIS\n.Nm\n.Op Fl -config Ar file\n.Op Fl -check\n"
        ".Sh DESCRIPTION\n.Nm\nwatches MariaDB and MySQL clusters, names what is wrong\n"
        ".Pq Xr mainstay-verdicts 7 ,\nand acts by plans\n.Pq Xr mainstay-plans 7\n"
        "whose every step is stored before it begins, so that a controller that is killed\n"
        "takes its plan up again or undoes it.\n.Pp\nIt acts on a cluster only after\n"
        ".Ql mainstay adopt ,\nnever while paused, and never on facts that are missing or stale.\n"
        "When it dies, databases and routes stay as they are.\n.Pp\n"
        "The configuration is read at start and on\n.Dv SIGHUP\nor\n.Ql mainstay reload ;\n"
        "a wrong one is refused with file and line and the old one stays in force.\n"
        ".Sh OPTIONS\n.Bl -tag -width Ds\n.It Fl -config Ar file\nDefault\n"
        ".Pa /etc/mainstay/mainstay.conf .\n"
        ".It Fl -check\nCheck the configuration and exit.\n"
        ".It Fl -foreground\nAccepted for habit: it always stays in the foreground.\n"
        ".It Fl -version\nPrint the version and exit.\n"
        ".It Fl -help\nPrint the options and exit.\n.El\n"
        ".Sh SIGNALS\n.Bl -tag -width SIGHUP\n.It Dv SIGHUP\nRead the configuration again.\n"
        ".It Dv SIGTERM , SIGINT\nEnd; a running plan is taken up by the next start.\n.El\n"
        ".Sh FILES\n.Bl -tag -width Ds\n.It Pa /etc/mainstay/mainstay.conf\nConfiguration.\n"
        ".It Pa /run/mainstay/mainstay.sock\nOperators' socket.\n"
        ".It Pa /var/lib/mainstay/state.db\nEpochs, intents, plans.\n"
        ".It Pa /var/lib/mainstay/recorder\nDecisions, and what each was made from, for\n"
        ".Ql mainstay replay .\n"
        ".It Pa /var/lib/mainstay/runbook.txt\nWhat to type by hand when this program is down.\n"
        ".El\n"
        ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n.It 0\nStopped by a signal; with\n"
        ".Fl -check :\nthe configuration is good.\n.It 1\nFailed; the last message says why.\n"
        ".It 2\nUsage, or the configuration is wrong.\n.El\n"
        ".Sh DIAGNOSTICS\nUnder systemd, messages go to the journal with the fields\n"
        ".Dv MAINSTAY_CLUSTER , MAINSTAY_NODE , MAINSTAY_PLAN\nand\n.Dv MAINSTAY_RULE ;\n"
        "elsewhere to standard error.\n");
}
