/* Every wrong configuration is refused with one message that names file, line, option, what was
 * found and what would be right; nothing of it takes effect. Here: the file as a whole, the
 * controller, and which clusters and servers there are. Sections of a cluster:
 * test_settings_bad_sections.c. */
#include "tests/unit/controller/settings/settings_cases.h"

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
    {"repository without url", "controller = {\n",
     "repositories = ( { name = \"main\"; } );\ncontroller = {\n",
     "m.conf:1: repositories[0].url: is missing: file:///path (s3://bucket/prefix is not built"
     " yet)"},
    {"repository elsewhere", "controller = {\n",
     "repositories = ( { name = \"main\"; url = \"/srv/r\"; } );\ncontroller = {\n",
     "m.conf:1: repositories[0]: url \"/srv/r\": write file:///path"},
    {"repository in S3", "controller = {\n",
     "repositories = ( { name = \"main\"; url = \"s3://b/p\"; } );\ncontroller = {\n",
     "m.conf:1: repositories[0]: url \"s3://b/p\": a repository in S3 is not built yet"},
    {"two repositories of one name", "controller = {\n",
     "repositories = ( { name = \"a\"; url = \"file:///a\"; }, { name = \"a\"; url = "
     "\"file:///b\"; } );\ncontroller = {\n",
     "m.conf:1: repositories[1]: name \"a\" is already taken by repository 0"},
    {"two repositories in one place", "controller = {\n",
     "repositories = ( { name = \"a\"; url = \"file:///a\"; }, { name = \"b\"; url = "
     "\"file:///a\"; } );\ncontroller = {\n",
     "m.conf:1: repositories[1]: url is already that of repository \"a\""},
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

static void wrong_configuration_is_refused_with_its_message(void **state)
{
    (void)state;
    settings_refuses(cases, STAY_COUNT(cases));
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
