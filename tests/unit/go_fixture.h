// SPDX-License-Identifier: Apache-2.0
/*
 * The memory of a made-up Go process: tables of three functions, two goroutines and a thread, as
 * Go 1.22 lays them out. main.worker, into which main.receive is inlined, waits in runtime.gopark.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "model/process.h"
#include "runtimes/go/globals.h"
#include "runtimes/go/go.h"
#include "runtimes/go/goroutines.h"
#include "runtimes/go/places.h"
#include "runtimes/go/step.h"

#define FIXTURE_SIZE 0x8000
#define FIXTURE_BASE UINT64_C(0x100000)
#define FIXTURE_TEXT UINT64_C(0x400000)

#define GOEXIT_ENTRY (FIXTURE_TEXT)
#define WORKER_ENTRY (FIXTURE_TEXT + 0x100)
#define GOPARK_ENTRY (FIXTURE_TEXT + 0x200)
#define TEXT_END (FIXTURE_TEXT + 0x300)

#define WORKER_FRAME 24
#define GOPARK_FRAME 16

enum fixture_offset {
	AT_MODULE = 0x0000,
	AT_HEADER = 0x0400,
	AT_NAMES = 0x0500,
	AT_UNITS = 0x0800,
	AT_FILES = 0x0900,
	AT_VALUES = 0x0a00,
	AT_FUNCTIONS = 0x0c00,
	AT_INDEX = 0x1000,
	AT_TREE = 0x1200,
	AT_TYPES = 0x1400, /* [AT_TYPES, AT_TYPES_END) */
	AT_TYPES_END = 0x1800,
	AT_BSS = 0x2000,
	AT_ALLGS = 0x2800,
	AT_G = 0x3000, /* 0x400 each */
	AT_G0 = 0x4000,
	AT_M = 0x4400,
	AT_STACK = 0x6000, /* 0x400 each */
};

struct fixture {
	struct memory memory;
	uint8_t bytes[FIXTURE_SIZE];
	const struct go_layout *layout;
	struct arena *arena;
	struct descriptors descriptors; /* none is open */
	struct mapping mappings[2];
	struct thread thread;
	struct process process;
	struct go_process go;
};

static inline uint64_t at(uint64_t offset)
{
	return FIXTURE_BASE + offset;
}

static inline void put64(struct fixture *fixture, uint64_t offset, uint64_t value)
{
	memcpy(fixture->bytes + offset, &value, sizeof(value));
}

static inline void put32(struct fixture *fixture, uint64_t offset, uint32_t value)
{
	memcpy(fixture->bytes + offset, &value, sizeof(value));
}

static inline size_t fixture_read(
	const struct memory *memory, uint64_t address, void *to, size_t length)
{
	const struct fixture *fixture = (const struct fixture *)memory;
	uint64_t offset = address - FIXTURE_BASE;

	if (offset >= FIXTURE_SIZE)
		return 0;
	if (length > FIXTURE_SIZE - offset)
		length = FIXTURE_SIZE - offset;
	memcpy(to, fixture->bytes + offset, length);
	return length;
}

static inline const struct descriptor *fixture_descriptor(struct descriptors *descriptors, int fd)
{
	(void)descriptors;
	(void)fd;
	return NULL;
}

static inline void put_slice(
	struct fixture *fixture, unsigned field, uint64_t offset, uint64_t count)
{
	put64(fixture, AT_MODULE + field, at(offset));
	put64(fixture, AT_MODULE + field + 8u, count);
	put64(fixture, AT_MODULE + field + 16u, count);
}

/* Function @number of the index, with its _func; its tables of values by their offsets. */
static inline void put_function(struct fixture *fixture, unsigned number, uint64_t entry,
	uint32_t name, uint32_t pcsp, uint8_t flag)
{
	const struct go_layout *layout = fixture->layout;
	uint32_t offset = 0x100 * number;

	put32(fixture, AT_INDEX + 8 * number, (uint32_t)(entry - FIXTURE_TEXT));
	put32(fixture, AT_INDEX + 8 * number + 4, offset);
	offset += AT_FUNCTIONS;
	put32(fixture, offset + layout->func.name, name);
	put32(fixture, offset + layout->func.pcsp, pcsp);
	put32(fixture, offset + layout->func.pcfile, 0x80);
	put32(fixture, offset + layout->func.pcln, 0x90);
	put32(fixture, offset + layout->func.npcdata, 3);
	fixture->bytes[offset + layout->func.flag] = flag;
	fixture->bytes[offset + layout->func.nfuncdata] = 4;
	/* pcdata, then funcdata: none has an inline tree but worker. */
	uint32_t data = offset + layout->func.nfuncdata + 1u;
	put32(fixture, data + 8, number == 1 ? 0xa0 : 0);
	put32(fixture, data + 24, number == 1 ? 0 : UINT32_MAX);
}

/* A table that has one value for all of a function's 0x100 bytes; @value < 63. */
static inline void put_value(struct fixture *fixture, uint64_t offset, int value)
{
	uint8_t bytes[] = {(uint8_t)(2 * (value + 1)), 0x80, 0x02, 0};

	memcpy(fixture->bytes + AT_VALUES + offset, bytes, sizeof(bytes));
}

static inline void put_tables(struct fixture *fixture)
{
	static const char names[] = "\0runtime.goexit\0main.worker\0runtime.gopark\0main.receive";
	static const char files[] = "\0/src/main.go";
	const struct go_layout *layout = fixture->layout;
	struct go_pclntab_header header = {
		.magic = 0xfffffff1, .quantum = 1, .pointer_size = 8, .function_count = 3};

	memcpy(fixture->bytes + AT_HEADER, &header, sizeof(header));
	memcpy(fixture->bytes + AT_NAMES, names, sizeof(names));
	memcpy(fixture->bytes + AT_FILES, files, sizeof(files));
	put32(fixture, AT_UNITS, 1);
	put_value(fixture, 0x10, 0);
	put_value(fixture, 0x20, WORKER_FRAME);
	put_value(fixture, 0x30, GOPARK_FRAME);
	put_value(fixture, 0x80, 0);
	put_value(fixture, 0x90, 42);
	put_value(fixture, 0xa0, -1);
	/* From 0x40 on to 0x80 the code is main.receive's, inlined: -1, 0, -1. */
	static const uint8_t inlined[] = {0, 0x40, 2, 0x40, 1, 0x80, 0x01, 0};
	memcpy(fixture->bytes + AT_VALUES + 0xa0, inlined, sizeof(inlined));
	put32(fixture, AT_TREE + layout->inlined.name, 43);
	put32(fixture, AT_TREE + layout->inlined.parent_pc, 0x20);
	put_function(fixture, 0, GOEXIT_ENTRY, 1, 0x10, 1);
	put_function(fixture, 1, WORKER_ENTRY, 16, 0x20, 0);
	put_function(fixture, 2, GOPARK_ENTRY, 28, 0x30, 0);
	put32(fixture, AT_INDEX + 24, TEXT_END - FIXTURE_TEXT);

	put64(fixture, AT_MODULE + layout->moduledata.pc_header, at(AT_HEADER));
	put_slice(fixture, layout->moduledata.funcnametab, AT_NAMES, sizeof(names));
	put_slice(fixture, layout->moduledata.cutab, AT_UNITS, 1);
	put_slice(fixture, layout->moduledata.filetab, AT_FILES, sizeof(files));
	put_slice(fixture, layout->moduledata.pctab, AT_VALUES, 0x100);
	put_slice(fixture, layout->moduledata.pclntable, AT_FUNCTIONS, 0x400);
	put_slice(fixture, layout->moduledata.ftab, AT_INDEX, 4);
	put64(fixture, AT_MODULE + layout->moduledata.text, FIXTURE_TEXT);
	put64(fixture, AT_MODULE + layout->moduledata.etext, TEXT_END);
	put64(fixture, AT_MODULE + layout->moduledata.minpc, FIXTURE_TEXT);
	put64(fixture, AT_MODULE + layout->moduledata.maxpc, TEXT_END);
	put64(fixture, AT_MODULE + layout->moduledata.gofunc, at(AT_TREE));
	put64(fixture, AT_MODULE + layout->moduledata.types, at(AT_TYPES));
	put64(fixture, AT_MODULE + layout->moduledata.etypes, at(AT_TYPES_END));
	put64(fixture, AT_MODULE + layout->moduledata.bss, at(AT_BSS));
	put64(fixture, AT_MODULE + layout->moduledata.ebss, at(AT_BSS + 0x100));
}

/* Goroutine @number, parked in gopark, called where main.receive is inlined into main.worker. */
static inline void put_goroutine(struct fixture *fixture, unsigned number)
{
	const struct go_layout *layout = fixture->layout;
	uint64_t g = AT_G + 0x400 * number, stack = AT_STACK + 0x400 * number, sp = stack + 0x100;

	put64(fixture, AT_ALLGS + 8 * number, at(g));
	put64(fixture, g + layout->g.stack_lo, at(stack));
	put64(fixture, g + layout->g.stack_hi, at(stack + 0x400));
	put64(fixture, g + layout->g.sched_g, at(g));
	put64(fixture, g + layout->g.sched_sp, at(sp));
	put64(fixture, g + layout->g.sched_pc, GOPARK_ENTRY + 0x10);
	put32(fixture, g + layout->g.atomicstatus, GO_WAITING);
	put64(fixture, g + layout->g.goid, 7 - number);
	fixture->bytes[g + layout->g.waitreason] = 14;
	put64(fixture, g + layout->g.startpc, WORKER_ENTRY);
	put64(fixture, g + layout->g.gopc, WORKER_ENTRY + 0x90);
	put64(fixture, g + layout->g.parent_goid, 1);
	put64(fixture, sp + GOPARK_FRAME, WORKER_ENTRY + 0x50);
	put64(fixture, sp + GOPARK_FRAME + 8 + WORKER_FRAME, GOEXIT_ENTRY + 1);
}

static inline void put_machine(struct fixture *fixture)
{
	const struct go_layout *layout = fixture->layout;

	put64(fixture, AT_BSS + 0x20, at(AT_M));
	put64(fixture, AT_M + layout->m.g0, at(AT_G0));
	put64(fixture, AT_M + layout->m.procid, 77);
	put64(fixture, AT_G0 + layout->g.m, at(AT_M));
	put64(fixture, AT_G0 + layout->g.stack_lo, at(0x7000));
	put64(fixture, AT_G0 + layout->g.stack_hi, at(0x7400));
}

/* Reads the module's data and finds the runtime's variables; false: it is none. */
static inline bool fixture_open(struct fixture *fixture)
{
	struct go_process *go = &fixture->go;
	uint64_t next;

	fixture->process.threads = &fixture->thread;
	fixture->process.thread_count = 1;
	fixture->process.mappings = (struct mappings){fixture->mappings, 2};
	fixture->process.memory = &fixture->memory;
	fixture->descriptors.find = fixture_descriptor;
	fixture->process.descriptors = &fixture->descriptors;
	go->code = (struct code){.step = go_code_step, .name = go_code_name};
	go->process = &fixture->process;
	go->memory = &fixture->memory;
	go->arena = fixture->arena;
	go->version = "go1.22.1";
	go->layout = fixture->layout;
	cached_memory_init(&go->tables, &fixture->memory);
	if (!go_module_read(&go->tables.memory, go->layout, at(AT_MODULE), &go->modules[0], &next))
		return false;
	go->module_count = 1;
	go_globals_find(go);
	return true;
}

static inline struct fixture *fixture_create(void)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	bool uncertain;

	fixture->memory.read = fixture_read;
	fixture->layout = go_layout_find(22, &uncertain);
	fixture->arena = arena_create();
	fixture->thread.tid = 77;
	fixture->mappings[0] = (struct mapping){.start = FIXTURE_BASE,
		.end = FIXTURE_BASE + FIXTURE_SIZE,
		.readable = true,
		.writable = true,
		.path = ""};
	fixture->mappings[1] = (struct mapping){.start = FIXTURE_TEXT,
		.end = TEXT_END,
		.readable = true,
		.executable = true,
		.path = ""};
	put_tables(fixture);
	put_slice(fixture, AT_BSS, AT_ALLGS, 2);
	put64(fixture, AT_BSS + 0x30, at(AT_ALLGS)); /* allgptr */
	put_goroutine(fixture, 0);
	put_goroutine(fixture, 1);
	put_machine(fixture);
	return fixture;
}

static inline void fixture_destroy(struct fixture *fixture)
{
	go_places_deinit(&fixture->go);
	cached_memory_deinit(&fixture->go.tables);
	arena_destroy(fixture->arena);
	free(fixture);
}
