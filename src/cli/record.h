// SPDX-License-Identifier: Apache-2.0
/* record: looks again and again, and writes how often each place was met. */
#pragma once

/*
 * Runs the command with the words behind argv[0]. Exit status: 0 all was recorded, 1 something
 * could not be, 2 nothing was.
 */
int record_command(int argc, char **argv);
