/* Just enough JSON to find a member of an object: a benchmark's server must cost next to nothing.
   It trusts its input, which a real server must not. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stddef.h>
#include <string.h>

struct span {
    const char *at;
    size_t count;
};

/* memchr and not a byte at a time: this cost is in every path, and would hide their difference. */
static const char *skip_string(const char *at, const char *end)
{
    at++;
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (quote == NULL)
            return end;
        const char *escape = memchr(at, '\\', (size_t)(quote - at));
        if (escape == NULL)
            return quote + 1;
        at = escape + 2 < end ? escape + 2 : end;
    }
}

static const char *skip_value(const char *at, const char *end)
{
    int depth = 0;

    while (at < end) {
        char c = *at;
        if (c == '"') {
            at = skip_string(at, end);
            if (depth == 0)
                return at;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return at;
        if (c == '{' || c == '[')
            depth++;
        if (c == '}' || c == ']')
            depth--;
        at++;
        if (depth == 0 && (c == '}' || c == ']'))
            return at;
    }
    return end;
}

/* The raw value of a member of the object, or {NULL, 0}. */
static struct span member(struct span object, const char *name)
{
    const char *at = object.at + 1, *end = object.at + object.count;
    size_t length = strlen(name);

    while (at < end && *at != '}') {
        while (at < end && (*at == ' ' || *at == ','))
            at++;
        if (at >= end || *at != '"')
            break;
        const char *key = at + 1;
        at = skip_string(at, end);
        int found = (size_t)(at - 1 - key) == length && memcmp(key, name, length) == 0;
        while (at < end && (*at == ' ' || *at == ':'))
            at++;
        const char *value = at;
        at = skip_value(at, end);
        if (found)
            return (struct span){value, (size_t)(at - value)};
    }
    return (struct span){NULL, 0};
}

static int is(struct span value, const char *text)
{
    return value.count == strlen(text) && memcmp(value.at, text, value.count) == 0;
}

#endif
