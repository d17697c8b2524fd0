// SPDX-License-Identifier: Apache-2.0
#include "collect/peers.h"

void descriptor_add_peers(struct descriptor *descriptor, pid_t self, dev_t device, ino_t inode,
	enum peer_access access, struct machine *machine, struct arena *arena)
{
	struct open_files files = machine_find(machine, device, inode, access);
	struct peer own = {0};

	descriptor->peers = arena_new(arena, struct peer, files.count);
	for (size_t i = 0; i < files.count; i++) {
		const struct open_file *file = &files.items[i];
		size_t count = descriptor->peer_count;

		if ((file->pid == self && file->fd == descriptor->fd) ||
			(count && descriptor->peers[count - 1].pid == file->pid))
			continue;
		struct peer peer = {.pid = file->pid,
			.comm = machine_command(machine, file->pid),
			.fd = file->fd};
		if (peer.pid != self)
			descriptor->peers[descriptor->peer_count++] = peer;
		else if (!own.pid)
			own = peer;
	}
	if (own.pid)
		descriptor->peers[descriptor->peer_count++] = own;
	descriptor->peers_partial = machine_partial(machine);
	if (!descriptor->peer_count && descriptor->peers_partial && !descriptor->problem)
		descriptor->problem = "who is at the other end could not be found in all "
				      "processes: needs CAP_SYS_PTRACE: run with sudo";
}
