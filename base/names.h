/* base/names.h - what may be a name: clusters, nodes, schemas, and host:port addresses.
 *
 * Pure. Layer: base. Names that pass here are safe unquoted in tables, file names and URLs; schema
 * names are safe inside SQL backticks. */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H
#include "base/error.h"

#define NAMES_ID_MAX      32
#define NAMES_SCHEMA_MAX  64
#define NAMES_HOST_MAX    255
#define NAMES_ADDRESS_MAX (NAMES_HOST_MAX + 8) /* "[host]:65535" with terminator */

/* A host (no brackets) and a port. */
struct names_address {
    char host[NAMES_HOST_MAX + 1];
    uint16_t port;
};

/* 32-bit FNV-1a, to find one of thousands by its name. */
uint32_t names_hash(const char *text);

/* Cluster, node, zone names: [a-z0-9-]{1,32}, no leading or trailing '-'. `what` starts the error
 * text, such as "node name". */
bool names_is_id(const char *text);
enum stay_rc names_check_id(const char *what, const char *text,
                            struct stay_error *err) STAY_MUST_USE;
/* Schema, user and route names on the servers: [A-Za-z0-9_$-]{1,64}. */
bool names_is_schema(const char *text);
/* Is a host an IPv4 or IPv6 address, by the characters it is made of, and no name? */
bool names_is_number(const char *host);
enum stay_rc names_check_schema(const char *what, const char *text,
                                struct stay_error *err) STAY_MUST_USE;

/* "db1:3306", "10.0.0.1:3306", "[fd00::1]:3306"; without a port `default_port` is used, unless it
 * is 0: then the port is required. A bare IPv6 address without brackets is refused, naming the fix.
 */
enum stay_rc names_parse_address(const char *text, uint16_t default_port,
                                 struct names_address *ret_address,
                                 struct stay_error *err) STAY_MUST_USE;
/* "host:port" or "[v6]:port". */
void names_format_address(char *dst, size_t size, const struct names_address *address);
bool names_address_equal(const struct names_address *a, const struct names_address *b);

#endif
