/* The sensor process: takes the tracer's records off the ring, makes events of them, asks the rules, and hands events and
 * alerts to the spool and the outputs.  All in one thread around one event loop. */
#pragma once

struct mw_board;
struct mw_enroll;
struct mw_file_paths;
struct mw_flags;

struct mw_sensor_options {
	struct mw_flags *flags;            /* some may change while it runs */
	const struct mw_file_paths *files; /* of the profile */
	const char *tree;                  /* folder that holds lua/ and rules/ */
	const struct mw_enroll *enroll;
};

/* Run until the guard says that no more will come, or SIGTERM.  `data` is a const struct mw_sensor_options.
 * Returns the exit status of the process: 0, or 1 when it could not begin (and has said why on standard error). */
int mw_sensor_run(struct mw_board *board, void *data);
