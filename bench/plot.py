# SPDX-License-Identifier: Apache-2.0
"""The plot of docs/: time of a look against the number of threads, both axes logarithmic."""

import math

WIDTH, HEIGHT = 900, 520
LEFT, RIGHT, TOP, BOTTOM = 82, 690, 84, 456
LABEL_HEIGHT = 40

# The page follows the reader's theme, and has a ground of its own wherever it is embedded.
STYLE = """\
text { font: 14px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #59636e }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.title { font-size: 18px; font-weight: 600; fill: #1f2328 }
.name { font-weight: 600 } .grid { stroke: #e6eaef } .axis { stroke: #818b98 }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round }
.point { stroke: #ffffff; stroke-width: 2 }
.line.ours { stroke-width: 4 } .line.floor { stroke-dasharray: 1 7 }
.label { stroke: #ffffff; stroke-width: 5; stroke-linejoin: round; paint-order: stroke }
.line.ours { stroke: #0969da } .point.ours, .name.ours { fill: #0969da }
.line.floor { stroke: #6e7781 } .point.floor, .name.floor { fill: #6e7781 }
.line.eu { stroke: #bc4c00 } .point.eu, .name.eu { fill: #bc4c00 }
.line.gdb { stroke: #8250df } .point.gdb, .name.gdb { fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 }
.ground { fill: #0d1117; stroke: #3d444d } .title { fill: #f0f6fc }
.grid { stroke: #21262d } .axis { stroke: #656c76 } .point, .label { stroke: #0d1117 }
.line.ours { stroke: #58a6ff } .point.ours, .name.ours { fill: #58a6ff }
.line.floor { stroke: #9198a1 } .point.floor, .name.floor { fill: #9198a1 }
.line.eu { stroke: #f0883e } .point.eu, .name.eu { fill: #f0883e }
.line.gdb { stroke: #bc8cff } .point.gdb, .name.gdb { fill: #bc8cff }
}"""

# In the order in which they are drawn: what lies on top is last.
CLASSES = {"bare passes and copy": "floor", "eu-stack": "eu", "gdb": "gdb", "whystuck": "ours"}


class Axis:
    """Where a value stands on a logarithmic axis from one end to the other, in pixels."""

    def __init__(self, lowest, highest, begin, end):
        self.lowest, self.highest = lowest, highest
        self.begin, self.end = begin, end

    def __call__(self, value):
        share = math.log(value / self.lowest) / math.log(self.highest / self.lowest)
        return round(self.begin + share * (self.end - self.begin), 1)

    def decades(self):
        exponent = math.ceil(math.log10(self.lowest))
        while 10 ** exponent <= self.highest:
            yield 10 ** exponent
            exponent += 1


def duration(ms):
    """As people write it, with two or three digits."""
    value, unit = (ms / 1e3, "s") if ms >= 1e3 else (ms, "ms")
    return f"{value:.{0 if value >= 100 else 1}f} {unit}"


def scale(lines):
    """The axes that hold all points, with some air around."""
    threads = [size for points in lines.values() for size in points]
    times = [ms for points in lines.values() for ms in points.values()]
    return (Axis(min(threads) * 0.8, max(threads), LEFT, RIGHT),
            Axis(10 ** math.floor(math.log10(min(times))), max(times) * 1.3, BOTTOM, TOP))


def draw_grid(x, y):
    for ms in y.decades():
        yield f'<path class="grid" d="M{LEFT} {y(ms)}H{RIGHT}"/>'
        yield (f'<text x="{LEFT - 10}" y="{y(ms) + 5}" text-anchor="end">'
               f'{duration(ms).replace(".0", "")}</text>')
    for threads in x.decades():
        yield f'<path class="grid" d="M{x(threads)} {TOP}V{BOTTOM}"/>'
        yield (f'<text x="{x(threads)}" y="{BOTTOM + 22}" text-anchor="middle">'
               f'{threads:,}</text>')
    yield f'<path class="axis" d="M{LEFT} {BOTTOM}H{RIGHT}"/>'


def draw_line(name, points, x, y):
    kind = CLASSES[name]
    way = "L".join(f"{x(threads)} {y(ms)}" for threads, ms in points)
    yield f'<path class="line {kind}" d="M{way}"/>'
    for threads, ms in points:
        yield f'<circle class="point {kind}" cx="{x(threads)}" cy="{y(ms)}" r="5"/>'


def draw_labels(lines, x, y):
    """Each line's name and last figure to the right of its end, pushed apart where close."""
    labels = []
    for name, points in lines.items():
        threads, ms = max(points.items())
        labels.append([y(ms), x(threads) + 14, name, f"{duration(ms)} at {threads:,}"])
    labels.sort()
    for _ in labels:
        for upper, lower in zip(labels, labels[1:]):
            overlap = LABEL_HEIGHT - (lower[0] - upper[0])
            if overlap > 0:
                upper[0] -= overlap / 2
                lower[0] += overlap / 2
    for middle, left, name, figure in labels:
        yield (f'<text class="label name {CLASSES[name]}" x="{left}" y="{middle - 3:.1f}">'
               f'{name}</text>'
               f'<text class="label" x="{left}" y="{middle + 14:.1f}">{figure}</text>')


def write_plot(path, lines):
    """@lines: for the name of each tool, the medians in ms by the number of threads."""
    lines = {name: lines[name] for name in CLASSES if name in lines}
    x, y = scale(lines)
    drawing = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title">',
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="6"/>',
        '<text id="title" class="title" x="24" y="36">'
        'How long one look at every thread of a process takes</text>',
        '<text x="24" y="60">Wall time of the whole command, median; both axes logarithmic</text>',
        *draw_grid(x, y),
        f'<text x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 46}" text-anchor="middle">'
        'threads of the process, 22 frames each</text>',
    ]
    for name, points in lines.items():
        drawing += draw_line(name, sorted(points.items()), x, y)
    drawing += [*draw_labels(lines, x, y), "</svg>"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(drawing) + "\n")
