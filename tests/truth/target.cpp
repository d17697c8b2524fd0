// SPDX-License-Identifier: Apache-2.0
/* Stacks of the shapes that C++ adds: templates, lambdas, thunks, exceptions on their way. */
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace shapes
{
std::atomic<int> arrived;
volatile int sink;
volatile bool throws = true;

__attribute__((noinline)) void rest()
{
	arrived++;
	for (;;)
		pause();
}

/* Waits while an exception passes by it. */
struct guard {
	~guard()
	{
		rest();
	}
};

__attribute__((noinline)) void by_destructor()
{
	guard waits;
	if (throws)
		throw std::runtime_error("passes by");
}

__attribute__((noinline)) void by_catch()
{
	try {
		throw std::string("caught");
	} catch (const std::string &caught) {
		sink += caught.size();
		rest();
	}
}

template <typename Key, typename... Rest> struct nested {
	template <int depth>
	__attribute__((noinline)) static int descend(const Key &key, Rest... others)
	{
		if constexpr (depth == 0)
			rest();
		else
			sink += nested<Key, Rest...>::template descend<depth - 1>(key, others...);
		return sink + sizeof(key);
	}
};

void by_templates()
{
	nested<std::map<std::string, std::vector<int>>, long, const char *>::descend<5>(
		{}, 1, "two");
}

struct first {
	virtual ~first() = default;
	virtual void one() = 0;
	long padding = 1;
};

struct second {
	virtual ~second() = default;
	virtual void two() = 0;
};

struct both : first, second {
	void one() override
	{
		rest();
	}
	__attribute__((noinline)) void two() override
	{
		one();
		sink++;
	}
};

/* By a thunk, which adjusts `this`. */
__attribute__((noinline)) void by_thunk()
{
	std::unique_ptr<second> object = std::make_unique<both>();
	object->two();
	sink++;
}

void by_lambda()
{
	std::function<void(int)> function = [](int depth) {
		auto inner = [depth] {
			sink += depth;
			rest();
		};
		std::function<void()> wrapped(inner);
		wrapped();
	};
	function(3);
}

void by_sort()
{
	std::vector<int> numbers(100, 1);
	std::sort(numbers.begin(), numbers.end(), [](int one, int other) {
		rest();
		return one < other;
	});
}

void by_call_once()
{
	static std::once_flag once;
	std::call_once(once, rest);
}

struct [[nodiscard]] number {
	int value;
	number operator+(const number &other) const
	{
		rest();
		return {value + other.value};
	}
};

__attribute__((noinline)) void by_operator()
{
	number sum = number{1} + number{2};
	sink += sum.value;
}

/* Nobody catches it: the runtime calls the handler from where it was thrown. */
void by_terminate() noexcept
{
	if (throws)
		throw 42;
}
} // namespace shapes

int main()
{
	using namespace shapes;
	std::set_terminate([] {
		rest();
		std::abort();
	});
	std::vector<std::function<void()>> ways = {
		[] {
			try {
				by_destructor();
			} catch (...) {
				sink++;
			}
		},
		by_catch,
		by_templates,
		by_thunk,
		by_lambda,
		by_sort,
		by_call_once,
		by_operator,
		by_terminate,
	};
	std::vector<std::thread> threads;
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < ways.size(); i++)
			if (round == 0 ||
				i != 6) /* call_once lets one in, and the others wait for it */
				threads.emplace_back(ways[i]);
	while (arrived < static_cast<int>(threads.size()))
		usleep(1000);
	std::puts("ready");
	std::fflush(stdout);
	threads.front().join();
}
