#include "event/board.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "event/record.h"

const char *const mw_verdict_names[MW_VERDICTS] = {"alert", "kill", "deny"};
const char *const mw_engine_names[MW_ENGINES] = {"none", "ptrace", "notify", "poll"};

int mw_board_new(size_t ring_bytes, struct mw_board **ret_board, struct mw_err *err)
{
	uint64_t capacity = 4096;
	/* A record that must skip the end of the buffer needs its own size twice. */
	while (capacity < ring_bytes || capacity < 4 * (uint64_t)MW_RECORD_BYTES)
		capacity *= 2;
	size_t front = (sizeof(struct mw_board) + 63) & ~(size_t)63;
	size_t bytes = front + mw_ring_bytes(capacity);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return mw_err_set(err, -errno, "cannot map %zu bytes of shared memory: %s", bytes, strerror(errno));
	struct mw_board *board = memory;
	board->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (board->wake_fd < 0) {
		int r = mw_err_set(err, -errno, "eventfd: %s", strerror(errno));
		(void)munmap(memory, bytes);
		return r;
	}
	board->ring = (struct mw_ring *)((char *)memory + front);
	board->ring->capacity = capacity;
	board->start_ns = mw_clock_real_ns();
	mw_attention_init(&board->attention[0]);
	*ret_board = board;
	return 0;
}

void mw_board_own(struct mw_board *board, int32_t pid)
{
	if (pid <= 0 || pid >= MW_BOARD_PIDS)
		return;
	(void)atomic_fetch_or_explicit(&board->owned[pid / 64], 1ULL << (pid % 64), memory_order_relaxed);
	if (pid > atomic_load_explicit(&board->owned_max, memory_order_relaxed))
		atomic_store_explicit(&board->owned_max, pid, memory_order_relaxed);
}

void mw_board_disown(struct mw_board *board, int32_t pid)
{
	if (mw_board_owns(board, pid))
		(void)atomic_fetch_and_explicit(&board->owned[pid / 64], ~(1ULL << (pid % 64)), memory_order_relaxed);
}

bool mw_board_owns(const struct mw_board *board, int32_t pid)
{
	/* Beyond the highest the memory has not been touched, and need not be. */
	return pid > 0 && pid <= atomic_load_explicit(&board->owned_max, memory_order_relaxed) &&
	       atomic_load_explicit(&board->owned[pid / 64], memory_order_relaxed) >> (pid % 64) & 1;
}

void mw_board_set_level(struct mw_board *board, int32_t pid, enum mw_level level)
{
	if (!mw_board_owns(board, pid) || mw_board_level(board, pid) == level)
		return;
	uint64_t bit = 1ULL << (pid % 64);
	if (level == MW_LEVEL_CALLS)
		(void)atomic_fetch_or_explicit(&board->under_calls[pid / 64], bit, memory_order_relaxed);
	else
		(void)atomic_fetch_and_explicit(&board->under_calls[pid / 64], ~bit, memory_order_relaxed);
}

enum mw_level mw_board_level(const struct mw_board *board, int32_t pid)
{
	bool is_under_calls =
		mw_board_owns(board, pid) &&
		atomic_load_explicit(&board->under_calls[pid / 64], memory_order_relaxed) >> (pid % 64) & 1;
	return is_under_calls ? MW_LEVEL_CALLS : MW_LEVEL_EVENTS;
}

void mw_board_answer(struct mw_board *board, uint32_t ticket, enum mw_verdict verdict)
{
	atomic_store(&board->verdicts[ticket % MW_BOARD_VERDICTS], (uint64_t)ticket << 8 | verdict);
	(void)atomic_fetch_add(&board->answers, 1);
	mw_futex_wake(&board->answers);
}

void mw_board_wake_sensor(struct mw_board *board)
{
	/* Fails only when the counter is full, and then the sensor is being woken anyway. */
	ssize_t n = write(board->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
	(void)n;
}

int mw_board_request(struct mw_board *board, int32_t pid, unsigned level)
{
	unsigned head = atomic_load_explicit(&board->requests_head, memory_order_relaxed);
	if (head - atomic_load_explicit(&board->requests_tail, memory_order_acquire) == MW_BOARD_REQUESTS)
		return -ENOSPC;
	board->requests[head % MW_BOARD_REQUESTS] = (struct mw_request){.pid = pid, .level = level};
	atomic_store_explicit(&board->requests_head, head + 1, memory_order_release);
	return 0;
}

void mw_board_set_attention(struct mw_board *board, const struct mw_attention *attention)
{
	unsigned now = atomic_load(&board->attention_now) & 1;
	uint64_t kinds = board->attention[now].kinds;
	board->attention[!now] = *attention;
	board->attention[!now].kinds = kinds;
	atomic_store(&board->attention_now, !now);
}

void mw_board_set_kinds(struct mw_board *board, uint64_t kinds)
{
	unsigned now = atomic_load(&board->attention_now) & 1;
	board->attention[!now] = board->attention[now];
	board->attention[!now].kinds = kinds;
	atomic_store(&board->attention_now, !now);
}

int mw_futex_wait(atomic_uint *futex, unsigned value, int64_t timeout_ms)
{
	int64_t deadline = mw_clock_mono_ns() + timeout_ms * MW_NS_PER_MS;
	while (atomic_load(futex) == value) {
		int64_t left = deadline - mw_clock_mono_ns();
		if (left <= 0)
			return -ETIMEDOUT;
		struct timespec timeout = {.tv_sec = left / MW_NS_PER_S, .tv_nsec = left % MW_NS_PER_S};
		/* Not FUTEX_PRIVATE: the word is shared between processes. */
		if (syscall(SYS_futex, futex, FUTEX_WAIT, value, &timeout, NULL, 0) < 0 && errno == EINTR)
			return -EINTR;
	}
	return 0;
}

void mw_futex_wake(atomic_uint *futex)
{
	(void)syscall(SYS_futex, futex, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}
