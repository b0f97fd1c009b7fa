"""What the drivers of Ray jobs share: they ship this file beside them. It needs Ray and Python's own library."""

import base64
import ctypes
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from io import BytesIO

import ray

# Long lines stop Ray's streaming of a log.
PART = 48 * 1024
SMALLEST_DISK = 256 * 2**20
PROBE_SECONDS = 300

# Nodes need not have this file.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


def say(kind, **fields):
    print("@@halftone", json.dumps({"kind": kind, **fields}), flush=True)


def send(name, content):
    """Says bytes in parts, and returns how many characters they have in base64."""
    data = base64.b64encode(content).decode()
    for start in range(0, len(data), PART):
        say("part", id=name, at=start, data=data[start : start + PART])
    return len(data)


def refuse(problems):
    say("refused", problems=list(problems))
    raise SystemExit(3)


def read_job():
    """job.json and project.zip, at once: Ray may remove the job's folder once the driver is connected."""
    with open("job.json", encoding="utf-8") as file:
        job = json.load(file)
    with open("project.zip", "rb") as file:
        return job, file.read()


def unpack(project, folder):
    with zipfile.ZipFile(BytesIO(project)) as archive:
        archive.extractall(folder)


def host():
    return platform.node() or ray.util.get_node_ip_address()


def end_with_worker():
    """Ends the child when its Ray worker ends, which is killed when its node is lost: else its work would run twice at once."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start_options(job):
    """How a task starts Halftone."""
    threads = str(max(1, int(job["cpus"])))
    env = {"TF_NUM_INTRAOP_THREADS": threads, **os.environ, **job["env"]}
    return {"stdin": subprocess.DEVNULL, "env": env, "preexec_fn": end_with_worker}


def halftone(job, *arguments):
    options = {"capture_output": True, "text": True, "errors": "replace", **start_options(job)}
    return subprocess.run([*job["command"], *arguments], **options)


def look(job, project, check, work, files):
    """What this node lacks for the work, before it starts there. `check` runs Halftone's own check in a folder with the project."""
    found = {"host": host(), "node": None, "problems": []}
    place = tempfile.gettempdir()
    free = shutil.disk_usage(place).free
    if free < SMALLEST_DISK:
        needed = SMALLEST_DISK // 2**20
        found["problems"].append(f"{place} has {free // 2**20} MiB of free disk space, and {work} needs {needed} MiB")
    command = job["command"]
    missing = [name for name in dict.fromkeys(["node", command[0]]) if shutil.which(name) is None]
    if missing:
        found["problems"].append(f"{' and '.join(missing)} cannot be found on PATH")
        return found
    found["node"] = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    try:
        with tempfile.TemporaryDirectory(prefix="halftone-") as folder:
            unpack(project, folder)
            checked = check(folder)
        if checked.returncode != 0:
            reason = checked.stderr.strip()[-1000:]
            found["problems"].append(reason or f"{' '.join(command)} ended with status {checked.returncode}")
    except OSError as error:
        found["problems"].append(f"{files} cannot be unpacked: {error}")
    return found


def answers_of(asked):
    """What `look` found on nodes, with their addresses. Ends the job where one of them lacks something. `asked` has pairs of a task and an address."""
    answers, problems = [], []
    for answer, address in asked:
        try:
            answers.append({"address": address, **ray.get(answer, timeout=PROBE_SECONDS)})
        except Exception as error:
            problems.append(f"Node {address} did not answer: {type(error).__name__}")
    name = lambda found: f"{found['host']} ({found['address']})"
    problems += [f"Node {name(found)}: {problem}" for found in answers for problem in found["problems"]]
    majors = {found["node"].split(".")[0] for found in answers if found["node"]}
    if len(majors) > 1:
        versions = ", ".join(dict.fromkeys(f"{name(found)} has {found['node']}" for found in answers))
        problems.append(f"The nodes have different versions of Node: {versions}.")
    if problems:
        refuse(dict.fromkeys(problems))
    return answers
