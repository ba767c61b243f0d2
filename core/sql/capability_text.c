#include "sql/capability_text.h"

#include <endian.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* linux/capability.h, in its order. */
static const char *const names[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};

/* "cap_a,cap_b=ep", preceded by a blank when it is not the first; nothing for no capabilities. */
static void add_set(struct mw_buf *text, uint64_t set, const char *flags)
{
	const char *before = text->size ? " " : "";
	for (unsigned i = 0; i < 64; i++) {
		if (!(set >> i & 1))
			continue;
		mw_buf_str(text, before);
		if (i < sizeof(names) / sizeof(*names))
			mw_buf_printf(text, "cap_%s", names[i]);
		else
			mw_buf_printf(text, "%u", i);
		before = ",";
	}
	if (set)
		mw_buf_printf(text, "=%s", flags);
}

bool mw_capability_text(const char *value, size_t bytes, struct mw_buf *text)
{
	uint32_t words[XATTR_CAPS_SZ_3 / sizeof(uint32_t)] = {0};
	if (bytes < XATTR_CAPS_SZ_1 || bytes > sizeof(words))
		return false;
	memcpy(words, value, bytes);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		words[i] = le32toh(words[i]);
	uint32_t revision = words[0] & VFS_CAP_REVISION_MASK;
	bool has_high = revision != VFS_CAP_REVISION_1 && bytes >= XATTR_CAPS_SZ_2;
	uint64_t permitted = words[1] | (has_high ? (uint64_t)words[3] << 32 : 0);
	uint64_t inheritable = words[2] | (has_high ? (uint64_t)words[4] << 32 : 0);
	bool is_effective = words[0] & VFS_CAP_FLAGS_EFFECTIVE;
	add_set(text, permitted & inheritable, is_effective ? "eip" : "ip");
	add_set(text, permitted & ~inheritable, is_effective ? "ep" : "p");
	add_set(text, inheritable & ~permitted, is_effective ? "ei" : "i");
	return true;
}
