/* A trivial MCP server (legacy era): one tool, echo, that answers the text it is given. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"

#define LINE_MAX_BYTES (1 << 20)

static char input[LINE_MAX_BYTES];
static char output[LINE_MAX_BYTES];

static void send_all(const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = write(1, bytes, count);
        if (sent <= 0)
            exit(1);
        bytes += sent;
        count -= (size_t)sent;
    }
}

static size_t put(size_t at, const char *bytes, size_t count)
{
    if (at + count > sizeof output)
        exit(1);
    memcpy(output + at, bytes, count);
    return at + count;
}

static size_t text(size_t at, const char *string)
{
    return put(at, string, strlen(string));
}

static void answer(struct span line)
{
    struct span id = member(line, "id"), method = member(line, "method");
    if (id.at == NULL || method.at == NULL)
        return;
    size_t at = text(0, "{\"jsonrpc\":\"2.0\",\"id\":");
    at = put(at, id.at, id.count);
    if (is(method, "\"tools/call\"")) {
        struct span said = member(member(member(line, "params"), "arguments"), "text");
        at = text(at, ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":");
        at = put(at, said.at, said.count);
        at = text(at, "}],\"isError\":false}}\n");
    } else if (is(method, "\"initialize\"")) {
        at = text(at, ",\"result\":{\"protocolVersion\":\"2025-06-18\","
                      "\"capabilities\":{\"tools\":{}},"
                      "\"serverInfo\":{\"name\":\"echo\",\"version\":\"1\"}}}\n");
    } else if (is(method, "\"tools/list\"")) {
        at = text(at, ",\"result\":{\"tools\":[{\"name\":\"echo\","
                      "\"description\":\"Answers its text\","
                      "\"inputSchema\":{\"type\":\"object\",\"properties\":"
                      "{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}}]}}\n");
    } else if (is(method, "\"ping\"")) {
        at = text(at, ",\"result\":{}}\n");
    } else {
        at = text(at, ",\"error\":{\"code\":-32601,\"message\":\"method not found\"}}\n");
    }
    send_all(output, at);
}

int main(void)
{
    size_t held = 0;

    for (;;) {
        ssize_t got = read(0, input + held, sizeof input - held);
        if (got <= 0)
            return 0;
        size_t searched = held, begin = 0;
        held += (size_t)got;
        for (;;) {
            char *end = memchr(input + searched, '\n', held - searched);
            if (end == NULL)
                break;
            answer((struct span){input + begin, (size_t)(end - input) - begin});
            searched = begin = (size_t)(end - input) + 1;
        }
        memmove(input, input + begin, held - begin);
        held -= begin;
        if (held == sizeof input)
            return 1;
    }
}
