/* Preloaded into a process: shifts its wall clock by the nanoseconds in the file that WALL_CLOCK_SHIFT names.
 * The monotonic clocks stay. An absolute deadline on the wall clock is shifted back as it is given to the kernel: a sleep
 * that is under way does not see a step, nor does TFD_TIMER_CANCEL_ON_SET; nor do the times of files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <dlfcn.h>

static const int64_t nothing;
static const volatile int64_t *shift_ns = &nothing;

__attribute__((constructor)) static void map_shift(void)
{
    const char *name = getenv("WALL_CLOCK_SHIFT");
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *shift_ns, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        fprintf(stderr, "wall clock shim: WALL_CLOCK_SHIFT must name a file of 8 bytes: %m\n");
        _exit(127);
    }
    close(fd);
    shift_ns = page;
}

static int is_wall(clockid_t id)
{
    return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_REALTIME_ALARM || id == CLOCK_TAI;
}

static void add(struct timespec *t, int64_t ns)
{
    int64_t sum = t->tv_nsec + ns % 1000000000;
    t->tv_sec += ns / 1000000000 + (sum >= 1000000000) - (sum < 0);
    t->tv_nsec = sum + (sum < 0 ? 1000000000 : sum >= 1000000000 ? -1000000000 : 0);
}

/* The function of this name behind ours. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t id, struct timespec *t)
{
    static __typeof__(&clock_gettime) real;
    if (!real)
        real = REAL(clock_gettime);
    int status = real(id, t);
    if (!status && is_wall(id))
        add(t, *shift_ns);
    return status;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *t)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *t, int base)
{
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, t) ? base : 0;
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted, struct timespec *left)
{
    struct timespec given = *wanted;
    if (is_wall(id) && flags & TIMER_ABSTIME)
        add(&given, -*shift_ns);
    return REAL(clock_nanosleep)(id, flags, &given, left);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    struct timespec given = *until;
    add(&given, -*shift_ns);
    return REAL(sem_timedwait)(semaphore, &given);
}

/* Which clock a timer runs on; those of later descriptors are not shifted. */
static clockid_t clock_of[4096];

int timerfd_create(clockid_t id, int flags)
{
    int fd = REAL(timerfd_create)(id, flags);
    if (fd >= 0 && fd < 4096)
        clock_of[fd] = id;
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *old)
{
    struct itimerspec given = *wanted;
    int armed = given.it_value.tv_sec || given.it_value.tv_nsec;
    if (armed && flags & TFD_TIMER_ABSTIME && fd >= 0 && fd < 4096 && is_wall(clock_of[fd]))
        add(&given.it_value, -*shift_ns);
    return REAL(timerfd_settime)(fd, flags, &given, old);
}
