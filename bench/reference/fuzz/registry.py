"""The makers of cases, by op; each op gets as many programs as any other."""

makers = {}


def maker(*ops):
    """The decorated function makes a case of each of these ops: f(source, op)."""

    def register(f):
        for op in ops:
            makers.setdefault(op, []).append(f)
        return f

    return register


def makers_of(modules):
    """The makers that these modules define, by op and in the order of the modules' names; a module may import from another without taking its makers."""
    names = {module.__name__ for module in modules}
    by_module = lambda found: sorted(found, key=lambda f: f.__module__)
    own = {op: by_module(f for f in found if f.__module__ in names) for op, found in makers.items()}
    return {op: found for op, found in own.items() if found}
