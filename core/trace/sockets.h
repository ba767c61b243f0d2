/* A socket of a stopped thread, as the kernel has it. */
#pragma once

struct mw_record_call;
struct mw_tracee;

/* Fill in type, protocol, inode and both ends (those that it has) of the socket that is descriptor `fd`.
 * -ENOTSOCK when it is something else; -ENOSYS before Linux 5.6; or another negative errno. */
int mw_sockets_describe(const struct mw_tracee *tracee, int fd, struct mw_record_call *record);
