"""Measures one kernel through jupyter_client and prints a JSON object: milliseconds, bytes, counts. Called by bench/kernel.ts."""

import json
import queue
import statistics
import sys
import time

import psutil
from jupyter_client.manager import KernelManager

kernel, language = sys.argv[1:3]

CODE = {
    "python": {
        "trivial": "{i} + 1",
        "typical": "def f{i}(xs):\n    return sum(x * x for x in xs)\nrow{i} = {{'id': {i}, 'values': [1, 2, 3]}}\n"
        "row{i}['total'] = f{i}(row{i}['values'])\nrow{i}",
        "declaring": "a{i} = [x + 1 for x in [{i}, 2]]\ndef g{i}(x):\n    return len(a{i}) + x",
        "complete": ("import math\nmath.sq", "sqrt"),
        "inspect": "math.sqrt",
        "setup": "import math\nkept = 41",
        "lines": "for i in range(100000): print(i)",
        "big": "print('x' * 50_000_000)",
        "loop": "while True: pass",
        "kept": "kept + 1",
    },
    "typescript": {
        "trivial": "{i} + 1",
        "typical": "function f{i}(xs: number[]): number {{ return xs.reduce((sum, x) => sum + x * x, 0) }}\n"
        "const row{i} = {{ id: {i}, values: [1, 2, 3], total: 0 }};\nrow{i}.total = f{i}(row{i}.values);\nrow{i}",
        "declaring": "const a{i} = [{i}, 2].map((x) => x + 1);\nfunction g{i}(x: number) {{ return a{i}.length + x; }}",
        "complete": ("Math.sq", "sqrt"),
        "inspect": "Math.sqrt",
        "setup": "let kept = 41",
        "lines": "for (let i = 0; i < 100000; i++) console.log(i)",
        "big": "console.log('x'.repeat(50_000_000))",
        "loop": "while (true) {}",
        "kept": "kept + 1",
    },
}[language]


result = {}


def start():
    manager = KernelManager(kernel_name=kernel)
    began = time.perf_counter()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    run(client, "1 + 1")
    return manager, client, (time.perf_counter() - began) * 1000


def run(client, code, timeout=60):
    """Milliseconds to the reply and the idle, and what was published.

    tslab sometimes publishes no idle (about cell 170, its reply and output are there): the cell then ends with its last
    message, and the loss is counted.
    """
    began = time.perf_counter()
    asked = client.execute(code)
    published, replied, idle = [], False, False
    last = began
    while not (replied and idle):
        left = timeout - (time.perf_counter() - began)
        if left <= 0:
            raise TimeoutError(code[:60])
        if not idle:
            try:
                message = client.get_iopub_msg(timeout=min(left, 5))
            except queue.Empty:
                if not client.shell_channel.msg_ready():
                    continue
                client.get_shell_msg(timeout=1)
                result["idles lost"] = result.get("idles lost", 0) + 1
                return (last - began) * 1000, published
            last = time.perf_counter()
            if message["parent_header"].get("msg_id") != asked:
                continue
            published.append(message)
            idle = message["content"].get("execution_state") == "idle"
        else:
            replied = client.get_shell_msg(timeout=left)["parent_header"].get("msg_id") == asked
    return (time.perf_counter() - began) * 1000, published


def late(client, published, wanted):
    """Reads on what comes after the idle, as tslab's output does, until there are `wanted` characters or 5 s of silence."""
    began = last = time.perf_counter()
    got = len(text_of(published))
    while got < wanted:
        try:
            message = client.get_iopub_msg(timeout=5)
        except queue.Empty:
            break
        last = time.perf_counter()
        published.append(message)
        got += len(message["content"].get("text", ""))
    return (last - began) * 1000


def text_of(published):
    return "".join(m["content"]["text"] for m in published if m["msg_type"] == "stream")


def ask(client, method, *args):
    began = time.perf_counter()
    reply = getattr(client, method)(*args, reply=True, timeout=10)
    return (time.perf_counter() - began) * 1000, reply["content"]


def attempt(name, work):
    try:
        result[name] = work()
    except Exception as error:  # noqa: BLE001  (a peer that fails is a row that says so)
        result[name] = f"{type(error).__name__}"


def latencies(client, code):
    """Median of ten cells around cell 1, 100 and 500."""
    times = [run(client, code.format(i=i))[0] for i in range(510)]
    return [statistics.median(times[at : at + 10]) for at in (0, 100, 500)]


def memory(pid):
    process = psutil.Process(pid)
    return sum(each.memory_full_info().pss for each in [process, *process.children(recursive=True)])


def interrupt(manager, client):
    run(client, CODE["setup"])
    looping = client.execute(CODE["loop"])
    time.sleep(1)
    while client.iopub_channel.msg_ready():
        message = client.get_iopub_msg(timeout=1)
        if message["parent_header"].get("msg_id") == looping and message["content"].get("execution_state") == "idle":
            return "idle while it loops"
    began = time.perf_counter()
    manager.interrupt_kernel()
    while True:
        left = 10 - (time.perf_counter() - began)
        if left <= 0:
            return "never idle"
        try:
            message = client.get_iopub_msg(timeout=left)
        except Exception:  # noqa: BLE001
            return "never idle" if manager.is_alive() else "the kernel died"
        mine = message["parent_header"].get("msg_id") == looping
        if mine and message["content"].get("execution_state") == "idle":
            break
    took = (time.perf_counter() - began) * 1000
    _, published = run(client, CODE["kept"], timeout=10)
    return took if "42" in json.dumps([m["content"] for m in published], default=str) else f"{took:.0f} ms, state lost"


starts = []
for _ in range(3):
    manager, client, took = start()
    starts.append(took)
    if len(starts) < 3:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
result["start"] = statistics.median(starts)
time.sleep(2)
attempt("memory", lambda: memory(manager.provisioner.pid))
attempt("trivial", lambda: latencies(client, CODE["trivial"]))
attempt("typical", lambda: latencies(client, CODE["typical"]))
attempt("declaring", lambda: latencies(client, CODE["declaring"]))
run(client, CODE["setup"])


def completion():
    code, wanted = CODE["complete"]
    took = [ask(client, "complete", code) for _ in range(11)][1:]
    found = any(wanted in match for match in took[-1][1]["matches"])
    return statistics.median(t for t, _ in took) if found else "finds nothing"


def inspection():
    code = CODE["inspect"]
    took = [ask(client, "inspect", code, len(code)) for _ in range(11)][1:]
    return statistics.median(t for t, _ in took) if took[-1][1].get("found") else "finds nothing"


attempt("completion", completion)
attempt("inspection", inspection)


def lines():
    took, published = run(client, CODE["lines"], timeout=60)
    took += late(client, published, 588_890)
    got = text_of(published).count("\n")
    return took if got == 100_000 else f"{took:.0f} ms, {100_000 - got:,} lines lost"


def big():
    took, published = run(client, CODE["big"], timeout=60)
    took += late(client, published, 50_000_001)
    got = len(text_of(published))
    return took if got == 50_000_001 else f"{took:.0f} ms, {50_000_001 - got:,} bytes lost"


attempt("lines", lines)
attempt("big", big)
attempt("stop", lambda: interrupt(manager, client))
manager.shutdown_kernel(now=True)
print(json.dumps(result))
