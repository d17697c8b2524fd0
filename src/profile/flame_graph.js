// SPDX-License-Identifier: Apache-2.0
// Zoom and search of a flame graph. Each frame is a group with what it stands for in its data:
// where it begins and how much it is, in units of the whole (data-total), and its depth; the first
// line of its title is its name.
"use strict";
(function () {
	const svg = document.documentElement;
	const room = Number(svg.dataset.room); // from the left edge of the frames to the right one
	const margin = Number(svg.dataset.margin);
	const letter = 7; // width of one, about
	const byId = (id) => document.getElementById(id);

	const frames = Array.from(document.querySelectorAll("#frames g"), (group) => ({
		group,
		rect: group.querySelector("rect"),
		text: group.querySelector("text"),
		name: group.querySelector("title").textContent.split("\n")[0],
		begin: Number(group.dataset.begin),
		size: Number(group.dataset.size),
		depth: Number(group.dataset.depth),
	}));
	const whole = frames[0];
	let shown = whole; // what is zoomed to
	let expression = null;

	function label(frame, width) {
		const letters = Math.floor((width - 6) / letter);
		if (letters < 3)
			return "";
		return frame.name.length <= letters ? frame.name : frame.name.slice(0, letters - 1) + "…";
	}

	function place(frame, begin, width) {
		frame.rect.setAttribute("x", begin.toFixed(2));
		frame.rect.setAttribute("width", Math.max(width, 0.1).toFixed(2));
		frame.text.setAttribute("x", (begin + 3).toFixed(2));
		frame.text.textContent = label(frame, width);
	}

	function zoom(to) {
		const end = to.begin + to.size;
		shown = to;
		for (const frame of frames) {
			const holds = frame.begin <= to.begin && frame.begin + frame.size >= end;
			const outer = holds && frame.depth < to.depth;
			const inside = frame.begin >= to.begin && frame.begin + frame.size <= end &&
				frame.depth >= to.depth;
			frame.group.classList.toggle("outer", outer);
			frame.group.classList.toggle("hidden", !outer && !inside);
			if (outer)
				place(frame, margin, room);
			else if (inside)
				place(frame, margin + (frame.begin - to.begin) / to.size * room,
					frame.size / to.size * room);
		}
		byId("reset").classList.toggle("off", to === whole);
		tellMatched();
	}

	// How much of what is shown stands in frames that match, each part counted once.
	function tellMatched() {
		const told = byId("matched");
		if (!expression) {
			told.textContent = "";
			return;
		}
		const end = shown.begin + shown.size;
		let sum = 0, until = shown.begin;
		for (const frame of frames.filter((one) => one.matched)
			.sort((a, b) => a.begin - b.begin || b.size - a.size)) {
			const from = Math.max(frame.begin, until);
			const to = Math.min(frame.begin + frame.size, end);
			if (to > from) {
				sum += to - from;
				until = to;
			}
		}
		told.textContent = "matched: " + (100 * sum / shown.size).toFixed(1) + " %";
	}

	function search(words) {
		const box = byId("search");
		let wrong = false;
		try {
			expression = words ? new RegExp(words, "i") : null;
		} catch (error) {
			expression = null;
			wrong = true;
		}
		if (box)
			box.classList.toggle("wrong", wrong);
		for (const frame of frames) {
			frame.matched = expression !== null && expression.test(frame.name);
			frame.group.classList.toggle("matched", frame.matched);
		}
		byId("clear").classList.toggle("off", !words);
		tellMatched();
	}

	function clear() {
		const box = byId("search");
		if (box)
			box.value = "";
		search("");
	}

	for (const frame of frames) {
		frame.group.addEventListener("click", () => zoom(frame));
		frame.group.addEventListener("mouseenter", () => {
			byId("details").textContent =
				frame.group.querySelector("title").textContent.replace(/\n/g, "   ");
		});
	}
	byId("frames").addEventListener("mouseleave", () => { byId("details").textContent = ""; });
	byId("reset").addEventListener("click", () => zoom(whole));
	byId("clear").addEventListener("click", clear);
	byId("search").addEventListener("input", (event) => search(event.target.value));
	document.addEventListener("keydown", (event) => {
		if (event.key === "Escape") {
			clear();
			zoom(whole);
		} else if (event.key === "/" && event.target !== byId("search")) {
			byId("search").focus();
			event.preventDefault();
		}
	});
	byId("controls").removeAttribute("visibility");
}());
