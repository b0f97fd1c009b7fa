"""Runs the points of a sweep as tasks of Ray.

Halftone ships this file with the sweep as the entrypoint of one Ray job, in a folder with cluster.py, job.json and project.zip. Every line
that it prints for Halftone begins with `@@halftone`; messages.ts reads them.
"""

import itertools
import os
import tempfile
import zipfile
from io import BytesIO

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import cluster


def sweep_point(job, folder, *arguments):
    limit = [] if job["timeout"] is None else ["--timeout", str(job["timeout"])]
    return cluster.halftone(job, "sweep-point", folder, *arguments, *limit)


def probe(job, project):
    return cluster.look(job, project, lambda folder: sweep_point(job, folder), "a sweep", "the notebook")


def run_point(job, project, point):
    """Runs one point, and returns the files that it stored."""
    with tempfile.TemporaryDirectory(prefix="halftone-") as folder:
        cluster.unpack(project, folder)
        store = os.path.join(folder, "result")
        ended = sweep_point(job, folder, point, "--store", store)
        points = os.path.join(store, "points")
        files = os.listdir(points) if os.path.isdir(points) else []
        archive = BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name in files:
                zipped.write(os.path.join(points, name), name)
    message = ended.stderr.strip()[-2000:] or f"the point ended with status {ended.returncode}"
    return {"host": cluster.host(), "message": None if f"{point}.json" in files else message, "zip": archive.getvalue()}


def fitting_nodes(job):
    """The nodes on which a point can run."""
    alive = [node for node in ray.nodes() if node["Alive"]]
    wanted = {"CPU": job["cpus"], "GPU": job["gpus"], "memory": job["memory"]}
    fits = lambda has: all(has.get(name, 0) >= amount for name, amount in wanted.items())
    fitting = [node for node in alive if fits(node["Resources"])]
    if not fitting:
        asked = [name for name, amount in wanted.items() if amount]
        most = {name: max(node["Resources"].get(name, 0) for node in alive) for name in asked}
        asks = amounts({name: wanted[name] for name in asked})
        none = f"none of the {len(alive)} nodes has that: the most that one has is {amounts(most)}"
        cluster.refuse([f"A point asks for {asks}, but {none}."])
    return fitting


def amounts(of):
    texts = {name: f"{amount:g} {name}" for name, amount in of.items()}
    if "memory" in of:
        texts["memory"] = f"{of['memory'] / 2**30:.1f} GiB of memory"
    return ", ".join(texts.values())


def check_nodes(job, project):
    """Has every node checked at once. Ends the job where one cannot run points."""
    task = ray.remote(num_cpus=0, max_retries=0)(probe)
    asked = []
    for node in fitting_nodes(job):
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        asked.append((task.options(scheduling_strategy=there).remote(job, project), node["NodeManagerAddress"]))
    cluster.say("nodes", hosts=[found["host"] for found in cluster.answers_of(asked)])


def main():
    job, project = cluster.read_job()
    # Points that take a node's memory are tried again as often as those whose node is lost, not for ever.
    os.environ.setdefault("RAY_task_oom_retries", str(job["retries"]))
    ray.init(log_to_driver=False, logging_level="ERROR")
    shared = ray.put(project)
    check_nodes(job, shared)
    resources = {"num_cpus": job["cpus"], "num_gpus": job["gpus"], "memory": job["memory"] or None}
    try:
        task = ray.remote(max_retries=job["retries"], **resources)(run_point)
    except ValueError as error:
        cluster.refuse([f"Ray refuses the resources of a point: {error}"])
    waiting = iter(job["points"])
    running = {}

    def start(count):
        for point in itertools.islice(waiting, count):
            running[task.remote(job, shared, point)] = point

    start(job["jobs"])
    while running:
        [ended], _ = ray.wait(list(running), num_returns=1)
        start(1)
        point = running.pop(ended)
        try:
            result = ray.get(ended)
        except Exception as error:
            result = {"host": "", "message": f"{type(error).__name__}: {error}"[:2000], "zip": b""}
        size = cluster.send(point, result["zip"])
        cluster.say("point", id=point, size=size, host=result["host"], message=result["message"])
    cluster.say("end")


main()
