// The way down from root for a program of ours that needs no privilege at all.
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "steps.h"

static int fail(const char *program, const char *step)
{
    fprintf(stderr, "corral-launch: cannot start '%s': %s: %s\n", program, step, strerror(errno));
    return 1;
}

static bool id(const char *text, unsigned *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *out = (unsigned)value;
    return !errno && *text && !*end && value > 0 && value < UINT32_MAX;
}

// argv: UID GID PROGRAM ARGUMENT…
int corral_launch_drop(int argc, char **argv)
{
    unsigned uid, gid;
    if (argc < 3 || !id(argv[0], &uid) || !id(argv[1], &gid)) {
        fprintf(stderr, "corral-launch: usage: corral-launch drop UID GID PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    const char *program = argv[2];
    pid_t supervisor = getppid();
    if (setgroups(0, NULL) < 0)
        return fail(program, "drop-groups");
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresgid(gid, gid, gid) < 0
        || setresuid(uid, uid, uid) < 0)
        return fail(program, "drop-user");
    // Kept over the change of user for one purpose: to empty the bounding set.
    if (corral_keep_capabilities(1u << 8, 0) < 0 || corral_drop_all_capabilities() < 0)
        return fail(program, "drop-capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail(program, "no-new-privileges");
    // After setresuid, which clears it.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != supervisor)
        return fail(program, "die-with-supervisor");
    execv(program, argv + 2);
    return fail(program, "execute");
}
