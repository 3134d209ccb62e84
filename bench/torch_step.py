"""One block of the benchmark in PyTorch: `torch_step.py WORKLOAD.json`."""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

LR, MOMENTUM, WEIGHT_DECAY, LABEL_SMOOTHING = 0.01, 0.9, 1e-4, 0.1


class BatchNorm(nn.BatchNorm2d):
    """Normalises by the batch; running statistics follow only while `recording`."""

    recording = False

    def forward(self, x):
        mean, variance = (
            (self.running_mean, self.running_var) if self.recording else (None, None)
        )
        return F.batch_norm(
            x, mean, variance, self.weight, self.bias, True, self.momentum, self.eps
        )


class SqueezeExcite(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        pooled = x.mean((2, 3), keepdim=True)
        return x * F.hardsigmoid(self.expand(F.relu(self.reduce(pooled), inplace=True)))


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x) + x


def activation(name):
    return {"relu": lambda: nn.ReLU(inplace=True), "swish": nn.SiLU, "none": nn.Identity}[name]()


def make_divisible(width, divisor=8):
    rounded = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * width else rounded


def convolution(channels, out, kernel, stride=1, groups=1, bias=False):
    padding = (kernel - 1) // 2
    return nn.Conv2d(channels, out, kernel, stride, padding, groups=groups, bias=bias)


def depthwise_separable(op, channels):
    layers = [
        convolution(channels, channels, op["kernel"], op["stride"], groups=channels),
        BatchNorm(channels),
        activation(op["activation"]),
    ]
    if op["squeezeExcite"] is not None:
        squeezed = make_divisible(channels * op["squeezeExcite"])
        layers.append(SqueezeExcite(channels, squeezed))
    return [*layers, convolution(channels, op["out"], 1), BatchNorm(op["out"])]


def build(op, block):
    """The module of one operation of our search space."""
    channels, kind = block["input"]["channels"], op["kind"]
    keeps_shape = block["input"] == block["output"]
    if kind == "conv":
        layers = [convolution(channels, op["out"], op["kernel"], op["stride"], bias=op["bias"])]
        layers += [BatchNorm(op["out"])] if op["batchNorm"] else []
        return nn.Sequential(*layers, activation(op["activation"]))
    if kind == "separable":
        body = nn.Sequential(*depthwise_separable(op, channels))
        return Residual(body) if keeps_shape else body
    if kind == "inverted-residual":
        expanded = make_divisible(channels * op["expansion"])
        body = nn.Sequential(
            convolution(channels, expanded, 1),
            BatchNorm(expanded),
            activation(op["activation"]),
            *depthwise_separable(op, expanded),
        )
        return Residual(body) if keeps_shape else body
    if kind == "identity":
        if keeps_shape:
            return nn.Identity()
        return nn.Sequential(
            convolution(channels, op["out"], 1, op["stride"]), BatchNorm(op["out"])
        )
    if kind == "pool":
        return nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(channels, op["out"]))


class Supernet(nn.Module):
    """Every candidate of every block with its own weights."""

    def __init__(self, blocks):
        super().__init__()
        self.is_choice = [block["label"] is not None for block in blocks]
        self.blocks = nn.ModuleList(
            nn.ModuleList(build(each["operation"], block) for each in block["candidates"])
            for block in blocks
        )

    def forward(self, x, path):
        choices = iter(path)
        for candidates, is_choice in zip(self.blocks, self.is_choice):
            x = candidates[next(choices) if is_choice else 0](x)
        return x


class Steps:
    def __init__(self, workload):
        space, self.size = workload["space"], workload["batchSize"]
        self.image_size, self.classes = space["imageSize"], space["classes"]
        self.net = Supernet(space["blocks"]).to(memory_format=torch.channels_last)
        parameters = list(self.net.parameters())
        self.optimizer = torch.optim.SGD(
            [
                {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": WEIGHT_DECAY},
                {"params": [p for p in parameters if p.ndim < 2]},
            ],
            lr=LR,
            momentum=MOMENTUM,
            nesterov=True,
        )
        self.images = self.random_images(self.size)
        self.labels = torch.randint(self.classes, (self.size,))
        self.board = workload["board"]
        probe_images = workload["probeImages"]
        self.probes = [self.random_images(probe_images) for _ in self.board]
        self.stored = torch.cat([self.predict(*each) for each in zip(self.probes, self.board)])
        self.meta = nn.Linear(probe_images * self.classes, 1)

    def random_images(self, count):
        images = torch.randn(count, 3, self.image_size, self.image_size)
        return images.contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def predict(self, images, path):
        return F.softmax(self.net(images, path), 1)

    @torch.no_grad()
    def match(self, student):
        """Largest matching degree over the board."""
        probabilities = self.predict(torch.cat(self.probes), student)
        difference = (probabilities - self.stored).view(len(self.board), -1)
        return torch.sigmoid(self.meta(difference).max()).item()

    def train(self, student, lesson):
        self.optimizer.zero_grad(set_to_none=True)
        BatchNorm.recording = True
        logits = self.net(self.images, student)
        BatchNorm.recording = False
        loss = F.cross_entropy(logits, self.labels, label_smoothing=LABEL_SMOOTHING)
        if lesson is not None:
            rho, probabilities = lesson
            loss = (rho * F.cross_entropy(logits, probabilities) + (2 - rho) * loss) / 2
        loss.backward()
        self.optimizer.step()
        accuracy = (logits.detach().argmax(1) == self.labels).float().mean()
        return loss.item(), accuracy.item(), F.softmax(logits.detach(), 1)

    def spos(self, step):
        self.train(step["student"], None)

    def cream(self, step):
        rho = self.match(step["student"])
        probabilities = self.predict(self.images, self.board[step["teacher"]])
        self.train(step["student"], (rho, probabilities))


def images_per_second(run, workload, size):
    steps, warmup = workload["steps"], workload["warmup"]
    for step in steps[:warmup]:
        run(step)
    started = time.perf_counter()
    for step in steps[warmup:]:
        run(step)
    return (len(steps) - warmup) * size / (time.perf_counter() - started)


def main():
    with open(sys.argv[1]) as file:
        workload = json.load(file)
    torch.set_num_threads(workload["threads"])
    torch.manual_seed(0)
    steps = Steps(workload)
    report = {
        "parameters": sum(p.numel() for p in steps.net.parameters()),
        "imagesPerSecond": {
            "spos": images_per_second(steps.spos, workload, steps.size),
            "cream": images_per_second(steps.cream, workload, steps.size),
        },
    }
    print(json.dumps({**report, "cpuSeconds": time.process_time()}))


main()
