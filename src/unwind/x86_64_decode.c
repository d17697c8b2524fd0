// SPDX-License-Identifier: Apache-2.0
#include "unwind/x86_64_decode.h"

#include "unwind/reader.h"

enum operands {
	NONE = 0,
	MODRM = 1,
	IMMEDIATE_8 = 2,
	IMMEDIATE_16 = 4,
	IMMEDIATE_32 = 8, /* 16 bits with prefix 66 */
	DISTANCE_32 = 16, /* 32 bits always */
	ADDRESS_64 = 32,
	INVALID = 64,
};

/* Appendix A, table A-2. */
static unsigned one_byte_operands(uint8_t opcode)
{
	if (opcode < 0x40) {
		switch (opcode & 7) {
		case 4:
			return IMMEDIATE_8;
		case 5:
			return IMMEDIATE_32;
		case 6:
		case 7:
			return INVALID;
		default:
			return MODRM;
		}
	}
	switch (opcode) {
	case 0x60 ... 0x61:
	case 0x82:
	case 0x9a:
	case 0xce:
	case 0xd4 ... 0xd6:
	case 0xea:
		return INVALID;
	case 0x63:
	case 0x84 ... 0x8f:
	case 0xd0 ... 0xd3:
	case 0xd8 ... 0xdf:
	case 0xf6 ... 0xf7: /* their immediates depend on ModRM */
	case 0xfe ... 0xff:
		return MODRM;
	case 0x69:
	case 0x81:
	case 0xc7:
		return MODRM | IMMEDIATE_32;
	case 0x6b:
	case 0x80:
	case 0x83:
	case 0xc0 ... 0xc1:
	case 0xc6:
		return MODRM | IMMEDIATE_8;
	case 0x68:
	case 0xa9:
	case 0xb8 ... 0xbf: /* 64 bits with REX.W */
		return IMMEDIATE_32;
	case 0x6a:
	case 0x70 ... 0x7f:
	case 0xa8:
	case 0xb0 ... 0xb7:
	case 0xcd:
	case 0xe0 ... 0xe7:
	case 0xeb:
		return IMMEDIATE_8;
	case 0xe8 ... 0xe9:
		return DISTANCE_32;
	case 0xc2:
	case 0xca:
		return IMMEDIATE_16;
	case 0xc8:
		return IMMEDIATE_16 | IMMEDIATE_8;
	case 0xa0 ... 0xa3:
		return ADDRESS_64;
	default:
		return NONE;
	}
}

/* Table A-3. */
static unsigned two_byte_operands(uint8_t opcode)
{
	switch (opcode) {
	case 0x04:
	case 0x0a:
	case 0x0c:
	case 0x0f: /* 3DNow! */
	case 0x24 ... 0x27:
	case 0x36:
	case 0x39 ... 0x3f:
		return INVALID;
	case 0x05 ... 0x09:
	case 0x0b:
	case 0x0e:
	case 0x30 ... 0x35:
	case 0x37:
	case 0x77:
	case 0xa0 ... 0xa2:
	case 0xa8 ... 0xaa:
	case 0xc8 ... 0xcf:
		return NONE;
	case 0x80 ... 0x8f:
		return DISTANCE_32;
	case 0x70 ... 0x73:
	case 0xa4:
	case 0xac:
	case 0xba:
	case 0xc2:
	case 0xc4 ... 0xc6:
		return MODRM | IMMEDIATE_8;
	default:
		return MODRM;
	}
}

static unsigned operands_of(const struct x86_64_instruction *instruction)
{
	switch (instruction->map) {
	case MAP_ONE_BYTE:
		return one_byte_operands(instruction->opcode);
	case MAP_0F:
		return two_byte_operands(instruction->opcode);
	case MAP_0F38:
		return MODRM;
	default:
		return MODRM | IMMEDIATE_8;
	}
}

/* Legacy prefixes and REX, up to the first byte that is none. */
static uint8_t read_prefixes(
	struct reader *reader, uint8_t *rex, struct x86_64_instruction *instruction)
{
	for (;;) {
		uint8_t byte = (uint8_t)read_unsigned(reader, 1);

		switch (byte) {
		case 0x66:
			instruction->operand_size = true;
			break;
		case 0x64 ... 0x65: /* fs, gs */
		case 0x67:
			instruction->other_address = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0xf0:
		case 0xf2 ... 0xf3:
			break;
		case 0x40 ... 0x4f:
			*rex = byte & 0x0f;
			instruction->has_rex = true;
			return (uint8_t)read_unsigned(reader, 1);
		default:
			return byte;
		}
	}
}

/* VEX (c4, c5) and EVEX (62): section 2.3.5 and 2.7.1. Their R, X and B are inverted. */
static void read_vector_prefix(
	struct reader *reader, uint8_t first, uint8_t *rex, struct x86_64_instruction *instruction)
{
	uint8_t byte = (uint8_t)read_unsigned(reader, 1), last = byte;

	instruction->is_vector = true;
	instruction->map = MAP_0F;
	*rex = (byte >> 7 & 1) ? 0 : 4;
	if (first != 0xc5) {
		instruction->map = byte & (first == 0x62 ? 0x07 : 0x1f);
		*rex = (uint8_t)(~byte >> 5 & 7);
		last = (uint8_t)read_unsigned(reader, 1);
		instruction->wide = last >> 7;
	}
	if (first == 0x62)
		read_unsigned(reader, 1);
	instruction->vector_register = ~(last >> 3) & 0x0f;
	if (instruction->map < MAP_0F || instruction->map > MAP_0F3A)
		reader->failed = true;
	instruction->opcode = (uint8_t)read_unsigned(reader, 1);
}

static void read_opcode(struct reader *reader, uint8_t *rex, struct x86_64_instruction *instruction)
{
	uint8_t byte = read_prefixes(reader, rex, instruction);

	instruction->wide = *rex >> 3 & 1;
	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62) {
		read_vector_prefix(reader, byte, rex, instruction);
		return;
	}
	instruction->opcode = byte;
	if (byte != 0x0f)
		return;
	instruction->map = MAP_0F;
	instruction->opcode = (uint8_t)read_unsigned(reader, 1);
	if (instruction->opcode == 0x38 || instruction->opcode == 0x3a) {
		instruction->map = instruction->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
		instruction->opcode = (uint8_t)read_unsigned(reader, 1);
	}
}

/* ModRM, SIB and displacement: section 2.1.5, tables 2-2 and 2-3, and 2.2.1.6. */
static void read_modrm(struct reader *reader, uint8_t rex, struct x86_64_instruction *instruction)
{
	uint8_t modrm = (uint8_t)read_unsigned(reader, 1);
	uint8_t mode = modrm >> 6, rm = modrm & 7;

	instruction->has_modrm = true;
	instruction->digit = modrm >> 3 & 7;
	instruction->reg = instruction->digit | (uint8_t)((rex & 4) << 1);
	instruction->rm = rm | (uint8_t)((rex & 1) << 3);
	instruction->is_memory = mode != 3;
	if (mode == 3)
		return;
	instruction->base = instruction->rm;
	instruction->has_base = true;
	if (rm == 4) {
		uint8_t sib = (uint8_t)read_unsigned(reader, 1);

		rm = sib & 7;
		instruction->base = rm | (uint8_t)((rex & 1) << 3);
		instruction->has_index = (sib >> 3 & 7) != 4 || rex & 2;
		instruction->has_base = !(mode == 0 && rm == 5);
	} else if (mode == 0 && rm == 5) {
		instruction->has_base = false;
		instruction->is_pc_relative = true;
	}
	if (mode == 1)
		instruction->displacement = (int32_t)read_signed(reader, 1);
	else if (mode == 2 || !instruction->has_base)
		instruction->displacement = (int32_t)read_signed(reader, 4);
}

static void read_immediate(
	struct reader *reader, unsigned operands, struct x86_64_instruction *instruction)
{
	bool is_one_byte = instruction->map == MAP_ONE_BYTE;
	bool is_test =
		is_one_byte && (instruction->opcode & 0xfe) == 0xf6 && instruction->digit < 2;

	if (operands & IMMEDIATE_16)
		instruction->immediate = (int64_t)read_unsigned(reader, 2);
	if (is_one_byte && (instruction->opcode & 0xf8) == 0xb8 && instruction->wide)
		instruction->immediate = read_signed(reader, 8);
	else if (operands & IMMEDIATE_32 || (is_test && instruction->opcode & 1))
		instruction->immediate = read_signed(reader, instruction->operand_size ? 2 : 4);
	else if (operands & IMMEDIATE_8 || is_test)
		instruction->immediate = read_signed(reader, 1);
	else if (operands & DISTANCE_32)
		instruction->immediate = read_signed(reader, 4);
	else if (operands & ADDRESS_64)
		read_unsigned(reader, instruction->other_address ? 4 : 8);
}

bool x86_64_decode(const uint8_t *code, size_t length, struct x86_64_instruction *instruction)
{
	size_t limit = length < X86_64_INSTRUCTION_MAX ? length : X86_64_INSTRUCTION_MAX;
	struct reader reader = {.at = code, .end = code + limit};
	uint8_t rex = 0;

	*instruction = (struct x86_64_instruction){.length = 0};
	read_opcode(&reader, &rex, instruction);
	instruction->opcode_register = (instruction->opcode & 7) | (uint8_t)((rex & 1) << 3);
	unsigned operands = operands_of(instruction);
	if (reader.failed || operands & INVALID)
		return false;
	if (operands & MODRM)
		read_modrm(&reader, rex, instruction);
	read_immediate(&reader, operands, instruction);
	instruction->length = (uint8_t)(reader.at - code);
	return !reader.failed;
}
