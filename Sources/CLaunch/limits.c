// What each process of a sandbox may take, beside what its cgroup holds for all of them together.
#include <sys/resource.h>

#include "steps.h"

static int limit(__rlimit_resource_t resource, uint64_t value)
{
    struct rlimit now, wanted = {.rlim_cur = value, .rlim_max = value};
    if (getrlimit(resource, &now) < 0)
        return -1;
    // Lowering is all that is wanted.
    if (now.rlim_max < value)
        wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
    return setrlimit(resource, &wanted);
}

// A second between the two, or the kernel kills at once and nobody learns that it was the time.
static int limit_time(uint64_t seconds)
{
    struct rlimit now;
    if (limit(RLIMIT_CPU, seconds + 1) < 0 || getrlimit(RLIMIT_CPU, &now) < 0)
        return -1;
    if (now.rlim_cur > seconds)
        now.rlim_cur = seconds;
    return setrlimit(RLIMIT_CPU, &now);
}

// At 0 the kernel writes no core file, and yet runs the host's handler, as root and outside, with
// what the tool leaves (core(5)); at 1 it does neither. The filter keeps it there.
static int limit_core(void)
{
    struct rlimit one = {.rlim_cur = 1, .rlim_max = 1};
    return corral_is_left_out("limit-core") ? 0 : setrlimit(RLIMIT_CORE, &one);
}

int corral_resource_limits(struct launch *launch)
{
    const struct {
        const char *name;
        __rlimit_resource_t resource;
        uint64_t value;
    } limits[] = {
        {"limit-message-queue", RLIMIT_MSGQUEUE, 0},
        {"limit-locked-memory", RLIMIT_MEMLOCK, 0},
        {"limit-file-size", RLIMIT_FSIZE, launch->plan.file_bytes},
        {"limit-open-files", RLIMIT_NOFILE, launch->plan.open_files},
    };
    // Whoever started corrald may be allowed to put itself before others; no tool is.
    if (limit_core() < 0 || limit(RLIMIT_NICE, 0) < 0 || limit(RLIMIT_RTPRIO, 0) < 0)
        return -1;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!corral_is_left_out(limits[i].name)
            && limit(limits[i].resource, limits[i].value) < 0)
            return -1;
    // Never unless a policy asks: node, Go and Java reserve far more than they use.
    if (launch->plan.address_bytes > 0 && limit(RLIMIT_AS, launch->plan.address_bytes) < 0)
        return -1;
    return corral_is_left_out("limit-cpu-time") ? 0 : limit_time(launch->plan.cpu_seconds);
}
