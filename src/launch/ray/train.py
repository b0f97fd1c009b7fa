"""Runs the workers of one training as tasks of Ray.

Halftone ships this file with the training as the entrypoint of one Ray job, in a folder with cluster.py, job.json and project.zip. Every
line that it prints for Halftone begins with `@@halftone`; messages.ts reads them.
"""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import zlib
from queue import SimpleQueue

import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

import cluster

# Characters of a program's output in one message, each of which takes at most six as JSON.
TEXT = cluster.PART // 6
# How long the others have, after one has failed, to find that out and save their work, in seconds; Ray notices a lost machine within it.
FIND_SECONDS = 60


def probe(job, project):
    """What this node lacks, and where workers can listen on it."""
    check = lambda folder: cluster.halftone(job, "train-worker", folder)
    found = cluster.look(job, project, check, "a training", "the program")
    found["address"] = ray.util.get_node_ip_address()
    if ":" in found["address"]:
        found["problems"].append("the workers of a training need an IPv4 address")
        return found
    # As many as there are workers, so that those of one machine can have different ones.
    listeners = [socket.socket() for _ in range(job["workers"])]
    for listener in listeners:
        listener.bind((found["address"], 0))
    found["ports"] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return found


def run_worker(job, project, rank, addresses):
    """Runs one worker, and yields what it prints, and last how it ended."""
    with tempfile.TemporaryDirectory(prefix="halftone-") as folder:
        cluster.unpack(project, folder)
        command = [*job["command"], "train-worker", folder, "--rank", str(rank), "--addresses", ",".join(addresses)]
        options = cluster.start_options(job)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        # Not `yield from`: Ray sends into the generator.
        for line in lines_of(process):
            yield line
        status = process.wait()
        fault = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
        ended = read(os.path.join(folder, "ended.json"))
        notebook = read(os.path.join(folder, "output.ipynb"))
        yield {"fault": json.loads(ended)["fault"] if ended else fault, "notebook": notebook}


def lines_of(process):
    """Each line that a process prints, and on which stream."""
    lines = SimpleQueue()

    def follow(stream):
        for line in getattr(process, stream):
            lines.put({"stream": stream, "text": line.decode(errors="replace")})
        lines.put(None)

    streams = ["stdout", "stderr"]
    for stream in streams:
        threading.Thread(target=follow, args=[stream], daemon=True).start()
    for _ in streams:
        for line in iter(lines.get, None):
            yield line


def read(file):
    if not os.path.exists(file):
        return b""
    with open(file, "rb") as opened:
        return opened.read()


def reserve(job):
    """A place for each worker. Ends the job where the cluster has too few."""
    workers, cpus = job["workers"], job["cpus"]
    has = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    room = sum(int(amount / cpus) for amount in has)
    if room < workers:
        nodes = f"its {len(has)} nodes have {', '.join(f'{amount:g}' for amount in has)} CPU"
        cluster.refuse([f"{workers} workers need {cpus:g} CPU each, but the cluster has room for {room}: {nodes}."])
    group = placement_group([{"CPU": cpus}] * workers)
    if not group.wait(10):
        cluster.say("waiting")
        while not group.wait(60):
            pass
    return group


def check_workers(job, project, places):
    """The host and the address of each worker."""
    task = ray.remote(num_cpus=job["cpus"], max_retries=0)(probe)
    asked = [(task.options(scheduling_strategy=place).remote(job, project), f"of worker {rank}") for rank, place in enumerate(places)]
    answers = cluster.answers_of(asked)
    addresses = []
    for found in answers:
        free = (f"{found['address']}:{port}" for port in found["ports"])
        addresses.append(next(address for address in free if address not in addresses))
    return [found["host"] for found in answers], addresses


def follow(running, hosts):
    """Says what the workers print, until all have ended, or one has failed and the others have had time to find that out."""
    lost, failed, deadline = [], [], None
    while running:
        patience = None if deadline is None else max(0, deadline - time.monotonic())
        ready, _ = ray.wait(list(running), num_returns=1, timeout=patience)
        if not ready:
            break
        outputs, rank = ready[0], running[ready[0]]
        try:
            message = ray.get(next(outputs))
        except Exception as error:
            message = None
            lost.append((rank, f"was lost ({type(error).__name__})"))
        if message and "text" in message:
            say_text(message)
            continue
        del running[outputs]
        if message and message["notebook"]:
            cluster.say("notebook", size=cluster.send("notebook", zlib.compress(message["notebook"])))
        if message and message["fault"]:
            failed.append((rank, message["fault"]))
        if deadline is None and (lost or failed):
            deadline = time.monotonic() + FIND_SECONDS
    for rank, fault in [*lost, *failed][:1]:
        silent = [f"worker {other} on {hosts[other]}" for other in running.values()]
        rest = f"; {', '.join(silent)} did not end within {FIND_SECONDS} s after that" if silent else ""
        cluster.say("failed", rank=rank, host=hosts[rank], fault=fault + rest)


def say_text(message):
    text = message["text"]
    for start in range(0, len(text), TEXT):
        cluster.say("output", stream=message["stream"], text=text[start : start + TEXT])


def main():
    job, project = cluster.read_job()
    ray.init(log_to_driver=False, logging_level="ERROR")
    shared = ray.put(project)
    group = reserve(job)
    places = [PlacementGroupSchedulingStrategy(group, rank) for rank in range(job["workers"])]
    hosts, addresses = check_workers(job, shared, places)
    cluster.say("started", hosts=hosts)
    # A training that has lost a worker continues from its checkpoint, by a new job.
    task = ray.remote(num_cpus=job["cpus"], max_retries=0, num_returns="streaming")(run_worker)
    running = {
        task.options(scheduling_strategy=place).remote(job, shared, rank, addresses): rank
        for rank, place in enumerate(places)
    }
    follow(running, hosts)
    cluster.say("end")


main()
