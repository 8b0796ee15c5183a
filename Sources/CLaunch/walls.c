// Walls left out on request, in builds for tests alone: an attack that a test says is stopped must
// succeed when what stops it is gone. A release has nothing of this file.
#ifdef CORRAL_TEST_WALLS

#include <stdio.h>
#include <string.h>

#include "steps.h"

enum { WALLS_MAX = 24 };

// Beside the steps: parts of what one does.
static const char *const parts[] = {
    "tree-read-only", "tree-nosuid", "tree-nodev", "sandbox-mount-namespace", "pid-namespace",
    "ipc-namespace", "uts-namespace", "proc-hidepid", "proc-subset", "scratch-size",
    "scratch-inodes", "scratch-nosuid", "scratch-nodev", "limit-core", "limit-message-queue",
    "limit-locked-memory", "limit-cpu-time", "limit-file-size", "limit-open-files",
};

static char names[512];
static const char *left_out[WALLS_MAX];
static size_t count;

static bool is_known(const char *wall)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strcmp(parts[i], wall))
            return true;
    for (uint32_t step = STEP_NONE + 1; step < STEP_COUNT; step++)
        if (!strcmp(corral_launch_step_name(step), wall))
            return true;
    return false;
}

void corral_print_walls(void)
{
    for (uint32_t step = STEP_NONE + 1; step < STEP_COUNT; step++)
        puts(corral_launch_step_name(step));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        puts(parts[i]);
}

// Only those that wait are born without them.
static bool of_waiting;
static bool waits;

void corral_leave_out_for(const struct launch *launch)
{
    waits = launch->plan.flags & CORRAL_LAUNCH_WAIT;
}

int corral_leave_out(const char *walls)
{
    of_waiting = !strncmp(walls, "waiting:", strlen("waiting:"));
    if (of_waiting)
        walls += strlen("waiting:");
    if (strlen(walls) >= sizeof names)
        return -1;
    strcpy(names, walls);
    for (char *wall = strtok(names, ","); wall; wall = strtok(NULL, ",")) {
        if (count == WALLS_MAX || !is_known(wall))
            return -1;
        left_out[count++] = wall;
    }
    return 0;
}

bool corral_is_left_out(const char *wall)
{
    if (of_waiting && !waits)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(left_out[i], wall))
            return true;
    return false;
}

#endif
