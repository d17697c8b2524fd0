// SPDX-License-Identifier: Apache-2.0
#include "arch/arch.h"

#if defined(__x86_64__)
const struct arch *const arch_native = &arch_x86_64;
#elif defined(__aarch64__)
const struct arch *const arch_native = &arch_aarch64;
#else
#error "no struct arch for this processor: see arch/arch.h"
#endif
