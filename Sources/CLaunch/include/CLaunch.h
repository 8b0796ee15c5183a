// The launch plan: what corrald sends to corral-launch, and what comes back.
//
// One SOCK_SEQPACKET datagram each. All numbers are little-endian 64-bit, all strings are a length
// and bytes that end in NUL, so that the reader can point into the datagram. The launcher reads
// nothing else: no file of a tool, no environment, no argument but its mode.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// A datagram begins with one of these.
enum {
    CORRAL_PLAN_TEMPLATE = 0x4c504d54, // builds the tree; sent once, first
    CORRAL_PLAN_LAUNCH = 0x48434e4c,   // starts one sandbox in it
    // Nobody waits now: make ahead what the next one inherits, and join the groups of the uid that
    // it will have. Version 1 has no other way to be born in one, and joining waits for every
    // processor when it has not been done for a while: 10 ms.
    CORRAL_PLAN_PREPARE = 0x50455250,
    // Close what comes along: the last descriptor of a mount namespace waits for every processor,
    // and corrald has no time for that.
    CORRAL_PLAN_CLOSE = 0x534f4c43,
};

// Bounds of a plan; a plan beyond them is refused whole.
enum {
    CORRAL_PLAN_BYTES = 192 << 10,
    CORRAL_PLAN_MOUNTS = 64,
    CORRAL_PLAN_DIRECTORIES = 128,
    CORRAL_PLAN_LINKS = 16,
    CORRAL_PLAN_FILES = 16,
    CORRAL_PLAN_FILTER = 4096, // BPF_MAXINSNS
    CORRAL_PLAN_ARGUMENTS = 512,
    CORRAL_PLAN_ENVIRONMENT = 256,
    CORRAL_PLAN_GROUPS = 16, // cgroup.procs descriptors
    CORRAL_PLAN_TREES = 16,  // mount descriptors
    CORRAL_PLAN_DESCRIPTORS = 4 + CORRAL_PLAN_GROUPS + CORRAL_PLAN_TREES + 1,
};

// Flags of a launch.
enum {
    CORRAL_LAUNCH_TCP_CONNECT = 1,  // Landlock leaves connect(2) over TCP open
    CORRAL_LAUNCH_NO_LANDLOCK = 2,  // landlock: off in the policy
    CORRAL_LAUNCH_NO_TIME_NAMESPACE = 4, // time_namespace: off in the policy
    CORRAL_LAUNCH_NETWORK = 8, // a network namespace comes along as the last descriptor
    // No command yet: one socket comes instead of the three streams, and a second launch plan over
    // it, with the streams, when there is something to run. Of that plan only the command, its
    // directory and its environment count.
    CORRAL_LAUNCH_WAIT = 16,
    // The only group is the directory of a version 2 cgroup, which the sandbox is born into.
    CORRAL_LAUNCH_BORN_IN_GROUP = 32,
    // The zygote has joined the groups when it was told to prepare, and its child inherits them.
    CORRAL_LAUNCH_JOINED = 64,
    CORRAL_LAUNCH_TCP_BIND = 128, // Landlock leaves bind(2) over TCP open
};

// What the launcher answers: to corrald on the template's socket (template ready, sandbox
// cloned) or on the sandbox's own status pipe (waiting, started, failed, exited).
enum {
    CORRAL_REPORT_READY = 1,
    CORRAL_REPORT_CLONED = 2,
    CORRAL_REPORT_STARTED = 3,
    CORRAL_REPORT_FAILED = 4,
    CORRAL_REPORT_EXITED = 5,
    CORRAL_REPORT_WAITING = 6,
};

typedef struct {
    uint32_t kind;
    uint32_t step;  // FAILED: which step, for corral_launch_step_name
    int32_t error;  // FAILED: its errno; WAITING, STARTED: the ABI of Landlock in force, 0 for none
    int32_t pid;    // CLONED: the sandbox's pid 1 as the host sees it
    int32_t status; // EXITED: exit status, or -1
    int32_t signal; // EXITED: the signal, or 0
} corral_report_t;

// The name of a step, "unknown-step" for a number that is none.
const char *corral_launch_step_name(uint32_t step);

// The uid and gid that a tool has inside its user namespace.
enum { CORRAL_INNER_ID = 1000 };

// Runs the template: reads its plan from `socket`, builds the tree, serves launches until the
// socket closes. Returns the exit status.
int corral_launch_template(int socket);

#ifdef CORRAL_TEST_WALLS
// Builds for tests alone: leaves out the walls of a list with commas. -1 for one that is not known.
int corral_leave_out(const char *walls);
// Prints the name of every step and of every part of one that can be left out.
void corral_print_walls(void);
#endif

// Drops to a user and execs an unprivileged program: the broker's way down from root.
int corral_launch_drop(int argc, char *_Nonnull *_Nonnull argv);

// Waits until `lifeline` closes, then kills and removes everything below the named cgroups.
int corral_launch_sweep(int lifeline, int count, char *_Nonnull *_Nonnull groups);

// ---- for the plan's reader and its tests ----

typedef struct {
    const char *source; // on the host
    const char *target; // in the tree, absolute: "/usr"
    bool writable;
    bool file;
} corral_mount_t;

typedef struct {
    const char *path;
    const char *content; // a link's target or a file's text
} corral_entry_t;

typedef struct {
    const char *root; // an empty host directory to build the tree on
    size_t directory_count, link_count, file_count, mount_count, ahead_count, filter_count;
    const char *_Nullable directories[CORRAL_PLAN_DIRECTORIES];
    corral_entry_t links[CORRAL_PLAN_LINKS];
    corral_entry_t files[CORRAL_PLAN_FILES];
    corral_mount_t mounts[CORRAL_PLAN_MOUNTS];
    // struct sock_filter, 8 bytes each: what the zygote loads, whose children inherit it, and what
    // is left for each of them.
    uint64_t ahead[CORRAL_PLAN_FILTER];
    uint64_t filter[CORRAL_PLAN_FILTER];
} corral_template_t;

typedef struct {
    uint64_t flags;
    uint64_t uid; // on the host; the gid is the same
    uint64_t scratch_bytes;
    uint64_t scratch_inodes;
    uint64_t cpu_seconds, file_bytes, open_files; // rlimits
    uint64_t address_bytes;                       // RLIMIT_AS, 0 for none
    const char *hostname;
    const char *directory; // to work in
    size_t group_count, tree_count, argument_count, environment_count;
    const char *_Nullable trees[CORRAL_PLAN_TREES]; // where each goes, absolute
    bool tree_writable[CORRAL_PLAN_TREES];
    const char *_Nullable arguments[CORRAL_PLAN_ARGUMENTS + 1];
    const char *_Nullable environment[CORRAL_PLAN_ENVIRONMENT + 1];
} corral_launch_t;

// Both return false for a plan that is not whole and exact. Strings point into `bytes`.
bool corral_template_read(const uint8_t *bytes, size_t count, corral_template_t *out);
bool corral_launch_read(const uint8_t *bytes, size_t count, corral_launch_t *out);
bool corral_is_close(const uint8_t *bytes, size_t count);
bool corral_prepare_read(
    const uint8_t *bytes, size_t count, uint64_t *uid, size_t *group_count);

#pragma clang assume_nonnull end
