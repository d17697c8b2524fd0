// SPDX-License-Identifier: Apache-2.0
// locks SCENE: a thread that waits for what the standard library of C++ has, whose holder is known.
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

extern "C" {
#include "../situations/situations.h"
}

namespace
{
int reached[2];
pid_t holder;

void reach()
{
	holder = gettid();
	must(static_cast<int>(write(reached[1], "", 1)), "write");
}

// Starts a thread that does @body, and then rests for ever.
template <typename Body> void start(Body body)
{
	std::thread([body] {
		body();
		reach();
		rest();
	}).detach();
	char byte;
	must(static_cast<int>(read(reached[0], &byte, 1)), "read");
}

void announce(struct facts *facts, const void *address)
{
	fact_address(facts, "address", address);
	fact_number(facts, "holder", holder);
	ready(facts, SYS_futex);
}

struct Queue {
	std::mutex lock;
	std::recursive_mutex recursive_lock;
	std::timed_mutex timed_lock;
	std::condition_variable filled;
};

Queue queue;
std::shared_mutex table_lock;
std::once_flag set_up_once;

void run_mutex(struct facts *facts)
{
	start([] { queue.lock.lock(); });
	announce(facts, &queue.lock);
	queue.lock.lock();
}

void run_recursive_mutex(struct facts *facts)
{
	start([] { queue.recursive_lock.lock(); });
	announce(facts, &queue.recursive_lock);
	queue.recursive_lock.lock();
}

void run_timed_mutex(struct facts *facts)
{
	start([] { queue.timed_lock.lock(); });
	announce(facts, &queue.timed_lock);
	(void)queue.timed_lock.try_lock_for(std::chrono::seconds(3599));
}

void run_shared_mutex(struct facts *facts)
{
	start([] { table_lock.lock(); });
	announce(facts, &table_lock);
	table_lock.lock_shared();
}

void run_shared_mutex_read(struct facts *facts)
{
	start([] { table_lock.lock_shared(); });
	announce(facts, &table_lock);
	table_lock.lock();
}

void run_condition(struct facts *facts)
{
	std::unique_lock<std::mutex> lock(queue.lock);
	announce(facts, &queue.filled);
	queue.filled.wait(lock);
}

void run_future(struct facts *facts)
{
	std::promise<int> promise;
	announce(facts, &promise);
	promise.get_future().get();
}

struct Slow {
	Slow()
	{
		reach();
		rest();
	}
};

Slow &instance()
{
	static Slow only;
	return only;
}

void run_static(struct facts *facts)
{
	std::thread([] { instance(); }).detach();
	char byte;
	must(static_cast<int>(read(reached[0], &byte, 1)), "read");
	announce(facts, nullptr);
	instance();
}

void run_once(struct facts *facts)
{
	std::thread([] { std::call_once(set_up_once, [] { Slow slow; }); }).detach();
	char byte;
	must(static_cast<int>(read(reached[0], &byte, 1)), "read");
	announce(facts, &set_up_once);
	std::call_once(set_up_once, [] { Slow slow; });
}

void run_join(struct facts *facts)
{
	std::thread thread([] {
		reach();
		rest();
	});
	char byte;
	must(static_cast<int>(read(reached[0], &byte, 1)), "read");
	announce(facts, &thread);
	thread.join();
}

const struct {
	const char *name;
	void (*run)(struct facts *facts);
} scenes[] = {
	{"mutex", run_mutex},
	{"recursive-mutex", run_recursive_mutex},
	{"timed-mutex", run_timed_mutex},
	{"shared-mutex", run_shared_mutex},
	{"shared-mutex-read", run_shared_mutex_read},
	{"condition", run_condition},
	{"future", run_future},
	{"static", run_static},
	{"once", run_once},
	{"join", run_join},
};
} // namespace

int main(int argc, char **argv)
{
	static struct facts facts;

	facts.stream = open_memstream(&facts.text, &facts.size);
	must(pipe(reached), "pipe");
	for (const auto &scene : scenes) {
		if (argc > 1 && std::strcmp(scene.name, argv[1]) == 0)
			scene.run(&facts);
	}
	return EXIT_FAILURE;
}
