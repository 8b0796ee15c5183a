// Reading a plan: bounds first, then pointers into the datagram. No allocation.
#include "CLaunch.h"

#include <string.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool ok;
};

static uint64_t number(struct reader *in)
{
    uint64_t value = 0;
    if (!in->ok || in->end - in->at < 8) {
        in->ok = false;
        return 0;
    }
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)in->at[i] << (8 * i);
    in->at += 8;
    return value;
}

static const char *string(struct reader *in)
{
    uint64_t length = number(in);
    if (!in->ok || length >= (uint64_t)(in->end - in->at)) {
        in->ok = false;
        return "";
    }
    const char *text = (const char *)in->at;
    // The length must be the whole truth: no NUL inside, one at the end.
    if (strnlen(text, length + 1) != length) {
        in->ok = false;
        return "";
    }
    in->at += length + 1;
    return text;
}

static size_t count(struct reader *in, size_t most)
{
    uint64_t value = number(in);
    if (value > most)
        in->ok = false;
    return in->ok ? (size_t)value : 0;
}

static void begin(struct reader *in, const uint8_t *bytes, size_t length, uint64_t kind)
{
    in->at = bytes;
    in->end = bytes + length;
    in->ok = length <= CORRAL_PLAN_BYTES;
    if (number(in) != kind)
        in->ok = false;
}

static size_t entries(struct reader *in, corral_entry_t *out, size_t most)
{
    size_t n = count(in, most);
    for (size_t i = 0; i < n; i++) {
        out[i].path = string(in);
        out[i].content = string(in);
    }
    return n;
}

static size_t strings(struct reader *in, const char **out, size_t most)
{
    size_t n = count(in, most);
    for (size_t i = 0; i < n; i++)
        out[i] = string(in);
    return n;
}

static size_t instructions(struct reader *in, uint64_t *out)
{
    size_t n = count(in, CORRAL_PLAN_FILTER);
    for (size_t i = 0; i < n; i++)
        out[i] = number(in);
    return n;
}

bool corral_template_read(const uint8_t *bytes, size_t length, corral_template_t *out)
{
    struct reader in;
    begin(&in, bytes, length, CORRAL_PLAN_TEMPLATE);
    out->root = string(&in);
    out->directory_count = strings(&in, out->directories, CORRAL_PLAN_DIRECTORIES);
    out->link_count = entries(&in, out->links, CORRAL_PLAN_LINKS);
    out->file_count = entries(&in, out->files, CORRAL_PLAN_FILES);
    out->mount_count = count(&in, CORRAL_PLAN_MOUNTS);
    for (size_t i = 0; i < out->mount_count; i++) {
        out->mounts[i].source = string(&in);
        out->mounts[i].target = string(&in);
        uint64_t flags = number(&in);
        out->mounts[i].writable = flags & 1;
        out->mounts[i].file = flags & 2;
    }
    out->ahead_count = instructions(&in, out->ahead);
    out->filter_count = instructions(&in, out->filter);
    // A sandbox without a filter does not exist.
    return in.ok && in.at == in.end && out->ahead_count > 0 && out->filter_count > 0;
}

bool corral_launch_read(const uint8_t *bytes, size_t length, corral_launch_t *out)
{
    struct reader in;
    begin(&in, bytes, length, CORRAL_PLAN_LAUNCH);
    out->flags = number(&in);
    out->uid = number(&in);
    out->scratch_bytes = number(&in);
    out->scratch_inodes = number(&in);
    out->cpu_seconds = number(&in);
    out->file_bytes = number(&in);
    out->open_files = number(&in);
    out->address_bytes = number(&in);
    out->hostname = string(&in);
    out->directory = string(&in);
    out->group_count = count(&in, CORRAL_PLAN_GROUPS);
    out->tree_count = count(&in, CORRAL_PLAN_TREES);
    for (size_t i = 0; i < out->tree_count; i++) {
        out->trees[i] = string(&in);
        out->tree_writable[i] = number(&in) & 1;
    }
    out->argument_count = strings(&in, out->arguments, CORRAL_PLAN_ARGUMENTS);
    out->arguments[out->argument_count] = NULL;
    out->environment_count = strings(&in, out->environment, CORRAL_PLAN_ENVIRONMENT);
    out->environment[out->environment_count] = NULL;
    bool waits = out->flags & CORRAL_LAUNCH_WAIT;
    // Root inside would be root outside for every file that is not mapped: never.
    return in.ok && in.at == in.end && out->uid > 0 && out->uid < UINT32_MAX
        && waits == (out->argument_count == 0);
}

bool corral_prepare_read(
    const uint8_t *bytes, size_t length, uint64_t *uid, size_t *group_count)
{
    struct reader in;
    begin(&in, bytes, length, CORRAL_PLAN_PREPARE);
    *uid = number(&in);
    *group_count = count(&in, CORRAL_PLAN_GROUPS);
    return in.ok && in.at == in.end;
}

bool corral_is_close(const uint8_t *bytes, size_t length)
{
    struct reader in;
    begin(&in, bytes, length, CORRAL_PLAN_CLOSE);
    return in.ok && in.at == in.end;
}
