// Namespaces that a sandbox inherits from its zygote instead of making them: the zygote waits in
// ones that nobody has used, made while nobody waited.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "steps.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

// Of the zygote, in the host's /proc: its tree has none.
static int own_namespaces = -1; // ns/
static int own_clocks = -1;     // timens_offsets

// A network namespace that nobody has used, and whether the zygote is in it. It takes half a
// millisecond to make, and as much again to end: more than all the others together.
static int network = -1;
static bool is_in_network;
static bool others_are_fresh;

void corral_spaces_begin(void)
{
    // Where one is not there, the launch that needs it fails.
    own_namespaces = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
    own_clocks = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
}

static int make_network(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    network = openat(own_namespaces, "net", O_RDONLY | O_CLOEXEC);
    is_in_network = network >= 0;
    return network < 0 ? -1 : 0;
}

static bool has_network_of_its_own(void)
{
    return !corral_is_left_out("network-namespace");
}

enum corral_step corral_spaces_prepare(const struct launch *launch)
{
    static const struct {
        enum corral_step step;
        const char *wall;
        int flag;
        uint64_t kept_by; // a flag of the launch
    } others[] = {
        {STEP_CLONE, "ipc-namespace", CLONE_NEWIPC, 0},
        {STEP_CLONE, "uts-namespace", CLONE_NEWUTS, 0},
        {STEP_TIME_NAMESPACE, "time-namespace", CLONE_NEWTIME, CORRAL_LAUNCH_NO_TIME_NAMESPACE},
    };
    if (has_network_of_its_own() && launch->network < 0) {
        if (network < 0 && make_network() < 0)
            return STEP_NETWORK_NAMESPACE;
        // One that a sandbox was given is not held any longer than it lives.
        if (!is_in_network && setns(network, CLONE_NEWNET) < 0)
            return STEP_NETWORK_NAMESPACE;
        is_in_network = true;
    }
    if (others_are_fresh)
        return STEP_NONE;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!(launch->plan.flags & others[i].kept_by) && !corral_is_left_out(others[i].wall)
            && unshare(others[i].flag) < 0)
            return others[i].step;
    others_are_fresh = true;
    return STEP_NONE;
}

static int enter_network(const struct launch *launch)
{
    int wanted = launch->network >= 0 ? launch->network : network;
    if (wanted == network && is_in_network)
        return 0;
    is_in_network = false;
    return setns(wanted, CLONE_NEWNET);
}

// The sandbox's clocks start from nothing: how long a host has run tells hosts apart. Needs
// CAP_SYS_TIME, and nobody born into the namespace yet (time_namespaces(7)).
static int start_clocks(const struct launch *launch)
{
    struct timespec monotonic, boot;
    if (launch->plan.flags & CORRAL_LAUNCH_NO_TIME_NAMESPACE
        || corral_is_left_out("time-namespace"))
        return 0;
    if (clock_gettime(CLOCK_MONOTONIC, &monotonic) < 0
        || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return -1;
    char offsets[96], *at = corral_put(offsets, "monotonic -");
    at = corral_put_number(at, (uint64_t)monotonic.tv_sec);
    at = corral_put(at, " 0\nboottime -");
    at = corral_put(corral_put_number(at, (uint64_t)boot.tv_sec), " 0\n");
    ssize_t n = at - offsets;
    // The file takes no pwrite, and no write but at its beginning.
    return lseek(own_clocks, 0, SEEK_SET) == 0 && write(own_clocks, offsets, (size_t)n) == n
        ? 0
        : -1;
}

enum corral_step corral_spaces_enter(const struct launch *launch)
{
    enum corral_step failed = corral_spaces_prepare(launch);
    if (failed != STEP_NONE)
        return failed;
    if (has_network_of_its_own() && enter_network(launch) < 0)
        return STEP_NETWORK_NAMESPACE;
    return start_clocks(launch) < 0 ? STEP_TIME_NAMESPACE : STEP_NONE;
}

int corral_spaces_used(const struct launch *launch)
{
    others_are_fresh = false;
    if (!has_network_of_its_own() || launch->network >= 0)
        return -1;
    // The zygote stays in it, without another use for it, until it enters the next.
    int given = network;
    network = -1;
    is_in_network = false;
    return given;
}
