// SPDX-License-Identifier: Apache-2.0
#pragma once

/* Keys are code points, or one of these, which are none. */
enum key_code {
	KEYS_BEYOND_UNICODE = 0x110000,
	KEY_CODE_UP,
	KEY_CODE_DOWN,
	KEY_CODE_LEFT,
	KEY_CODE_RIGHT,
	KEY_CODE_PAGE_UP,
	KEY_CODE_PAGE_DOWN,
	KEY_CODE_HOME,
	KEY_CODE_END,
	KEY_CODE_ENTER,
	KEY_CODE_ESCAPE,
	KEY_CODE_BACKSPACE,
};
#define CONTROL(letter) ((letter)&0x1f)
