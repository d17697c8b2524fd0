def write_plot(path, lines):
    open(path, "w").write(repr(lines))
