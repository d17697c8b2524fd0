// SPDX-License-Identifier: Apache-2.0
#include "collect/bpf_walk.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

bool bpf_walk_has_our_ids(void)
{
	struct stat status;

	/* PROC_PID_INIT_INO, include/linux/proc_ns.h */
	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == 0xeffffffc;
}

int bpf_walk_link(int program, const union bpf_iter_link_info *filter)
{
	union bpf_attr attributes = {0};

	attributes.link_create.prog_fd = (unsigned)program;
	attributes.link_create.attach_type = BPF_TRACE_ITER;
	if (filter) {
		attributes.link_create.iter_info = (uintptr_t)filter;
		attributes.link_create.iter_info_len = sizeof(*filter);
	}
	return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes));
}

int bpf_walk_open(int link)
{
	union bpf_attr attributes = {0};

	attributes.iter_create.link_fd = (unsigned)link;
	return (int)syscall(SYS_bpf, BPF_ITER_CREATE, &attributes, sizeof(attributes));
}
