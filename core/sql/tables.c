/* All tables.  A new one is a file in tables/ and two lines here. */

#include "sql/table.h"

extern const struct mw_sql_table mw_table_apk_packages;
extern const struct mw_sql_table mw_table_apt_sources;
extern const struct mw_sql_table mw_table_arp_cache;
extern const struct mw_sql_table mw_table_authorized_keys;
extern const struct mw_sql_table mw_table_carves;
extern const struct mw_sql_table mw_table_certificates;
extern const struct mw_sql_table mw_table_cgroup_limits;
extern const struct mw_sql_table mw_table_cpu_info;
extern const struct mw_sql_table mw_table_cpu_time;
extern const struct mw_sql_table mw_table_crontab;
extern const struct mw_sql_table mw_table_curl;
extern const struct mw_sql_table mw_table_curl_certificate;
extern const struct mw_sql_table mw_table_deb_packages;
extern const struct mw_sql_table mw_table_dns_resolvers;
extern const struct mw_sql_table mw_table_ecs_container;
extern const struct mw_sql_table mw_table_ecs_metadata;
extern const struct mw_sql_table mw_table_ecs_task;
extern const struct mw_sql_table mw_table_etc_hosts;
extern const struct mw_sql_table mw_table_etc_protocols;
extern const struct mw_sql_table mw_table_etc_services;
extern const struct mw_sql_table mw_table_extended_attributes;
extern const struct mw_sql_table mw_table_file;
extern const struct mw_sql_table mw_table_file_baseline;
extern const struct mw_sql_table mw_table_file_events;
extern const struct mw_sql_table mw_table_go_packages;
extern const struct mw_sql_table mw_table_groups;
extern const struct mw_sql_table mw_table_hash;
extern const struct mw_sql_table mw_table_interface_addresses;
extern const struct mw_sql_table mw_table_interface_details;
extern const struct mw_sql_table mw_table_interface_ipv6;
extern const struct mw_sql_table mw_table_java_packages;
extern const struct mw_sql_table mw_table_kernel_info;
extern const struct mw_sql_table mw_table_kernel_modules;
extern const struct mw_sql_table mw_table_known_hosts;
extern const struct mw_sql_table mw_table_last;
extern const struct mw_sql_table mw_table_listening_ports;
extern const struct mw_sql_table mw_table_load_average;
extern const struct mw_sql_table mw_table_logged_in_users;
extern const struct mw_sql_table mw_table_memory_info;
extern const struct mw_sql_table mw_table_moonwatch_alerts;
extern const struct mw_sql_table mw_table_moonwatch_health;
extern const struct mw_sql_table mw_table_moonwatch_rules;
extern const struct mw_sql_table mw_table_mounts;
extern const struct mw_sql_table mw_table_npm_packages;
extern const struct mw_sql_table mw_table_os_version;
extern const struct mw_sql_table mw_table_osquery_events;
extern const struct mw_sql_table mw_table_osquery_flags;
extern const struct mw_sql_table mw_table_osquery_info;
extern const struct mw_sql_table mw_table_osquery_packs;
extern const struct mw_sql_table mw_table_osquery_registry;
extern const struct mw_sql_table mw_table_osquery_schedule;
extern const struct mw_sql_table mw_table_php_packages;
extern const struct mw_sql_table mw_table_process_envs;
extern const struct mw_sql_table mw_table_process_events;
extern const struct mw_sql_table mw_table_process_file_events;
extern const struct mw_sql_table mw_table_process_memory_map;
extern const struct mw_sql_table mw_table_process_namespaces;
extern const struct mw_sql_table mw_table_process_open_files;
extern const struct mw_sql_table mw_table_process_open_pipes;
extern const struct mw_sql_table mw_table_process_open_sockets;
extern const struct mw_sql_table mw_table_processes;
extern const struct mw_sql_table mw_table_python_packages;
extern const struct mw_sql_table mw_table_routes;
extern const struct mw_sql_table mw_table_rpm_packages;
extern const struct mw_sql_table mw_table_ruby_gems;
extern const struct mw_sql_table mw_table_rust_packages;
extern const struct mw_sql_table mw_table_selinux_settings;
extern const struct mw_sql_table mw_table_shadow;
extern const struct mw_sql_table mw_table_shell_history;
extern const struct mw_sql_table mw_table_socket_events;
extern const struct mw_sql_table mw_table_ssh_configs;
extern const struct mw_sql_table mw_table_startup_items;
extern const struct mw_sql_table mw_table_sudoers;
extern const struct mw_sql_table mw_table_suid_bin;
extern const struct mw_sql_table mw_table_system_controls;
extern const struct mw_sql_table mw_table_system_info;
extern const struct mw_sql_table mw_table_time;
extern const struct mw_sql_table mw_table_ulimit_info;
extern const struct mw_sql_table mw_table_uptime;
extern const struct mw_sql_table mw_table_user_groups;
extern const struct mw_sql_table mw_table_user_ssh_keys;
extern const struct mw_sql_table mw_table_users;
extern const struct mw_sql_table mw_table_yara_file;
extern const struct mw_sql_table mw_table_yara_process;
extern const struct mw_sql_table mw_table_yum_sources;

/* clang-format off: a line each */
const struct mw_sql_table *const mw_sql_tables[] = {
	&mw_table_apk_packages,
	&mw_table_apt_sources,
	&mw_table_arp_cache,
	&mw_table_authorized_keys,
	&mw_table_carves,
	&mw_table_certificates,
	&mw_table_cgroup_limits,
	&mw_table_cpu_info,
	&mw_table_cpu_time,
	&mw_table_crontab,
	&mw_table_curl,
	&mw_table_curl_certificate,
	&mw_table_deb_packages,
	&mw_table_dns_resolvers,
	&mw_table_ecs_container,
	&mw_table_ecs_metadata,
	&mw_table_ecs_task,
	&mw_table_etc_hosts,
	&mw_table_etc_protocols,
	&mw_table_etc_services,
	&mw_table_extended_attributes,
	&mw_table_file,
	&mw_table_file_baseline,
	&mw_table_file_events,
	&mw_table_go_packages,
	&mw_table_groups,
	&mw_table_hash,
	&mw_table_interface_addresses,
	&mw_table_interface_details,
	&mw_table_interface_ipv6,
	&mw_table_java_packages,
	&mw_table_kernel_info,
	&mw_table_kernel_modules,
	&mw_table_known_hosts,
	&mw_table_last,
	&mw_table_listening_ports,
	&mw_table_load_average,
	&mw_table_logged_in_users,
	&mw_table_memory_info,
	&mw_table_moonwatch_alerts,
	&mw_table_moonwatch_health,
	&mw_table_moonwatch_rules,
	&mw_table_mounts,
	&mw_table_npm_packages,
	&mw_table_os_version,
	&mw_table_osquery_events,
	&mw_table_osquery_flags,
	&mw_table_osquery_info,
	&mw_table_osquery_packs,
	&mw_table_osquery_registry,
	&mw_table_osquery_schedule,
	&mw_table_php_packages,
	&mw_table_process_envs,
	&mw_table_process_events,
	&mw_table_process_file_events,
	&mw_table_process_memory_map,
	&mw_table_process_namespaces,
	&mw_table_process_open_files,
	&mw_table_process_open_pipes,
	&mw_table_process_open_sockets,
	&mw_table_processes,
	&mw_table_python_packages,
	&mw_table_routes,
	&mw_table_rpm_packages,
	&mw_table_ruby_gems,
	&mw_table_rust_packages,
	&mw_table_selinux_settings,
	&mw_table_shadow,
	&mw_table_shell_history,
	&mw_table_socket_events,
	&mw_table_ssh_configs,
	&mw_table_startup_items,
	&mw_table_sudoers,
	&mw_table_suid_bin,
	&mw_table_system_controls,
	&mw_table_system_info,
	&mw_table_time,
	&mw_table_ulimit_info,
	&mw_table_uptime,
	&mw_table_user_groups,
	&mw_table_user_ssh_keys,
	&mw_table_users,
	&mw_table_yara_file,
	&mw_table_yara_process,
	&mw_table_yum_sources,
	NULL,
};
/* clang-format on */
