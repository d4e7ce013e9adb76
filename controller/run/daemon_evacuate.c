/* Zones that are being emptied: the orders as the store keeps them, whose turn it is, and who is
 * told so. Everything else of an order is where its switchovers are: in the clusters' records and
 * plans.
 *
 * Happy path: order -> one transaction (the orders, and a document of the history) -> every turn
 * sets view.evacuated and asks whose turn it is -> decide() wants the switchover. A restart reads
 * the orders before any record. */
#include "base/base.h"
#include "base/json.h"
#include "controller/run/daemon_evacuate.h"

#define KEY       "controller/evacuations"
#define TURNS_US  (100 * STAY_MS) /* one judgement serves every cluster that asks within this */
#define CROWD     100             /* of more clusters, once a second */
#define CROWD_US  STAY_SECOND
#define COMING_US (10 * STAY_SECOND) /* a record that was not read by then holds nobody else */

/* --- whose turn it is ------------------------------------------------------------------------ */

static enum evacuation_state state_of(const struct daemon_cluster *c,
                                      const struct evacuation *order)
{
    struct evacuation_cluster now;
    struct daemon *d = c->daemon;
    if (!c->is_loaded || !c->is_ready)
        return EVACUATION_HELD;
    evacuation_judge(&c->view, executor_run(c->executor), &c->decision, order,
                     loop_now_mono_us(&d->loop), loop_now_wall_us(&d->loop), &now);
    return c->resume_text != NULL && now.state != EVACUATION_NONE ? EVACUATION_MOVING : now.state;
}

static void take_turns(struct daemon *d, const struct evacuation *order, bool fails_over)
{
    enum evacuation_state *states = stay_calloc(d->cluster_count, sizeof *states);
    bool *turns = stay_calloc(d->cluster_count, sizeof *turns);
    for (size_t i = 0; i < d->cluster_count; i++)
        states[i] = state_of(d->clusters[i], order);
    evacuation_turns(states, d->cluster_count, order->at_once, fails_over, turns);
    for (size_t i = 0; i < d->cluster_count; i++)
        if (turns[i])
            d->clusters[i]->evacuation_wall_us = order->since_wall_us;
    free(states);
    free(turns);
}

static bool is_failing_over(const struct daemon *d)
{
    for (size_t i = 0; d->busy_count > 0 && i < d->cluster_count; i++) {
        const struct plan_run *run = executor_run(d->clusters[i]->executor);
        if (executor_is_busy(d->clusters[i]->executor) && run->kind == PLAN_FAILOVER)
            return true;
    }
    return false;
}

/* It may be one that moves: nobody goes before it is known. */
static bool is_anybody_coming(const struct daemon *d, int64_t now_mono_us)
{
    for (size_t i = 0; i < d->cluster_count; i++) {
        const struct daemon_cluster *c = d->clusters[i];
        if ((!c->is_loaded || !c->is_ready) && now_mono_us - c->started_mono_us < COMING_US)
            return true;
    }
    return false;
}

int64_t daemon_evacuate_turn(struct daemon_cluster *asking)
{
    struct daemon *d = asking->daemon;
    int64_t now = loop_now_mono_us(&d->loop);
    int64_t every_us = d->cluster_count > CROWD ? CROWD_US : TURNS_US;
    if (d->zones->count == 0)
        return 0;
    if (d->zones->turns_mono_us == STAY_NEVER || now - d->zones->turns_mono_us >= every_us) {
        bool fails_over = is_failing_over(d);
        for (size_t i = 0; i < d->cluster_count; i++)
            d->clusters[i]->evacuation_wall_us = 0;
        for (size_t i = 0; i < d->zones->count && !is_anybody_coming(d, now); i++)
            take_turns(d, &d->zones->orders[i], fails_over);
        d->zones->turns_mono_us = now;
    }
    return asking->evacuation_wall_us;
}

void daemon_evacuate_sign(const struct daemon *d, struct plan_params *params)
{
    for (size_t i = 0; i < d->zones->count && params->evacuation_wall_us != 0; i++) {
        const struct evacuation *order = &d->zones->orders[i];
        if (order->since_wall_us != params->evacuation_wall_us)
            continue;
        (void)stay_copy(params->actor, sizeof params->actor, order->by);
        (void)snprintf(params->reason, sizeof params->reason, EVACUATION_REASON "%.32s%s%.64s",
                       order->zone, order->reason[0] == '\0' ? "" : ": ", order->reason);
    }
}

/* --- the store ------------------------------------------------------------------------------- */

static json_t *orders_json(const struct evacuation *orders, size_t count)
{
    json_t *out = json_object(), *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_object();
        stay_json_set_string(row, "zone", orders[i].zone);
        stay_json_set_string(row, "by", orders[i].by);
        stay_json_set_string(row, "reason", orders[i].reason);
        stay_json_set_int(row, "since_wall_us", orders[i].since_wall_us);
        stay_json_set_int(row, "at_once", orders[i].at_once);
        stay_json_append(list, row);
    }
    stay_json_set(out, "zones", list);
    return out;
}

static enum stay_rc read_order(const json_t *row, struct evacuation *ret, struct stay_error *err)
{
    int64_t at_once = 1;
    enum stay_rc rc = stay_json_get_copy(row, "zone", ret->zone, sizeof ret->zone, err);
    if (rc == STAY_OK)
        rc = stay_json_get_copy(row, "by", ret->by, sizeof ret->by, err);
    if (rc == STAY_OK)
        rc = stay_json_get_copy(row, "reason", ret->reason, sizeof ret->reason, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(row, "since_wall_us", &ret->since_wall_us, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(row, "at_once", &at_once, err);
    if (rc != STAY_OK || at_once < 1 || at_once > EVACUATION_AT_ONCE_MAX)
        at_once = 1;
    ret->at_once = (uint32_t)at_once;
    return rc;
}

static void changed(struct daemon *d)
{
    d->zones->turns_mono_us = STAY_NEVER;
    d->is_runbook_dirty = true;
    for (size_t i = 0; i < d->cluster_count; i++) {
        d->clusters[i]->evacuation_wall_us = 0;
        daemon_rehearse_forget(d->clusters[i]);
        daemon_mark_dirty(d->clusters[i]);
    }
}

static void on_loaded(void *ctx, enum stay_rc rc, const struct store_item *items, size_t count,
                      const struct stay_error *err)
{
    struct daemon *d = ctx;
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    struct stay_error bad = {0};
    size_t i, found = 0;
    json_t *row;
    daemon_store_result(d, rc, err);
    if (rc != STAY_OK || count == 0)
        return;
    rc = stay_json_parse(items[0].value, strlen(items[0].value), &json, &bad);
    json_array_foreach(json_object_get(json, "zones"), i, row)
    {
        if (rc != STAY_OK || found == EVACUATIONS_MAX)
            break;
        rc = read_order(row, &d->zones->orders[found], &bad);
        found += rc == STAY_OK;
        if (rc == STAY_OK)
            log_plain(LOG_LEVEL_WARNING, "zone %s is being evacuated, by %s",
                      d->zones->orders[found - 1].zone, d->zones->orders[found - 1].by);
    }
    if (rc != STAY_OK)
        log_plain(LOG_LEVEL_ERROR,
                  "which zones are being evacuated cannot be read from the state file (%s): give "
                  "the order again",
                  bad.text);
    d->zones->count = found;
    changed(d);
}

void daemon_evacuate_load(struct daemon *d)
{
    d->store->ops->get(d->store, KEY, 1, on_loaded, d);
}

/* --- orders ---------------------------------------------------------------------------------- */

struct order_save {
    struct daemon *daemon;
    struct evacuation orders[EVACUATIONS_MAX];
    size_t count;
    json_t *ended, *begun; /* summaries for the history; NULL: none */
    char said[240];
    control_done_fn done;
    void *done_ctx;
};

/* What became of each cluster, at the end: "shop moved; pay cannot move". */
static void say_clusters(const struct daemon *d, const struct evacuation *order, char *text,
                         size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < d->cluster_count && used < size; i++) {
        enum evacuation_state state = state_of(d->clusters[i], order);
        if (state != EVACUATION_NONE && state != EVACUATION_ELSEWHERE)
            used += (size_t)snprintf(text + used, size - used, "%s%s %s", used > 0 ? "; " : "",
                                     d->clusters[i]->settings->config.name,
                                     evacuation_state_text(state));
    }
}

/* An entry of the history: zones stand beside the clusters as "zone_NAME". */
static json_t *summary_of(struct daemon *d, const struct evacuation *order, const char *by)
{
    json_t *s = json_object();
    char id[40], cluster[NAME_MAX_LEN + 8], text[400];
    (void)snprintf(id, sizeof id, "evacuate-%lld", (long long)(order->since_wall_us / STAY_MS));
    (void)snprintf(cluster, sizeof cluster, "zone_%s", order->zone);
    bool is_over = by != NULL;
    int64_t now = loop_now_wall_us(&d->loop);
    size_t used = (size_t)snprintf(text, sizeof text, "%s%s%s", is_over ? "ended by " : "",
                                   is_over ? by : "", is_over ? ": " : "");
    if (is_over && used < sizeof text)
        say_clusters(d, order, text + used, sizeof text - used);
    stay_json_set_string(s, "id", id);
    stay_json_set_string(s, "cluster", cluster);
    stay_json_set_string(s, "kind", "evacuation");
    stay_json_set_string(s, "state", is_over ? "ended" : "stands");
    stay_json_set_bool(s, "automatic", false);
    stay_json_set_int(s, "rule", verdict_zone_evacuated(false).rule_id);
    stay_json_set_string(s, "actor", order->by);
    stay_json_set_string(s, "reason", order->reason);
    stay_json_set_int(s, "begun_wall_us", order->since_wall_us);
    stay_json_set_int(s, "ended_wall_us", is_over ? now : 0);
    stay_json_set_int(s, "duration_us", is_over ? now - order->since_wall_us : -1);
    stay_json_set_int(s, "outage_us", -1);
    stay_json_set_string(s, "text", text);
    return s;
}

static char *document_of(const json_t *summary, char key[STORE_KEY_MAX + 1])
{
    if (summary == NULL || !history_key(json_string_value(json_object_get(summary, "cluster")),
                                        json_string_value(json_object_get(summary, "id")), key))
        return NULL;
    STAY_AUTO(stay_json_drop) json_t *doc = json_object();
    stay_json_set(doc, "summary", json_deep_copy(summary));
    return stay_json_dump_compact(doc);
}

static void on_stored(void *ctx, enum stay_rc rc, uint64_t revision, const struct stay_error *err)
{
    struct order_save *s = ctx;
    struct daemon *d = s->daemon;
    (void)revision;
    daemon_store_result(d, rc, err);
    d->zones->is_saving = false;
    if (rc == STAY_OK) {
        memcpy(d->zones->orders, s->orders, sizeof d->zones->orders);
        d->zones->count = s->count;
        if (s->ended != NULL)
            history_update(d->history, s->ended);
        if (s->begun != NULL)
            history_update(d->history, s->begun);
        log_plain(LOG_LEVEL_WARNING, "%s", s->said);
        changed(d);
    } else if (rc == STAY_EUNKNOWN) {
        daemon_evacuate_load(d); /* what was written tells */
    }
    s->done(s->done_ctx, rc, NULL, err);
    json_decref(s->ended);
    json_decref(s->begun);
    free(s);
}

static void save(struct order_save *s)
{
    struct daemon *d = s->daemon;
    STAY_AUTO(stay_json_drop) json_t *json = orders_json(s->orders, s->count);
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(json);
    char ended_key[STORE_KEY_MAX + 1], begun_key[STORE_KEY_MAX + 1];
    STAY_AUTO(stay_free_charp) char *ended = document_of(s->ended, ended_key);
    STAY_AUTO(stay_free_charp) char *begun = document_of(s->begun, begun_key);
    struct store_put puts[3] = {{KEY, text}};
    size_t count = 1;
    if (ended != NULL)
        puts[count++] = (struct store_put){ended_key, ended};
    if (begun != NULL)
        puts[count++] = (struct store_put){begun_key, begun};
    d->zones->is_saving = true;
    d->store->ops->txn(d->store, NULL, 0, puts, count, on_stored, s);
}

/* Given again, such an order is a new one: each cluster may be tried again. */
static bool is_stopped(const struct daemon *d, const struct evacuation *order)
{
    for (size_t i = 0; i < d->cluster_count; i++)
        if (state_of(d->clusters[i], order) == EVACUATION_FAILED)
            return true;
    return false;
}

size_t daemon_evacuations(void *ctx, const struct evacuation **ret_orders)
{
    struct daemon *d = ctx;
    *ret_orders = d->zones->orders;
    return d->zones->count;
}

static enum stay_rc check_order(const struct daemon *d, const struct evacuation *order, bool is_end,
                                size_t at, struct stay_error *err)
{
    if (d->zones->is_saving)
        return stay_error(err, STAY_EBUSY, "another order is being stored: try again");
    if (is_end && at == d->zones->count)
        return stay_error(err, STAY_ENOTFOUND, "zone %s is not being evacuated", order->zone);
    if (!is_end && at == EVACUATIONS_MAX)
        return stay_error(err, STAY_EREFUSED, "%d zones are being evacuated: end one first",
                          EVACUATIONS_MAX);
    return STAY_OK;
}

void daemon_evacuate(void *ctx, const struct evacuation *order, bool is_end, control_done_fn done,
                     void *done_ctx)
{
    struct daemon *d = ctx;
    struct stay_error err = {0};
    size_t at = 0;
    while (at < d->zones->count && strcmp(d->zones->orders[at].zone, order->zone) != 0)
        at++;
    bool stood = at < d->zones->count;
    enum stay_rc rc = check_order(d, order, is_end, at, &err);
    if (rc != STAY_OK) {
        done(done_ctx, rc, NULL, &err);
        return;
    }
    struct order_save *s = stay_calloc(1, sizeof *s);
    *s = (struct order_save){.daemon = d, .done = done, .done_ctx = done_ctx};
    memcpy(s->orders, d->zones->orders, sizeof s->orders);
    s->count = d->zones->count;
    bool goes_on = stood && !is_end && !is_stopped(d, &d->zones->orders[at]);
    if (stood && !goes_on)
        s->ended = summary_of(d, &d->zones->orders[at], order->by);
    if (is_end) {
        memmove(&s->orders[at], &s->orders[at + 1], (s->count - at - 1) * sizeof s->orders[0]);
        s->count--;
    } else {
        s->orders[at] = *order;
        s->orders[at].since_wall_us =
            goes_on ? d->zones->orders[at].since_wall_us : loop_now_wall_us(&d->loop);
        s->count += !stood;
        s->begun = summary_of(d, &s->orders[at], NULL);
    }
    (void)snprintf(s->said, sizeof s->said, "the evacuation of zone %s is %s by %s%s%.80s",
                   order->zone, is_end ? "ended" : "ordered", order->by,
                   order->reason[0] == '\0' ? "" : ": ", order->reason);
    save(s);
}
