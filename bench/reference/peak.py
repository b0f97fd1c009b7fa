"""How much a step takes, from the allocator's own events."""

from torch.profiler import ProfilerActivity, profile


def peak_bytes(step):
    """Most bytes of tensors during a step beyond what was held before it."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        step()
    now = peak = 0
    for event in profiled.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return peak
