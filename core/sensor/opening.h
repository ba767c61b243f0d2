/* What the sensor opens at its start, by the flags; where something cannot be had, what can is taken, and a line says so. */
#pragma once

#include <stdint.h>

#include "base/limits.h"

struct mw_board;
struct mw_err;
struct mw_flags;
struct mw_loop;
struct mw_outputs;
struct mw_rules;
struct mw_sockets;
struct mw_sockets_options;
struct mw_spool;

/* In the folder that was chosen, told in `ret_dir`; "" is memory. */
int mw_open_spool(const struct mw_flags *flags, char ret_dir[MW_PATH_BYTES], struct mw_spool **ret_spool,
		  struct mw_err *err);

/* The default ones where those that are wanted cannot be had. */
int mw_open_outputs(const struct mw_flags *flags, const char *tree, struct mw_outputs **ret_outputs,
		    struct mw_err *err);

enum {
	MW_RULES_DIRS_BYTES = 2 * MW_PATH_BYTES
};
/* The folders of further rules, separated by ':'. */
void mw_rules_dirs(const struct mw_flags *flags, char out[MW_RULES_DIRS_BYTES]);

/* `report` is as in mw_rules_options.  On failure there are no rules: *ret_rules is NULL. */
int mw_open_rules(const struct mw_flags *flags, const char *tree, void (*report)(void *data, const char *line),
		  void *data, struct mw_rules **ret_rules, struct mw_err *err);

/* Standard output and error belong to the application, which has ended: who reads them waits for us to let go, too. */
void mw_let_go_of_stdio(struct mw_outputs *outputs);

/* SIGTERM and SIGHUP, blocked, as a descriptor that is watched.  Negative errno. */
int mw_open_signals(struct mw_loop *loop, void (*ready)(void *data, uint32_t events), void *data, int *ret_fd);

/* As the flags say; *ret_sockets stays NULL when they say no. */
int mw_open_sockets(const struct mw_flags *flags, const struct mw_board *board,
		    const struct mw_sockets_options *options, struct mw_sockets **ret_sockets, struct mw_err *err);
