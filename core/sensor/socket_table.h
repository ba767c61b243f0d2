/* What the sampler remembers of sockets: those of the last snapshot, and keys of sockets that need no telling. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_socket_entry {
	uint64_t key; /* 0: an empty slot */
	uint64_t inode;
	char *name;          /* unix: the path it is bound to, owned; NULL for none */
	uint32_t generation; /* number of the snapshot that had it last; 0: just put in */
	uint16_t local_port;
	uint8_t part;      /* enum mw_sock_part */
	uint8_t seen;      /* snapshots in which it was new, 255 at the most */
	bool is_settled;   /* told, or not to be told */
	bool is_old;       /* was there at the first snapshot */
	bool is_connected; /* had another end */
	bool is_listener;
};

/* Zeroed is empty and valid. */
struct mw_socket_table {
	struct mw_socket_entry *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

void mw_socket_table_release(struct mw_socket_table *table);
/* NULL when it is not there.  Entries move when others are put in or swept. */
struct mw_socket_entry *mw_socket_table_get(const struct mw_socket_table *table, uint64_t key);
/* The entry of that key, made when it is not there; NULL when there are `limit` already, or no memory. */
struct mw_socket_entry *mw_socket_table_put(struct mw_socket_table *table, uint64_t key, size_t limit);
/* Forget entries of other snapshots than `generation`, each after a call of `gone`. */
void mw_socket_table_sweep(struct mw_socket_table *table, uint32_t generation,
			   void (*gone)(void *data, const struct mw_socket_entry *entry), void *data);

enum {
	MW_TOLD_SETS = 1024,
	MW_TOLD_WAYS = 4,
};

/* A set of keys of which the oldest are forgotten. */
struct mw_told {
	struct {
		uint64_t key;
		int64_t until_ns; /* 0: empty */
	} keys[MW_TOLD_SETS][MW_TOLD_WAYS];
};

void mw_told_add(struct mw_told *told, uint64_t key, int64_t until_ns);
bool mw_told_has(const struct mw_told *told, uint64_t key, int64_t now_ns);
/* A key of some bytes, beginning from another one or 0. */
uint64_t mw_told_key(uint64_t key, const void *bytes, size_t n);
