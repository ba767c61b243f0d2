/* Which blocking calls does a signal interrupt that has no handler and is ignored by default?  Without a tracer: none.
 *
 * usage: eintr        one line for each call and signal: "CALL SIGNAL RESULT", where RESULT is "eintr" or "goes on"
 *
 * A victim blocks in each call, for each signal.  All of them are sent their signal; whoever has not come back with EINTR when
 * the signal has been dealt with is killed. */

#include <linux/futex.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* Long, so that nothing but the signal ends a call. */
static const struct timespec long_time = {.tv_sec = 100};
enum {
	LONG_MS = 100000,
};

/* --- the calls; each prepares, says that it is about to block, blocks, and gives what the call gave */

static void ready(void);

/* These outlive processes: made and removed by main(). */
static int semaphores;
static int messages;

static int call_epoll_wait(void)
{
	struct epoll_event event;
	int fd = epoll_create1(0);
	ready();
	return epoll_wait(fd, &event, 1, LONG_MS);
}

static int call_poll(void)
{
	ready();
	return poll(NULL, 0, LONG_MS);
}

static int call_ppoll(void)
{
	ready();
	return ppoll(NULL, 0, &long_time, NULL);
}

static int call_select(void)
{
	struct timeval time = {.tv_sec = 100};
	ready();
	return select(0, NULL, NULL, NULL, &time);
}

static int call_nanosleep(void)
{
	ready();
	return nanosleep(&long_time, NULL);
}

static int call_clock_nanosleep(void)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 100;
	ready();
	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	return errno ? -1 : 0;
}

static int call_pause(void)
{
	ready();
	return pause();
}

static int call_sigsuspend(void)
{
	sigset_t none;
	(void)sigemptyset(&none);
	ready();
	return sigsuspend(&none);
}

static int call_sigtimedwait(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	ready();
	return sigtimedwait(&set, NULL, &long_time);
}

static int call_futex(void)
{
	int word = 0;
	ready();
	return (int)syscall(SYS_futex, &word, FUTEX_WAIT, 0, &long_time, NULL, 0);
}

static int call_sem_wait(void)
{
	sem_t semaphore;
	(void)sem_init(&semaphore, 0, 0);
	ready();
	return sem_wait(&semaphore);
}

static int call_read_pipe(void)
{
	int pipes[2];
	char byte;
	CHECK(pipe(pipes) == 0);
	ready();
	return (int)read(pipes[0], &byte, 1);
}

static int call_read_eventfd(void)
{
	eventfd_t value;
	int fd = eventfd(0, 0);
	ready();
	return eventfd_read(fd, &value);
}

static int call_read_timerfd(void)
{
	long long value;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	ready();
	return (int)read(fd, &value, sizeof(value));
}

static int call_read_inotify(void)
{
	char events[4096];
	int fd = inotify_init1(0);
	ready();
	return (int)read(fd, events, sizeof(events));
}

static int wait_for_lock(int by_record)
{
	int pipes[2];
	char byte;
	FILE *file = tmpfile();
	CHECK(file && pipe(pipes) == 0);
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(file));
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t holder = fork();
	CHECK(holder >= 0);
	if (holder == 0) {
		int fd = open(path, O_RDWR);
		CHECK(by_record ? fcntl(fd, F_SETLK, &lock) == 0 : flock(fd, LOCK_EX) == 0);
		CHECK(write(pipes[1], "x", 1) == 1);
		for (;;)
			(void)pause();
	}
	CHECK(read(pipes[0], &byte, 1) == 1);
	ready();
	return by_record ? fcntl(fileno(file), F_SETLKW, &lock) : flock(fileno(file), LOCK_EX);
}

static int call_flock(void)
{
	return wait_for_lock(0);
}

static int call_fcntl_setlkw(void)
{
	return wait_for_lock(1);
}

static int call_wait4(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	while (pid == 0)
		(void)pause();
	ready();
	return wait4(pid, NULL, 0, NULL);
}

static int socket_pair_end(int timed)
{
	int sockets[2];
	const struct timeval time = {.tv_sec = 100};
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	if (timed) {
		CHECK(setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
		CHECK(setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) == 0);
	}
	return sockets[0];
}

static int call_recv(void)
{
	char byte;
	int fd = socket_pair_end(0);
	ready();
	return (int)recv(fd, &byte, 1, 0);
}

static int call_recv_timeout(void)
{
	char byte;
	int fd = socket_pair_end(1);
	ready();
	return (int)recv(fd, &byte, 1, 0);
}

static int send_until_full(int fd)
{
	static const char bytes[4096];
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	ready();
	return (int)send(fd, bytes, sizeof(bytes), 0);
}

static int call_send(void)
{
	return send_until_full(socket_pair_end(0));
}

static int call_send_timeout(void)
{
	return send_until_full(socket_pair_end(1));
}

static int accept_on(int timed)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct timeval time = {.tv_sec = 100};
	/* An address of the kernel's choice. */
	const struct sockaddr_un any = {.sun_family = AF_UNIX};
	CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any.sun_family)) == 0 && listen(fd, 1) == 0);
	if (timed)
		CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
	ready();
	return accept(fd, NULL, NULL);
}

static int call_accept(void)
{
	return accept_on(0);
}

static int call_accept_timeout(void)
{
	return accept_on(1);
}

static int operate_semaphore(const struct timespec *timeout)
{
	struct sembuf operation = {.sem_op = -1};
	ready();
	return semtimedop(semaphores, &operation, 1, timeout);
}

static int call_semop(void)
{
	return operate_semaphore(NULL);
}

static int call_semtimedop(void)
{
	return operate_semaphore(&long_time);
}

static int call_msgrcv(void)
{
	struct {
		long type;
		char byte;
	} message;
	ready();
	return (int)msgrcv(messages, &message, 1, 0, 0);
}

static int call_io_getevents(void)
{
	aio_context_t context = 0;
	struct io_event event;
	CHECK(syscall(SYS_io_setup, 1, &context) == 0);
	ready();
	return (int)syscall(SYS_io_getevents, context, 1, 1, &event, &long_time);
}

static const struct {
	const char *name;
	int (*call)(void);
} calls[] = {
	{"accept", call_accept},
	{"accept-timeout", call_accept_timeout},
	{"clock_nanosleep", call_clock_nanosleep},
	{"epoll_wait", call_epoll_wait},
	{"fcntl-setlkw", call_fcntl_setlkw},
	{"flock", call_flock},
	{"futex", call_futex},
	{"io_getevents", call_io_getevents},
	{"msgrcv", call_msgrcv},
	{"nanosleep", call_nanosleep},
	{"pause", call_pause},
	{"poll", call_poll},
	{"ppoll", call_ppoll},
	{"read-eventfd", call_read_eventfd},
	{"read-inotify", call_read_inotify},
	{"read-pipe", call_read_pipe},
	{"read-timerfd", call_read_timerfd},
	{"recv", call_recv},
	{"recv-timeout", call_recv_timeout},
	{"select", call_select},
	{"sem_wait", call_sem_wait},
	{"semop", call_semop},
	{"semtimedop", call_semtimedop},
	{"send", call_send},
	{"send-timeout", call_send_timeout},
	{"sigsuspend", call_sigsuspend},
	{"sigtimedwait", call_sigtimedwait},
	{"wait4", call_wait4},
};

static const struct {
	const char *name;
	int number;
} signals[] = {{"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"URG", SIGURG}, {"WINCH", SIGWINCH}};

enum {
	CALLS = sizeof(calls) / sizeof(*calls),
	SIGNALS = sizeof(signals) / sizeof(*signals),
};

enum state {
	STARTING,
	BLOCKING,
	CAME_BACK, /* with EINTR */
	FAILED,
};

struct victim {
	pid_t pid;
	atomic_int state;
	int result, error;
};

static struct victim *victims; /* shared with them */
static struct victim *own;

static void ready(void)
{
	atomic_store(&own->state, BLOCKING);
}

static void suffer(struct victim *victim, int (*call)(void))
{
	/* A group of its own, with what it starts, to be killed as one. */
	(void)setpgid(0, 0);
	own = victim;
	victim->result = call();
	victim->error = errno;
	atomic_store(&victim->state, victim->result < 0 && victim->error == EINTR ? CAME_BACK : FAILED);
	for (;;)
		(void)pause();
}

/* Does it sleep, and has it dealt with all signals it was sent? */
static int is_quiet(pid_t pid)
{
	char path[64];
	char line[256];
	int sleeps = 0;
	unsigned long long pending = 0;
	unsigned long long n;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "State:\tS", 8) == 0)
			sleeps = 1;
		if (sscanf(line, "SigPnd: %llx", &n) == 1 || sscanf(line, "ShdPnd: %llx", &n) == 1)
			pending |= n;
	}
	(void)fclose(file);
	return sleeps && !pending;
}

static void await_quiet(const struct victim *victim)
{
	while (atomic_load(&victim->state) == STARTING || !is_quiet(victim->pid))
		(void)usleep(1000);
}

int main(void)
{
	victims = mmap(NULL, CALLS * SIGNALS * sizeof(*victims), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	CHECK(victims != MAP_FAILED);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	messages = msgget(IPC_PRIVATE, 0600);
	CHECK(semaphores >= 0 && messages >= 0);
	for (int call = 0; call < CALLS; call++)
		for (int i = 0; i < SIGNALS; i++) {
			struct victim *victim = &victims[call * SIGNALS + i];
			pid_t pid = fork();
			CHECK(pid >= 0);
			if (pid == 0)
				suffer(victim, calls[call].call);
			(void)setpgid(pid, pid);
			victim->pid = pid;
		}
	for (int i = 0; i < CALLS * SIGNALS; i++)
		await_quiet(&victims[i]);
	for (int i = 0; i < CALLS * SIGNALS; i++)
		CHECK(kill(victims[i].pid, signals[i % SIGNALS].number) == 0);
	for (int i = 0; i < CALLS * SIGNALS; i++) {
		struct victim *victim = &victims[i];
		await_quiet(victim);
		int state = atomic_load(&victim->state);
		printf("%s %s ", calls[i / SIGNALS].name, signals[i % SIGNALS].name);
		if (state == FAILED)
			printf("gave %d %s\n", victim->result, strerrorname_np(victim->error));
		else
			printf("%s\n", state == CAME_BACK ? "eintr" : "goes on");
	}
	for (int i = 0; i < CALLS * SIGNALS; i++) {
		(void)killpg(victims[i].pid, SIGKILL);
		(void)waitpid(victims[i].pid, NULL, 0);
	}
	CHECK(semctl(semaphores, 0, IPC_RMID) == 0 && msgctl(messages, IPC_RMID, NULL) == 0);
	return 0;
}
