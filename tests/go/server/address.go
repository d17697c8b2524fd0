// SPDX-License-Identifier: Apache-2.0

package main

import "unsafe"

func address(data []byte) uintptr {
	return uintptr(unsafe.Pointer(&data[0]))
}
