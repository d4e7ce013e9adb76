/* A wrong section of a cluster is refused as any other wrong configuration (test_settings_bad.c):
 * accounts, tls, durability, objectives, detection, failover, routes, hooks, and those of later. */
#include "tests/unit/controller/settings/settings_cases.h"

static const struct bad_case cases[] = {
    {"monitor account missing", "monitor = { user = \"m\"; password = { file = \"@/good\"; }; };",
     "",
     "m.conf:10: clusters[0].accounts.monitor.user: is missing: user name on the servers"},
    {"operate account missing", "operate = { user = \"o\"; password = { file = \"@/good\"; }; };",
     "",
     "m.conf:10: clusters[0].accounts.operate: is missing: acting needs it (deploy/grants crea"
     "tes it); without it write failover.mode = \"observe\""},
    {"account without password", "canary = { user = \"c\"; password = { file = \"@/good\"; }; };",
     "canary = { user = \"c\"; };",
     "m.conf:12: clusters[0].accounts.canary: has a user but no password; write password = { f"
     "ile = \"/PATH\"; }"},
    {"account without user", "canary = { user = \"c\"; password",
     "canary = { password",
     "m.conf:12: clusters[0].accounts.canary: has a password but no user"},
    {"password written out", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = \"hunter2\"",
     "m.conf:12: clusters[0].accounts.canary.password: needs a reference { file = \"/path\" } "
     "or { credential = \"name\" }; a secret is never written here, found text"},
    {"password with two sources", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = { file = \"@/good\"; credential = \"c\"; }",
     "m.conf:12: clusters[0].accounts.canary.password: needs a reference { file = \"/path\" } "
     "or { credential = \"name\" }; a secret is never written here, found a group { ... }"},
    {"password file relative", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = { file = \"good\"; }",
     "m.conf:12: clusters[0].accounts.canary.password: file \"good\" is not an absolute path o"
     "f at most 255 characters"},
    {"password file missing", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = { file = \"@/none\"; }",
     "m.conf:12: clusters[0].accounts.canary.password: '@/none' does not exist: write the passwo"
     "rd into it, mode 0600"},
    {"password file readable by all", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = { file = \"@/open\"; }",
     "m.conf:12: clusters[0].accounts.canary.password: secret file '@/open' can be read by oth"
     "ers (mode 0644): chmod 0600 '@/open'"},
    {"password file empty", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = { file = \"@/empty\"; }",
     "m.conf:12: clusters[0].accounts.canary.password: secret file '@/empty' is empty"},
    {"password too long", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = { file = \"@/long\"; }",
     "m.conf:12: clusters[0].accounts.canary.password: @/long: a password has 1 to 255 charact"
     "ers, this file has 264"},
    {"credential without systemd", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = { credential = \"canary\"; }",
     "m.conf:12: clusters[0].accounts.canary.password: credential \"canary\": no credentials h"
     "ere; systemd passes them with LoadCredential=canary:/PATH, elsewhere write { file = \"/P"
     "ATH\" }"},
    {"credential with a path", "user = \"c\"; password = { file = \"@/good\"; }",
     "user = \"c\"; password = { credential = \"../c\"; }",
     "m.conf:12: clusters[0].accounts.canary.password: credential \"../c\" is not a plain name"},
    {"user with a quote", "user = \"c\"",
     "user = \"c' OR 1\"",
     "m.conf:12: clusters[0].accounts.canary.user: name 'c' OR 1': use 1 to 64 of letters, dig"
     "its, _ $ -"},
    {"ca missing", "ca = \"@/good\"",
     "ca = \"@/none.pem\"",
     "m.conf:16: clusters[0].tls.ca: file @/none.pem cannot be read: No such file or directory"},
    {"tls required without ca", "ca = \"@/good\"; ",
     "",
     "m.conf:16: clusters[0].tls.required: needs tls.ca: without it nobody knows whom we talk "
     "to"},
    {"tls cert without key", "ca = \"@/good\"; ",
     "ca = \"@/good\"; cert = \"@/good\"; ",
     "m.conf:16: clusters[0].tls.cert: cert and key belong together: write both or none"},
    {"tls required in quotes", "required = true",
     "required = \"yes\"",
     "m.conf:16: clusters[0].tls.required: needs true or false without quotes, found the text "
     "\"yes\""},
    {"mode unknown", "mode = \"lossless\"",
     "mode = \"loss-less\"",
     "m.conf:17: clusters[0].durability.mode: \"loss-less\" is not possible; write \"unsafe\","
     " \"bounded\" or \"lossless\" (did you mean \"lossless\"?)"},
    {"acks in quotes", "acks = 1",
     "acks = \"1\"",
     "m.conf:17: clusters[0].durability.acks: needs a whole number without quotes, found the t"
     "ext \"1\""},
    {"acks zero", "acks = 1",
     "acks = 0",
     "m.conf:17: clusters[0].durability.acks: 0 is out of range; write 1 to 8"},
    {"acks 2 on mariadb", "acks = 1",
     "acks = 2",
     "m.conf:17: clusters[0].durability.acks: MariaDB waits for one acknowledgement; write 1, "
     "found 2"},
    {"duration without unit", "cooldown = \"1h\"",
     "cooldown = \"10\"",
     "m.conf:18: clusters[0].failover.cooldown: duration '10' has no unit: use us, ms, s, m, h"
     ", d or w"},
    {"duration as number", "cooldown = \"1h\"",
     "cooldown = 10",
     "m.conf:18: clusters[0].failover.cooldown: needs a duration in quotes with its unit, such"
     " as \"500ms\" or \"10m\", found the number 10"},
    {"duration with wrong unit", "cooldown = \"1h\"",
     "cooldown = \"1 hour\"",
     "m.conf:18: clusters[0].failover.cooldown: duration '1 hour': ' ' is not a unit: use us, "
     "ms, s, m, h, d or w"},
    {"duration with size unit", "cooldown = \"1h\"",
     "cooldown = \"10MB\"",
     "m.conf:18: clusters[0].failover.cooldown: duration '10MB': 'MB' is not a unit: use us, m"
     "s, s, m, h, d or w"},
    {"duration negative", "cooldown = \"1h\"",
     "cooldown = \"-1s\"",
     "m.conf:18: clusters[0].failover.cooldown: duration '-1s': expected a number and a unit, "
     "such as 500ms, 10m, 1h30m"},
    {"duration out of range", "cooldown = \"1h\"",
     "cooldown = \"31d\"",
     "m.conf:18: clusters[0].failover.cooldown: 31d is out of range; write 0s to 30d"},
    {"duration empty", "cooldown = \"1h\"",
     "cooldown = \"\"",
     "m.conf:18: clusters[0].failover.cooldown: duration '': expected a number and a unit, suc"
     "h as 500ms, 10m, 1h30m"},
    {"size with time unit", "failover = {",
     "objectives = { loss_bytes = \"10m\"; };\n  failover = {",
     "m.conf:18: clusters[0].objectives.loss_bytes: size '10m': 'm' is not a unit: use B, kB, "
     "MB, GB, TB (decimal) or KiB, MiB, GiB, TiB (binary)"},
    {"size as number", "failover = {",
     "objectives = { loss_bytes = 160; };\n  failover = {",
     "m.conf:18: clusters[0].objectives.loss_bytes: needs a size in quotes with its unit, such"
     " as \"160MB\" or \"8MiB\", found the number 160"},
    {"size out of range", "failover = {",
     "objectives = { loss_bytes = \"2TB\"; };\n  failover = {",
     "m.conf:18: clusters[0].objectives.loss_bytes: 2TB is out of range; write 0B to 1TB"},
    {"failover mode unknown", "mode = \"automatic\"",
     "mode = \"auto\"",
     "m.conf:18: clusters[0].failover.mode: \"auto\" is not possible; write \"automatic\", \"c"
     "onfirm\" or \"observe\" (did you mean \"automatic\"?)"},
    {"suspicion slower than probing", "failover = {",
     "detection = { suspicion = \"2s\"; };\n  failover = {",
     "m.conf:18: clusters[0].detection.suspicion: is longer than detection.interval: suspicion"
     " must ask more often, not less"},
    {"silence below deadline", "failover = {",
     "detection = { silence = \"500ms\"; };\n  failover = {",
     "m.conf:18: clusters[0].detection.silence: is shorter than detection.deadline: one slow a"
     "nswer would count as death"},
    {"route type unknown", "type = \"haproxy\"",
     "type = \"proxysql\"",
     "m.conf:19: clusters[0].routes[0].type: \"proxysql\" is not possible; write \"haproxy\""},
    {"route sockets empty", "[ \"10.1.0.2:9999\" ]",
     "[ ]",
     "m.conf:19: clusters[0].routes[0].sockets: has 0 entries; 1 to 16 are possible"},
    {"route socket without port", "[ \"10.1.0.2:9999\" ]",
     "[ \"10.1.0.2\" ]",
     "m.conf:19: clusters[0].routes[0].sockets[0]: address '10.1.0.2': the port is missing: wr"
     "ite host:port"},
    {"route sockets numbers", "[ \"10.1.0.2:9999\" ]",
     "[ 9999 ]",
     "m.conf:19: clusters[0].routes[0].sockets[0]: needs text in quotes"},
    {"route sockets text", "[ \"10.1.0.2:9999\" ]",
     "\"10.1.0.2:9999\"",
     "m.conf:19: clusters[0].routes[0].sockets: needs a list of sockets [ \"host:port\", \"/pa"
     "th\" ], found the text \"10.1.0.2:9999\""},
    {"route write missing", "write = \"shop_rw\"; ",
     "",
     "m.conf:19: clusters[0].routes[0].write: is missing: backend of writers; its servers are "
     "named as the nodes"},
    {"route backend with space", "write = \"shop_rw\"",
     "write = \"shop rw\"",
     "m.conf:20: clusters[0].routes[0].write: name 'shop rw': use 1 to 64 of letters, digits, "
     "_ $ -"},
    {"hook without command", "failover = {",
     "hooks = ( { when = \"pre_failover\"; } );\n  failover = {",
     "m.conf:18: clusters[0].hooks[0].command: is missing: program and arguments, no shell; JS"
     "ON on standard input, MAINSTAY_* in the environment"},
    {"hook moment unknown", "failover = {",
     "hooks = ( { when = \"before\"; command = [ \"/bin/true\" ]; } );\n  failover = {",
     "m.conf:18: clusters[0].hooks[0].when: \"before\" is not possible; write \"pre_failover"
     "\", \"post_failover\", \"pre_switchover\" or \"post_switchover\""},
    {"hook as shell line", "failover = {",
     "hooks = ( { when = \"pre_failover\"; command = \"/bin/true --yes\"; } );\n  failover = {",
     "m.conf:18: clusters[0].hooks[0].command: needs a list [ \"/path/to/program\", \"argument"
     "\" ], found the text \"/bin/true --yes\""},
    {"hook program relative", "failover = {",
     "hooks = ( { when = \"pre_failover\"; command = [ \"true\" ]; } );\n  failover = {",
     "m.conf:18: clusters[0].hooks[0].command[0]: \"true\" is not an absolute path; it must be"
     "gin with /"},
    {"hook veto afterwards", "failover = {",
     "hooks = ( { when = \"post_failover\"; command = [ \"/bin/true\" ]; may_veto = true; } );"
     "\n  failover = {",
     "m.conf:18: clusters[0].hooks[0]: may_veto on a post_failover hook: what is done cannot b"
     "e vetoed"},
    {"later section of wrong shape", "failover = {",
     "archive = \"yes\";\n  failover = {",
     "m.conf:18: clusters[0].archive: needs a group { ... }, found the text \"yes\""},
    {"later section with wrong unit", "failover = {",
     "archive = { spool_limit = \"20 barrels\"; };\n  failover = {",
     "m.conf:18: clusters[0].archive.spool_limit: size '20 barrels': ' ' is not a unit: use B,"
     " kB, MB, GB, TB (decimal) or KiB, MiB, GiB, TiB (binary)"},
    {"later section with unknown key", "failover = {",
     "backup = { repo = \"main\"; };\n  failover = {",
     "m.conf:18: clusters[0].backup.repo: unknown option; did you mean \"repository\"?"},
};

static void wrong_section_is_refused_with_its_message(void **state)
{
    (void)state;
    settings_refuses(cases, STAY_COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_section_is_refused_with_its_message),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
