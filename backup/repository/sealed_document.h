/* backup/repository/sealed_document.h - what is not rows and not log: manifests, lineages, gaps,
 * events. Two lines of JSON: a clear one for who has no key, and the sealed body.
 *
 * Layer: repository. The first line holds format, version, kind, repo, name, time and `about`; the
 * second is a JSON text, base64 of an object (object_format.h) whose own `about` has the SHA-256 of
 * the first line: with the key a changed clear line is found, without it everything is still
 * listed. Written once, never changed: what becomes known later is another document. */
#ifndef BACKUP_REPOSITORY_SEALED_DOCUMENT_H
#define BACKUP_REPOSITORY_SEALED_DOCUMENT_H
#include "backup/repository/repository.h"

#define DOCUMENT_JSON_MAX                                                                          \
    ((unsigned)STAY_JSON_TEXT_MAX) /* bytes of its clear line, and of its body */
#define DOCUMENT_MAX 67108864U     /* bytes of its text */

struct document {
    int64_t written_wall_us;
    json_t *about; /* clear */
    json_t *body;  /* NULL: the repository was opened without its key */
};

/* Seals `body` for the cluster of `name` and publishes both under it. A place of a cluster. One
 * that says the same already is a success, as after an attempt that was not heard of; else
 * ALREADY_EXISTS. STAY_ELIMIT: too long to be read again. */
enum stay_rc document_write(struct repository *repo, const struct object_name *name, json_t *about,
                            json_t *body, struct stay_error *err) STAY_MUST_USE;
/* Faults as of object_reader.h. The caller clears *ret_document. */
enum stay_rc document_read(struct repository *repo, const char *name, struct document *ret_document,
                           struct stay_error *err) STAY_MUST_USE;
void document_clear(struct document *document); /* for STAY_AUTO */

#endif
