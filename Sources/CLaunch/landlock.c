// The second wall (landlock(7)): should a mount ever show more than it must, these rules still let
// the tool write only its own places, use TCP only as it is meant to, reach no abstract socket, and
// signal nobody outside. Rules are tied to inodes, so the set is made here, after the last mount.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps.h"

// Debian 12's headers know ABI 2; these are linux/landlock.h of 6.18, where the numbers are stable.
enum {
    EXECUTE_AND_READ_FILE = 1 << 0 | 1 << 2,
    READ_DIRECTORY = 1 << 3,
    READ_AND_EXECUTE = EXECUTE_AND_READ_FILE | READ_DIRECTORY,
    WRITE_FILE = 1 << 1,
    ALL_ABI_1 = (1 << 13) - 1,
    REFER = 1 << 13,     // ABI 2
    TRUNCATE = 1 << 14,  // ABI 3
    IOCTL_DEV = 1 << 15, // ABI 5
    NET_BIND_TCP = 1,               // ABI 4
    NET_CONNECT_TCP = 2,
    SCOPE_ABSTRACT_AND_SIGNAL = 3,  // ABI 6
    CREATE_RULESET_VERSION = 1,
    RULE_PATH_BENEATH = 1,
};

struct ruleset {
    uint64_t files, network, scoped;
};

struct __attribute__((packed)) path_rule {
    uint64_t allowed;
    int32_t parent;
};

static struct ruleset known_to(long abi)
{
    return (struct ruleset){
        .files = ALL_ABI_1 | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0)
            | (abi >= 5 ? IOCTL_DEV : 0),
        .network = abi >= 4 ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
        .scoped = abi >= 6 ? SCOPE_ABSTRACT_AND_SIGNAL : 0,
    };
}

// The kernel knows an attribute by its size: older ones refuse what they have never heard of.
static size_t size_for(long abi)
{
    return sizeof(uint64_t) * (abi >= 6 ? 3 : abi >= 4 ? 2 : 1);
}

static int allow(int ruleset, const char *path, uint64_t access)
{
    struct path_rule rule = {.allowed = access};
    rule.parent = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent < 0)
        return -1;
    long result = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
    int failure = errno;
    close(rule.parent);
    errno = failure;
    return (int)result;
}

static int allow_all(int ruleset, uint64_t files, const struct launch *launch)
{
    static const char *const own[] = {"/tmp", "/home/tool", "/dev/shm"};
    if (allow(ruleset, "/", READ_AND_EXECUTE) < 0
        || allow(ruleset, "/dev", (WRITE_FILE | TRUNCATE | IOCTL_DEV) & files) < 0
        || allow(ruleset, "/proc", WRITE_FILE) < 0)
        return -1;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (allow(ruleset, own[i], files) < 0)
            return -1;
    for (size_t i = 0; i < launch->plan.tree_count; i++)
        if (launch->plan.tree_writable[i] && allow(ruleset, launch->plan.trees[i], files) < 0)
            return -1;
    for (size_t i = 0; i < launch->tree->mount_count; i++) {
        const corral_mount_t *mount = &launch->tree->mounts[i];
        // A rule on a file may not speak of directories.
        uint64_t rights = mount->file ? files & (EXECUTE_AND_READ_FILE | WRITE_FILE | TRUNCATE)
                                      : files;
        if (mount->writable && allow(ruleset, mount->target, rights) < 0)
            return -1;
    }
    return 0;
}

int corral_landlock(struct launch *launch)
{
    if (launch->plan.flags & CORRAL_LAUNCH_NO_LANDLOCK)
        return 0; // somebody typed it into the policy
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    if (abi < 1)
        return -1;
    struct ruleset attributes = known_to(abi);
    // What is not handled is left open.
    if (launch->plan.flags & CORRAL_LAUNCH_TCP_CONNECT)
        attributes.network &= ~(uint64_t)NET_CONNECT_TCP;
    if (launch->plan.flags & CORRAL_LAUNCH_TCP_BIND)
        attributes.network &= ~(uint64_t)NET_BIND_TCP;
    int ruleset = (int)syscall(
        SYS_landlock_create_ruleset, &attributes, size_for(abi), 0);
    if (ruleset < 0)
        return -1;
    int result = allow_all(ruleset, attributes.files, launch);
    if (result == 0)
        result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
    int failure = errno;
    close(ruleset);
    errno = failure;
    if (result == 0)
        launch->landlock = (int)abi;
    return result;
}
