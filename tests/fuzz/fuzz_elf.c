/* ELF files: sections, segments, addresses. */
#include "pkg/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mw_bytes bytes = mw_bytes_of_memory(data, size);
	struct mw_elf elf;
	struct mw_elf_range range;
	char room[64];
	if (mw_elf_open(&bytes, &elf) < 0)
		return 0;
	(void)mw_elf_section(&elf, ".go.buildinfo", &range);
	if (mw_elf_data(&elf, &range) == 0)
		(void)mw_elf_read(&elf, range.address, room, sizeof(room));
	if (mw_elf_section(&elf, ".text", &range) == 0)
		(void)mw_elf_read(&elf, range.address, room, sizeof(room));
	return 0;
}
