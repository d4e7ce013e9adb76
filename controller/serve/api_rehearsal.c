/* What would happen if something died now, as JSON; judged by the decision core on a copy of the
 * view, or taken from the last round of rehearsals. */
#include "controller/serve/api_private.h"

static const struct step_times no_step_times;

static void judge(const struct control_cluster *c, const struct rehearsal_loss *loss,
                  struct rehearsal *ret)
{
    rehearsal_judge(c->view, c->run, c->fleet, loss,
                    c->step_times == NULL ? &no_step_times : c->step_times, c->now_mono_us,
                    c->now_wall_us, ret);
}

bool api_rehearse_primary(const struct control_cluster *c, struct rehearsal *ret_rehearsal)
{
    struct rehearsal_loss loss;
    if (c->view->primary == NO_NODE)
        return false;
    rehearsal_of_node(c->config, c->view->primary, &loss);
    judge(c, &loss, ret_rehearsal);
    return true;
}

const struct rehearsal *api_rehearsed_primary(const struct control_cluster *c)
{
    const struct rehearsal *r = c->rehearsal_count == 0 ? NULL : &c->rehearsals[0];
    bool is_it = r != NULL && !r->loss.is_zone && c->view->primary != NO_NODE &&
                 strcmp(r->loss.name, c->config->nodes[c->view->primary].name) == 0;
    return is_it ? r : NULL;
}

static json_t *predicted(const struct rehearsal *r)
{
    const struct step_forecast *f = &r->forecast;
    json_t *obj = json_object(), *steps = json_array();
    size_t count = 0;
    const struct plan_row *rows = plan_rows(PLAN_FAILOVER, &count);
    for (size_t row = 0; row < count && f->plans > 0; row++) {
        if (f->row_us[row] < 0)
            continue;
        json_t *step = json_object();
        stay_json_set_string(step, "step", step_kind_text(rows[row].step));
        stay_json_set_int(step, "took_us", f->row_us[row]);
        stay_json_append(steps, step);
    }
    api_set_time(obj, "outage_us", r->outage_us, -1);
    api_set_time(obj, "sign_us", r->sign_us, -1);
    api_set_time(obj, "detection_us", r->detection_us, -1);
    api_set_time(obj, "steps_us", f->steps_us, -1);
    stay_json_set_int(obj, "drain_us", f->drain_us);
    stay_json_set_int(obj, "wait_us", f->wait_us);
    stay_json_set_int(obj, "plans", f->plans);
    stay_json_set(obj, "steps", steps);
    return obj;
}

static json_t *certificate(const struct rehearsal *r)
{
    return r->has_certificate ? certificate_to_json(&r->certificate) : json_null();
}

static json_t *rehearsal_json(const struct control_cluster *c, const struct rehearsal *r)
{
    json_t *obj = json_object(), *blocks = json_array(), *notes = json_array();
    char name[NAME_MAX_LEN + 8];
    rehearsal_name(&r->loss, name);
    stay_json_set_string(obj, "cluster", c->config->name);
    stay_json_set_string(obj, "lose", name);
    stay_json_set(obj, "nodes", api_node_names(c->config, r->loss.nodes));
    stay_json_set_bool(obj, "primary_lost", r->primary_lost);
    stay_json_set_bool(obj, "controller_lost", r->loss.controller);
    stay_json_set_bool(obj, "failable", r->is_failable);
    stay_json_set(obj, "verdict", api_verdict_json(&r->verdict, c->config));
    stay_json_set_string(obj, "want", r->want == PLAN_NONE ? NULL : plan_kind_text(r->want));
    stay_json_set(obj, "refused_by", api_guards(r->want == PLAN_NONE ? 0 : r->vetoes));
    stay_json_set_string(obj, "candidate", api_node_name(c->config, r->candidate));
    stay_json_set(obj, "certificate", certificate(r));
    for (size_t i = 0; i < r->note_count; i++) {
        json_t *note = json_object();
        stay_json_set_string(note, "node", api_node_name(c->config, r->notes[i].node));
        stay_json_set_bool(note, "eligible", r->notes[i].eligible);
        stay_json_set_string(note, "why", r->notes[i].why);
        stay_json_append(notes, note);
    }
    for (size_t i = 0; i < r->block_count; i++)
        stay_json_append(blocks, stay_json_string(r->blocks[i]));
    stay_json_set(obj, "candidates", notes);
    stay_json_set(obj, "blocks", blocks);
    stay_json_set(obj, "predicted", predicted(r));
    return obj;
}

json_t *api_what_if(const struct control_cluster *c, const struct rehearsal_loss *loss)
{
    struct rehearsal *r = stay_calloc(1, sizeof *r);
    judge(c, loss, r);
    json_t *obj = rehearsal_json(c, r);
    free(r);
    return obj;
}

json_t *api_rehearsals(const struct control_cluster *c)
{
    json_t *out = json_object(), *list = json_array();
    struct rehearsal_loss losses[NODES_MAX];
    size_t zones = rehearsal_zones(c->config, losses);
    if (c->view->primary != NO_NODE) {
        struct rehearsal_loss primary;
        rehearsal_of_node(c->config, c->view->primary, &primary);
        stay_json_append(list, api_what_if(c, &primary));
    }
    for (size_t i = 0; i < zones; i++)
        stay_json_append(list, api_what_if(c, &losses[i]));
    stay_json_set_string(out, "cluster", c->config->name);
    api_set_time(out, "rehearsed_us_ago",
                 c->rehearsal_count == 0 ? -1 : c->now_mono_us - c->rehearsed_mono_us, -1);
    stay_json_set(out, "losses", list);
    return out;
}
