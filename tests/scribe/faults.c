/* What stands between a process and its disk and clock, preloaded into it.

   SOJOURN_FAULTS names a file with one rule on one line:

       CALL END WHAT AFTER

   CALL is sync, write or read; END is how the file's path has to end; WHAT is the number of an error, or "torn": half is
   written and the process is killed. The first AFTER such calls go through. While there is no such file, all do. Each
   call that is answered by the rule adds a line to SOJOURN_FAULTS with ".log" behind its name.

   SOJOURN_CLOCK names a file that says by how many seconds the clock of the day is wrong.

   System calls are made directly in here, so that nothing comes back through the functions below. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define TORN -1

static ssize_t contents(const char *name, char *into, size_t size) {
    long file = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = syscall(SYS_read, file, into, size - 1);
    syscall(SYS_close, file);
    if (count >= 0) into[count] = 0;
    return count;
}

/* 0: let it through; above 0: the error; TORN. */
static int fault(const char *call, int file) {
    static char last[512];
    static long seen;
    const char *rules = getenv("SOJOURN_FAULTS");
    char rule[512], wanted[32], end[256], what[32], path[4096], link[64], log[4200];
    long after = 0;
    if (!rules || contents(rules, rule, sizeof rule) <= 0) return 0;
    if (sscanf(rule, "%31s %255s %31s %ld", wanted, end, what, &after) != 4 || strcmp(wanted, call)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlink, link, path, sizeof path - 1);
    if (length < (ssize_t)strlen(end) || memcmp(path + length - strlen(end), end, strlen(end))) return 0;
    path[length] = 0;
    if (strcmp(last, rule)) {
        strcpy(last, rule);
        seen = 0;
    }
    if (seen++ < after) return 0;
    snprintf(log, sizeof log, "%s.log", rules);
    long said = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (said >= 0) {
        syscall(SYS_write, said, call, strlen(call));
        syscall(SYS_write, said, "\n", 1);
        syscall(SYS_close, said);
    }
    return strcmp(what, "torn") ? atoi(what) : TORN;
}

static ssize_t written(int file, const void *data, size_t size, off_t where, int positioned) {
    int found = fault("write", file);
    if (found > 0) {
        errno = found;
        return -1;
    }
    if (found == TORN) size /= 2;
    ssize_t count = positioned ? syscall(SYS_pwrite64, file, data, size, where) : syscall(SYS_write, file, data, size);
    if (found == TORN) syscall(SYS_kill, getpid(), SIGKILL);
    return count;
}

static ssize_t got(int file, void *data, size_t size, off_t where, int positioned) {
    int found = fault("read", file);
    if (found > 0) {
        errno = found;
        return -1;
    }
    return positioned ? syscall(SYS_pread64, file, data, size, where) : syscall(SYS_read, file, data, size);
}

static int synced(int file, long call) {
    int found = fault("sync", file);
    if (found > 0) {
        errno = found;
        return -1;
    }
    return syscall(call, file);
}

ssize_t write(int file, const void *data, size_t size) { return written(file, data, size, 0, 0); }
ssize_t pwrite(int file, const void *data, size_t size, off_t where) { return written(file, data, size, where, 1); }
ssize_t pwrite64(int file, const void *data, size_t size, off_t where) { return written(file, data, size, where, 1); }
ssize_t read(int file, void *data, size_t size) { return got(file, data, size, 0, 0); }
ssize_t pread(int file, void *data, size_t size, off_t where) { return got(file, data, size, where, 1); }
ssize_t pread64(int file, void *data, size_t size, off_t where) { return got(file, data, size, where, 1); }
int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    char wrong[64];
    const char *name = getenv("SOJOURN_CLOCK");
    int result = syscall(SYS_clock_gettime, clock, now);
    if (!result && clock == CLOCK_REALTIME && name && contents(name, wrong, sizeof wrong) > 0) now->tv_sec += atol(wrong);
    return result;
}
