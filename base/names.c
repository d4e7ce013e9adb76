/* base/names.c - what may be a name, and host:port addresses. */
#include "base/names.h"
#include <ctype.h>

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

uint32_t names_hash(const char *text)
{
    uint32_t hash = UINT32_C(2166136261);
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
    return hash;
}

bool names_is_id(const char *text)
{
    size_t n = 0;
    for (; text[n] != '\0'; n++) {
        if (n == NAMES_ID_MAX || !is_id_char(text[n]))
            return false;
    }
    return n > 0 && text[0] != '-' && text[n - 1] != '-';
}

enum stay_rc names_check_id(const char *what, const char *text, struct stay_error *err)
{
    if (names_is_id(text))
        return STAY_OK;
    return stay_error(
        err, STAY_EINVALID,
        "%s '%.64s': use 1 to %d of a-z, 0-9 and '-', not starting or ending with '-'", what, text,
        NAMES_ID_MAX);
}

bool names_is_number(const char *host)
{
    return host[strspn(host, "0123456789.")] == '\0' || strchr(host, ':') != NULL;
}

bool names_is_schema(const char *text)
{
    size_t n = 0;
    for (; text[n] != '\0'; n++) {
        char c = text[n];
        bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '$' || c == '-';
        if (n == NAMES_SCHEMA_MAX || !is_good)
            return false;
    }
    return n > 0;
}

enum stay_rc names_check_schema(const char *what, const char *text, struct stay_error *err)
{
    if (names_is_schema(text))
        return STAY_OK;
    return stay_error(err, STAY_EINVALID, "%s '%.80s': use 1 to %d of letters, digits, _ $ -", what,
                      text, NAMES_SCHEMA_MAX);
}

static enum stay_rc bad_address(struct stay_error *err, const char *text, const char *why)
{
    return stay_error(err, STAY_EINVALID, "address '%.128s': %s", text, why);
}

static bool is_host(const char *host, size_t length, bool is_v6)
{
    if (length == 0 || length > NAMES_HOST_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)host[i];
        bool is_good = is_v6 ? isalnum(c) || c == ':' || c == '.' || c == '%'
                             : isalnum(c) || c == '.' || c == '-' || c == '_';
        if (!is_good)
            return false;
    }
    return !is_v6 || memchr(host, ':', length) != NULL;
}

static bool read_port(const char *text, uint16_t *ret_port)
{
    unsigned port = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 6; n++)
        port = port * 10 + (unsigned)(text[n] - '0');
    if (n == 0 || text[n] != '\0' || port < 1 || port > 65535)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

enum stay_rc names_parse_address(const char *text, uint16_t default_port,
                                 struct names_address *ret_address, struct stay_error *err)
{
    struct names_address address = {.port = default_port};
    bool is_v6 = text[0] == '[';
    const char *host = is_v6 ? text + 1 : text;
    size_t length = strcspn(host, is_v6 ? "]" : ":");
    const char *rest = host + length;
    if (is_v6 && *rest++ != ']')
        return bad_address(err, text, "no ']' after '['");
    if (!is_v6 && *rest == ':' && strchr(rest + 1, ':') != NULL)
        return bad_address(err, text, "write an IPv6 address in brackets: [fd00::1]:3306");
    if (!is_host(host, length, is_v6))
        return bad_address(err, text, "expected host:port, such as db1:3306 or [fd00::1]:3306");
    if (*rest == ':') {
        if (!read_port(rest + 1, &address.port))
            return bad_address(err, text, "the port must be a number from 1 to 65535");
    } else if (*rest != '\0') {
        return bad_address(err, text, "expected ':' and a port after ']'");
    } else if (default_port == 0) {
        return bad_address(err, text, "the port is missing: write host:port");
    }
    memcpy(address.host, host, length);
    *ret_address = address;
    return STAY_OK;
}

void names_format_address(char *dst, size_t size, const struct names_address *address)
{
    bool is_v6 = strchr(address->host, ':') != NULL;
    (void)snprintf(dst, size, is_v6 ? "[%s]:%u" : "%s:%u", address->host, address->port);
}

bool names_address_equal(const struct names_address *a, const struct names_address *b)
{
    return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}
