/* Another wall clock for a process: what the file named by TEST_CLOCK says, read at each look.
 *
 *   "= SECONDS"   the clock stands still at that time (seconds since 1970)
 *   "+ SECONDS"   the clock is off by that much, and runs
 *
 * What the machine has to say of that clock lies beside it, in place of the machine's own word:
 *
 *   .rtc            the time by a hardware clock; none if there is no such file
 *   .synchronised   there if systemd's time service has set the clock
 *   .tai            how far the international atomic time is ahead, in seconds; 0 without it
 *   .boot           which start of the machine this is; the real one without it
 *
 * Preloaded into the program under test, so that the program itself needs no switch for it. The
 * other clocks, which measure how long something takes, stay as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BESIDE 4096

static const char *beside(const char *end, char *name) {
    const char *clock = getenv("TEST_CLOCK");
    snprintf(name, BESIDE, "%s%s", clock ? clock : "", end);
    return name;
}

/* What is looked at when the program looks at a file. */
static const char *instead(const char *path, char *name) {
    if (!path) return path;
    if (!strcmp(path, "/sys/class/rtc/rtc0/since_epoch")) return beside(".rtc", name);
    if (!strcmp(path, "/run/systemd/timesync/synchronized")) return beside(".synchronised", name);
    if (!strcmp(path, "/proc/sys/kernel/random/boot_id"))
        return access(beside(".boot", name), F_OK) ? path : name;
    return path;
}

int open64(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    if (!real) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    char name[BESIDE];
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return real(instead(path, name), flags, mode);
}

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict to) {
    static int (*real)(int, const char *restrict, int, unsigned, struct statx *restrict);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "statx");
    char name[BESIDE];
    return real(folder, instead(path, name), flags, mask, to);
}

static int adjust(struct timespec *now) {
    const char *path = getenv("TEST_CLOCK");
    FILE *file = path ? fopen(path, "re") : NULL;
    char how;
    long long seconds;
    int found = file ? fscanf(file, " %c %lld", &how, &seconds) : 0;
    if (file) fclose(file);
    if (found != 2) return 0;
    if (how == '=') {
        now->tv_sec = seconds;
        now->tv_nsec = 0;
    } else {
        now->tv_sec += seconds;
    }
    return 0;
}

static int ahead(struct timespec *now) {
    char name[BESIDE];
    FILE *file = fopen(beside(".tai", name), "re");
    long long seconds;
    if (file && fscanf(file, "%lld", &seconds) == 1) now->tv_sec += seconds;
    if (file) fclose(file);
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock == CLOCK_TAI ? CLOCK_REALTIME : clock, now);
    if (failed) return failed;
    if (clock == CLOCK_TAI) return adjust(now), ahead(now);
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? adjust(now) : 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
