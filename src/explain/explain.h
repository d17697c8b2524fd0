// SPDX-License-Identifier: Apache-2.0
/*
 * Explain: from facts to sentences. Decodes the syscall in flight (syscalls/) and says what each
 * thread waits for (waits/). Prints nothing.
 */
#pragma once

#include "arch/arch.h"
#include "model/process.h"

/* Fills thread->syscall and thread->wait of every thread of @process. */
void explain_process(const struct arch *arch, struct process *process, struct arena *arena);
