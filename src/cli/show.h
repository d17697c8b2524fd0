// SPDX-License-Identifier: Apache-2.0
/* show: one look at the targets, rendered on standard output. */
#pragma once

/*
 * Runs the command with the words behind argv[0]. Exit status as the contract has it: 0 all was
 * shown, 1 something was not, 2 nothing was.
 */
int show_command(int argc, char **argv);
