/* controller/decide/decision_parse.c - reads a decision's input back: for replay and golden
 * cases. */
#include "controller/decide/decision_private.h"

enum section {
    SECTION_NONE,
    SECTION_NOW,
    SECTION_CONFIG,
    SECTION_NODE,
    SECTION_RECORD,
    SECTION_VIEW,
    SECTION_RUN,
    SECTION_FLEET,
    SECTION_OUTPUT
};

struct reader {
    struct decision_input *input;
    struct cluster_config *config; /* of input, as the next ones */
    struct cluster_view *view;
    enum section section;
    uint32_t node;
};

static bool read_i64(const char *text, int64_t *ret_value, const char **ret_rest)
{
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    *ret_value = value;
    *ret_rest = end;
    return end != text;
}

static bool read_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || text[0] == '-' || value > max)
        return false;
    *ret_value = value;
    return true;
}

/* 36,000 years: nothing that is added to or taken from another time overflows. */
#define TIME_MAX_US (INT64_C(1) << 60)

/* "250us", "100ms", "2s", "0". */
static bool read_duration(const char *text, int64_t *ret_us)
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {{"us", 1}, {"ms", STAY_MS}, {"s", STAY_SECOND}};
    const char *unit = NULL;
    int64_t value = 0;
    if (!read_i64(text, &value, &unit))
        return false;
    for (size_t i = 0; i < STAY_COUNT(units); i++) {
        if (strcmp(unit, units[i].unit) == 0)
            return !__builtin_mul_overflow(value, units[i].us, ret_us) && *ret_us >= 0;
    }
    *ret_us = 0;
    return value == 0 && *unit == '\0';
}

/* "never", "now", "now-350ms", "now+2s"; a hold without end is INT64_MAX. */
static bool read_mono(const struct reader *r, const char *text, int64_t *ret_at)
{
    int64_t us = 0;
    if (strcmp(text, "never") == 0) {
        *ret_at = STAY_NEVER;
        return true;
    }
    if (strncmp(text, "now", 3) != 0)
        return false;
    bool is_now = text[3] == '\0';
    if (!is_now && ((text[3] != '-' && text[3] != '+') || !read_duration(text + 4, &us)))
        return false;
    if (text[3] == '-')
        us = -us;
    if (__builtin_add_overflow(r->input->now_mono_us, us, ret_at))
        return false;
    return *ret_at == INT64_MAX || (*ret_at >= -TIME_MAX_US && *ret_at <= TIME_MAX_US);
}

static bool read_mask(const struct reader *r, char *text, uint32_t *ret_mask)
{
    uint32_t mask = 0;
    char *rest = text, *name;
    while ((name = strsep(&rest, ",")) != NULL) {
        if (name[0] == '\0')
            continue;
        uint32_t node = cluster_node_by_name(r->config, name);
        if (node == NO_NODE)
            return false;
        mask |= UINT32_C(1) << node;
    }
    *ret_mask = mask;
    return true;
}

static bool read_node(const struct reader *r, const char *text, uint32_t *ret_node)
{
    *ret_node = cluster_node_by_name(r->config, text);
    return *ret_node != NO_NODE;
}

static bool read_choice(const char *const *texts, size_t count, const char *text, int *ret_value)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            *ret_value = (int)i;
            return true;
        }
    }
    return false;
}

static bool read_set(const struct reader *r, const char *text, struct gtid_set *ret_set)
{
    enum gtid_flavor flavor = r->config->engine == ENGINE_MYSQL ? GTID_MYSQL : GTID_MARIADB;
    struct gtid_set set = {0};
    if (gtid_set_parse(flavor, text, &set, NULL) != STAY_OK)
        return false;
    gtid_set_clear(ret_set);
    *ret_set = set;
    return true;
}

static bool read_field(const struct reader *r, const struct field *f, void *owner, char *text)
{
    void *at = (char *)owner + f->offset;
    const char *rest = NULL;
    uint64_t number = 0;
    switch (f->type) {
    case FIELD_TEXT:
        return stay_copy(at, f->size, text);
    case FIELD_U16:
        if (!read_u64(text, UINT16_MAX, &number))
            return false;
        *(uint16_t *)at = (uint16_t)number;
        return true;
    case FIELD_U32:
        if (!read_u64(text, UINT32_MAX, &number))
            return false;
        *(uint32_t *)at = (uint32_t)number;
        return true;
    case FIELD_U64:
        return read_u64(text, UINT64_MAX, at);
    case FIELD_I64:
        return read_i64(text, at, &rest) && *rest == '\0';
    case FIELD_BOOL:
        *(bool *)at = strcmp(text, "yes") == 0;
        return *(bool *)at || strcmp(text, "no") == 0;
    case FIELD_CHOICE:
        return read_choice(f->texts, f->text_count, text, at);
    case FIELD_MONO:
        return read_mono(r, text, at);
    case FIELD_DURATION:
        return read_duration(text, at) && *(int64_t *)at <= TIME_MAX_US;
    case FIELD_MASK:
        return read_mask(r, text, at);
    case FIELD_NODE:
        return read_node(r, text, at);
    case FIELD_GTID:
        return read_set(r, text, at);
    }
    return false;
}

static bool read_dump_peers(struct server_facts *facts, char *text)
{
    char *rest = text, *host;
    facts->dump_peer_count = 0;
    while ((host = strsep(&rest, ",")) != NULL) {
        if (host[0] == '\0')
            continue;
        if (facts->dump_peer_count == DUMP_PEERS_MAX ||
            !stay_copy(facts->dump_peers[facts->dump_peer_count].host,
                       sizeof facts->dump_peers[0].host, host))
            return false;
        facts->dump_peer_count++;
    }
    return true;
}

static bool read_written(struct reader *r, const char *text)
{
    const char *rest = NULL;
    int64_t value = 0;
    if (!read_i64(text, &value, &rest) || *rest != '\0' || value < 0)
        return false;
    r->view->record.written_known |= UINT32_C(1) << r->node;
    r->view->record.written[r->node] = (uint64_t)value;
    return true;
}

static bool read_node_line(struct reader *r, const char *name, char *text)
{
    struct node_view *n = &r->view->nodes[r->node];
    const char *rest = NULL;
    const struct field *f;
    if (strcmp(name, "dump_peers") == 0)
        return read_dump_peers(&n->facts, text);
    if (strcmp(name, "quarantine") == 0) {
        size_t count = 0;
        const char *const *texts = decision_quarantine_texts(&count);
        int reason = 0;
        if (!read_choice(texts, count, text, &reason))
            return false;
        r->view->record.quarantine[r->node] = (uint8_t)reason;
        return true;
    }
    if (strcmp(name, "written") == 0)
        return read_written(r, text);
    if (strcmp(name, "born") == 0) {
        r->view->record.born_known |= UINT32_C(1) << r->node;
        return read_i64(text, &r->view->record.born_wall_s[r->node], &rest) && *rest == '\0';
    }
    if ((f = decision_field(GROUP_NODE_CONFIG, name)) != NULL)
        return read_field(r, f, &r->config->nodes[r->node], text);
    if ((f = decision_field(GROUP_NODE, name)) != NULL)
        return read_field(r, f, n, text);
    f = decision_field(GROUP_FACTS, name);
    return f != NULL && read_field(r, f, &n->facts, text);
}

static bool read_now_line(struct reader *r, const char *name, const char *text)
{
    const char *rest = NULL;
    int64_t *at = strcmp(name, "mono") == 0   ? &r->input->now_mono_us
                  : strcmp(name, "wall") == 0 ? &r->input->now_wall_us
                                              : NULL;
    return at != NULL && read_i64(text, at, &rest) && *rest == '\0' && *at <= TIME_MAX_US &&
           *at >= (at == &r->input->now_mono_us ? 0 : -TIME_MAX_US);
}

static bool read_fleet_line(struct reader *r, const char *name, char *text)
{
    struct fleet *fleet = &r->input->fleet;
    uint64_t number = 0;
    char *rest = text, *zone;
    uint32_t *at = strcmp(name, "failovers_last_hour") == 0  ? &fleet->failovers_last_hour
                   : strcmp(name, "failovers_per_hour") == 0 ? &fleet->failovers_per_hour
                   : strcmp(name, "wanting") == 0            ? &fleet->wanting
                   : strcmp(name, "blast_radius") == 0       ? &fleet->blast_radius
                                                             : NULL;
    bool *flag = strcmp(name, "zone_down") == 0    ? &fleet->zone_down
                 : strcmp(name, "zone_waits") == 0 ? &fleet->zone_waits
                                                   : NULL;
    if (at != NULL || flag != NULL) {
        if (!read_u64(text, at != NULL ? UINT32_MAX : 1, &number))
            return false;
        if (at != NULL)
            *at = (uint32_t)number;
        else
            *flag = number == 1;
        return true;
    }
    if (strcmp(name, "evacuation") == 0) {
        const char *end = NULL;
        return read_i64(text, &fleet->evacuation_wall_us, &end) && *end == '\0' &&
               fleet->evacuation_wall_us > 0 && fleet->evacuation_wall_us <= TIME_MAX_US;
    }
    if (strcmp(name, "reseeds_full") == 0) {
        fleet->reseeds_full = read_u64(text, 1, &number) && number == 1;
        return fleet->reseeds_full;
    }
    if (strcmp(name, "busy_zones") != 0)
        return false;
    fleet->busy_zone_count = 0;
    while ((zone = strsep(&rest, ",")) != NULL) {
        if (fleet->busy_zone_count == STAY_COUNT(fleet->busy_zones) ||
            !stay_copy(fleet->busy_zones[fleet->busy_zone_count], sizeof fleet->busy_zones[0],
                       zone))
            return false;
        fleet->busy_zone_count++;
    }
    return true;
}

static bool read_group_line(struct reader *r, enum field_group group, void *owner, const char *name,
                            char *text)
{
    const struct field *f = decision_field(group, name);
    return f != NULL && read_field(r, f, owner, text);
}

static bool read_line(struct reader *r, const char *name, char *text)
{
    switch (r->section) {
    case SECTION_NOW:
        return read_now_line(r, name, text);
    case SECTION_CONFIG:
        return read_group_line(r, GROUP_CONFIG, r->config, name, text);
    case SECTION_NODE:
        return read_node_line(r, name, text);
    case SECTION_RECORD:
        return read_group_line(r, GROUP_RECORD, &r->view->record, name, text);
    case SECTION_VIEW:
        if (strcmp(name, "barrier") == 0)
            return read_set(r, text, &r->view->barrier);
        return read_group_line(r, GROUP_VIEW, r->view, name, text);
    case SECTION_RUN:
        return read_group_line(r, GROUP_RUN, r->input->run, name, text);
    case SECTION_FLEET:
        return read_fleet_line(r, name, text);
    case SECTION_OUTPUT:
        return true;
    case SECTION_NONE:
        break;
    }
    return false;
}

/* "[node db4]" of an unknown name adds it to the configuration. */
static bool enter_node(struct reader *r, const char *name)
{
    uint32_t node = cluster_node_by_name(r->config, name);
    if (node == NO_NODE) {
        node = r->config->node_count;
        if (node == NODES_MAX ||
            !stay_copy(r->config->nodes[node].name, sizeof r->config->nodes[node].name, name))
            return false;
        r->config->node_count++;
    }
    r->section = SECTION_NODE;
    r->node = node;
    return true;
}

static bool enter_section(struct reader *r, char *line)
{
    static const struct {
        const char *name;
        enum section section;
    } sections[] = {{"now", SECTION_NOW},       {"config", SECTION_CONFIG},
                    {"record", SECTION_RECORD}, {"view", SECTION_VIEW},
                    {"run", SECTION_RUN},       {"fleet", SECTION_FLEET},
                    {"facts", SECTION_OUTPUT},  {"decision", SECTION_OUTPUT},
                    {"after", SECTION_OUTPUT},  {"expect", SECTION_OUTPUT}};
    size_t length = strlen(line);
    if (line[length - 1] != ']')
        return false;
    line[length - 1] = '\0';
    if (strncmp(line, "[node ", 6) == 0)
        return enter_node(r, line + 6);
    for (size_t i = 0; i < STAY_COUNT(sections); i++) {
        if (strcmp(line + 1, sections[i].name) == 0) {
            r->section = sections[i].section;
            r->input->has_run |= r->section == SECTION_RUN;
            r->input->has_fleet |= r->section == SECTION_FLEET;
            return r->section != SECTION_RUN || r->input->run != NULL;
        }
    }
    return false;
}

static bool take_line(struct reader *r, char *line)
{
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (line[0] == '[')
        return enter_section(r, line);
    char *value = strchr(line, '=');
    if (value == NULL)
        return r->section == SECTION_OUTPUT;
    *value = '\0';
    return read_line(r, line, value + 1);
}

enum stay_rc decision_input_apply(const char *text, struct decision_input *input,
                                  struct stay_error *err)
{
    if (strlen(text) > DECISION_TEXT_MAX)
        return stay_error(err, STAY_ELIMIT, "decision text is longer than %zu bytes",
                          DECISION_TEXT_MAX);
    struct reader r = {.input = input, .config = input->config, .view = input->view};
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(text);
    char *rest = copy, *line;
    input->line = 0;
    while ((line = strsep(&rest, "\n")) != NULL) {
        input->line++;
        if (!take_line(&r, line))
            return stay_error(err, STAY_EINVALID, "line %u: '%.80s' is not a known field and value",
                              input->line, line);
    }
    input->view->config = input->config;
    input->view->primary = cluster_node_by_name(input->config, input->view->record.primary);
    return STAY_OK;
}
