"""Writes test/train/fixtures/optimizers.json: ten steps of PyTorch's optimizers, averages and schedules.

    pip install torch numpy
    python bench/reference/optimizers.py

PyTorch has no Lion; `Lion` below is Algorithm 2 of Chen et al. 2023 (arXiv 2302.06675).
"""

import json
from pathlib import Path

import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

FILE = Path(__file__).parents[2] / "test/train/fixtures/optimizers.json"
STEPS = 10
SHAPES = {"encoder.weight": (3, 4), "encoder.bias": (4,), "kernel": (2, 3, 2), "head.weight": (4, 2), "head.bias": (2,)}


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                p -= group["lr"] * (update + group["weight_decay"] * p)
                self.state[p]["m"] = beta2 * m + (1 - beta2) * p.grad


def array(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{n:.9g}") for n in tensor.detach().flatten().tolist()]}


def parameters(start):
    return {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}


def run(start, gradients, make, clip=None, schedule=None):
    """The parameters after the last step, and the norms before clipping."""
    named = parameters(start)
    optimizer = make(named)
    scheduler = schedule and schedule(optimizer)
    norms = []
    for gradient in gradients:
        for name, p in named.items():
            p.grad = gradient[name].clone()
        if clip is not None:
            norms.append(float(torch.nn.utils.clip_grad_norm_(named.values(), clip)))
        optimizer.step()
        if scheduler:
            scheduler.step()
    answer = {"parameters": {name: array(p) for name, p in named.items()}}
    if clip is not None:
        answer["norms"] = norms
    return answer


def optimizers(start, gradients):
    everything = lambda make: lambda named: make(list(named.values()))
    decay_of = lambda named, test: [p for name, p in named.items() if test(name)]
    is_bias = lambda name: name.endswith("bias")
    is_head = lambda name: name.startswith("head")
    cases = {
        "lion": everything(lambda ps: Lion(ps, lr=1e-2)),
        "lionDecay": everything(lambda ps: Lion(ps, lr=1e-2, betas=(0.95, 0.98), weight_decay=0.1)),
        "rmsProp": everything(lambda ps: torch.optim.RMSprop(ps, lr=1e-2)),
        "rmsPropMomentum": everything(
            lambda ps: torch.optim.RMSprop(ps, lr=1e-2, alpha=0.9, eps=1e-6, weight_decay=0.1, momentum=0.9)
        ),
        "rmsPropCentered": everything(lambda ps: torch.optim.RMSprop(ps, lr=1e-2, centered=True)),
        "adagrad": everything(lambda ps: torch.optim.Adagrad(ps, lr=1e-2)),
        "adagradDecay": everything(
            lambda ps: torch.optim.Adagrad(ps, lr=1e-1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5)
        ),
        "adafactor": everything(lambda ps: torch.optim.Adafactor(ps, lr=1e-2)),
        "adafactorLarge": everything(
            lambda ps: torch.optim.Adafactor(ps, lr=10.0, beta2_decay=-0.5, eps=(1e-6, 1e-2), d=2.0, weight_decay=0.01)
        ),
    }
    answers = {name: run(start, gradients, make) for name, make in cases.items()}

    def groups(optimizer, schedule=None):
        def make(named):
            return optimizer(
                [
                    {"params": decay_of(named, lambda n: not is_bias(n) and not is_head(n))},
                    {"params": decay_of(named, is_bias), "weight_decay": 0.0},
                    {"params": decay_of(named, lambda n: is_head(n) and not is_bias(n)), "lr": 3e-2},
                ],
            )

        return run(start, gradients, make, clip=0.5, schedule=schedule)

    answers["groups"] = groups(lambda gs: torch.optim.AdamW(gs, lr=1e-2, weight_decay=0.1))
    answers["groupsSgd"] = groups(lambda gs: torch.optim.SGD(gs, lr=1e-2, weight_decay=0.1, momentum=0.9))
    answers["groupsAdafactor"] = groups(lambda gs: torch.optim.Adafactor(gs, lr=1e-2, weight_decay=0.1))
    answers["groupsSchedule"] = groups(
        lambda gs: torch.optim.AdamW(gs, lr=1e-2, weight_decay=0.1),
        schedule=lambda optimizer: lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=8),
    )
    return answers


class Tree(torch.nn.Module):
    """A weight, and a statistic that is no parameter."""

    def __init__(self, start):
        super().__init__()
        self.weight = torch.nn.Parameter(start["encoder.weight"].clone())
        self.register_buffer("mean", start["encoder.bias"].clone())


def averages(start, gradients):
    model = Tree(start)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    answers = []
    for gradient in gradients:
        with torch.no_grad():
            model.weight -= 0.1 * gradient["encoder.weight"]
            model.mean += 0.5
        average.update_parameters(model)
        answers.append({"weight": array(average.module.weight), "mean": array(average.module.mean)})
    return answers


def clipping(gradients):
    gradient = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients[0].values()]

    def clipped(clip):
        for p, g in zip(gradient, gradients[0].values()):
            p.grad = g.clone()
        norm = clip(gradient)
        return {"norm": norm, "gradients": [array(p.grad) for p in gradient]}

    return {
        "norm": clipped(lambda ps: float(torch.nn.utils.clip_grad_norm_(ps, 0.5))),
        "largeNorm": clipped(lambda ps: float(torch.nn.utils.clip_grad_norm_(ps, 1e3))),
        "value": clipped(lambda ps: torch.nn.utils.clip_grad_value_(ps, 0.25)),
    }


def rates(make, steps, losses=None):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = make(optimizer)
    found = []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([] if losses is None else [losses[step]]))
    return found


def schedules():
    torch.manual_seed(1)
    losses = [3.0, 2.0, 2.0, 2.0, 1.9999, 2.0, 2.1, 1.5, 1.6, 1.7, 1.6, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]
    plateau = lambda **options: rates(lambda o: lr_scheduler.ReduceLROnPlateau(o, **options), len(losses), losses)
    return {
        "linear": rates(lambda o: lr_scheduler.LinearLR(o, 0.2, 1.0, total_iters=6), 10),
        "oneCycle": rates(lambda o: lr_scheduler.OneCycleLR(o, 0.8, total_steps=12), 11),
        "oneCycleLinear": rates(
            lambda o: lr_scheduler.OneCycleLR(
                o, 0.8, total_steps=12, pct_start=0.5, anneal_strategy="linear", div_factor=10, final_div_factor=100
            ),
            11,
        ),
        "oneCycleThreePhase": rates(lambda o: lr_scheduler.OneCycleLR(o, 0.8, total_steps=20, three_phase=True), 19),
        "sequence": rates(
            lambda o: lr_scheduler.SequentialLR(
                o,
                [
                    lr_scheduler.LinearLR(o, 0.2, 1.0, total_iters=3),
                    lr_scheduler.CosineAnnealingLR(o, 4),
                    lr_scheduler.ConstantLR(o, 1.0, 1),
                ],
                [3, 7],
            ),
            10,
        ),
        "losses": losses,
        "plateau": plateau(patience=2, factor=0.5),
        "plateauCooldown": plateau(patience=1, factor=0.1, cooldown=2, min_lr=1e-3, threshold=0.01),
        "plateauAbsolute": plateau(patience=0, factor=0.5, threshold=0.2, threshold_mode="abs"),
        "plateauMax": plateau(patience=2, factor=0.5, mode="max"),
    }


def main():
    generator = torch.Generator().manual_seed(16)
    draw = lambda: {name: torch.randn(shape, generator=generator) * 0.5 for name, shape in SHAPES.items()}
    start = draw()
    gradients = [draw() for _ in range(STEPS)]
    content = {
        "torch": torch.__version__.split("+")[0],
        "start": {name: array(x) for name, x in start.items()},
        "gradients": [{name: array(x) for name, x in gradient.items()} for gradient in gradients],
        "optimizers": optimizers(start, gradients),
        "averages": averages(start, gradients),
        "clipping": clipping(gradients),
        "schedules": schedules(),
    }
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(content, separators=(",", ":")) + "\n")
    print(f"{FILE.name} {FILE.stat().st_size:,} bytes")


main()
