/* rpm's database in Berkeley DB. */
#include <sys/mman.h>
#include <unistd.h>

#include "pkg/rpm_formats.h"
#include "sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_rpm_database database = {.path = "/x", .size = size, .sink = &fuzz_sink};
	database.fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (database.fd < 0)
		return 0;
	if (write(database.fd, data, size) == (ssize_t)size)
		(void)mw_rpm_bdb_read(&database);
	(void)close(database.fd);
	return 0;
}
