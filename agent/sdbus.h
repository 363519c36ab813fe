/*
 * libsystemd's sd-bus, loaded when it is wanted.
 *
 * Linked in, libsystemd and the seven libraries that it brings along cost
 * every run of the agent 1 ms of CPU and 0.8 MiB, and nearly all runs ask
 * nobody over a bus. Types come from systemd/sd-bus.h at compile time, so a
 * wrong call is still an error of the compiler's; a package that holds the
 * agent depends on libsystemd0 by name, since no linker says so.
 */
#ifndef MM_AGENT_SDBUS_H
#define MM_AGENT_SDBUS_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#define MM_SDBUS_LIBRARY "libsystemd.so.0"

/* clang-format off */
/* The functions in use, without sd_bus_. */
#define MM_SDBUS_FUNCTIONS(F) \
	F(call) F(close_unref) F(error_free) F(error_has_name) F(error_is_set) F(is_ready) \
	F(message_append) F(message_close_container) F(message_enter_container) \
	F(message_exit_container) F(message_new_method_call) F(message_open_container) \
	F(message_read) F(message_read_array) F(message_sensitive) F(message_set_auto_start) \
	F(message_skip) F(message_unref) F(new) F(process) F(set_address) F(set_bus_client) \
	F(start) F(wait)
/* clang-format on */

struct mm_sdbus {
#define MM_SDBUS_MEMBER(name) __typeof__(sd_bus_##name) *(name);
	MM_SDBUS_FUNCTIONS(MM_SDBUS_MEMBER)
#undef MM_SDBUS_MEMBER
};

/* False: the library is not there, or lacks one of them; then nothing in
 * *out may be called. Never unloaded: what it brings keeps state of its own. */
bool mm_sdbus_load(struct mm_sdbus *out);

#endif
