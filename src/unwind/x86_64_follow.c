// SPDX-License-Identifier: Apache-2.0
#include "unwind/x86_64_follow.h"

#include "arch/arch.h"
#include "unwind/x86_64_decode.h"
#include "util/memory.h"

#define STEPS_MAX 4096
#define PATHS_MAX 32
#define VISITED_MAX 256
#define SAVED_MAX 24
#define RETURNS_ENOUGH 4

enum { RBX = 3, RBP = 5, RSP = 4 }; /* the processor's numbers */

/* What a path stored on the stack below where sp was at first, or above it. */
struct saved {
	uint64_t address, value;
	bool known;
};

struct path {
	uint64_t pc;
	struct registers registers; /* rsp and those that must be preserved, by DWARF numbers */
	struct saved saved[SAVED_MAX];
	size_t saved_count;
	bool is_leaving; /* sp went up, and nothing was called or pushed since */
	bool after_call; /* nothing but padding since a call */
};

struct follower {
	const struct memory *memory;
	struct modules *modules;
	uint64_t first_sp;
	size_t steps; /* that may still be made */

	uint64_t window_start; /* code that was read */
	size_t window_length;
	uint8_t window[256];

	struct path paths[PATHS_MAX]; /* still to be followed */
	size_t path_count;
	uint64_t visited[VISITED_MAX]; /* where branches led to */
	size_t visited_count;

	struct registers result;
	uint64_t slot; /* of the return address */
	size_t return_count;
	bool contradiction;
};

/* DWARF numbers the first eight otherwise than the processor does: psABI, figure 3.36. */
static unsigned dwarf_number(unsigned number)
{
	static const uint8_t first[] = {0, 2, 1, 3, 7, 6, 4, 5};

	return number < array_length(first) ? first[number] : number;
}

static bool is_tracked(unsigned number)
{
	unsigned dwarf = dwarf_number(number);

	return dwarf == arch_x86_64.sp || arch_x86_64.preserved >> dwarf & 1;
}

static uint64_t sp_of(const struct path *path)
{
	return path->registers.value[arch_x86_64.sp];
}

static void set_sp(struct path *path, uint64_t value)
{
	path->is_leaving = value > sp_of(path);
	path->registers.value[arch_x86_64.sp] = value;
}

static bool is_executable(const struct follower *follower, uint64_t address)
{
	const struct mapping *mapping = modules_mapping(follower->modules, address);

	return mapping && mapping->executable;
}

/* Stores into a tracked place; false: too many. */
static bool save(struct path *path, uint64_t address, uint64_t value, bool known)
{
	size_t i = 0;

	while (i < path->saved_count && path->saved[i].address != address)
		i++;
	if (i == SAVED_MAX)
		return false;
	if (i == path->saved_count)
		path->saved_count++;
	path->saved[i] = (struct saved){.address = address, .value = value, .known = known};
	return true;
}

static bool load(
	const struct follower *follower, const struct path *path, uint64_t address, uint64_t *value)
{
	for (size_t i = 0; i < path->saved_count; i++) {
		if (path->saved[i].address == address) {
			*value = path->saved[i].value;
			return path->saved[i].known;
		}
	}
	/* What lies below sp now is not what will lie there then. */
	return address >= follower->first_sp &&
	       memory_read(follower->memory, address, value, sizeof(*value));
}

/* Sets a tracked register, by the processor's number; false: sp would be lost. */
static bool set_register(struct path *path, unsigned number, uint64_t value, bool known)
{
	unsigned dwarf = dwarf_number(number);

	if (!is_tracked(number))
		return true;
	if (number == RSP)
		set_sp(path, value);
	register_set(&path->registers, dwarf, value);
	if (!known)
		path->registers.known &= ~(UINT64_C(1) << dwarf);
	return known || number != RSP;
}

static bool get_register(const struct path *path, unsigned number, uint64_t *value)
{
	unsigned dwarf = dwarf_number(number);

	*value = path->registers.value[dwarf];
	return is_tracked(number) && register_known(&path->registers, dwarf);
}

/* The address of a memory operand that is rsp or rbp and a displacement. */
static bool operand_address(
	const struct path *path, const struct x86_64_instruction *instruction, uint64_t *address)
{
	if (!instruction->is_memory || instruction->has_index || instruction->other_address ||
		!instruction->has_base || (instruction->base != RSP && instruction->base != RBP) ||
		!get_register(path, instruction->base, address))
		return false;
	*address += (uint64_t)(int64_t)instruction->displacement;
	return true;
}

/* mov and lea between registers and the stack; false: sp is lost. */
static bool move(
	struct follower *follower, struct path *path, const struct x86_64_instruction *instruction)
{
	uint64_t address, value = 0;
	bool known;

	switch (instruction->opcode) {
	case 0x89:
		known = instruction->wide && get_register(path, instruction->reg, &value);
		if (!instruction->is_memory)
			return set_register(path, instruction->rm, value, known);
		return !operand_address(path, instruction, &address) ||
		       save(path, address, value, known);
	case 0x8b:
		if (!is_tracked(instruction->reg))
			return true;
		if (!instruction->is_memory)
			known = get_register(path, instruction->rm, &value);
		else
			known = operand_address(path, instruction, &address) &&
				load(follower, path, address, &value);
		return set_register(path, instruction->reg, value, known && instruction->wide);
	default: /* lea */
		known = operand_address(path, instruction, &address);
		return set_register(path, instruction->reg, address, known && instruction->wide);
	}
}

/* push and pop; false: sp is lost, or too much was pushed. */
static bool push(struct path *path, uint64_t value, bool known)
{
	set_sp(path, sp_of(path) - 8);
	return save(path, sp_of(path), value, known);
}

static bool pop(const struct follower *follower, struct path *path, unsigned number)
{
	uint64_t value = 0;
	bool known = load(follower, path, sp_of(path), &value);

	set_sp(path, sp_of(path) + 8);
	return number != RSP && set_register(path, number, value, known);
}

/* add, or, adc, sbb, and, sub, xor, cmp with an immediate; false: sp is lost. */
static bool compute(struct path *path, const struct x86_64_instruction *instruction)
{
	uint64_t value, operand = (uint64_t)instruction->immediate;
	bool known = !instruction->is_memory && instruction->wide &&
		     get_register(path, instruction->rm, &value);

	if (instruction->is_memory || instruction->digit == 7)
		return true;
	if (instruction->digit == 0 && known)
		return set_register(path, instruction->rm, value + operand, true);
	if (instruction->digit == 5 && known)
		return set_register(path, instruction->rm, value - operand, true);
	return set_register(path, instruction->rm, 0, false);
}

/* Whether a one-byte instruction that is not treated alone writes to ModRM.rm or ModRM.reg. */
static bool writes_rm(uint8_t opcode)
{
	if (opcode < 0x40)
		return (opcode & 7) < 2 && opcode < 0x38;
	return opcode == 0x80 || opcode == 0x86 || opcode == 0x87 || opcode == 0x88 ||
	       opcode == 0x8c || (opcode >= 0xc0 && opcode <= 0xc7) ||
	       (opcode >= 0xd0 && opcode <= 0xd3) || opcode >= 0xf6;
}

static bool writes_reg(uint8_t opcode)
{
	if (opcode < 0x40)
		return ((opcode & 7) == 2 || (opcode & 7) == 3) && opcode < 0x38;
	return opcode == 0x63 || opcode == 0x69 || opcode == 0x6b || opcode == 0x86 ||
	       opcode == 0x87 || opcode == 0x8a;
}

/* Byte operations write to a part of a register; without REX 4 to 7 are ah to bh: never sp. */
static bool clobber(struct path *path, unsigned number, bool is_byte)
{
	if (is_byte && number == RSP)
		return true;
	return set_register(path, number, 0, false);
}

static bool other_one_byte(struct path *path, const struct x86_64_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;
	bool is_byte = !(opcode & 1), kept = true;

	if (instruction->has_modrm) {
		if (!instruction->is_memory && writes_rm(opcode))
			kept = clobber(path, instruction->rm, is_byte);
		if (writes_reg(opcode))
			kept &= clobber(path, instruction->reg, is_byte && opcode != 0x8a);
		return kept;
	}
	/* xchg with rax, and mov of an immediate. */
	if ((opcode > 0x90 && opcode <= 0x97) || (opcode >= 0xb8 && opcode <= 0xbf))
		return set_register(path, instruction->opcode_register, 0, false);
	if (opcode >= 0xb0 && opcode <= 0xb7)
		return clobber(path, instruction->opcode_register, true);
	return kept;
}

/* Instructions of other maps that write to general registers; sp is never one of them. */
static void other_map(struct path *path, const struct x86_64_instruction *instruction)
{
	bool general;

	switch (instruction->map) {
	case MAP_0F:
		switch (instruction->opcode) {
		case 0x20 ... 0x23:
		case 0x2c ... 0x2d:
		case 0x40 ... 0x50:
		case 0x7e:
		case 0x90 ... 0x9f:
		case 0xa3 ... 0xa5:
		case 0xab ... 0xad:
		case 0xaf ... 0xb1:
		case 0xb3 ... 0xc1:
		case 0xc5:
		case 0xc7:
		case 0xd7:
			general = true;
			break;
		case 0xa2: /* cpuid */
			set_register(path, RBX, 0, false);
			return;
		case 0xc8 ... 0xcf: /* bswap */
			if (instruction->opcode_register != RSP)
				set_register(path, instruction->opcode_register, 0, false);
			return;
		default:
			general = false;
			break;
		}
		break;
	case MAP_0F38:
		general = instruction->opcode >= 0xf0;
		break;
	default:
		general = instruction->opcode >= 0xf0 ||
			  (instruction->opcode >= 0x14 && instruction->opcode <= 0x17);
		break;
	}
	if (!general)
		return;
	if (instruction->reg != RSP)
		set_register(path, instruction->reg, 0, false);
	if (!instruction->is_memory && instruction->rm != RSP)
		set_register(path, instruction->rm, 0, false);
	if (instruction->is_vector && instruction->vector_register != RSP)
		set_register(path, instruction->vector_register, 0, false);
}

/* What an instruction means for its path. */
enum flow {
	FLOW_ON,     /* path->pc goes on */
	FLOW_RETURN, /* the return address is at sp */
	FLOW_END,    /* nothing comes after it, or it can't be followed */
};

static void follow_later(struct follower *follower, const struct path *path, uint64_t pc)
{
	for (size_t i = 0; i < follower->visited_count; i++) {
		if (follower->visited[i] == pc)
			return;
	}
	if (follower->visited_count == VISITED_MAX || follower->path_count == PATHS_MAX)
		return;
	follower->visited[follower->visited_count++] = pc;
	follower->paths[follower->path_count] = *path;
	follower->paths[follower->path_count++].pc = pc;
}

/* ff: inc, dec, call, far call, jmp, far jmp, push. */
static enum flow indirect(struct path *path, const struct x86_64_instruction *instruction)
{
	uint64_t value = 0;
	bool known;

	switch (instruction->digit) {
	case 2:
		path->is_leaving = false;
		path->after_call = true;
		return FLOW_ON;
	case 4:
		/*
		 * A jump by way of a fixed place leaves the function, as in the procedure linkage
		 * table; one by way of a register does where the stack was just cleared, and is a
		 * switch's otherwise.
		 */
		return instruction->is_pc_relative || path->is_leaving ? FLOW_RETURN : FLOW_END;
	case 6:
		known = !instruction->is_memory && get_register(path, instruction->rm, &value);
		return push(path, value, known) ? FLOW_ON : FLOW_END;
	case 3:
	case 5:
		return FLOW_END;
	default:
		return instruction->is_memory || clobber(path, instruction->rm, false) ? FLOW_ON
										       : FLOW_END;
	}
}

static enum flow execute_one_byte(
	struct follower *follower, struct path *path, const struct x86_64_instruction *instruction)
{
	uint64_t value = 0;
	bool known;

	switch (instruction->opcode) {
	case 0x50 ... 0x57:
		known = get_register(path, instruction->opcode_register, &value);
		return push(path, value, known) ? FLOW_ON : FLOW_END;
	case 0x58 ... 0x5f:
		return pop(follower, path, instruction->opcode_register) ? FLOW_ON : FLOW_END;
	case 0x68:
	case 0x6a:
	case 0x9c: /* pushf */
		return push(path, 0, false) ? FLOW_ON : FLOW_END;
	case 0x9d: /* popf */
		set_sp(path, sp_of(path) + 8);
		return FLOW_ON;
	case 0x70 ... 0x7f:
	case 0xe0 ... 0xe3:
		follow_later(follower, path, path->pc + (uint64_t)instruction->immediate);
		return FLOW_ON;
	case 0x81:
	case 0x83:
		return compute(path, instruction) ? FLOW_ON : FLOW_END;
	case 0x89:
	case 0x8b:
	case 0x8d:
		return move(follower, path, instruction) ? FLOW_ON : FLOW_END;
	case 0x8f: /* pop to memory */
		set_sp(path, sp_of(path) + 8);
		return instruction->is_memory ? FLOW_ON : FLOW_END;
	case 0xc2 ... 0xc3:
		return FLOW_RETURN;
	case 0xc9: /* leave */
		if (!get_register(path, RBP, &value))
			return FLOW_END;
		set_sp(path, value);
		return pop(follower, path, RBP) ? FLOW_ON : FLOW_END;
	case 0xe8:
		path->is_leaving = false;
		path->after_call = true;
		return FLOW_ON;
	case 0xe9:
	case 0xeb:
		follow_later(follower, path, path->pc + (uint64_t)instruction->immediate);
		return FLOW_END;
	case 0xc8:          /* enter */
	case 0xca ... 0xcd: /* far returns, traps */
	case 0xcf:
	case 0xf4:
		return FLOW_END;
	case 0xff:
		return indirect(path, instruction);
	default:
		return other_one_byte(path, instruction) ? FLOW_ON : FLOW_END;
	}
}

static enum flow execute(
	struct follower *follower, struct path *path, const struct x86_64_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;

	/* Pushes and pops of 16 bits are not what compilers make. */
	if (instruction->map == MAP_ONE_BYTE && instruction->operand_size &&
		((opcode >= 0x50 && opcode <= 0x5f) || opcode == 0x68 || opcode == 0x6a))
		return FLOW_END;
	if (instruction->map == MAP_ONE_BYTE)
		return execute_one_byte(follower, path, instruction);
	if (instruction->map == MAP_0F && (opcode == 0x0b || opcode == 0xb9 || opcode == 0xff))
		return FLOW_END; /* undefined on purpose */
	if (instruction->map == MAP_0F && opcode >= 0x80 && opcode <= 0x8f)
		follow_later(follower, path, path->pc + (uint64_t)instruction->immediate);
	else
		other_map(path, instruction);
	return FLOW_ON;
}

/* The code at @pc; NULL: none can be read there. */
static const uint8_t *code_at(struct follower *follower, uint64_t pc, size_t *length)
{
	uint64_t within = pc - follower->window_start;

	if (within >= follower->window_length ||
		follower->window_length - within < X86_64_INSTRUCTION_MAX) {
		if (!is_executable(follower, pc))
			return NULL;
		follower->window_start = pc;
		follower->window_length = follower->memory->read(
			follower->memory, pc, follower->window, sizeof(follower->window));
		within = 0;
	}
	*length = follower->window_length - within;
	return follower->window + within;
}

/* A return was met: keeps what it comes to, if it makes sense. */
static void meet_return(struct follower *follower, const struct path *path)
{
	uint64_t slot = sp_of(path), address;

	if (slot < follower->first_sp || slot % 8 || !load(follower, path, slot, &address) ||
		!is_executable(follower, address) ||
		!x86_64_follows_call(follower->memory, address))
		return;
	if (follower->return_count++ > 0) {
		follower->contradiction |= slot != follower->slot;
		return;
	}
	follower->slot = slot;
	follower->result = path->registers;
	register_set(&follower->result, arch_x86_64.pc, address);
	register_set(&follower->result, arch_x86_64.sp, slot + 8);
}

/*
 * Whether @code is where another function begins: aligned, and making room for itself. A call that
 * never returns may be the last instruction of the function before it.
 */
static bool begins_function(uint64_t pc, const struct x86_64_instruction *instruction)
{
	if (pc % 16 || instruction->is_vector)
		return false;
	if (instruction->map == MAP_0F) /* endbr64 */
		return instruction->opcode == 0x1e && !instruction->is_memory &&
		       instruction->rm == 2 && instruction->digit == 7;
	if (instruction->map != MAP_ONE_BYTE)
		return false;
	if (instruction->opcode == 0x81 || instruction->opcode == 0x83)
		return instruction->digit == 5 && !instruction->is_memory && instruction->rm == RSP;
	return (instruction->opcode & 0xf8) == 0x50 && is_tracked(instruction->opcode_register);
}

static bool is_padding(const struct x86_64_instruction *instruction)
{
	return (instruction->map == MAP_ONE_BYTE && instruction->opcode == 0x90) ||
	       (instruction->map == MAP_0F && instruction->opcode == 0x1f);
}

static void follow_path(struct follower *follower, struct path *path)
{
	enum flow flow = FLOW_ON;

	while (flow == FLOW_ON && follower->steps > 0) {
		struct x86_64_instruction instruction;
		size_t length;
		const uint8_t *code = code_at(follower, path->pc, &length);

		if (!code || !x86_64_decode(code, length, &instruction))
			return;
		if (path->after_call && begins_function(path->pc, &instruction))
			return;
		path->after_call &= is_padding(&instruction);
		follower->steps--;
		path->pc += instruction.length;
		flow = execute(follower, path, &instruction);
	}
	if (flow == FLOW_RETURN)
		meet_return(follower, path);
}

bool x86_64_follow_to_return(const struct memory *memory, struct modules *modules,
	struct registers *registers, size_t *budget)
{
	const uint64_t tracked = arch_x86_64.preserved | UINT64_C(1) << arch_x86_64.sp;
	const size_t steps = *budget < STEPS_MAX ? *budget : STEPS_MAX;
	struct path path = {.pc = registers->value[arch_x86_64.pc], .registers = *registers};
	struct follower *follower cleanup_free = allocate(sizeof(*follower));

	*follower = (struct follower){
		.memory = memory,
		.modules = modules,
		.first_sp = registers->value[arch_x86_64.sp],
		.steps = steps,
	};
	if (!register_known(registers, arch_x86_64.sp))
		return false;
	path.registers.known &= tracked;
	follow_later(follower, &path, path.pc);
	while (follower->path_count && follower->steps > 0 &&
		follower->return_count < RETURNS_ENOUGH) {
		path = follower->paths[--follower->path_count];
		follow_path(follower, &path);
	}
	*budget -= steps - follower->steps;
	if (!follower->return_count || follower->contradiction)
		return false;
	*registers = follower->result;
	return true;
}

/*
 * The call's encodings (Intel SDM, volume 2, CALL): e8 with four bytes; ff /2 with a register
 * or memory operand, whose length its ModRM byte tells.
 */
bool x86_64_follows_call(const struct memory *memory, uint64_t address)
{
	uint8_t code[7]; /* the longest without prefixes: ff, ModRM, SIB, four bytes */
	struct x86_64_instruction instruction;

	if (address < sizeof(code) ||
		!memory_read(memory, address - sizeof(code), code, sizeof(code)))
		return false;
	for (size_t length = 2; length <= sizeof(code); length++) {
		const uint8_t *call = code + sizeof(code) - length;

		if (x86_64_decode(call, length, &instruction) && instruction.length == length &&
			instruction.map == MAP_ONE_BYTE &&
			(instruction.opcode == 0xe8 ||
				(instruction.opcode == 0xff && instruction.digit == 2)))
			return true;
	}
	return false;
}
