// Every act of the launcher is a named step, so that a failure says where it happened.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "CLaunch.h"

enum corral_step {
    STEP_NONE,
    // the template, once per tree
    STEP_READ_PLAN,
    STEP_PARENT_DEATH,
    STEP_OPEN_SOURCES,
    STEP_MOUNT_NAMESPACE,
    STEP_PRIVATE_MOUNTS,
    STEP_MOUNT_ROOT,
    STEP_MAKE_DIRECTORIES,
    STEP_MAKE_DEVICES,
    STEP_MAKE_LINKS,
    STEP_WRITE_FILES,
    STEP_BIND_TREES,
    STEP_SEAL_ROOT,
    STEP_PIVOT,
    STEP_REDUCE_PRIVILEGE,
    // the sandbox, once per start
    STEP_READ_LAUNCH,
    STEP_NETWORK_NAMESPACE,
    STEP_CLONE,
    STEP_JOIN_CGROUPS,
    STEP_CGROUP_NAMESPACE,
    STEP_TIME_NAMESPACE,
    STEP_MOUNT_PROC,
    STEP_MOUNT_SCRATCH,
    STEP_MOUNT_TREES,
    STEP_HOSTNAME,
    STEP_SESSION,
    STEP_KEYRING,
    STEP_OOM_SCORE,
    STEP_RESOURCE_LIMITS,
    STEP_DROP_GROUPS,
    STEP_DROP_USER,
    STEP_USER_NAMESPACE,
    STEP_MAP_IDS,
    STEP_DROP_CAPABILITIES,
    STEP_LOCK_SECUREBITS,
    STEP_DIE_WITH_SUPERVISOR,
    STEP_NO_NEW_PRIVILEGES,
    STEP_LANDLOCK,
    STEP_SYSTEM_CALL_FILTER,
    STEP_FORK_TOOL,
    STEP_STANDARD_STREAMS,
    STEP_WORKING_DIRECTORY,
    STEP_CLOSE_DESCRIPTORS,
    STEP_EXECUTE,
    STEP_COUNT,
};

// What a launch step works on.
struct launch {
    corral_launch_t plan;
    const corral_template_t *tree;
    int input, output, errors; // the tool's 0, 1, 2; a warm sandbox gets them later
    int command;               // where a warm sandbox is told what to run
    int status;                // where the report goes
    int groups[CORRAL_PLAN_GROUPS];
    int trees[CORRAL_PLAN_TREES];
    int network;               // a network namespace to use, or -1
    int landlock; // the ABI version in force, 0 for none
};

// A step returns 0, or -1 with errno; nothing after a failed step is run.
struct launch_step {
    enum corral_step name;
    int (*run)(struct launch *launch);
};
struct template_step {
    enum corral_step name;
    int (*run)(corral_template_t *tree);
};

// Runs a whole table; on failure returns the failed step's name with its errno, else STEP_NONE.
enum corral_step corral_confine(struct launch *launch);
enum corral_step corral_build_tree(corral_template_t *tree);

// Joins cgroups by their open cgroup.procs.
int corral_join_cgroups(const int *groups, size_t count);

// Namespaces that a sandbox inherits. `begin` while the host's /proc is there; `prepare` makes
// ahead what is not there yet, `enter` before the clone takes the zygote there, and `used` after it
// returns the network namespace that was made here, to be closed, or -1.
void corral_spaces_begin(void);
enum corral_step corral_spaces_prepare(const struct launch *launch);
enum corral_step corral_spaces_enter(const struct launch *launch);
int corral_spaces_used(const struct launch *launch);

// Walls that a test leaves out, by the name of their step; compiled into builds for tests alone.
#ifdef CORRAL_TEST_WALLS
bool corral_is_left_out(const char *wall);
void corral_leave_out_for(const struct launch *launch);
#else
static inline void corral_leave_out_for(const struct launch *launch)
{
    (void)launch;
}
static inline bool corral_is_left_out(const char *wall)
{
    (void)wall;
    return false;
}
#endif

// The rlimits, a step of the sandbox's table.
int corral_resource_limits(struct launch *launch);
// Loads a filter on top of those that are there: of several, the strictest answer counts.
int corral_load_filter(const uint64_t *instructions, size_t count);
// The second wall, another.
int corral_landlock(struct launch *launch);

// Waits, confined, until corrald says what to run; STEP_NONE when it has. Does not return when
// corrald lets go.
enum corral_step corral_await_command(struct launch *launch);

// Pid 1 of the sandbox: starts the tool, reaps, forwards, reports. Never returns.
void corral_init(struct launch *launch) __attribute__((noreturn));

// Capabilities: empties every set of this process (capabilities(7)); or keeps only those of
// `keep`, a bit mask, in permitted and effective, and of `if_there` those that it has.
int corral_drop_all_capabilities(void);
int corral_keep_capabilities(uint64_t keep, uint64_t if_there);

// Datagrams with descriptors. Sends only those descriptors that are there, two at most. Receives a
// plan into CORRAL_PLAN_BYTES: 0 at the end, -1 when it did not fit.
int corral_send_with_descriptors(
    int socket, const corral_report_t *report, const int *fds, size_t count);
ssize_t corral_receive_plan(int socket, uint8_t *bytes, int *fds, int *count);

// Writes a report whole; a supervisor that is gone is no place to go on in.
int corral_send_report(int fd, const corral_report_t *report);

// Write a text or a number at a place with room for it, and return where it ends: at a NUL.
char *corral_put(char *at, const char *text);
char *corral_put_number(char *at, uint64_t number); // at most 20 digits

// mkdir -p of a path relative to `directory`, in a tree nobody else can write.
int corral_make_path(int directory, const char *path, unsigned mode);
// A short write to a file that exists.
int corral_write_file(const char *path, const char *text);
