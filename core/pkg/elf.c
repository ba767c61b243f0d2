#include "pkg/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

enum {
	SECTIONS = 4096,
	SEGMENTS = 512,
	NAME_BYTES = 64, /* no name that is looked for is longer */
};

/* Where a field is in both classes. */
#define FIELD(type, name) \
	{ \
		offsetof(Elf32_##type, name), sizeof(((Elf32_##type *)0)->name), offsetof(Elf64_##type, name), \
			sizeof(((Elf64_##type *)0)->name) \
	}

struct field {
	size_t offset_32, bytes_32, offset_64, bytes_64;
};

uint64_t mw_elf_number(const struct mw_elf *elf, const unsigned char *at, size_t bytes)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | at[elf->is_big ? i : bytes - 1 - i];
	return value;
}

static uint64_t get(const struct mw_elf *elf, const unsigned char *record, const struct field *field)
{
	return elf->is_64 ? mw_elf_number(elf, record + field->offset_64, field->bytes_64)
			  : mw_elf_number(elf, record + field->offset_32, field->bytes_32);
}

/* More sections than fit into the header are counted by the first one, elf(5). */
static void read_counts(struct mw_elf *elf)
{
	static const struct field size = FIELD(Shdr, sh_size);
	static const struct field link = FIELD(Shdr, sh_link);
	unsigned char first[sizeof(Elf64_Shdr)];
	if (!elf->sections || (elf->section_count && elf->names != SHN_XINDEX) ||
	    elf->section_bytes < (elf->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) ||
	    mw_bytes_read(&elf->bytes, elf->sections, first, elf->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) < 0)
		return;
	if (!elf->section_count)
		elf->section_count = (unsigned)(get(elf, first, &size) & UINT32_MAX);
	if (elf->names == SHN_XINDEX)
		elf->names = (unsigned)get(elf, first, &link);
}

int mw_elf_open(const struct mw_bytes *bytes, struct mw_elf *ret_elf)
{
	static const struct field type = FIELD(Ehdr, e_type);
	static const struct field phoff = FIELD(Ehdr, e_phoff);
	static const struct field shoff = FIELD(Ehdr, e_shoff);
	static const struct field phentsize = FIELD(Ehdr, e_phentsize);
	static const struct field phnum = FIELD(Ehdr, e_phnum);
	static const struct field shentsize = FIELD(Ehdr, e_shentsize);
	static const struct field shnum = FIELD(Ehdr, e_shnum);
	static const struct field shstrndx = FIELD(Ehdr, e_shstrndx);
	unsigned char header[sizeof(Elf64_Ehdr)] = {0};
	struct mw_elf elf = {.bytes = *bytes};
	int r = mw_bytes_read(bytes, 0, header, sizeof(Elf32_Ehdr));
	if (r < 0)
		return r == -ENODATA ? -EPROTO : r;
	if (memcmp(header, ELFMAG, SELFMAG) != 0 || header[EI_CLASS] < ELFCLASS32 || header[EI_CLASS] > ELFCLASS64 ||
	    header[EI_DATA] < ELFDATA2LSB || header[EI_DATA] > ELFDATA2MSB)
		return -EPROTO;
	elf.is_64 = header[EI_CLASS] == ELFCLASS64;
	elf.is_big = header[EI_DATA] == ELFDATA2MSB;
	if (elf.is_64 && mw_bytes_read(bytes, 0, header, sizeof(header)) < 0)
		return -EPROTO;
	elf.type = (uint16_t)get(&elf, header, &type);
	elf.segments = get(&elf, header, &phoff);
	elf.segment_bytes = (unsigned)get(&elf, header, &phentsize);
	elf.segment_count = (unsigned)get(&elf, header, &phnum);
	elf.sections = get(&elf, header, &shoff);
	elf.section_bytes = (unsigned)get(&elf, header, &shentsize);
	elf.section_count = (unsigned)get(&elf, header, &shnum);
	elf.names = (unsigned)get(&elf, header, &shstrndx);
	read_counts(&elf);
	if (elf.section_count > SECTIONS)
		elf.section_count = SECTIONS;
	if (elf.segment_count > SEGMENTS)
		elf.segment_count = SEGMENTS;
	*ret_elf = elf;
	return 0;
}

/* The n-th record of a table at `table`. */
static int read_record(const struct mw_elf *elf, uint64_t table, unsigned bytes, unsigned n, unsigned char *ret_record,
		       size_t wanted)
{
	uint64_t at;
	if (bytes < wanted || __builtin_add_overflow(table, (uint64_t)n * bytes, &at))
		return -ENODATA;
	return mw_bytes_read(&elf->bytes, at, ret_record, wanted);
}

static int read_section(const struct mw_elf *elf, unsigned n, unsigned char record[sizeof(Elf64_Shdr)])
{
	return read_record(elf, elf->sections, elf->section_bytes, n, record,
			   elf->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr));
}

int mw_elf_section(const struct mw_elf *elf, const char *name, struct mw_elf_range *ret_range)
{
	static const struct field sh_name = FIELD(Shdr, sh_name);
	static const struct field sh_type = FIELD(Shdr, sh_type);
	static const struct field sh_addr = FIELD(Shdr, sh_addr);
	static const struct field sh_offset = FIELD(Shdr, sh_offset);
	static const struct field sh_size = FIELD(Shdr, sh_size);
	unsigned char record[sizeof(Elf64_Shdr)];
	char found[NAME_BYTES];
	size_t length = strlen(name) + 1;
	if (!elf->section_count || elf->names >= elf->section_count || length > sizeof(found))
		return -ENOENT;
	int r = read_section(elf, elf->names, record);
	if (r < 0)
		return r;
	uint64_t names = get(elf, record, &sh_offset);
	for (unsigned n = 0; n < elf->section_count; n++) {
		uint64_t at;
		r = read_section(elf, n, record);
		if (r < 0)
			return r;
		if (__builtin_add_overflow(names, get(elf, record, &sh_name), &at) ||
		    mw_bytes_read(&elf->bytes, at, found, length) < 0 || memcmp(found, name, length) != 0)
			continue;
		if (get(elf, record, &sh_type) == SHT_NOBITS)
			return -ENOENT;
		*ret_range = (struct mw_elf_range){
			.address = get(elf, record, &sh_addr),
			.offset = get(elf, record, &sh_offset),
			.size = get(elf, record, &sh_size),
		};
		return 0;
	}
	return -ENOENT;
}

/* The n-th segment, when it is one that is loaded. */
static int read_segment(const struct mw_elf *elf, unsigned n, struct mw_elf_range *ret_range, uint64_t *ret_flags)
{
	static const struct field p_type = FIELD(Phdr, p_type);
	static const struct field p_flags = FIELD(Phdr, p_flags);
	static const struct field p_offset = FIELD(Phdr, p_offset);
	static const struct field p_vaddr = FIELD(Phdr, p_vaddr);
	static const struct field p_filesz = FIELD(Phdr, p_filesz);
	unsigned char record[sizeof(Elf64_Phdr)];
	int r = read_record(elf, elf->segments, elf->segment_bytes, n, record,
			    elf->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
	if (r < 0)
		return r;
	if (get(elf, record, &p_type) != PT_LOAD)
		return -ENOENT;
	*ret_flags = get(elf, record, &p_flags);
	*ret_range = (struct mw_elf_range){
		.address = get(elf, record, &p_vaddr),
		.offset = get(elf, record, &p_offset),
		.size = get(elf, record, &p_filesz),
	};
	return 0;
}

int mw_elf_data(const struct mw_elf *elf, struct mw_elf_range *ret_range)
{
	struct mw_elf_range range;
	uint64_t flags;
	for (unsigned n = 0; n < elf->segment_count; n++) {
		if (read_segment(elf, n, &range, &flags) == 0 && (flags & (PF_X | PF_W)) == PF_W) {
			*ret_range = range;
			return 0;
		}
	}
	return -ENOENT;
}

int mw_elf_read(const struct mw_elf *elf, uint64_t address, void *ret_data, size_t n)
{
	struct mw_elf_range range;
	uint64_t flags;
	uint64_t at;
	for (unsigned i = 0; i < elf->segment_count; i++) {
		if (read_segment(elf, i, &range, &flags) < 0 || address < range.address ||
		    address - range.address >= range.size || n > range.size - (address - range.address))
			continue;
		if (__builtin_add_overflow(range.offset, address - range.address, &at))
			return -ENODATA;
		return mw_bytes_read(&elf->bytes, at, ret_data, n);
	}
	return -ENODATA;
}
