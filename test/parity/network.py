"""The networks of a skeleton in PyTorch, built from the skeleton's description alone."""

from contextlib import contextmanager

from torch import nn
from torch.nn import functional as F

# Axes of our tensors, in PyTorch's order.
CONVOLUTION = (2, 3, 1, 0)
DEPTHWISE = (2, 3, 0, 1)
LINEAR = (1, 0)
VECTOR = (0,)


def divisible_by_8(width):
    """The nearest multiple of 8 that does not lose more than a tenth."""
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * width else nearest


class Convolution(nn.Conv2d):
    def __init__(self, name, channels, width, kernel=1, stride=1, groups=1, bias=False):
        super().__init__(channels, width, kernel, stride, kernel // 2, groups=groups, bias=bias)
        self.name = name

    def named(self):
        yield f"{self.name}/filter", self.weight, CONVOLUTION if self.groups == 1 else DEPTHWISE
        if self.bias is not None:
            yield f"{self.name}/bias", self.bias, VECTOR


class BatchNorm(nn.BatchNorm2d):
    recording = True

    def __init__(self, name, channels):
        super().__init__(channels)
        self.name = name

    def forward(self, x):
        if BatchNorm.recording:
            return super().forward(x)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)

    def named(self):
        yield f"{self.name}/gamma", self.weight, VECTOR
        yield f"{self.name}/beta", self.bias, VECTOR


@contextmanager
def not_recording():
    """Passes normalised by the batch that leave the running statistics as they are."""
    BatchNorm.recording = False
    try:
        yield
    finally:
        BatchNorm.recording = True


class Linear(nn.Linear):
    def __init__(self, name, channels, classes):
        super().__init__(channels, classes)
        self.name = name

    def named(self):
        yield f"{self.name}/weight", self.weight, LINEAR
        yield f"{self.name}/bias", self.bias, VECTOR


class SqueezeExcite(nn.Module):
    def __init__(self, name, channels, fraction):
        super().__init__()
        squeezed = divisible_by_8(channels * fraction)
        self.reduce = Convolution(f"{name}/reduce", channels, squeezed, bias=True)
        self.expand = Convolution(f"{name}/expand", squeezed, channels, bias=True)

    def forward(self, x):
        pooled = F.adaptive_avg_pool2d(x, 1)
        gate = F.relu6(self.expand(F.relu(self.reduce(pooled))) + 3) / 6  # twice differentiable
        return x * gate


class Shortcut(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


class Supernet(nn.Module):
    """Those candidates of a skeleton that some paths take."""

    def __init__(self, skeleton, paths):
        super().__init__()
        self.skeleton = skeleton
        self.channels, self.size = 3, skeleton["imageSize"]
        self.blocks = nn.ModuleList()
        self.searched = []
        for i, part in enumerate(skeleton["stem"]):
            self.add_fixed(f"stem.{i}", part)
        for stage in skeleton["stages"]:
            for i, label in enumerate(stage["labels"]):
                taken = {path[sum(self.searched)] for path in paths}
                self.add_searched(label, taken, stage["width"], stage["stride"] if i == 0 else 1)
        for i, part in enumerate(skeleton["head"]):
            self.add_fixed(f"head.{i}", part)

    def forward(self, x, path):
        choices = iter(path)
        for candidates, is_searched in zip(self.blocks, self.searched):
            x = candidates[str(next(choices) if is_searched else 0)](x)
        return x

    def named_tensors(self):
        """Our name of each parameter, the parameter, and the order of our axes."""
        for module in self.modules():
            if hasattr(module, "named"):
                yield from module.named()

    def batch_norms(self):
        return [module for module in self.modules() if isinstance(module, BatchNorm)]

    def activation(self):
        return nn.ReLU() if self.skeleton["activation"] == "relu" else nn.SiLU()

    def add(self, candidates, is_searched, shape):
        self.blocks.append(nn.ModuleDict({str(i): module for i, module in candidates.items()}))
        self.searched.append(is_searched)
        self.channels, self.size = shape

    def shape_after(self, width, kernel, stride):
        return width, (self.size + 2 * (kernel // 2) - kernel) // stride + 1

    def add_searched(self, label, taken, width, stride):
        candidates = {}
        for i in sorted(taken):
            description = self.skeleton["candidates"][i]
            name = f"{label}/{description['name']}"
            kernel = description.get("kernel", 1)
            if description["kind"] == "identity":
                candidates[i] = self.identity(name, width, stride)
            else:
                candidates[i] = self.inverted_residual(name, description, width, stride)
        self.add(candidates, True, self.shape_after(width, kernel, stride))

    def add_fixed(self, name, part):
        kind, shape = part["kind"], None
        if kind == "pool":
            module, shape = nn.AdaptiveAvgPool2d(1), (self.channels, 1)
        elif kind == "linear":
            classes = self.skeleton["classes"]
            module = nn.Sequential(nn.Flatten(), Linear(name, self.channels, classes))
            shape = (classes, 1)
        else:
            kernel, stride, width = part["kernel"], part.get("stride", 1), part["width"]
            shape = self.shape_after(width, kernel, stride)
            if kind == "conv":
                module = self.convolution(name, part, stride)
            else:
                layers = self.depthwise_and_projection(name, self.channels, kernel, stride, width)
                module = self.with_shortcut(nn.Sequential(*layers), shape)
        self.add({0: module}, False, shape)

    def convolution(self, name, part, stride):
        normalised = part.get("batchNorm", True)
        width = part["width"]
        conv = Convolution(
            name, self.channels, width, part["kernel"], stride, bias=not normalised
        )
        norm = [BatchNorm(f"{name}/bn", width)] if normalised else []
        return nn.Sequential(conv, *norm, self.activation())

    def identity(self, name, width, stride):
        if self.shape_after(width, 1, stride) == (self.channels, self.size):
            return nn.Identity()
        conv = Convolution(name, self.channels, width, 1, stride)
        return nn.Sequential(conv, BatchNorm(f"{name}/bn", width))

    def inverted_residual(self, name, description, width, stride):
        kernel = description["kernel"]
        expanded = divisible_by_8(self.channels * description["expansion"])
        body = nn.Sequential(
            Convolution(f"{name}/expand", self.channels, expanded),
            BatchNorm(f"{name}/expand/bn", expanded),
            self.activation(),
            *self.depthwise_and_projection(name, expanded, kernel, stride, width),
        )
        return self.with_shortcut(body, self.shape_after(width, kernel, stride))

    def depthwise_and_projection(self, name, channels, kernel, stride, width):
        fraction = self.skeleton["squeezeExcite"]
        depthwise = f"{name}/depthwise"
        return [
            Convolution(depthwise, channels, channels, kernel, stride, groups=channels),
            BatchNorm(f"{depthwise}/bn", channels),
            self.activation(),
            *([] if fraction is None else [SqueezeExcite(f"{name}/se", channels, fraction)]),
            Convolution(f"{name}/project", channels, width),
            BatchNorm(f"{name}/project/bn", width),
        ]

    def with_shortcut(self, body, shape):
        return Shortcut(body) if shape == (self.channels, self.size) else body
