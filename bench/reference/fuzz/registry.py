"""The makers of cases, by op; each op gets as many programs as any other."""

makers = {}


def maker(*ops):
    """The decorated function makes a case of each of these ops: f(source, op)."""

    def register(f):
        for op in ops:
            makers.setdefault(op, []).append(f)
        return f

    return register
