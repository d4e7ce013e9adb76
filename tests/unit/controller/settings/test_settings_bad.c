/* Every wrong configuration is refused with one message that names file, line, option, what was
 * found and what would be right; nothing of it takes effect. Each case is the good configuration of
 * settings_cases.h with one thing changed. */
#include "tests/unit/controller/settings/settings_cases.h"

struct bad_case {
    const char *name;
    const char *from; /* NULL: `to` is the whole file */
    const char *to;
    const char *message;
};

static const struct bad_case cases[] = {
    {"syntax error", "zone = \"eu-1c\";",
     "zone = \"eu-1c\"; =;",
     "m.conf:2: syntax error: look here and just before for a missing quote, ; or bracket"},
    {"unclosed group", "};\nclusters",
     "\nclusters",
     "m.conf:22: syntax error: look here and just before for a missing quote, ; or bracket"},
    {"duplicate key in one group", "zone = \"eu-1c\";",
     "zone = \"eu-1c\"; zone = \"eu-1b\";",
     "m.conf:2: duplicate setting name"},
    {"unknown section", "controller = {",
     "controler = { zone = \"a\"; };\ncontroller = {",
     "m.conf:1: controler: unknown option; did you mean \"controller\"?"},
    {"unknown key far from all", "zone = \"eu-1c\";",
     "zone = \"eu-1c\"; xyzzy = 1;",
     "m.conf:2: controller.xyzzy: unknown option; mainstay.conf(5) lists them all"},
    {"unknown key near one", "cooldown = \"1h\"",
     "cooldwon = \"1h\"",
     "m.conf:18: clusters[0].failover.cooldwon: unknown option; did you mean \"cooldown\"?"},
    {"unknown key in node", "zone = \"eu-1a\";",
     "zone = \"eu-1a\"; wieght = 3;",
     "m.conf:8: clusters[0].nodes[0].wieght: unknown option; mainstay.conf(5) lists them all"},
    {"unknown key typed in part", "grace = \"0s\"",
     "grac = \"0s\"",
     "m.conf:18: clusters[0].failover.grac: unknown option; did you mean \"grace\"?"},
    {"text where group belongs", "controller = {\n",
     "clusters_ = 1;\ncontroller = {\n",
     "m.conf:1: clusters_: unknown option; did you mean \"clusters\"?"},
    {"zone missing", "zone = \"eu-1c\";",
     "",
     "m.conf:1: controller.zone: is missing: zone this controller runs in; best one that holds"
     " no primary"},
    {"controller missing", "controller = {\n  name = \"ctl-c\"; zone = \"eu-1c\";\n  state = "
     "\"sqlite:/tmp/x/state.db\";\n  listen = ( { address = \"127.0.0.1:8420\"; } );\n};\n",
     "",
     "m.conf:1: controller.zone: is missing: zone this controller runs in; best one that holds"
     " no primary"},
    {"controller is text", "controller = {\n  name = \"ctl-c\"; zone = \"eu-1c\";\n  state = "
     "\"sqlite:/tmp/x/state.db\";\n  listen = ( { address = \"127.0.0.1:8420\"; } );\n};\n",
     "controller = \"ctl\";\n",
     "m.conf:1: controller: needs a group { ... }, found the text \"ctl\""},
    {"number for text", "name = \"ctl-c\"",
     "name = 7",
     "m.conf:2: controller.name: needs text in quotes, found the number 7"},
    {"bad controller name", "name = \"ctl-c\"",
     "name = \"Ctl C\"",
     "m.conf:2: controller.name: name 'Ctl C': use 1 to 32 of a-z, 0-9 and '-', not starting o"
     "r ending with '-'"},
    {"etcd", "sqlite:/tmp/x/state.db",
     "etcd:https://10.0.0.5:2379",
     "m.conf:3: controller.state: etcd is not built yet; write \"sqlite:/var/lib/mainstay/stat"
     "e.db\""},
    {"state without kind", "sqlite:/tmp/x/state.db",
     "/tmp/x/state.db",
     "m.conf:3: controller.state: \"/tmp/x/state.db\" is not possible; write sqlite: and an ab"
     "solute path, such as \"sqlite:/var/lib/mainstay/state.db\""},
    {"relative state", "sqlite:/tmp/x/state.db",
     "sqlite:state.db",
     "m.conf:3: controller.state: \"sqlite:state.db\" is not possible; write sqlite: and an ab"
     "solute path, such as \"sqlite:/var/lib/mainstay/state.db\""},
    {"relative socket", "state =",
     "socket = \"mainstay.sock\"; state =",
     "m.conf:3: controller.socket: \"mainstay.sock\" is not an absolute path; it must begin wi"
     "th /"},
    {"socket too long", "state =",
     "socket = \"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"; state =",
     "m.conf:1: controller.socket: is longer than 107 characters, the most a unix socket may h"
     "ave"},
    {"wrong log level", "state =",
     "log_level = \"warn\"; state =",
     "m.conf:3: controller.log_level: \"warn\" is not possible; write \"error\", \"warning\", "
     "\"notice\", \"info\" or \"debug\" (did you mean \"warning\"?)"},
    {"listen on all addresses", "127.0.0.1:8420",
     "0.0.0.0:8420",
     "m.conf:4: controller.listen[0].address: \"0.0.0.0:8420\" is not a loopback address: plai"
     "n HTTP is served on 127.0.0.1 or [::1] only; anything else needs tls, which is not built"
     " yet"},
    {"listen without port", "127.0.0.1:8420",
     "127.0.0.1",
     "m.conf:4: controller.listen[0].address: address '127.0.0.1': the port is missing: write "
     "host:port"},
    {"listen is one group", "listen = ( { address = \"127.0.0.1:8420\"; } )",
     "listen = { address = \"127.0.0.1:8420\"; }",
     "m.conf:4: controller.listen: needs a list of groups ( { ... }, { ... } ), found a group "
     "{ ... }"},
    {"listen element is text", "{ address = \"127.0.0.1:8420\"; }",
     "\"127.0.0.1:8420\"",
     "m.conf:4: controller.listen[0]: needs a group { ... }, found the text \"127.0.0.1:8420\""},
    {"cluster name missing", "name = \"shop\"; ",
     "",
     "m.conf:6: clusters[0].name: is missing: name of the cluster"},
    {"cluster name bad", "name = \"shop\"",
     "name = \"shop_1\"",
     "m.conf:7: clusters[0].name: name 'shop_1': use 1 to 32 of a-z, 0-9 and '-', not starting"
     " or ending with '-'"},
    {"engine missing", "engine = \"mariadb\";",
     "",
     "m.conf:6: clusters[0].engine: is missing: what the servers run (mongodb is not built yet)"},
    {"engine unknown", "engine = \"mariadb\"",
     "engine = \"postgres\"",
     "m.conf:7: clusters[0].engine: \"postgres\" is not possible; write \"mariadb\", \"mysql"
     "\" or \"mongodb\""},
    {"engine misspelt", "engine = \"mariadb\"",
     "engine = \"mariabd\"",
     "m.conf:7: clusters[0].engine: \"mariabd\" is not possible; write \"mariadb\", \"mysql\" "
     "or \"mongodb\" (did you mean \"mariadb\"?)"},
    {"engine mongodb", "engine = \"mariadb\"",
     "engine = \"mongodb\"",
     "m.conf:7: clusters[0].engine: \"mongodb\" is not built yet; mariadb and mysql are"},
    {"no nodes", "{ name = \"db1\"; address = \"10.1.0.11:3306\"; zone = \"eu-1a\"; },\n      "
     "      { name = \"db2\"; address = \"10.2.0.11:3306\"; zone = \"eu-1b\"; } )",
     ")",
     "m.conf:8: clusters[0].nodes: is empty: there is nothing to watch; it holds the servers o"
     "f the cluster, the usual primary first"},
    {"nodes missing", "nodes = ( { name = \"db1\"; address = \"10.1.0.11:3306\"; zone = \"eu-1"
     "a\"; },\n            { name = \"db2\"; address = \"10.2.0.11:3306\"; zone = \"eu-1b\"; }"
     " );",
     "",
     "m.conf:6: clusters[0].nodes: is missing: the servers of the cluster, the usual primary f"
     "irst"},
    {"nodes are an array of text", "( { name = \"db1\"; address = \"10.1.0.11:3306\"; zone = "
     "\"eu-1a\"; },\n            { name = \"db2\"; address = \"10.2.0.11:3306\"; zone = \"eu-1"
     "b\"; } )",
     "[ \"db1\", \"db2\" ]",
     "m.conf:8: clusters[0].nodes: needs a list of groups ( { ... }, { ... } ), found an array"
     " [ ... ]"},
    {"node name missing", "name = \"db1\"; ",
     "",
     "m.conf:8: clusters[0].nodes[0].name: is missing: name of the server"},
    {"node address missing", "address = \"10.1.0.11:3306\"; ",
     "",
     "m.conf:8: clusters[0].nodes[0].address: is missing: IP address and port as the other "
     "servers reach it too; port 3306 unless given"},
    {"node zone missing", " zone = \"eu-1a\";",
     "",
     "m.conf:8: clusters[0].nodes[0].zone: is missing: zone it runs in; only servers in other "
     "zones count as ackers"},
    {"node name twice", "name = \"db2\"",
     "name = \"db1\"",
     "m.conf:9: clusters[0].nodes[1]: name \"db1\" is already taken by node 0 of this cluster"},
    {"node address twice", "10.2.0.11:3306",
     "10.1.0.11:3306",
     "m.conf:9: clusters[0].nodes[1]: address 10.1.0.11:3306 is already that of node \"db1\""},
    {"node address is a name", "10.2.0.11:3306",
     "db2.lan:3306",
     "m.conf:9: clusters[0].nodes[1]: address \"db2.lan\" is a name: write its IP address, for "
     "nobody resolves names while a cluster fails over, and a primary tells its replicas by number"},
    {"node port out of range", "10.1.0.11:3306",
     "10.1.0.11:99999",
     "m.conf:8: clusters[0].nodes[0].address: address '10.1.0.11:99999': the port must be a nu"
     "mber from 1 to 65535"},
    {"node address bare v6", "10.1.0.11:3306",
     "fd00::1",
     "m.conf:8: clusters[0].nodes[0].address: address 'fd00::1': write an IPv6 address in brac"
     "kets: [fd00::1]:3306"},
    {"node host too long", "10.1.0.11:3306",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:3306",
     "m.conf:8: clusters[0].nodes[0].address: host \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa:3306\" is longer than 63 characters"},
    {"node promote unknown", "zone = \"eu-1a\";",
     "zone = \"eu-1a\"; promote = \"preferred\";",
     "m.conf:8: clusters[0].nodes[0].promote: \"preferred\" is not possible; write \"neutral"
     "\", \"prefer\", \"avoid\" or \"never\" (did you mean \"prefer\"?)"},
    {"nobody may be promoted", "zone = \"eu-1a\"; },\n            { name = \"db2\";",
     "zone = \"eu-1a\"; promote = \"never\"; },\n            { name = \"db2\"; promote = \"nev"
     "er\";",
     "m.conf:8: clusters[0].nodes: every node says promote = \"never\": no server could be pri"
     "mary"},
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
    {"repository without url", "controller = {\n",
     "repositories = ( { name = \"main\"; } );\ncontroller = {\n",
     "m.conf:1: repositories[0].url: is missing: file:///path or s3://bucket/prefix"},
    {"empty inventory", NULL,
     "controller = {\n  name = \"ctl-c\"; zone = \"eu-1c\";\n  state = \"sqlite:/tmp/x/state.d"
     "b\";\n  listen = ( { address = \"127.0.0.1:8420\"; } );\n};\nclusters = ( );\n",
     "m.conf:6: clusters: is empty: there is nothing to watch; it holds the database clusters "
     "to watch"},
    {"empty file", NULL,
     "",
     "m.conf:1: controller.zone: is missing: zone this controller runs in; best one that holds"
     " no primary"},
    {"two clusters of one name", NULL,
     "controller = {\n  name = \"ctl-c\"; zone = \"eu-1c\";\n  state = \"sqlite:/tmp/x/state.d"
     "b\";\n  listen = ( { address = \"127.0.0.1:8420\"; } );\n};\nclusters = ( { name = \"sho"
     "p\"; engine = \"mariadb\"; nodes = ( { name = \"db1\"; address = \"10.9.0.1\"; zone = "
     "\"a\"; }, { name = \"db2\"; address = \"10.9.1.1\"; zone = \"b\"; } ); accounts = { moni"
     "tor = { user = \"m\"; password = { file = \"@/good\"; }; }; }; failover = { mode = \"obs"
     "erve\"; }; },\n{ name = \"shop\"; engine = \"mariadb\"; nodes = ( { name = \"db1\"; addr"
     "ess = \"10.9.0.2\"; zone = \"a\"; }, { name = \"db2\"; address = \"10.9.1.2\"; zone = "
     "\"b\"; } ); accounts = { monitor = { user = \"m\"; password = { file = \"@/good\"; }; };"
     " }; failover = { mode = \"observe\"; }; } );\n",
     "m.conf:7: clusters[1].name: \"shop\" is already the name of cluster 0"},
    {"not a configuration", NULL,
     "<html><body>404</body></html>\n",
     "m.conf:1: syntax error: look here and just before for a missing quote, ; or bracket"},
};

static char *text_of(const struct bad_case *c)
{
    return c->from == NULL ? settings_expand(&folder, c->to)
                           : settings_text_with(&folder, c->from, c->to);
}

static void wrong_configuration_is_refused_with_its_message(void **state)
{
    (void)state;
    int failures = 0;
    bool print = getenv("SETTINGS_PRINT") != NULL;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        const struct bad_case *c = &cases[i];
        STAY_AUTO(stay_free_charp) char *text = text_of(c);
        STAY_AUTO(stay_free_charp) char *expected = settings_expand(&folder, c->message);
        struct settings *settings = NULL;
        struct stay_error err = {0};
        enum stay_rc rc = settings_parse(text, "m.conf", 0, &settings, NULL, &err);
        assert_true(rc == STAY_OK || settings == NULL);
        if (print)
            printf("%s\t%s\n", c->name, rc == STAY_OK ? "ACCEPTED" : err.text);
        else if (rc == STAY_OK || strcmp(err.text, expected) != 0)
            failures += printf("%s:\n  expected %s\n  got      %s\n", c->name, expected,
                               rc == STAY_OK ? "no error" : err.text) > 0;
        settings_free(settings);
    }
    assert_int_equal(failures, 0);
}

static void errors_of_one_file_are_all_shown(void **state)
{
    (void)state;
    STAY_AUTO(stay_free_charp) char *text =
        settings_text_with(&folder, "cooldown = \"1h\"", "cooldown = 10; grase = \"1s\"");
    struct settings_notes notes;
    struct settings *settings = NULL;
    assert_int_equal(settings_parse(text, "m.conf", 0, &settings, &notes, NULL), STAY_EINVALID);
    assert_int_equal(notes.error_count, 2);
    assert_null(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_configuration_is_refused_with_its_message),
        cmocka_unit_test(errors_of_one_file_are_all_shown),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
